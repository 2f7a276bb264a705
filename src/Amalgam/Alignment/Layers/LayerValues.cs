using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Alignment.Layers;

/// <summary>A network with the pre-activations of its layers brought into one order of axes: samples first, or units first and then samples.</summary>
internal sealed class LayerValues
{
    private const int Some = 2;

    /// <param name="network">The layers.</param>
    /// <param name="data">Samples that the network takes.</param>
    /// <param name="unitsFirst">Whether the axis of units comes before that of samples.</param>
    /// <exception cref="GraphException">The network does not take the data, or a layer has no axis of samples.</exception>
    public LayerValues(NetworkLayers network, Dataset data, bool unitsFirst)
    {
        Layers = network;
        GraphCopy copy = Rewrite.Apply(network.Graph);
        (GraphCopy? fewer, GraphCopy? more) = (Resized(network.Graph, data, Some), Resized(network.Graph, data, Some + 1));
        Nodes = new Node[network.Layers.Length];
        Features = new int[Nodes.Length];
        foreach (NetworkLayer layer in network.Layers)
        {
            Node node = layer.PreActivation;
            int samples = fewer is null || more is null ? 0 : SamplesAxis(layer, fewer.Map[node].Shape, more.Map[node].Shape);
            int[] axes = [.. Enumerable.Range(0, node.Shape.Rank).OrderBy(axis => unitsFirst && axis == layer.Axis ? 0 : axis == samples ? 1 : 2)];
            Node value = copy.Map[node];
            Nodes[layer.Index] = axes.SequenceEqual(axes.Order()) ? value : value.Transpose(axes);
            Features[layer.Index] = checked((int)(fewer is null ? node.Shape.Count / Math.Max(1, node.Shape[0]) : fewer.Map[node].Shape.Count / Some));
        }
    }

    /// <summary>The layers.</summary>
    public NetworkLayers Layers { get; }

    /// <summary>Each layer's value.</summary>
    public Node[] Nodes { get; }

    /// <summary>How many numbers each layer gives for a sample.</summary>
    public int[] Features { get; }

    /// <summary>The instances to look at for some layers.</summary>
    public (Graph Network, Node[] Observed) Of(IEnumerable<int> layers) => (Nodes[0].Graph, [.. layers.Select(layer => Nodes[layer])]);

    /// <summary>The network for a number of samples; null where it can only be run with its own.</summary>
    private static GraphCopy? Resized(Graph graph, Dataset data, int samples)
    {
        try
        {
            return DataInputs.Resize(graph, data, samples);
        }
        catch (GraphException)
        {
            return null;
        }
    }

    private static int SamplesAxis(NetworkLayer layer, Shape fewer, Shape more)
    {
        int[] axes = [.. Enumerable.Range(0, fewer.Rank).Where(axis => fewer[axis] != more[axis])];
        if (axes is [var samples] && samples != layer.Axis && fewer[samples] % Some == 0) return samples;
        throw new GraphException($"the pre-activation {layer.PreActivation} {fewer} of '{layer.Name}' has no axis that grows with the number of samples, so it cannot be compared");
    }
}
