using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Alignment.Layers;

/// <summary>The layers on the trunk of a network, in groups. The trunk are the values through which every way from the inputs to the outputs goes; it is found from the operations alone.</summary>
public sealed class NetworkLayers
{
    private NetworkLayers(Graph graph, ImmutableArray<LayerGroup> groups) => (Graph, Groups, Layers) = (graph, groups, [.. groups.SelectMany(group => group.Layers)]);

    /// <summary>The network.</summary>
    public Graph Graph { get; }

    /// <summary>The groups in order.</summary>
    public ImmutableArray<LayerGroup> Groups { get; }

    /// <summary>All layers in order. The output layer is not among them.</summary>
    public ImmutableArray<NetworkLayer> Layers { get; }

    /// <summary>Finds the layers of a network.</summary>
    /// <exception cref="GraphException">The network has no trunk with hidden layers; the node in the way is named.</exception>
    public static NetworkLayers Of(Graph graph) => throw new NotSupportedException($"the layers of {graph.Nodes.Count} nodes");
}
