using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Tests.Training;

public class PredictionsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(30)]
    [InlineData(100)]
    public void Every_sample_has_its_own_row_whatever_the_batch(int batch)
    {
        Graph network = NaiveNetwork.Build(5, 2, 3);
        List<int> heard = [];
        Tensor all = Predictions.Of(network, NaiveNetwork.Rings(30, 1), batch, progress: new Heard(heard)), one = Predictions.Of(network, NaiveNetwork.Rings(30, 1), 1);
        Assert.Equal(new(30, 2), all.Shape);
        Assert.Equal(one.Span.ToArray(), all.Span.ToArray());
        Assert.Equal(30, heard[^1]);
    }

    [Fact]
    public void A_network_for_one_number_of_samples_runs_with_it()
    {
        Graph network = Fixed(NaiveNetwork.Build(5, 2, 3), 4);
        Assert.Throws<GraphException>(() => Rewrite.Resize(network, 8));
        Assert.Equal(Predictions.Of(NaiveNetwork.Build(5, 2, 3), NaiveNetwork.Rings(30, 1), 1).Span.ToArray(), Predictions.Of(network, NaiveNetwork.Rings(30, 1), 8).Span.ToArray());
    }

    [Fact]
    public void An_output_without_an_axis_for_the_samples_is_refused()
    {
        Graph network = NaiveNetwork.Build(5, 2, 3);
        network.Output("sum", network.Add(new Amalgam.Graphs.Ops.SumTo(new(2)), network.Outputs["scores"]));
        Assert.Contains("no row for each of 10 samples", Assert.Throws<GraphException>(() => Predictions.Of(network, NaiveNetwork.Rings(30, 1), 10, "sum")).Message);
    }

    /// <summary>A network that would compute something for images of any size takes those of its own alone; a list of ids may have any length.</summary>
    [Fact]
    public void Ids_are_followed_through_what_hands_them_on()
    {
        Graph graph = new();
        Node ids = graph.Input("input_ids", new(2, 6), DType.I64), table = graph.Parameter("table", new Tensor(new(7, 3)));
        Node read = table.Transpose(1, 0).Gather(ids.Slice(1, 0, 4).Unsqueeze(0).Cast(DType.I64), 1);
        graph.Output("y", read.Transpose(2, 1, 3, 0).Flatten(2).Sum(false, 1));
        Executor executor = new(graph, [read]);
        Tensor?[] Bind(int count) => DataInputs.Bind(new Ones("input_ids", new(6)) { Ids = count }, graph, 2, null, executor);
        Assert.NotNull(Assert.Single(Bind(7)));
        Assert.Contains("has rows for 7 ids, ones has 8", Assert.Throws<GraphException>(() => Bind(8)).Message);
    }

    [Fact]
    public void Images_of_another_size_are_refused_and_lists_of_ids_are_not()
    {
        Graph pixels = new();
        pixels.Output("y", pixels.Add(new Amalgam.Graphs.Ops.GlobalAveragePool(), pixels.Input("image", new(2, 1, 4, 4))).Flatten());
        Assert.Equal(new(3, 1), Predictions.Of(pixels, new Ones("image", new(1, 4, 4)), 2).Shape);
        Assert.Equal("the input 'image' [2,1,4,4] does not take 2 samples of ones's 'image' [1,6,5]", Assert.Throws<GraphException>(() => Predictions.Of(pixels, new Ones("image", new(1, 6, 5)), 2)).Message);

        Assert.Equal(new(3, 7), Predictions.Of(List(DType.I64), new Ones("x", new(7)), 2).Shape);
        Assert.Contains("'x' [2,4] does not take 2 samples", Assert.Throws<GraphException>(() => Predictions.Of(List(DType.F32), new Ones("x", new(7)), 2)).Message);

        static Graph List(DType type)
        {
            Graph graph = new();
            graph.Output("y", graph.Input("x", new(2, 4), type).Cast(DType.F32) * 2f);
            return graph;
        }
    }

    /// <summary>The network with scores reshaped to a fixed number of rows, as exporters write who do not know of other batches.</summary>
    private static Graph Fixed(Graph network, int samples)
    {
        Graph graph = Rewrite.Resize(network, samples).Graph;
        Graph to = new();
        Dictionary<Node, Node> map = [];
        foreach (Node node in graph.Nodes)
        {
            map[node] = node.Op switch
            {
                Input => to.Input(node.Name!, node.Shape),
                Parameter => to.Parameter(node.Name!, node.Value!),
                _ => to.Add(node.Op, [.. node.Inputs.Select(i => map[i])]),
            };
        }

        to.Output("scores", map[graph.Outputs["scores"]].Reshape(samples, 2));
        return to;
    }

    private sealed class Ones(string input, Shape shape) : Dataset
    {
        public override string Name => "ones";

        public override int Count => 3;

        public override ImmutableArray<Field> Fields => [new Field(input, shape, Ids is null ? DType.F32 : DType.I64) { Ids = Ids }];

        public int? Ids { get; init; }

        public override void Read(int field, int sample, Draw draw, Span<float> y) => y.Fill(1);
    }

    private sealed class Heard(List<int> counts) : IProgress<int>
    {
        public void Report(int value) => counts.Add(value);
    }
}
