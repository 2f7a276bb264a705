using Amalgam.Checkpoints;
using Amalgam.Merging.Planning;

namespace Amalgam.Merging;

/// <summary>How a merge runs.</summary>
public sealed record MergeOptions
{
    /// <summary>Number of threads, and the token that stops the run between blocks.</summary>
    public ParallelOptions Parallel { get; init; } = new() { MaxDegreeOfParallelism = Environment.ProcessorCount };

    /// <summary>Seed of the methods that draw random numbers.</summary>
    public long Seed { get; init; }

    /// <summary>Bytes that the run's buffers may take.</summary>
    public long Memory { get; init; } = 256L << 20;

    /// <summary>Go on when an input holds NaN or infinity.</summary>
    public bool AllowNonFinite { get; init; }

    /// <summary>
    /// Does what a recipe's section <c>align</c> says: of a plan it writes the models, with their units in one order, into a folder of its own. Null where nothing knows of networks;
    /// such recipes are then refused.
    /// </summary>
    public Func<MergePlan, string, AlignedModels>? Align { get; init; }

    /// <summary>
    /// Learns what a recipe's section <c>train</c> leaves open: of a plan it makes the values of every tensor, by name, that the result does not take from its donor as it is. Null
    /// where nothing trains; such recipes are then refused.
    /// </summary>
    public Func<MergePlan, IReadOnlyDictionary<string, Tensor>>? Learn { get; init; }

    /// <summary>How the output is written.</summary>
    public OutputOptions Output { get; init; } = new();
}

/// <summary>How far a merge is.</summary>
/// <param name="Done">Bytes of the output that are written.</param>
/// <param name="Total">Bytes of the whole output.</param>
/// <param name="Stage">The document of the recipe that runs; <see cref="Done"/> and <see cref="Total"/> are of it alone.</param>
/// <param name="Found">Of <see cref="Done"/>, what an interrupted run had written: no measure of this run's speed.</param>
public readonly record struct MergeProgress(long Done, long Total, string Stage, long Found = 0);
