using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Net = Amalgam.Zoo.Models.Layers;

namespace Amalgam.Tests.Alignment.OfLayers;

/// <summary>Layers after the point where a network stops being a row of them.</summary>
public class OutsideLayersTests
{
    private static readonly LayerOptions Width = new() { Measure = LayerMeasure.Width };

    [Fact]
    public void Layers_after_an_output_from_the_middle_are_told_of()
    {
        NetworkLayers layers = NetworkLayers.Of(WithMiddle(2), "deep");
        Assert.Equal(["a", "b"], layers.Layers.Select(layer => layer.Name));
        Assert.Equal(["after0", "after1"], layers.Outside.Select(node => node.Inputs[1].Name![..6]));
        string note = Assert.Single(layers.Notes);
        Assert.StartsWith("deep: the 2 layers from 'after0' on are in no group", note, StringComparison.Ordinal);
        Assert.Contains("'middle'", note, StringComparison.Ordinal);
    }

    [Fact]
    public void Networks_with_as_many_there_are_balanced_with_a_note_and_others_refused()
    {
        NetworkLayers two = NetworkLayers.Of(WithMiddle(2), "two"), other = NetworkLayers.Of(WithMiddle(2), "other"), three = NetworkLayers.Of(WithMiddle(3), "three"), none = NetworkLayers.Of(WithMiddle(0), "none");
        LayerMapping mapping = LayerAlignment.Run(two, other, Width);
        Assert.Equal(2, mapping.Notes.Length);
        Assert.Equal(mapping.Notes, LayerBalancing.Add(mapping).Notes.Take(2));

        string message = Assert.Throws<GraphException>(() => LayerAlignment.Run(two, three, Width)).Message;
        Assert.Contains("in three the 3 layers from 'after0' on are in no group", message, StringComparison.Ordinal);
        Assert.Contains("and two has 2 of that kind", message, StringComparison.Ordinal);
        Assert.Contains("and none has none", Assert.Throws<GraphException>(() => LayerAlignment.Chain(none, two)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Heads_of_one_layer_are_output_layers_and_of_two_are_not()
    {
        Graph graph = new();
        Net net = new(graph, 0);
        Node x = net.Linear(graph.Input("x", new(1, 5)), "a", 4).Relu();
        graph.Output("one", net.Linear(x, "one", 2));
        graph.Output("other", net.Linear(x, "other", 2).Tanh());
        Assert.Empty(NetworkLayers.Of(graph).Outside);
        Assert.Empty(NetworkLayers.Of(graph).Notes);
        graph.Output("third", net.Linear(net.Linear(x, "b", 3).Relu(), "third", 2));
        NetworkLayers layers = NetworkLayers.Of(graph);
        Assert.Equal("b.weight", Assert.Single(layers.Outside).Inputs[1] is var w && w.Name is null ? w.Inputs[0].Name : w.Name);
        Assert.Contains("several ways", Assert.Single(layers.Notes), StringComparison.Ordinal);
    }

    /// <summary>Two layers, an output, and then more layers and the output layer.</summary>
    private static Graph WithMiddle(int after)
    {
        Graph graph = new();
        Net net = new(graph, 0);
        Node x = net.Linear(net.Linear(graph.Input("x", new(1, 5)), "a", 4, bias: false).Relu(), "b", 4, bias: false).Relu();
        graph.Output("middle", x);
        for (int i = 0; i < after; i++) x = net.Linear(x, $"after{i}", 4, bias: false).Relu();
        graph.Output("y", net.Linear(x, "out", 2, bias: false));
        return graph;
    }
}
