using System.Collections.Immutable;
using System.Diagnostics;
using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Alignment;

/// <summary>One search for the units that belong together.</summary>
internal sealed class AlignmentRun(Siblings models, AlignmentOptions options, ActivationStatistics? statistics, IProgress<AlignmentProgress>? progress, CancellationToken cancel)
{
    /// <summary>Similarities of larger classes are not kept for the result: they take 8 bytes for each pair of units.</summary>
    private const int MostKept = 1024;

    /// <summary>Numbers of similarities of activations that are kept from one sweep to the next: 1 GiB.</summary>
    private const long MostActive = 1L << 27;

    private readonly ImmutableArray<UnitGroup> _groups = models.Groups.Matched;
    private readonly List<(string Phase, TimeSpan Time)> _times = [];
    private readonly Dictionary<UnitClass, UnitSimilarity?> _active = [];
    private long _room = MostActive;

    /// <summary>Git Re-Basin: each network is permuted until its inner product with the first is largest.</summary>
    public AlignmentResult ByInnerProduct(UnitMaps? start)
    {
        UnitMaps maps = UnitMaps.Identity(models.Groups, models.Count);
        List<ImmutableArray<double>> sweeps = [];
        Timed("sweeps", () =>
        {
            for (int model = 1; model < models.Count; model++)
            {
                Siblings pair = WeightMatching.Pair(models.Groups, models.Weights[0], models.Weights[model]);
                UnitMaps begin = UnitMaps.Identity(models.Groups, 2);
                if (start is not null) begin.Take(1, start, model);
                WeightMatch match = start is null ? WeightMatching.Best(pair, options, options.Starts, progress, cancel) : WeightMatching.Match(pair, options, begin, progress, cancel);
                maps.Take(model, match.Maps, 1);
                sweeps.Add([.. Enumerable.Range(0, match.Sweeps + 1).Select(sweep => match.Objectives[sweep * _groups.Length])]);
            }
        });
        // A network that is done before the others keeps what it has come to.
        int most = sweeps.Select(of => of.Length).DefaultIfEmpty(1).Max();
        return Result(maps, [.. Enumerable.Range(1, most - 1).Select(sweep => sweeps.Sum(of => of[Math.Min(sweep, of.Length - 1)]))]);
    }

    /// <summary>Git Re-Basin: each network in turn is permuted to the mean of the others. All of them are then brought into the order in which the first one came.</summary>
    public AlignmentResult ToMean()
    {
        ManyMatch match = null!;
        Timed("sweeps", () => match = MergeMany.Run(models, options, progress, cancel));
        UnitMaps back = UnitMaps.Identity(models.Groups, models.Count), first = match.Maps.Of(0).Inverse();
        for (int model = 0; model < models.Count; model++) back.Take(model, first, 0);
        return Result(match.Maps.Then(back), match.Distances);
    }

    /// <summary>Activations first, then sweeps over the groups with the weights as all others lie.</summary>
    public AlignmentResult BySimilarity(UnitMaps? start)
    {
        UnitMaps maps = start?.Copy() ?? UnitMaps.Identity(models.Groups, models.Count);
        List<double> sweeps = [];
        if (UnitAlignment.NeedsData(options) && (start is null || Share == 0)) Timed("activations", () => Match(maps, Enumerable.Range(0, _groups.Length), "activations", 0));
        if (Share > 0) Timed("sweeps", () => maps = Sweep(maps, sweeps));
        return Result(maps, sweeps);
    }

    /// <summary>Share of the weights in the similarity.</summary>
    private double Share => options.Space switch
    {
        MatchingSpace.Weights => 1,
        MatchingSpace.Both => options.Alpha,
        _ => 0,
    };

    /// <summary>Sweeps until several in a row have brought no gain. What a sweep scores is no objective that it must raise, so the best is kept.</summary>
    private UnitMaps Sweep(UnitMaps best, List<double> scores)
    {
        double bestScore = double.NegativeInfinity;
        int stale = 0;
        for (int sweep = 0; sweep < options.MostSweeps && stale < options.Patience && _groups.Length > 0; sweep++)
        {
            UnitMaps maps = best.Copy();
            scores.Add(Match(maps, SweepOrder.Of(options.Seed, "alignment", sweep, _groups.Length), $"sweep {sweep + 1}", Share));
            if (scores[^1] > bestScore) (best, bestScore, stale) = (maps, scores[^1], 0);
            else stale++;
        }

        return best;
    }

    /// <summary>Matches group after group, each as the ones before it lie by then.</summary>
    /// <returns>The mean over the groups of the similarity of what was put together.</returns>
    private double Match(UnitMaps maps, IEnumerable<int> order, string phase, double share)
    {
        ZipOptions zip = new(options.ZipAlpha, options.ZipBeta, options.ZipCapped);
        double score = 0;
        int done = 0;
        foreach (int index in order)
        {
            cancel.ThrowIfCancellationRequested();
            UnitGroup group = _groups[index];
            score += options.Matching == UnitMatching.Zip
                ? GroupMatching.Zip(group, units => Similarity(units, maps, share), maps, zip, cancel)
                : GroupMatching.Align(group, units => Similarity(units, maps, share), maps, cancel);
            progress?.Report(new(phase, ++done, _groups.Length));
        }

        return score / Math.Max(1, _groups.Length);
    }

    /// <summary>Equation 8: share times the similarity of weights and the rest times that of activations. Null where neither says anything.</summary>
    private UnitSimilarity? Similarity(UnitClass units, UnitMaps maps, double share)
    {
        UnitSimilarity? weights = share > 0 ? WeightSimilarity.Of(units, models, maps, options, cancel) : null;
        UnitSimilarity? activations = share < 1 ? Active(units) : null;
        if (weights is not null && share < 1) TensorPrimitives.Multiply(weights.Values, share, weights.Values);
        if (activations is null || share == 0) return weights ?? activations;
        if (weights is not null)
        {
            TensorPrimitives.MultiplyAdd(activations.Values, 1 - share, weights.Values, weights.Values);
            return weights;
        }

        double[] values = new double[activations.Values.Length];
        TensorPrimitives.Multiply(activations.Values, 1 - share, values);
        return activations with { Values = values };
    }

    /// <summary>The similarity of activations, kept for the next sweep while there is room.</summary>
    private UnitSimilarity? Active(UnitClass units)
    {
        if (_active.TryGetValue(units, out UnitSimilarity? known)) return known;
        UnitSimilarity? similarity = Seen(units);
        if (statistics is not null && (similarity?.Values.LongLength ?? 0) <= _room)
        {
            _room -= similarity?.Values.LongLength ?? 0;
            _active[units] = similarity;
        }

        return similarity;
    }

    /// <summary>The similarity of activations; of statistics that were taken to zip, the part that alignment needs.</summary>
    private UnitSimilarity? Seen(UnitClass units)
    {
        UnitSimilarity? similarity = statistics?.Similarity(units);
        if (similarity is null || similarity.IsFull == (options.Matching == UnitMatching.Zip)) return similarity;
        if (!similarity.IsFull) throw new ArgumentException("statistics that were taken to align units do not say how alike those of one model are, which zipping needs");
        return similarity with { Values = similarity.Values[..(units.Units * models.Count * units.Units)] };
    }

    private void Timed(string phase, Action work)
    {
        long start = Stopwatch.GetTimestamp();
        work();
        _times.Add((phase, Stopwatch.GetElapsedTime(start)));
    }

    private AlignmentResult Result(UnitMaps maps, IReadOnlyList<double> sweeps)
    {
        List<ClassMatch> matches = [];
        Timed("summary", () =>
        {
            UnitMaps before = UnitMaps.Identity(models.Groups, models.Count);
            foreach (UnitGroup group in _groups)
            {
                cancel.ThrowIfCancellationRequested();
                matches.AddRange(Summary(group, maps, before));
            }
        });
        return new(maps, [.. matches], [.. sweeps]) { Times = [.. _times] };
    }

    /// <summary>The classes of a group; one that nothing is compared by is as well matched as those that depend on it.</summary>
    private IEnumerable<ClassMatch> Summary(UnitGroup group, UnitMaps maps, UnitMaps before)
    {
        Dictionary<UnitClass, ClassMatch> known = [];
        foreach (UnitClass units in group.Classes.Reverse().Where(units => units.Pinned is null))
        {
            ClassMatch match = Summary(units, maps, before);
            ClassMatch[] inner = [.. units.Inner.Where(known.ContainsKey).Select(of => known[of])];
            if (double.IsNaN(match.Matched) && inner.Length > 0) match = match with { Matched = inner.Average(of => of.Matched), Before = inner.Average(of => of.Before) };
            known[units] = match;
        }

        return group.Classes.Where(known.ContainsKey).Select(units => known[units]);
    }

    private ClassMatch Summary(UnitClass units, UnitMaps maps, UnitMaps before)
    {
        UnitSimilarity? similarity = Similarity(units, maps, Share), activations = Share < 1 ? Active(units) : null;
        double inPlace = Share > 0 ? WeightSimilarity.InPlace(units, models, options) : double.NaN, active = MapSummary.Together(activations, units, before);
        return new(units, MapSummary.Together(similarity, units, maps), Mixed(inPlace, active), MapSummary.Moved(units, maps), MapSummary.Within(units, maps), statistics?.Dead(units) ?? 0)
        {
            Similarity = units.Units <= MostKept ? similarity : null,
        };
    }

    /// <summary>Equation 8 for numbers, of which one may be missing.</summary>
    private double Mixed(double weights, double activations) => (double.IsNaN(weights), double.IsNaN(activations)) switch
    {
        (true, true) => double.NaN,
        (true, false) => (1 - Share) * activations,
        (false, true) => Share * weights,
        _ => Share * weights + (1 - Share) * activations,
    };
}
