namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>Which of CLAFusion's experiments is run anew, and how.</summary>
public sealed record ClafusionOptions : ReproductionOptions
{
    /// <summary>All that a table needs, and where it goes.</summary>
    public ClafusionOptions() => Folder = Path.Combine("reproduce", "clafusion");

    /// <summary>Which table, of <see cref="ClafusionExperiment.Tables"/>.</summary>
    public required string Table { get; init; }

    /// <summary>Test samples at most; null for all.</summary>
    public int? Limit { get; init; }

    /// <summary>Seeds, from the table's first on; null for as many as suit it.</summary>
    public int? Seeds { get; init; }

    /// <summary>Training samples whose activations decide which layers and units belong together; null for the paper's number.</summary>
    public int? Samples { get; init; }

    /// <summary>Epochs of fine-tuning and distillation.</summary>
    public int FineTuning { get; init; } = 3;
}
