using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;
using Net = Amalgam.Zoo.Models.Layers;

namespace Amalgam.Tests.Alignment.OfLayers;

/// <summary>Refusals say in words what two layers have not in common.</summary>
public class LayerDifferenceTests
{
    [Fact]
    public void Rounding_of_widths_gives_a_part_of_one_mobile_net_a_shortcut()
    {
        string message = Refusal(Zoo("mobilenetv2:width=0.25", "small"), Zoo("mobilenetv2:width=0.35", "large"));
        Assert.Contains("'features.1.conv' is a residual block in small and 2 convolutions in a row in large", message, StringComparison.Ordinal);
        Assert.Contains("'features.1.conv' is a residual block in small", Refusal(Zoo("mobilenetv2:width=0.35", "large"), Zoo("mobilenetv2:width=0.25", "small")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("relu", "gelu", "the first has Relu where the second has Gelu")]
    [InlineData("gelu", "none", "the first has Gelu, which the second has not")]
    [InlineData("none", "gelu", "the second has Gelu, which the first has not")]
    [InlineData("leaky 0.1", "leaky 0.2", "the first has LeakyRelu Alpha = 0.1 where the second has LeakyRelu Alpha = 0.2")]
    [InlineData("relu of sum", "sum of relu", "their operations are wired in other ways")]
    public void The_first_operation_that_one_has_and_the_other_has_not_is_named(string a, string b, string phrase)
    {
        string message = Refusal(NetworkLayers.Of(Block(a), "one"), NetworkLayers.Of(Block(b), "other"));
        Assert.StartsWith("'a' of one cannot be matched with 'a' of other: both are 2 x MatMul, but " + phrase, message, StringComparison.Ordinal);
        Assert.DoesNotContain('#', message);
    }

    [Fact]
    public void Blocks_of_transformers_are_told_apart_in_a_line()
    {
        string message = Refusal(Zoo("vit_tiny:depth=2", "vit"), NetworkLayers.Of(Rewrite.Apply(Zoo("vit_tiny:depth=2", "").Graph, (to, node, inputs) => node.Op is Gelu ? to.Add(new Relu(), node.Name, inputs) : null).Graph, "other"));
        Assert.Contains("the first has Gelu where the second has Relu", message, StringComparison.Ordinal);
        Assert.True(message.Length < 260, message);
    }

    [Fact]
    public void Groups_that_do_not_correspond_are_listed_by_the_networks_names() =>
        Assert.StartsWith("the groups of layers do not correspond: one has dense (3); other has convolutions 32x32 (1), ", Refusal(Zoo("mlp:hidden=5/4/3", "one"), Zoo("vgg11:width=0.125", "other")), StringComparison.Ordinal);

    private static string Refusal(NetworkLayers a, NetworkLayers b) => Assert.Throws<GraphException>(() => LayerAlignment.Run(a, b, new() { Measure = LayerMeasure.Width })).Message;

    private static NetworkLayers Zoo(string model, string name)
    {
        ModelDescription description = ModelDescription.Parse(model);
        return NetworkLayers.Of(ZooModel.Find(description.Name).With(description.Options).Build(2, null), name);
    }

    /// <summary>A block of two products with something between or around them.</summary>
    private static Graph Block(string kind)
    {
        Graph graph = new();
        Net net = new(graph, 0);
        Node x = graph.Input("x", new(1, 4));
        Node start = net.Linear(x, "start", 4, bias: false), y = net.Linear(start, "a.one", 4, bias: false);
        y = kind switch
        {
            "relu" => y.Relu(),
            "gelu" => y.Gelu(),
            "leaky 0.1" => graph.Add(new LeakyRelu(0.1f), y),
            "leaky 0.2" => graph.Add(new LeakyRelu(0.2f), y),
            _ => y,
        };
        y = net.Linear(y, "a.two", 4, bias: false);
        y = kind switch { "relu of sum" => (y + start).Relu(), "sum of relu" => y.Relu() + start, _ => y + start };
        graph.Output("y", net.Linear(y, "out", 2, bias: false));
        return graph;
    }
}
