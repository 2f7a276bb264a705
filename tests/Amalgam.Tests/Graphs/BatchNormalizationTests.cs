using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

/// <summary>The training form of batch normalisation: what a step does to the running statistics.</summary>
public class BatchNormalizationTests
{
    [Fact]
    public void A_step_moves_the_running_statistics_as_PyTorch_does()
    {
        Graph graph = new();
        Node x = graph.Input("x", new(2, 1, 2)), mean = graph.Parameter("mean", Tensor.Vector(10), false), variance = graph.Parameter("variance", Tensor.Vector(3), false);
        graph.Output("y", x.BatchNormalization(graph.Parameter("scale", Tensor.Vector(2)), graph.Parameter("bias", Tensor.Vector(1)), mean, variance, 0, 0.75f));

        Graph training = Rewrite.ForTraining(graph).Graph;
        Dictionary<Node, Tensor> values = RandomGraph.Evaluate(training, new Dictionary<string, Tensor> { ["x"] = new(new(2, 1, 2), [1, 3, 5, 7]) });

        // The batch has mean 4, variance 5 with bias and 20 / 3 without.
        Assert.Equal(0.75f * 10 + 0.25f * 4, values[training.Updates[training.Parameters["mean"]]].Span[0], 1e-5f);
        Assert.Equal(0.75f * 3 + 0.25f * 20 / 3, values[training.Updates[training.Parameters["variance"]]].Span[0], 1e-5f);
        Assert.Equal(1 + 2 * (7 - 4) / Math.Sqrt(5), values[training.Outputs["y"]].Span[3], 1e-5);
    }

    [Fact]
    public void Statistics_that_are_no_parameters_stay() => Assert.Empty(Rewrite.ForTraining(Frozen()).Graph.Updates);

    [Fact]
    public void Refuses_vectors_that_do_not_fit_the_channels()
    {
        Graph graph = new();
        Node x = graph.Input("x", new(2, 3, 4)), c = graph.Constant(Tensor.Vector(1, 2));
        GraphException e = Assert.Throws<GraphException>(() => graph.Add(new BatchNormalization(), x, c, c, c, c));
        Assert.Contains("one number for each of the 3 channels, found [2]", e.Message, StringComparison.Ordinal);
    }

    private static Graph Frozen()
    {
        Graph graph = new();
        Node c = graph.Constant(Tensor.Vector(1));
        graph.Output("y", graph.Input("x", new(2, 1, 2)).BatchNormalization(c, c, c, c));
        return graph;
    }
}
