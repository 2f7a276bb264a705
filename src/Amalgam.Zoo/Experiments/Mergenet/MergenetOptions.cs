namespace Amalgam.Zoo.Experiments.Mergenet;

/// <summary>Which of MergeNet's experiments is run anew, and how.</summary>
public sealed record MergenetOptions : ReproductionOptions
{
    /// <summary>All that a table needs, and where it goes.</summary>
    public MergenetOptions() => Folder = Path.Combine("reproduce", "mergenet");

    /// <summary>Which table, of <see cref="MergenetExperiment.Tables"/>.</summary>
    public required string Table { get; init; }

    /// <summary>Seeds, from the first on.</summary>
    public int Seeds { get; init; } = 3;

    /// <summary>Training samples of each task at most; null for as many as suit it.</summary>
    public int? Samples { get; init; }

    /// <summary>Test samples of each task at most; null for all.</summary>
    public int? Limit { get; init; }
}
