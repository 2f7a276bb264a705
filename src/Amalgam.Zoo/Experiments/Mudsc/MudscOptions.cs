using System.Collections.Immutable;
using Amalgam.Training;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>Which experiment about matching units is run anew, and how.</summary>
public sealed record MudscOptions
{
    /// <summary>Which part, of <see cref="MudscExperiment.Parts"/>.</summary>
    public required string Part { get; init; }

    /// <summary>Pairs of a part that are looked at, from the first on; null for all.</summary>
    public int? Pairs { get; init; }

    /// <summary>Samples whose activations are compared, on which statistics are estimated anew and by which alpha is chosen: the first training samples.</summary>
    public int Calibration { get; init; } = 5000;

    /// <summary>Shares of the similarity of weights to choose from.</summary>
    public ImmutableArray<double> Alphas { get; init; } = [0.1, 0.3, 0.5, 0.7, 0.9];

    /// <summary>Epochs of the networks that are trained, over what suits the part.</summary>
    public int? Epochs { get; init; }

    /// <summary>Test samples at most; null for all.</summary>
    public int? Limit { get; init; }

    /// <summary>Where networks and results go; what an earlier run of the same description left there is taken over.</summary>
    public string Folder { get; init; } = Path.Combine("reproduce", "mudsc");

    /// <summary>Whether rows and networks of another description, which an earlier run left there, are replaced; else they are a reason to refuse.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Stops the run; another goes on where it stopped.</summary>
    public CancellationToken Cancel { get; init; }

    /// <summary>Hears of every training step.</summary>
    public IProgress<TrainingProgress>? Training { get; init; }

    /// <summary>Hears what begins and what is finished, a line each.</summary>
    public Action<string>? Line { get; init; }
}
