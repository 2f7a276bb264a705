using Amalgam.Merging;
using Amalgam.Training;

namespace Amalgam.Zoo.Demo;

/// <summary>How large the demonstration on glyphs is.</summary>
/// <param name="Training">Training samples.</param>
/// <param name="Validation">Samples, taken from the same source, that methods' parameters are chosen by.</param>
/// <param name="Test">Test samples.</param>
/// <param name="BaseSamples">Training samples that the base learns from.</param>
/// <param name="BaseEpochs">Passes over them.</param>
/// <param name="HalfEpochs">Passes of each network on its half of the classes.</param>
/// <param name="WholeEpochs">Passes of each network on all classes.</param>
public sealed record DemoSize(int Training, int Validation, int Test, int BaseSamples, int BaseEpochs, int HalfEpochs, int WholeEpochs)
{
    /// <summary>What <c>amalgam demo</c> runs: under a minute on two cores.</summary>
    public static readonly DemoSize Usual = new(8000, 1000, 2000, 1000, 6, 3, 5);
}

/// <summary>How the demonstration runs.</summary>
public sealed record DemoOptions
{
    /// <summary>Seed of the networks' first weights, of the samples' order, and of methods that draw random numbers.</summary>
    public long Seed { get; init; }

    /// <summary>How large it is.</summary>
    public DemoSize Size { get; init; } = DemoSize.Usual;

    /// <summary>Threads of the merges.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Stops the run.</summary>
    public CancellationToken Cancel { get; init; }

    /// <summary>Hears what is finished, a line each.</summary>
    public Action<string>? Finished { get; init; }

    /// <summary>Hears of every training step.</summary>
    public IProgress<TrainingProgress>? Training { get; init; }

    /// <summary>Hears how many merges of how many are done.</summary>
    public Action<int, int>? Merging { get; init; }

    internal MergeOptions Merge => new() { Seed = Seed, Parallel = new() { MaxDegreeOfParallelism = Threads, CancellationToken = Cancel } };
}
