namespace Amalgam.Alignment.Fusion;

/// <summary>What makes two units far apart.</summary>
public enum GroundMetric
{
    /// <summary>The distance of their vectors.</summary>
    Euclidean,

    /// <summary>1 less the cosine between them.</summary>
    Cosine,
}

/// <summary>How much each unit weighs in the transport of a layer.</summary>
public enum Marginals
{
    /// <summary>All the same.</summary>
    Uniform,

    /// <summary>By the sum of absolute weights that make it.</summary>
    ImportanceL1,

    /// <summary>By the root of the sum of squares of the weights that make it.</summary>
    ImportanceL2,
}

/// <summary>Which maps the layers have that write into one residual stream.</summary>
public enum ResidualMaps
{
    /// <summary>One for all: what a block adds to the stream is in the order of the stream. The only rule that keeps identity shortcuts in order.</summary>
    Shared,

    /// <summary>Each layer its own, and what reads the stream goes by the block before it, or by the mean where a projection meets a block, as in the public code of OTFusion and CLAFusion.</summary>
    Upstream,
}

/// <summary>How columns that are summed over are scaled where widths differ.</summary>
public enum IncomingScale
{
    /// <summary>Each of the narrower network's columns is a mean of the wider one's, as in the public code: sums shrink by the ratio of the widths.</summary>
    Column,

    /// <summary>Each of the wider network's columns is given away whole: sums stay, so that a network whose units were doubled and their outgoing weights halved is recovered.</summary>
    Row,
}

/// <summary>How one network's units are transported onto another's. The defaults are OTFusion's as CLAFusion's experiments use it, but for <see cref="Residual"/> and <see cref="Incoming"/>: these keep what a network computes, theirs do not.</summary>
public sealed record FusionOptions
{
    /// <summary>Whether units are compared by what they compute before the non-linearity or by the weights that make them; one of <see cref="MatchingSpace.Activations"/> and <see cref="MatchingSpace.Weights"/>.</summary>
    public MatchingSpace Space { get; init; } = MatchingSpace.Activations;

    /// <summary>What makes units far apart.</summary>
    public GroundMetric Metric { get; init; }

    /// <summary>Whether the Euclidean distance is squared.</summary>
    public bool Squared { get; init; }

    /// <summary>Whether rows of weights are divided by their lengths before they are compared.</summary>
    public bool NormaliseWeights { get; init; }

    /// <summary>How much units weigh.</summary>
    public Marginals Marginals { get; init; }

    /// <summary>Strength of the entropy in Sinkhorn's algorithm, as a share of the largest cost; null for exact transport.</summary>
    public double? Sinkhorn { get; init; }

    /// <summary>Which maps residual streams have.</summary>
    public ResidualMaps Residual { get; init; }

    /// <summary>How incoming weights are scaled where widths differ.</summary>
    public IncomingScale Incoming { get; init; } = IncomingScale.Row;

    /// <summary>Samples whose activations are compared; null for all.</summary>
    public int? Samples { get; init; } = 200;

    /// <summary>Samples at a time.</summary>
    public int Batch { get; init; } = 100;

    /// <summary>Draws the samples.</summary>
    public long Seed { get; init; } = 21;
}
