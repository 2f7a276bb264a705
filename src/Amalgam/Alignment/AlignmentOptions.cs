using System.Collections.Immutable;

namespace Amalgam.Alignment;

/// <summary>Where units are compared.</summary>
public enum MatchingSpace
{
    /// <summary>Nowhere: each unit belongs to that of the same place.</summary>
    None,

    /// <summary>By the weights around them.</summary>
    Weights,

    /// <summary>By what they compute on calibration data.</summary>
    Activations,

    /// <summary>By both (MuDSC, equation 8).</summary>
    Both,
}

/// <summary>How units are put together.</summary>
public enum UnitMatching
{
    /// <summary>Each unit with one of each other model.</summary>
    Align,

    /// <summary>Greedily, also several of one model (ZipIt!).</summary>
    Zip,
}

/// <summary>How matched units are searched for.</summary>
public enum AlignmentAlgorithm
{
    /// <summary>Sweeps over the groups of units, each network matched to the first. By inner products of weights alone this is Git Re-Basin's weight matching.</summary>
    Sweeps,

    /// <summary>Each network in turn to the mean of the others, by inner products of weights (<see cref="Alignment.MergeMany"/>).</summary>
    MergeMany,

    /// <summary>Learned by the loss between two networks (<see cref="StraightThroughMatching"/>), which needs labels.</summary>
    StraightThrough,
}

/// <summary>What makes two rows of weights, or two activations, alike.</summary>
public enum SimilarityMeasure
{
    /// <summary>Correlation.</summary>
    Pearson,

    /// <summary>Inner product, as Git Re-Basin.</summary>
    InnerProduct,

    /// <summary>Cosine.</summary>
    Cosine,
}

/// <summary>What happens to the statistics of normalisations after a merge.</summary>
public enum StatisticsReset
{
    /// <summary>They stay as they were merged.</summary>
    None,

    /// <summary>Running means and variances are estimated anew, as the mean over batches.</summary>
    BatchNorm,

    /// <summary>Layers are scaled so that their results have the mean over the parents of means and deviations (REPAIR).</summary>
    Repair,

    /// <summary>Batch normalisation where there is any, else REPAIR.</summary>
    Auto,
}

/// <summary>How units are matched. The defaults are MuDSC's align.</summary>
public sealed record AlignmentOptions
{
    /// <summary>How they are searched for; of the others but sweeps, only the settings that they name count.</summary>
    public AlignmentAlgorithm Algorithm { get; init; }

    /// <summary>Where units are compared.</summary>
    public MatchingSpace Space { get; init; } = MatchingSpace.Both;

    /// <summary>How they are put together.</summary>
    public UnitMatching Matching { get; init; } = UnitMatching.Align;

    /// <summary>Share of the similarity of weights in that of both spaces, in [0, 1] (equation 8).</summary>
    public double Alpha { get; init; } = 0.5;

    /// <summary>What makes weights alike.</summary>
    public SimilarityMeasure WeightMeasure { get; init; } = SimilarityMeasure.Pearson;

    /// <summary>Whether each tensor's values, of all networks together, are shifted and scaled to mean 0 and deviation 1 before rows are compared, so that a few large numbers, such as normalisations' scales, do not outweigh the rest.</summary>
    public bool StandardiseTensors { get; init; }

    /// <summary>What makes activations alike.</summary>
    public SimilarityMeasure ActivationMeasure { get; init; } = SimilarityMeasure.Pearson;

    /// <summary>Factor by which a merged unit's similarities shrink, ZipIt!'s alpha.</summary>
    public double ZipAlpha { get; init; } = 0.5;

    /// <summary>Share of a model's units that may be merged within it, ZipIt!'s beta.</summary>
    public double ZipBeta { get; init; } = 1;

    /// <summary>No merged unit has more members than there are models.</summary>
    public bool ZipCapped { get; init; }

    /// <summary>Units that compute nothing on the calibration data are paired first.</summary>
    public bool PairDead { get; init; } = true;

    /// <summary>Activations of all layers that read the units count, not those of the last alone.</summary>
    public bool AllTaps { get; init; }

    /// <summary>In a sweep each group's weights are compared with the gatherings that MuDSC's code uses; false takes those by which the network is written.</summary>
    public bool PaperGathering { get; init; } = true;

    /// <summary>Sweeps without a gain after which to stop.</summary>
    public int Patience { get; init; } = 5;

    /// <summary>Most sweeps.</summary>
    public int MostSweeps { get; init; } = 100;

    /// <summary>Of matching by inner products of weights, how many starts are tried, all but the first with random orders of units.</summary>
    public int Starts { get; init; } = 1;

    /// <summary>Draws the order of groups in each sweep.</summary>
    public long Seed { get; init; }

    /// <summary>Samples of calibration data; null for all.</summary>
    public int? Samples { get; init; } = 5000;

    /// <summary>Calibration samples at a time.</summary>
    public int Batch { get; init; } = 500;

    /// <summary>Most positions of an image or a text that are looked at in each sample, spread evenly; null for all. Correlations of neighbours tell little more (docs/performance.md).</summary>
    public int? Positions { get; init; } = 256;

    /// <summary>What happens to statistics after the merge.</summary>
    public StatisticsReset Reset { get; init; } = StatisticsReset.Auto;

    /// <summary>
    /// Whether activations are looked at in networks whose running statistics were estimated anew on the calibration data, as those of the merged one will be. The networks themselves keep theirs,
    /// and where <see cref="Reset"/> is none nothing is estimated.
    /// </summary>
    public bool ResetParents { get; init; } = true;
}

/// <summary>What was matched.</summary>
/// <param name="Maps">Which units belong together.</param>
/// <param name="Classes">How well, by class.</param>
/// <param name="Sweeps">Score of every sweep over the weights, in order; empty where weights were not compared.</param>
public sealed record AlignmentResult(UnitMaps Maps, ImmutableArray<ClassMatch> Classes, ImmutableArray<double> Sweeps)
{
    /// <summary>Seconds of each phase: statistics, sweeps, and so on.</summary>
    public ImmutableArray<(string Phase, TimeSpan Time)> Times { get; init; } = [];
}

/// <summary>How well the units of a class were matched.</summary>
/// <param name="Units">The class.</param>
/// <param name="Matched">Mean similarity of what was put together.</param>
/// <param name="Before">Mean similarity of units of the same place, before matching.</param>
/// <param name="Moved">Share of units that did not stay in their places.</param>
/// <param name="Within">Share of merged units that hold more than one unit of a model; 0 for alignment.</param>
/// <param name="Dead">Units that compute nothing on the calibration data, of all models.</param>
public sealed record ClassMatch(UnitClass Units, double Matched, double Before, double Moved, double Within, int Dead)
{
    /// <summary>The similarity that was used last; its rows are those of the first model's units, or of all models'.</summary>
    public UnitSimilarity? Similarity { get; init; }
}
