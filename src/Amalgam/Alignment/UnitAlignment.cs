using System.Diagnostics;
using Amalgam.Graphs;
using Amalgam.Numerics;
using Amalgam.Training.Data;

namespace Amalgam.Alignment;

/// <summary>
/// Finds which units of networks that were trained apart belong together: by weights, by activations, or by both as MuDSC (Xu, Wang, Zhou and others, Training-free pretrained model merging,
/// CVPR 2024, algorithm 1), one to one or by zipping (Stoica et al., ZipIt!, ICLR 2024). Of more than two networks each is aligned to the first.
/// </summary>
public static class UnitAlignment
{
    /// <summary>Matches the units of networks.</summary>
    /// <param name="models">Two networks or more.</param>
    /// <param name="options">How.</param>
    /// <param name="calibration">Samples whose activations are compared; not needed where weights alone are.</param>
    /// <param name="progress">Is told of samples and groups.</param>
    /// <param name="cancel">Looked at between batches and between groups.</param>
    /// <exception cref="GraphException">There are fewer than two networks, a weight is no finite number, or calibration data is needed and missing or does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Alpha is not in [0, 1].</exception>
    public static AlignmentResult Run(Siblings models, AlignmentOptions options, Dataset? calibration = null, IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
    {
        Check(models, options);
        if (!NeedsData(options)) return Match(models, options, null, null, progress, cancel);
        long start = Stopwatch.GetTimestamp();
        ActivationStatistics statistics = Statistics(models, options, calibration, progress, cancel);
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        AlignmentResult result = Match(models, options, statistics, null, progress, cancel);
        return result with { Times = [("statistics", time), .. result.Times] };
    }

    /// <summary>Matches the units of networks whose activations were looked at before.</summary>
    /// <param name="models">Two networks or more.</param>
    /// <param name="options">How.</param>
    /// <param name="statistics">Of their activations; those that were taken to zip do for alignment too. Null where weights alone are compared.</param>
    /// <param name="start">Where the sweeps over weights begin; null for what activations say, or, where these are not compared, for units in their places.</param>
    /// <param name="progress">Is told of groups.</param>
    /// <param name="cancel">Looked at between groups.</param>
    public static AlignmentResult Match(
        Siblings models, AlignmentOptions options, ActivationStatistics? statistics, UnitMaps? start = null, IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
    {
        Check(models, options);
        if (options.Space == MatchingSpace.None) return new(UnitMaps.Identity(models.Groups, models.Count), [], []);
        if (NeedsData(options) && statistics is null) throw new ArgumentException("statistics of activations are needed to match by them", nameof(statistics));
        AlignmentRun run = new(models, options, statistics, progress, cancel);
        return options is { Space: MatchingSpace.Weights, WeightMeasure: SimilarityMeasure.InnerProduct, Matching: UnitMatching.Align } ? run.ByInnerProduct(start) : run.BySimilarity(start);
    }

    /// <summary>Looks at the activations of networks.</summary>
    /// <exception cref="GraphException">There is no calibration data, or it does not fit.</exception>
    public static ActivationStatistics Statistics(Siblings models, AlignmentOptions options, Dataset? calibration, IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
    {
        if (calibration is null) throw new GraphException("to compare activations calibration data is needed, samples of what the networks were trained on; name some, or compare weights alone");
        int samples = Math.Min(options.Samples ?? calibration.Count, calibration.Count);
        IProgress<long>? done = progress is null ? null : new Relay(progress, samples);
        return ActivationStatistics.Collect(models, calibration, options, done, cancel);
    }

    /// <summary>Whether units are compared by what they compute.</summary>
    public static bool NeedsData(AlignmentOptions options) => options.Space is MatchingSpace.Activations or MatchingSpace.Both;

    /// <summary>Refuses what cannot be matched.</summary>
    internal static void Check(Siblings models, AlignmentOptions options)
    {
        if (options.Alpha is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(options), options.Alpha, "alpha, the share of weights in the similarity, must be in [0, 1]");
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Patience, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MostSweeps, 0, nameof(options));
        if (models.Count < 2) throw new GraphException($"two networks or more are needed to match their units, found {models.Count}");
        for (int model = 0; model < models.Count; model++)
        {
            foreach (var (name, value) in models.Weights[model])
            {
                if (NonFinite.IndexOf(value.Span) is >= 0 and var index) throw new GraphException($"'{name}' of {models.Names[model]} has {value.Span[index]} at index {index}; units with such weights cannot be compared");
            }
        }
    }

    /// <summary>Not <see cref="Progress{T}"/>, which reports from other threads, later.</summary>
    private sealed class Relay(IProgress<AlignmentProgress> progress, long total) : IProgress<long>
    {
        public void Report(long value) => progress.Report(new("statistics", value, total));
    }
}
