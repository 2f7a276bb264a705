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
    /// <param name="models">The networks; one alone stays as it is.</param>
    /// <param name="options">How.</param>
    /// <param name="calibration">Samples whose activations are compared; not needed where weights alone are.</param>
    /// <param name="progress">Is told of samples and groups.</param>
    /// <param name="cancel">Looked at between batches and between groups.</param>
    /// <exception cref="GraphException">There is no network, the measures do not go together, a weight is no finite number, or calibration data is needed and missing or does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Alpha is not in [0, 1].</exception>
    public static AlignmentResult Run(Siblings models, AlignmentOptions options, Dataset? calibration = null, IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
    {
        Check(models, options);
        if (!NeedsData(options) || models.Count == 1) return Match(models, options, null, null, progress, cancel);
        long start = Stopwatch.GetTimestamp();
        ActivationStatistics statistics = Statistics(models, options, calibration, progress, cancel);
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        AlignmentResult result = Match(models, options, statistics, null, progress, cancel);
        return result with { Times = [("statistics", time), .. result.Times] };
    }

    /// <summary>Matches the units of networks whose activations were looked at before.</summary>
    /// <param name="models">The networks; one alone stays as it is.</param>
    /// <param name="options">How.</param>
    /// <param name="statistics">Of their activations; those that were taken to zip do for alignment too. Null where weights alone are compared.</param>
    /// <param name="start">Where the sweeps over weights begin; null for what activations say, or, where these are not compared, for units in their places. Of no account where there are no sweeps.</param>
    /// <param name="progress">Is told of groups.</param>
    /// <param name="cancel">Looked at between groups.</param>
    public static AlignmentResult Match(
        Siblings models, AlignmentOptions options, ActivationStatistics? statistics, UnitMaps? start = null, IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
    {
        Check(models, options);
        if (options.Space == MatchingSpace.None || models.Count == 1) return new(UnitMaps.Identity(models.Groups, models.Count), [], []);
        if (NeedsData(options) && statistics is null) throw new ArgumentException("statistics of activations are needed to match by them", nameof(statistics));
        AlignmentRun run = new(models, options, statistics, progress, cancel);
        return options switch
        {
            { Algorithm: AlignmentAlgorithm.StraightThrough } => throw new GraphException("permutations that are learned need a loss, which is no part of these options: straight-through matching is run by itself"),
            { Algorithm: AlignmentAlgorithm.MergeMany } => run.ToMean(),
            { Space: MatchingSpace.Weights, WeightMeasure: SimilarityMeasure.InnerProduct, Matching: UnitMatching.Align } => run.ByInnerProduct(start),
            _ => run.BySimilarity(start),
        };
    }

    /// <summary>Looks at the activations of networks, with running statistics estimated anew on copies where the options say so.</summary>
    /// <exception cref="GraphException">There is no calibration data, or it does not fit.</exception>
    public static ActivationStatistics Statistics(Siblings models, AlignmentOptions options, Dataset? calibration, IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
    {
        if (calibration is null) throw new GraphException("to compare activations calibration data is needed, samples of what the networks were trained on; name some, or compare weights alone");
        if (options.ResetParents && options.Reset != StatisticsReset.None) models = BatchNormReset.Run(models, ActivationStatistics.Calibration(calibration, options), options.Batch, cancel);
        int samples = Math.Min(options.Samples ?? calibration.Count, calibration.Count);
        IProgress<long>? done = progress is null ? null : new Relay(progress, samples);
        return ActivationStatistics.Collect(models, calibration, options, done, cancel);
    }

    /// <summary>Whether units are compared by what they compute.</summary>
    public static bool NeedsData(AlignmentOptions options) => options.Space is MatchingSpace.Activations or MatchingSpace.Both;

    /// <summary>Refuses settings that do not go together.</summary>
    internal static void Check(AlignmentOptions options)
    {
        if (options.Alpha is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(options), options.Alpha, "alpha, the share of weights in the similarity, must be in [0, 1]");
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Patience, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MostSweeps, 0, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Starts, 1, nameof(options));
        if (options.Algorithm != AlignmentAlgorithm.Sweeps && options.Matching == UnitMatching.Zip) throw new GraphException("units are zipped in sweeps over their groups; straight-through matching and the match of many networks to their mean only align them");
        CheckMeasures(options);
    }

    /// <summary>Refuses what cannot be matched.</summary>
    internal static void Check(Siblings models, AlignmentOptions options)
    {
        Check(options);
        if (models.Count < 1) throw new GraphException("there is no network whose units could be matched");
        for (int model = 0; model < models.Count; model++)
        {
            foreach (var (name, value) in models.Weights[model])
            {
                if (NonFinite.IndexOf(value.Span) is >= 0 and var index) throw new GraphException($"'{name}' of {models.Names[model]} has {value.Span[index]} at index {index}; units with such weights cannot be compared");
            }
        }
    }

    /// <summary>Inner products have no common scale: those of weights outweigh correlations, or are outweighed, and a zip would take the longest rows first, whatever they are like.</summary>
    private static void CheckMeasures(AlignmentOptions options)
    {
        bool weights = options is { Space: MatchingSpace.Weights or MatchingSpace.Both, WeightMeasure: SimilarityMeasure.InnerProduct };
        bool activations = options is { Space: MatchingSpace.Activations or MatchingSpace.Both, ActivationMeasure: SimilarityMeasure.InnerProduct };
        if (!weights && !activations) return;
        if (options.Space == MatchingSpace.Both) throw new GraphException("inner products of weights or activations are not mixed with other similarities, as they have no common scale; compare by correlation or cosine, or one of weights and activations alone");
        if (options.Matching == UnitMatching.Zip) throw new GraphException("units are not zipped by inner products, which bring those with large weights or activations together whatever they are like; zip by correlation or cosine, or align");
    }

    /// <summary>Not <see cref="Progress{T}"/>, which reports from other threads, later.</summary>
    private sealed class Relay(IProgress<AlignmentProgress> progress, long total) : IProgress<long>
    {
        public void Report(long value) => progress.Report(new("statistics", value, total));
    }
}
