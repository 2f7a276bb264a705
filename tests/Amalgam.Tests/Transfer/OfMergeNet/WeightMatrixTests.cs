using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Tests.Graphs;
using Amalgam.Transfer.MergeNet;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Transfer.OfMergeNet;

public class WeightMatrixTests
{
    /// <summary>A layer of five outputs and three inputs under every way in which a product may read its weight.</summary>
    public static TheoryData<bool, bool, bool> Orders => new(from isLeft in new[] { false, true } from transposed in new[] { false, true } from moved in new[] { false, true } select (isLeft, transposed, moved));

    [Theory, MemberData(nameof(Orders))]
    public void Rows_are_outputs_and_columns_inputs_in_either_order_of_storage(bool isLeft, bool transposed, bool moved)
    {
        Graph graph = new();
        Node x = graph.Input("x", isLeft ? new(3, 1) : new(1, 3));
        bool outputsFirst = isLeft ? !transposed : transposed;
        Node w = graph.Parameter("w", RandomGraph.Random(new(1), outputsFirst ^ moved ? new(5, 3) : new(3, 5)));
        Node read = moved ? w.Transpose(1, 0) : w;
        graph.Output("y", isLeft ? read.MatMul(x, transposed) : x.MatMul(read, false, transposed));
        Assert.Equal(Responses(graph, 3), Values(graph, WeightMatrix.Of(graph, "w")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(6)]
    public void A_row_of_a_convolution_is_what_a_filter_gives_to_each_element_under_it(int groups)
    {
        Graph graph = new();
        Node x = graph.Input("x", new(1, 6, 2, 3)), w = graph.Parameter("w", RandomGraph.Random(new(1), new(12, 6 / groups, 2, 3)));
        graph.Output("y", x.Conv(w, groups: groups));
        WeightMatrix matrix = WeightMatrix.Of(graph, "w");
        Assert.Equal((12, 36 / groups), (matrix.Rows, matrix.Columns));
        float[] all = Responses(graph, 36), found = Values(graph, matrix);
        for (int filter = 0; filter < 12; filter++)
        {
            int first = filter / (12 / groups) * (36 / groups);
            for (int i = 0; i < 36 / groups; i++) Assert.Equal(all[filter * 36 + first + i], found[filter * matrix.Columns + i]);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_row_of_a_transposed_convolution_is_what_an_output_channel_gets(int groups)
    {
        Graph graph = new();
        Node x = graph.Input("x", new(1, 4, 1, 1)), w = graph.Parameter("w", RandomGraph.Random(new(1), new(4, 3, 2, 2)));
        graph.Output("y", graph.Add(new ConvTranspose(Groups: groups), x, w));
        WeightMatrix matrix = WeightMatrix.Of(graph, "w");
        Assert.Equal((3 * groups, 4 / groups * 4), (matrix.Rows, matrix.Columns));
        float[] found = Values(graph, matrix), all = Responses(graph, 4);
        for (int output = 0; output < 3 * groups; output++)
        {
            for (int input = 0; input < 4 / groups; input++)
            {
                for (int tap = 0; tap < 4; tap++) Assert.Equal(all[(output * 4 + tap) * 4 + output / 3 * (4 / groups) + input], found[output * matrix.Columns + input * 4 + tap]);
            }
        }
    }

    /// <summary>Weights with a norm of their own, folded scales and other shapes, as exporters write them: a row is an output still.</summary>
    [Fact]
    public void Weights_are_followed_through_factors_and_shapes()
    {
        Graph graph = new();
        Node Weight(string name, params ReadOnlySpan<long> shape) => graph.Parameter(name, RandomGraph.Random(new(name.Length), new(shape)));
        Node x = graph.Input("x", new(1, 4, 5, 5)), rows = graph.Input("rows", new(2, 6)), v = Weight("v", 5, 4, 3, 3);
        graph.Output("normed", x.Conv(Weight("g", 5, 1, 1, 1) * v / (v * v).Sum(true, 1, 2, 3).Sqrt()));
        graph.Output("flat", x.Conv(Weight("flat", 5, 36).Reshape(5, 4, 3, 3)));
        graph.Output("filters", graph.Input("patches", new(2, 36)).Linear(Weight("filters", 5, 4, 3, 3).Reshape(5, 36)));
        graph.Output("heads", rows.Linear(Weight("heads", 2, 3, 6).Reshape(6, 6)));
        graph.Output("scaled", rows.MatMul(graph.Parameter("by", Tensor.Vector(1, 2, 3, 4)) * Weight("scaled", 6, 4) * 0.5f));
        graph.Output("gated", (Weight("gate", 2, 6) * rows).MatMul(Weight("last", 6, 3)));
        Assert.Equal(["v [5, 36]", "flat [5, 36]", "filters [5, 36]", "heads [6, 6]", "scaled [4, 6]", "last [3, 6]"], WeightMatrix.AllOf(graph).Select(matrix => matrix.ToString()));
        Assert.Equal(v.Value!.Span[36..72].ToArray(), Values(graph, WeightMatrix.Of(graph, "v"))[36..72]);
    }

    [Fact]
    public void A_parameter_that_nothing_known_reads_has_its_first_axis_as_rows()
    {
        Graph graph = new();
        graph.Parameter("bias", new(new(5, 4, 3, 3)));
        graph.Parameter("positions", new(new(1, 7, 8)));
        graph.Parameter("table", new(new(9, 8)));
        graph.Parameter("one", new(new(1, 1, 1)));
        Assert.Equal(["bias [5, 36]", "positions [7, 8]", "table [9, 8]", "one [1, 1]"], graph.Parameters.Keys.Select(name => WeightMatrix.Of(graph, name).ToString()));
        WeightMatrix part = WeightMatrix.Of(graph, "bias", rows: (1, 3));
        Assert.Equal(("bias[1..4]", 3, "bias[1..4] [3, 36]"), (part.Label, part.HighestRank, part.ToString()));
        Assert.Equal(("table", 8), (WeightMatrix.Of(graph, "table").Label, WeightMatrix.Of(graph, "table").HighestRank));
    }

    [Fact]
    public void Loralibs_view_follows_its_formula()
    {
        const int Outputs = 4, Inputs = 3, K = 3;
        Graph graph = new();
        Node w = graph.Parameter("w", RandomGraph.Random(new(1), new(Outputs, Inputs, K, K)));
        graph.Output("y", graph.Input("x", new(1, Inputs, 5, 5)).Conv(w));
        WeightMatrix matrix = WeightMatrix.Of(graph, "w", ConvolutionLayout.Loralib);
        Assert.Equal((Outputs * K, Inputs * K, K), (matrix.Rows, matrix.Columns, matrix.Side));
        float[] found = Values(graph, matrix);
        for (int o = 0; o < Outputs; o++)
        {
            for (int i = 0; i < Inputs; i++)
            {
                for (int u = 0; u < K; u++)
                {
                    for (int v = 0; v < K; v++)
                    {
                        int flat = ((o * Inputs + i) * K + u) * K + v, row = flat / (Inputs * K), column = flat % (Inputs * K);
                        Assert.Equal(w.Value!.Span[flat], found[row * matrix.Columns + column]);
                    }
                }
            }
        }
    }

    [Fact]
    public void Loralibs_view_of_a_convolution_by_channel_and_of_a_small_kernel()
    {
        Graph graph = new();
        Node x = graph.Input("x", new(1, 6, 5, 5));
        graph.Output("y", x.Conv(graph.Parameter("deep", new(new(6, 1, 3, 3))), groups: 6).Conv(graph.Parameter("point", RandomGraph.Random(new(1), new(4, 6, 1, 1)))));
        WeightMatrix deep = WeightMatrix.Of(graph, "deep", ConvolutionLayout.Loralib);
        Assert.Equal((3, 18), (deep.Rows, deep.Columns));
        Assert.Equal(Values(graph, WeightMatrix.Of(graph, "point")), Values(graph, WeightMatrix.Of(graph, "point", ConvolutionLayout.Loralib)));
    }

    [Fact]
    public void What_is_read_and_written_back_is_what_was_there() => Property.Holds(gen =>
    {
        Graph graph = Any(gen);
        foreach (WeightMatrix matrix in WeightMatrix.AllOf(graph))
        {
            Tensor value = graph.Parameters[matrix.Name].Value!;
            float[] before = value.Span.ToArray();
            int from = gen.Random.Next(matrix.Rows), count = 1 + gen.Random.Next(matrix.Rows - from);
            WeightMatrix part = WeightMatrix.Of(graph, matrix.Name, rows: (from, count));
            Assert.Equal(Values(graph, matrix)[(from * matrix.Columns)..((from + count) * matrix.Columns)], Values(graph, part));

            float[] other = gen.Floats(matrix.Rows * matrix.Columns), expected = Values(graph, matrix);
            part.Write(other.AsSpan(0, count * part.Columns), value.Span);
            other.AsSpan(0, count * part.Columns).CopyTo(expected.AsSpan(from * part.Columns));
            Assert.Equal(expected, Values(graph, matrix));
            matrix.Write(other, value.Span);
            Assert.Equal(other, Values(graph, matrix));

            float[] read = new float[before.Length], back = new float[before.Length];
            matrix.Read(before, read);
            matrix.Write(read, back);
            Assert.Equal(before, back);
        }
    }, 40);

    [Fact]
    public void Reading_and_writing_allocates_nothing()
    {
        Graph graph = Any(new(3));
        WeightMatrix matrix = WeightMatrix.Of(graph, "dense");
        float[] values = new float[matrix.Rows * matrix.Columns];
        Tensor parameter = graph.Parameters["dense"].Value!;
        Warm.AllocatesNothing(() =>
        {
            matrix.Read(parameter.Span, values);
            matrix.Write(values, parameter.Span);
        });
    }

    [Fact]
    public void All_are_the_weights_of_products_and_convolutions_in_order()
    {
        Graph mobile = new MobileNetV2(10) { Width = 0.25 }.Build(1);
        ImmutableArray<WeightMatrix> all = WeightMatrix.AllOf(mobile);
        Assert.Equal(mobile.Parameters.Values.Where(p => p.Shape.Rank > 1).Select(p => p.Name!), all.Select(m => m.Name));
        Assert.Equal("classifier.1.weight", all[^1].Name);
        Assert.Equal(mobile.Parameters["classifier.1.weight"].Shape, new Shape(all[^1].Rows, all[^1].Columns));

        Graph text = new();
        Node table = text.Parameter("embedding", new(new(7, 4))), position = text.Parameter("position", new(new(3, 4)));
        Node x = table.Gather(text.Input("ids", new(3))) + position;
        text.Output("y", x.MatMul(text.Parameter("w", new(new(4, 5)))));
        Assert.Equal(["w [5, 4]"], WeightMatrix.AllOf(text).Select(m => m.ToString()));
        Assert.Equal("embedding [7, 4]", WeightMatrix.Of(text, "embedding").ToString());
    }

    [Fact]
    public void A_recurrent_layers_weights_have_a_row_for_each_gate_of_each_unit()
    {
        Graph graph = new();
        Node x = graph.Input("x", new(2, 1, 4));
        graph.Output("y", graph.Add(new Gru(), x, graph.Parameter("w", new(new(1, 9, 4))), graph.Parameter("r", new(new(1, 9, 3)))));
        Assert.Equal(["w [9, 4]", "r [9, 3]"], WeightMatrix.AllOf(graph).Select(m => m.ToString()));
    }

    [Fact]
    public void Refuses_what_is_no_matrix_of_the_network()
    {
        Graph graph = new MobileNetV2(10) { Width = 0.25 }.Build(1);
        string missing = Refusal(() => WeightMatrix.Of(graph, "classifier.1.wieght"));
        Assert.Contains("no parameter 'classifier.1.wieght' (did you mean 'classifier.1.weight'?)", missing, StringComparison.Ordinal);
        Assert.Contains("'features.3.conv", Refusal(() => WeightMatrix.Of(graph, "features.3")), StringComparison.Ordinal);
        Assert.Contains("'classifier.1.bias' [10] is a vector", Refusal(() => WeightMatrix.Of(graph, "classifier.1.bias")), StringComparison.Ordinal);
        Assert.Contains("no 4 rows from row 7 on", Refusal(() => WeightMatrix.Of(graph, "classifier.1.weight", rows: (7, 4))), StringComparison.Ordinal);
        Assert.Contains("10 rows", Refusal(() => WeightMatrix.Of(graph, "classifier.1.weight", rows: (-1, 4))), StringComparison.Ordinal);
        Assert.Contains("10 rows", Refusal(() => WeightMatrix.Of(graph, "classifier.1.weight", rows: (1, int.MaxValue))), StringComparison.Ordinal);

        Graph wide = new();
        wide.Output("y", wide.Input("x", new(1, 2, 4, 4)).Conv(wide.Parameter("w", new(new(2, 2, 1, 3)))));
        Assert.Contains("square kernels", Refusal(() => WeightMatrix.Of(wide, "w", ConvolutionLayout.Loralib)), StringComparison.Ordinal);
    }

    internal static float[] Values(Graph graph, WeightMatrix matrix)
    {
        float[] values = new float[matrix.Rows * matrix.Columns];
        matrix.Read(graph.Parameters[matrix.Name].Value!.Span, values);
        return values;
    }

    private static string Refusal(Action action) => Assert.Throws<GraphException>(action).Message;

    /// <summary>What each output gives to each input alone: [outputs, inputs].</summary>
    private static float[] Responses(Graph graph, int inputs)
    {
        int outputs = (int)graph.Outputs["y"].Shape.Count;
        float[] responses = new float[outputs * inputs];
        for (int i = 0; i < inputs; i++)
        {
            Tensor x = new(graph.Inputs["x"].Shape);
            x.Span[i] = 1;
            float[] y = Oracles.Value(graph.Outputs["y"], new Dictionary<string, Tensor> { ["x"] = x });
            for (int o = 0; o < outputs; o++) responses[o * inputs + i] = y[o];
        }

        return responses;
    }

    /// <summary>A network with weights of all kinds and of random sizes.</summary>
    private static Graph Any(Generator gen)
    {
        Graph graph = new();
        int groups = 1 + gen.Random.Next(3), channels = groups * (1 + gen.Random.Next(3)), filters = groups * (1 + gen.Random.Next(4)), outputs = 1 + gen.Random.Next(6);
        Node P(string name, params long[] sizes) => graph.Parameter(name, RandomGraph.Random(gen, new(sizes)));
        Node x = graph.Input("x", new(1, channels, 6, 5)).Conv(P("conv", filters, channels / groups, 3, 2), groups: groups);
        x = graph.Add(new ConvTranspose(Groups: groups), x, P("back", filters, 2, 2, 3));
        x = x.GlobalAveragePool().Reshape(1, 2 * groups).MatMul(P("dense", 2 * groups, outputs)).MatMul(P("linear", 4, outputs), false, true);
        graph.Output("y", P("left", 3, 1).MatMul(x).Unsqueeze(0).MatMul(P("several", 2, 4, 5)));
        return graph;
    }
}
