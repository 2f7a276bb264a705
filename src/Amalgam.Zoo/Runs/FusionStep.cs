using System.Collections.Immutable;
using Amalgam.Alignment;
using Amalgam.Alignment.Fusion;
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
public sealed record FusedUnits(string Name, int OfSource, int OfReference, double? Before, double After, TransportPlan? Plan)
{
    /// <summary>Whether a transport with an entropy came within its tolerance.</summary>
    public bool Converged { get; init; } = true;
}

/// <summary>One network brought to the layers and widths of another.</summary>
/// <param name="Pair">The two with one number of layers; A is the one that was moved.</param>
/// <param name="Units">How their units were brought together.</param>
/// <param name="Siblings">The reference, and the other in its widths.</param>
/// <param name="AreCosts">Whether the figures of the units are costs of transport; otherwise similarities.</param>
public sealed record FusionStep(BalancedPair Pair, ImmutableArray<FusedUnits> Units, Siblings Siblings, bool AreCosts)
{
    /// <summary>Brings units together.</summary>
    /// <param name="pair">Two networks with one number of layers.</param>
    /// <param name="how">How.</param>
    /// <param name="data">Samples of what both learned from; null where none are needed.</param>
    /// <param name="loss">What they learned by.</param>
    /// <param name="progress">Hears of samples and layers.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <exception cref="GraphException">The units of the two do not correspond, or the data does not fit.</exception>
    internal static FusionStep Run(BalancedPair pair, FusionDescription how, Dataset? data, Training.Loss loss, IProgress<AlignmentProgress>? progress, CancellationToken cancel)
    {
        if (how.Match.Units is null)
        {
            TransportMaps maps = TransportFusion.Match(pair.Homologues, how.Transport, data, progress, cancel);
            return new(pair, [.. maps.Classes.Select(c => new FusedUnits(c.Name, c.A.Units, c.B.Units, c.Before, c.Cost, c.Plan) { Converged = c.Converged })], maps.Siblings(pair.Reference, pair.Source), AreCosts: true);
        }

        if (pair.Odd is var (ofA, ofB))
            throw new GraphException($"'{ofA.Name}' is {ofA.Shape} in {pair.Source} and '{ofB.Name}' {ofB.Shape} in {pair.Reference} once their layers are balanced; {how.Match.Name} matches units one with one: use ot or sinkhorn, which transport between widths");
        Siblings siblings = new(pair.Homologues.B, [Siblings.WeightsOf(pair.Balanced.B), pair.InPlace!], [pair.Reference, pair.Source]);
        AlignmentResult result = MatchUnits(siblings, how, data, loss, progress, cancel);
        Siblings moved = new(siblings.Groups, Enumerable.Range(0, 2).Select(model => Rearrangement.Apply(result.Maps, model, siblings.Weights[model])), siblings.Names);
        return new(pair, [.. result.Classes.Where(c => double.IsFinite(c.Matched)).Select(c => new FusedUnits(c.Units.Name, c.Units.Units, c.Units.Units, c.Before, c.Matched, null))], moved, AreCosts: false);
    }

    private static AlignmentResult MatchUnits(Siblings siblings, FusionDescription how, Dataset? data, Training.Loss loss, IProgress<AlignmentProgress>? progress, CancellationToken cancel)
    {
        if (!how.Match.Units!.NeedsLabels) return UnitAlignment.Run(siblings, how.Alignment, data, progress, cancel);
        Dataset samples = ActivationStatistics.Calibration(data!, how.Alignment);
        UnitMaps maps = StraightThroughMatching.Run(siblings, samples, loss, new(new AlignmentDescription(how.Match.Units).Epochs, Math.Min(samples.Count, how.Alignment.Batch), Seed: how.Alignment.Seed), progress, cancel).Maps;
        return NetworkAlignment.Matched(siblings, maps, how.Alignment, cancel);
    }
}
