using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Tests.Alignment;
using Amalgam.Tests.Merging;
using Amalgam.Training;
using Amalgam.Transfer.Teaching;

namespace Amalgam.Tests.Transfer.OfTeaching;

public class FeaturesTests
{
    /// <summary>A result is what the output layer makes of the features.</summary>
    [Theory]
    [InlineData("mlp", "fc3.weight", 7)]
    [InlineData("resnet", "linear.weight", 16)]
    [InlineData("vit", "classifier.weight", 8)]
    public void Features_are_what_the_output_layer_reads(string kind, string weight, int count)
    {
        (Graph network, Samples data) = Samples.Of(kind, 1, 12);
        Graph graph = DataInputs.Fit(network, data, 12);
        Node output = DataInputs.OutputOf(graph), features = Features.Of(output);
        Assert.Equal(count, Features.CountOf(output));
        Assert.Equal(new Shape(12, count), features.Shape);
        Node again = features.Linear(graph.Parameters[weight], graph.Parameters[weight.Replace("weight", "bias")]);
        Executor executor = new(graph, [output, again]);
        Random random = new(1);
        foreach (ref float x in executor[graph.Inputs.Keys.Single()].Span) x = random.NextSingle();
        executor.Run();
        Close.Equal([.. executor[output].Span.ToArray().Select(v => (double)v)], executor[again].Span.ToArray(), 4);
        Assert.Equal(count, Features.CountOf(output, weight));
    }

    [Fact]
    public void A_weight_may_say_where_to_look()
    {
        (Graph network, _) = Samples.Of("resnet", 1);
        Node output = DataInputs.OutputOf(network);
        Assert.Equal(network.Parameters["layer3.0.conv1.weight"].Shape[1], Features.CountOf(output, "layer3.0.conv1.weight"));
        Assert.Equal(new Shape(2, network.Parameters["layer3.0.conv1.weight"].Shape[1]), Features.Of(output, "layer3.0.conv1.weight").Shape);
        Assert.Equal(2, Features.Of(output, "conv1.weight").Shape.Rank);
        Assert.Contains("no weight 'layer9'", Assert.Throws<GraphException>(() => Features.Of(output, "layer9")).Message, StringComparison.Ordinal);
        Assert.Contains("is no weight of a product", Assert.Throws<GraphException>(() => Features.Of(output, "linear.bias")).Message, StringComparison.Ordinal);
    }

    /// <summary>What is dropped at random is no relation between samples.</summary>
    [Fact]
    public void Dropout_before_the_output_layer_is_not_looked_at()
    {
        Graph graph = new();
        Node hidden = graph.Input("x", new(4, 3)).Linear(graph.Parameter("a", new(new(5, 3)))).Relu();
        graph.Output("y", hidden.Dropout(0.5f).Linear(graph.Parameter("b", new(new(2, 5))), graph.Parameter("c", new(new(2)))));
        GraphCopy training = Rewrite.ForTraining(graph);
        Assert.Same(training.Map[hidden], Features.Of(training.Graph.Outputs["y"]));
        Assert.Same(hidden, Features.Of(graph.Outputs["y"]));
    }

    /// <summary>In training masks and a batch's statistics are computed beside what they act on.</summary>
    [Fact]
    public void Behind_the_output_layer_normalisations_and_dropout_are_passed_in_both_forms()
    {
        Graph graph = new();
        Node hidden = graph.Input("x", new(4, 3)).Linear(graph.Parameter("a", new(new(5, 3)))).Relu();
        Node scores = hidden.Linear(graph.Parameter("b", new(new(2, 5))));
        Node[] of = [.. new[] { "scale", "shift", "mean", "variance" }.Select(name => graph.Parameter(name, new(new(2), [1, 1])))];
        graph.Output("y", graph.Add(new BatchNormalization(), scores, of[0], of[1], of[2], of[3]).Dropout(0.5f));
        GraphCopy training = Rewrite.ForTraining(graph);
        Assert.Contains(training.Graph.Nodes, node => node.Op is BatchNormalizationTraining);
        Assert.Same(hidden, Features.Of(graph.Outputs["y"]));
        Assert.Same(training.Map[hidden], Features.Of(training.Graph.Outputs["y"]));
        Assert.Equal(5, Features.CountOf(training.Graph.Outputs["y"]));
    }

    /// <summary>A classifier that is a convolution over positions, whose scores are averaged.</summary>
    [Fact]
    public void Positions_are_averaged()
    {
        Graph graph = new();
        Node image = graph.Input("image", new(2, 3, 4, 4));
        graph.Output("y", image.Relu().Conv(graph.Parameter("w", new(new(5, 3, 1, 1)))).GlobalAveragePool().Flatten());
        Node features = Features.Of(graph.Outputs["y"]);
        Executor executor = new(graph, [features]);
        for (int i = 0; i < 96; i++) executor["image"].Span[i] = i;
        executor.Run();
        Assert.Equal([.. Enumerable.Range(0, 6).Select(i => 16 * i + 7.5f)], executor[features].Span.ToArray());
        Assert.Equal(3, Features.CountOf(graph.Outputs["y"]));
    }

    [Fact]
    public void Results_without_a_last_layer_are_refused()
    {
        Graph graph = new();
        Node a = graph.Input("a", new(2, 3)), b = graph.Input("b", new(2, 3));
        graph.Output("sum", a + b);
        graph.Output("similarity", a.MatMul(b, false, true));
        graph.Output("ends", a.Relu());
        foreach (Node output in graph.Outputs.Values)
            Assert.Contains("no features to compare", Assert.Throws<GraphException>(() => Features.Of(output)).Message, StringComparison.Ordinal);
    }
}
