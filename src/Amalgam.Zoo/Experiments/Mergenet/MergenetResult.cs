using System.Collections.Immutable;

namespace Amalgam.Zoo.Experiments.Mergenet;

/// <summary>What a table of the reproduction came to.</summary>
/// <param name="Options">What was asked for.</param>
/// <param name="Folder">Where its files are.</param>
/// <param name="Rows">Every row, its table being the network that it is of.</param>
public sealed record MergenetResult(MergenetOptions Options, string Folder, ImmutableArray<MethodRow> Rows)
{
    private static readonly ImmutableArray<string> Compared = ["accuracy", "mean recall"];

    /// <summary>A method beside training alone that the others are compared with, seed by seed; null for none.</summary>
    public string? Against { get; init; }

    /// <summary>The networks.</summary>
    public IEnumerable<string> Sections => Rows.Select(row => row.Table).Distinct();

    /// <summary>The methods of a network, in the order in which they were first run.</summary>
    public ImmutableArray<MethodMean> Means(string section) => MethodMean.Of(Rows, section);

    /// <summary>Differences from training alone with the same seed.</summary>
    public ImmutableArray<PairedGain> Gains(string section) => Over(section, TableEntry.Alone);

    /// <summary>Differences from a method with the same seed.</summary>
    /// <param name="section">Of which network.</param>
    /// <param name="method">The method.</param>
    public ImmutableArray<PairedGain> Over(string section, string method) =>
        PairedGain.Of(Rows, section, [.. Rows.Where(row => row.Table == section && row.Method != method).Select(row => row.Method).Distinct().Select(other => (other, method))], Compared);
}
