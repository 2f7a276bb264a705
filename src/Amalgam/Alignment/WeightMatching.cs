using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Numerics;

namespace Amalgam.Alignment;

/// <summary>How a network was matched to another by weights.</summary>
/// <param name="Maps">Of the two networks; the first one's units stay in their places.</param>
/// <param name="Objectives">Inner product of the first network's weights and the second one's moved weights: at the start, and after each group of each sweep. It never falls.</param>
/// <param name="Sweeps">Sweeps over all groups, the last one without a gain.</param>
public sealed record WeightMatch(UnitMaps Maps, ImmutableArray<double> Objectives, int Sweeps)
{
    /// <summary>Inner product of the weights when they are matched.</summary>
    public double Objective => Objectives[^1];
}

/// <summary>
/// Git Re-Basin's weight matching (Ainsworth, Hayase and Srinivasa, Git Re-Basin: merging models modulo permutation symmetries, ICLR 2023, algorithm 1): permutations of units are sought
/// that make the inner product of two networks' weights large, which is their distance small. One group after the other is permuted as is best while the others stay.
/// </summary>
/// <remarks>
/// An order is taken only if the inner product truly rises. Where a group's units are on one axis of each tensor that is what the assignment gives; where they are on two (a residual stream
/// that a layer leads back to itself, weights that are used twice) the assignment sees the other axis as it was, and may be wrong.
/// </remarks>
public static class WeightMatching
{
    private const double LeastGain = 1e-12;

    /// <summary>Matches each network to the first.</summary>
    /// <param name="models">Two networks or more.</param>
    /// <param name="options">Of these the seed and the most sweeps.</param>
    /// <param name="starts">How many starts are tried, the first with units in their places and the others with random orders; the best end is taken. A perfect one stops the search.</param>
    /// <param name="progress">Is told of each group of a sweep.</param>
    /// <param name="cancel">Looked at between groups.</param>
    /// <returns>One for each network but the first.</returns>
    public static ImmutableArray<WeightMatch> Run(Siblings models, AlignmentOptions options, int starts = 1, IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(starts, 1);
        UnitAlignment.Check(models, options);
        return [.. Enumerable.Range(1, models.Count - 1).Select(model => Best(Pair(models.Groups, models.Weights[0], models.Weights[model]), options, starts, progress, cancel))];
    }

    /// <summary>Matches a network to another.</summary>
    /// <param name="pair">Two networks.</param>
    /// <param name="options">Of these the seed and the most sweeps.</param>
    /// <param name="start">Maps of two models to begin with, the first one's units in their places; null for the second's as well.</param>
    /// <param name="progress">Is told of each group of a sweep.</param>
    /// <param name="cancel">Looked at between groups.</param>
    public static WeightMatch Match(Siblings pair, AlignmentOptions options, UnitMaps? start = null, IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(pair.Count, 2);
        options = options with { WeightMeasure = SimilarityMeasure.InnerProduct, Matching = UnitMatching.Align, StandardiseTensors = false };
        ImmutableArray<UnitGroup> groups = pair.Groups.Matched;
        UnitMaps maps = start?.Copy() ?? UnitMaps.Identity(pair.Groups, 2);
        List<double> objectives = [Objective(pair, maps, Compared(pair.Groups.Classes))];
        int sweep = 0;
        for (bool gained = groups.Length > 0; gained && sweep < options.MostSweeps; sweep++)
        {
            gained = false;
            int done = 0;
            foreach (int index in SweepOrder.Of(options.Seed, "weight matching", sweep, groups.Length))
            {
                cancel.ThrowIfCancellationRequested();
                double gain = Improve(groups[index], pair, ref maps, options, cancel);
                gained |= gain > 0;
                objectives.Add(objectives[^1] + gain);
                progress?.Report(new($"sweep {sweep + 1}", ++done, groups.Length));
            }
        }

        return new(maps, [.. objectives], sweep);
    }

    /// <summary>Two networks of one architecture.</summary>
    internal static Siblings Pair(UnitGroups groups, IReadOnlyDictionary<string, Tensor> first, IReadOnlyDictionary<string, Tensor> second) => new(groups, [first, second]);

    /// <summary>Permutes a group as is best, and says by how much the objective rises; leaves it as it was where it does not.</summary>
    private static double Improve(UnitGroup group, Siblings pair, ref UnitMaps maps, AlignmentOptions options, CancellationToken cancel)
    {
        UnitMaps before = maps, after = maps.Copy();
        GroupMatching.Align(group, units => WeightSimilarity.Of(units, pair, before, options, cancel), after, cancel);
        Node[] compared = Compared(group.Classes);
        double objective = Objective(pair, before, compared), gain = Objective(pair, after, compared) - objective;
        if (gain <= LeastGain * Math.Abs(objective)) return 0;
        maps = after;
        return gain;
    }

    /// <summary>Parameters that say something of units.</summary>
    internal static Node[] Compared(IEnumerable<UnitClass> classes) =>
        [.. classes.SelectMany(units => units.Parameters).Where(place => !place.IsStatistic).Select(place => place.Node).Distinct()];

    /// <summary>Inner product of the first network's weights and the second's, moved.</summary>
    private static double Objective(Siblings pair, UnitMaps maps, Node[] compared) =>
        compared.Sum(node => Sums.Dot(pair.Weights[0][node.Name!].Span, Rearrangement.Apply(maps, 1, node, pair.Weights[1][node.Name!]).Span));

    /// <summary>The best end of several starts, the first with units in their places.</summary>
    internal static WeightMatch Best(Siblings pair, AlignmentOptions options, int starts, IProgress<AlignmentProgress>? progress, CancellationToken cancel)
    {
        Node[] compared = Compared(pair.Groups.Classes);
        double squares = compared.Sum(node => Sums.SumOfSquares(pair.Weights[0][node.Name!].Span) + Sums.SumOfSquares(pair.Weights[1][node.Name!].Span));
        WeightMatch? best = null;
        for (int number = 0; number < starts; number++)
        {
            UnitMaps? start = number == 0 ? null : Shuffled(pair.Groups, options, number);
            WeightMatch match = Match(pair, options with { Seed = unchecked(options.Seed + number) }, start, progress, cancel);
            if (best is null || match.Objective > best.Objective) best = match;
            // The squared distance of the networks is the squares of both without twice their inner product.
            if (squares - 2 * best.Objective <= LeastGain * squares) break;
        }

        return best!;
    }

    /// <summary>Maps by which the second of two models has its units in a random order.</summary>
    private static UnitMaps Shuffled(UnitGroups groups, AlignmentOptions options, int number)
    {
        UnitMaps maps = UnitMaps.Identity(groups, 2), random = UnitMaps.Random(groups, 1, unchecked((int)Philox.Key(options.Seed, "weight matching start", number)));
        foreach (UnitClass units in groups.Matched.SelectMany(group => group.Classes).Where(units => units.Pinned is null))
            maps.Set(units, [maps.To(units, 0).ToArray(), random.To(units, 0).ToArray()]);
        return maps;
    }
}
