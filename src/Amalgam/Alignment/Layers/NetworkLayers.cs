using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Alignment.Layers;

/// <summary>The layers on the trunk of a network, in groups. The trunk are the values through which every way from the inputs to the outputs goes; it is found from the operations alone.</summary>
public sealed class NetworkLayers
{
    private NetworkLayers(Graph graph, string? name, ImmutableArray<LayerGroup> groups, ImmutableArray<Node> outside) =>
        (Graph, Name, Groups, Layers, Outside) = (graph, name, groups, [.. groups.SelectMany(group => group.Layers)], outside);

    /// <summary>The network.</summary>
    public Graph Graph { get; }

    /// <summary>What the network is called, for people; null where nothing says it.</summary>
    public string? Name { get; }

    /// <summary>The groups in order.</summary>
    public ImmutableArray<LayerGroup> Groups { get; }

    /// <summary>All layers in order. The output layer is not among them.</summary>
    public ImmutableArray<NetworkLayer> Layers { get; }

    /// <summary>
    /// Products by a parameter that are in no layer and make no output by themselves: where an output is taken from the middle of a network, or several ways lead to several outputs, the trunk
    /// ends there, and what comes after cannot be told apart as a row of layers.
    /// </summary>
    public ImmutableArray<Node> Outside { get; }

    /// <summary>What is to be known of the layers, for people.</summary>
    public ImmutableArray<string> Notes => Outside.IsEmpty ? [] : [$"{Name ?? "the network"}: {TrunkRefusals.Outside(Graph, Outside)}"];

    /// <summary>Finds the layers of a network.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="name">What it is called, for people.</param>
    /// <exception cref="GraphException">The network has no trunk with hidden layers; the node in the way is named.</exception>
    public static NetworkLayers Of(Graph graph, string? name = null)
    {
        Trunk trunk = new(graph);
        TrunkRefusals.Check(trunk);
        List<List<NetworkLayer>> found = LayerSearch.Run(trunk);
        if (found.Count == 0) throw TrunkRefusals.NoLayers(trunk);
        int index = 0;
        List<LayerGroup> groups = [];
        foreach (List<NetworkLayer> layers in found)
        {
            string kind = NameOf(layers[^1]);
            int same = groups.Count(group => group.Name == kind || group.Name.StartsWith(kind + " (", StringComparison.Ordinal));
            groups.Add(new(same == 0 ? kind : $"{kind} ({same + 1})", layers[0].Kind, [.. layers.Select(layer => layer with { Index = index++ })]));
        }

        return new(graph, name, [.. groups], trunk.HiddenOfRest());
    }

    /// <summary>The kind, and the size of an image or the length of a row.</summary>
    private static string NameOf(NetworkLayer layer)
    {
        string kind = layer.Kind switch { LayerKind.Dense => "dense", LayerKind.Convolution => "convolutions", _ => "blocks" };
        Shape shape = layer.Exit.Shape;
        string[] sizes = [.. Enumerable.Range(1, Math.Max(0, shape.Rank - 1)).Where(axis => axis != layer.Axis).Select(axis => $"{shape[axis]}")];
        return sizes.Length == 0 ? kind : sizes.Length > 1 ? $"{kind} {string.Join('x', sizes)}" : $"{kind} of {sizes[0]} {(sizes[0] == "1" ? "position" : "positions")}";
    }
}
