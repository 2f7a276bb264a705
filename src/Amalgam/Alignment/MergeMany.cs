using Amalgam.Graphs;
using Amalgam.Numerics;

namespace Amalgam.Alignment;

/// <summary>How several networks were matched to their mean.</summary>
/// <param name="Maps">Of all networks; each may be permuted.</param>
/// <param name="Rounds">Rounds over the networks, the last one without a gain.</param>
/// <param name="Distances">After each round, the mean over the networks of the distance of its weights from the mean of the others'.</param>
public sealed record ManyMatch(UnitMaps Maps, int Rounds, IReadOnlyList<double> Distances);

/// <summary>
/// Git Re-Basin's merge of several networks (Ainsworth, Hayase and Srinivasa, ICLR 2023, algorithm 3): in turn each network is matched to the mean of the others, until none comes nearer.
/// No network is the one that all others are matched to.
/// </summary>
public static class MergeMany
{
    private const double LeastGain = 1e-12;

    /// <summary>Matches networks to their mean, which <see cref="Rearrangement.Merge(UnitMaps, Siblings)"/> makes of the result.</summary>
    /// <param name="models">The networks; one alone stays as it is.</param>
    /// <param name="options">Of these the seed and the most sweeps (rounds, and sweeps within each).</param>
    /// <param name="progress">Is told of each network of a round.</param>
    /// <param name="cancel">Looked at between groups.</param>
    public static ManyMatch Run(Siblings models, AlignmentOptions options, IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
    {
        UnitAlignment.Check(models, options);
        UnitMaps maps = UnitMaps.Identity(models.Groups, models.Count);
        if (models.Count < 2) return new(maps, 0, []);
        Node[] compared = WeightMatching.Compared(models.Groups.Classes);
        IReadOnlyDictionary<string, Tensor>[] moved = [.. models.Weights];
        List<double> distances = [];
        bool gained = true;
        for (int round = 0; gained && round < options.MostSweeps; round++)
        {
            gained = false;
            int done = 0;
            foreach (int model in SweepOrder.Of(options.Seed, "merge many", round, models.Count))
            {
                gained |= Improve(model, models, maps, moved, options with { Seed = unchecked((long)Philox.Key(options.Seed, "merge many network", round)) }, cancel);
                progress?.Report(new($"round {round + 1}", ++done, models.Count));
            }

            distances.Add(Enumerable.Range(0, models.Count).Average(model => Distance(compared, moved[model], MeanOfOthers(moved, model))));
        }

        return new(maps, distances.Count, distances);
    }

    /// <summary>Matches a network to the mean of the others; whether it came nearer.</summary>
    private static bool Improve(int model, Siblings models, UnitMaps maps, IReadOnlyDictionary<string, Tensor>[] moved, AlignmentOptions options, CancellationToken cancel)
    {
        IReadOnlyDictionary<string, Tensor> others = MeanOfOthers(moved, model);
        UnitMaps start = UnitMaps.Identity(models.Groups, 2);
        start.Take(1, maps, model);
        WeightMatch match = WeightMatching.Match(WeightMatching.Pair(models.Groups, others, models.Weights[model]), options, start, null, cancel);
        IReadOnlyDictionary<string, Tensor> after = Rearrangement.Apply(match.Maps.Of(1), 0, models.Weights[model]);
        Node[] compared = WeightMatching.Compared(models.Groups.Classes);
        if (Distance(compared, after, others) >= Distance(compared, moved[model], others) - LeastGain) return false;
        maps.Take(model, match.Maps, 1);
        moved[model] = after;
        return true;
    }

    private static Dictionary<string, Tensor> MeanOfOthers(IReadOnlyDictionary<string, Tensor>[] moved, int model) =>
        moved[model].Keys.ToDictionary(name => name, name => Rearrangement.Mean([.. moved.Where((_, other) => other != model).Select(weights => weights[name])]), StringComparer.Ordinal);

    /// <summary>Distance of what says something of units: running statistics are no weights, and no permutation is to be had for theirs.</summary>
    private static double Distance(Node[] compared, IReadOnlyDictionary<string, Tensor> a, IReadOnlyDictionary<string, Tensor> b) =>
        Math.Sqrt(compared.Sum(node => Sums.SumOfSquaredDifferences(a[node.Name!].Span, b[node.Name!].Span)));
}
