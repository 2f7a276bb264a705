using System.Collections.Immutable;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>Which experiment about matching units is run anew, and how.</summary>
public sealed record MudscOptions : ReproductionOptions
{
    /// <summary>All that a part needs, and where it goes.</summary>
    public MudscOptions() => Folder = Path.Combine("reproduce", "mudsc");

    /// <summary>Which part, of <see cref="MudscExperiment.Parts"/>.</summary>
    public required string Part { get; init; }

    /// <summary>Test samples at most; null for all.</summary>
    public int? Limit { get; init; }

    /// <summary>Pairs of a part that are looked at, from the first on; null for all.</summary>
    public int? Pairs { get; init; }

    /// <summary>Samples whose activations are compared, on which statistics are estimated anew and by which alpha is chosen: the first training samples.</summary>
    public int Calibration { get; init; } = 5000;

    /// <summary>Shares of the similarity of weights to choose from.</summary>
    public ImmutableArray<double> Alphas { get; init; } = [0.1, 0.3, 0.5, 0.7, 0.9];
}
