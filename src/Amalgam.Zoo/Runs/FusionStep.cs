using System.Collections.Immutable;
using Amalgam.Alignment;
using Amalgam.Alignment.Fusion;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Numerics;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>How units of two networks were brought together.</summary>
/// <param name="Name">The layer, or the units.</param>
/// <param name="OfSource">How many there are in the network that was moved.</param>
/// <param name="OfReference">How many in the other.</param>
/// <param name="Before">Cost, or similarity, of units in the same place; null where the numbers differ.</param>
/// <param name="After">That of units that came together.</param>
/// <param name="Plan">Where they went; null where that is no one plan.</param>
public sealed record FusedUnits(string Name, int OfSource, int OfReference, double? Before, double After, TransportPlan? Plan);

/// <summary>One network brought to the layers and widths of another.</summary>
/// <param name="Source">What it is called.</param>
/// <param name="Reference">What the other is called.</param>
/// <param name="Layers">Which layers belong together; A is the source.</param>
/// <param name="Balanced">Both with one number of layers.</param>
/// <param name="Units">How their units were brought together.</param>
/// <param name="Siblings">The reference, and the source in its widths.</param>
/// <param name="HasOneWidth">Whether all weights were of one shape once layers were balanced.</param>
public sealed record FusionStep(string Source, string Reference, LayerMapping Layers, BalancedNetworks Balanced, ImmutableArray<FusedUnits> Units, Siblings Siblings, bool HasOneWidth)
{
    /// <summary>Whether the figures of <see cref="Units"/> are costs of transport; otherwise similarities.</summary>
    public bool AreCosts { get; init; } = true;

    /// <summary>The source's weights under the names of the reference's, its units in their places; null where widths differ.</summary>
    public IReadOnlyDictionary<string, Tensor>? InPlace { get; init; }

    /// <summary>Brings one network to another.</summary>
    /// <param name="source">The network, and what it is called.</param>
    /// <param name="reference">The other.</param>
    /// <param name="how">How.</param>
    /// <param name="data">Samples of what both learned from; null where none are needed.</param>
    /// <param name="loss">What they learned by.</param>
    /// <param name="progress">Hears of samples and layers.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <exception cref="GraphException">The layers or units of the two do not correspond, or the data does not fit.</exception>
    internal static FusionStep Run((string Name, Graph Graph) source, (string Name, Graph Graph) reference, FusionDescription how, Dataset? data, Training.Loss loss, IProgress<AlignmentProgress>? progress, CancellationToken cancel)
    {
        LayerMapping mapping = Map(source, reference, how, data, progress, cancel);
        BalancedNetworks balanced = how.Balance.Gate is { } gate ? LayerBalancing.Merge(mapping, gate, data!, how.Layers.Samples, cancel) : LayerBalancing.Add(mapping, cancel);
        Homologues pair = Homologues.Of(balanced.A, balanced.B, new(Pins: how.Pins), cancel: cancel);
        (Node A, Node B)? odd = pair.Parameters.Select(p => ((Node, Node)?)p).FirstOrDefault(p => p!.Value.Item1.Shape != p.Value.Item2.Shape);
        Dictionary<string, Tensor>? inPlace = odd is null ? InPlaceOf(pair) : null;
        if (how.Match.Units is null)
        {
            TransportMaps maps = TransportFusion.Match(pair, how.Transport, data, progress, cancel);
            ImmutableArray<FusedUnits> transported = [.. maps.Classes.Select(c => new FusedUnits(c.Name, c.A.Units, c.B.Units, c.Before, c.Cost, c.Plan))];
            return new(source.Name, reference.Name, mapping, balanced, transported, maps.Siblings(reference.Name, source.Name), odd is null) { InPlace = inPlace };
        }

        if (odd is var (ofA, ofB))
            throw new GraphException($"'{ofA.Name}' is {ofA.Shape} in {source.Name} and '{ofB.Name}' {ofB.Shape} in {reference.Name} once their layers are balanced; {how.Match.Name} matches units one with one: use ot or sinkhorn, which transport between widths");
        Siblings siblings = new(pair.B, [Siblings.WeightsOf(pair.B.Graph), inPlace!], [reference.Name, source.Name]);
        AlignmentResult result = MatchUnits(siblings, how, data, loss, progress, cancel);
        Siblings moved = new(siblings.Groups, Enumerable.Range(0, 2).Select(model => Rearrangement.Apply(result.Maps, model, siblings.Weights[model])), siblings.Names);
        ImmutableArray<FusedUnits> units = [.. result.Classes.Where(c => double.IsFinite(c.Matched)).Select(c => new FusedUnits(c.Units.Name, c.Units.Units, c.Units.Units, c.Before, c.Matched, null))];
        return new(source.Name, reference.Name, mapping, balanced, units, moved, true) { AreCosts = false, InPlace = inPlace };
    }

    private static LayerMapping Map((string Name, Graph Graph) source, (string Name, Graph Graph) reference, FusionDescription how, Dataset? data, IProgress<AlignmentProgress>? progress, CancellationToken cancel)
    {
        NetworkLayers a = NetworkLayers.Of(source.Graph), b = NetworkLayers.Of(reference.Graph);
        LayerOptions options = how.Layers;
        bool isSameDepth = a.Groups.Select(g => g.Count).SequenceEqual(b.Groups.Select(g => g.Count));
        if (data is null && options.Measure != LayerMeasure.Width)
        {
            if (!isSameDepth) throw new InvalidDataException($"{source.Name} and {reference.Name} have other numbers of layers, and {FusionWords.Measures.Of(options.Measure)} looks at what layers compute: name data like that which the networks were trained on, or match layers by width");
            options = options with { Measure = LayerMeasure.Width };
        }

        return LayerAlignment.Run(a, b, options, data, progress, cancel) with { Names = (source.Name, reference.Name) };
    }

    private static AlignmentResult MatchUnits(Siblings siblings, FusionDescription how, Dataset? data, Training.Loss loss, IProgress<AlignmentProgress>? progress, CancellationToken cancel)
    {
        if (!how.Match.Units!.NeedsLabels) return UnitAlignment.Run(siblings, how.Alignment, data, progress, cancel);
        Dataset samples = ActivationStatistics.Calibration(data!, how.Alignment);
        UnitMaps maps = StraightThroughMatching.Run(siblings, samples, loss, new(new AlignmentDescription(how.Match.Units).Epochs, Math.Min(samples.Count, how.Alignment.Batch), Seed: how.Alignment.Seed), progress, cancel).Maps;
        return NetworkAlignment.Matched(siblings, maps, how.Alignment, cancel);
    }

    private static Dictionary<string, Tensor> InPlaceOf(Homologues pair)
    {
        Dictionary<string, Tensor> weights = pair.Parameters.ToDictionary(p => p.B.Name!, p => p.A.Value!, StringComparer.Ordinal);
        foreach (var (name, node) in pair.B.Graph.Parameters) weights.TryAdd(name, node.Value!);
        return weights;
    }
}
