using Amalgam.Alignment;
using Amalgam.Alignment.Fusion;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>Two networks whose layers were matched and balanced: of one structure, and perhaps of other widths.</summary>
/// <param name="Source">What the one is called that is to be moved.</param>
/// <param name="Reference">What the other is called.</param>
/// <param name="Layers">Which layers belong together; A is the source.</param>
/// <param name="Balanced">Both with one number of layers.</param>
/// <param name="Homologues">What has the same place in both.</param>
public sealed record BalancedPair(string Source, string Reference, LayerMapping Layers, BalancedNetworks Balanced, Homologues Homologues)
{
    /// <summary>A weight that is of other shapes in the two; null where all are of one.</summary>
    internal (Node A, Node B)? Odd { get; } = Homologues.Parameters.Select(p => ((Node, Node)?)p).FirstOrDefault(p => p!.Value.Item1.Shape != p.Value.Item2.Shape);

    /// <summary>The source's weights under the names of the reference's, its units where they are; null where the two have other widths.</summary>
    public IReadOnlyDictionary<string, Tensor>? InPlace
    {
        get
        {
            if (Odd is not null) return null;
            Dictionary<string, Tensor> weights = Homologues.Parameters.ToDictionary(p => p.B.Name!, p => p.A.Value!, StringComparer.Ordinal);
            foreach (var (name, node) in Balanced.B.Parameters) weights.TryAdd(name, node.Value!);
            return weights;
        }
    }

    /// <summary>Matches and balances the layers of two networks.</summary>
    /// <param name="source">The network, and what it is called.</param>
    /// <param name="reference">The other.</param>
    /// <param name="how">How.</param>
    /// <param name="data">Samples of what both learned from; null where none are needed.</param>
    /// <param name="progress">Hears of samples.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <exception cref="GraphException">The layers of the two do not correspond, or the data does not fit.</exception>
    internal static BalancedPair Of((string Name, Graph Graph) source, (string Name, Graph Graph) reference, FusionDescription how, Dataset? data, IProgress<AlignmentProgress>? progress, CancellationToken cancel)
    {
        try
        {
            LayerMapping mapping = LayerAlignment.Run(NetworkLayers.Of(source.Graph, source.Name), NetworkLayers.Of(reference.Graph, reference.Name), how.Layers, data, progress, cancel);
            BalancedNetworks balanced = how.Balance.Gate is { } gate ? LayerBalancing.Merge(mapping, gate, data!, how.Layers.Samples, cancel) : LayerBalancing.Add(mapping, cancel);
            return new(source.Name, reference.Name, mapping, balanced, Homologues.Of(balanced.A, balanced.B, new(Pins: how.Pins), cancel: cancel));
        }
        catch (GraphException e)
        {
            throw new GraphException($"{source.Name} (the first) and {reference.Name} (the second) cannot be fused: {e.Message}", e);
        }
    }
}
