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

    /// <summary>How long each network is trained on how much, and what it is measured on, a sentence each.</summary>
    public ImmutableDictionary<string, string> Settings { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Of how many seeds a network's rows are, and what it was trained and measured on.</summary>
    internal string Setting(string section)
    {
        int seeds = Means(section).Max(method => method.Pairs);
        string text = seeds == 1 ? "One seed." : FormattableString.Invariant($"{seeds} seeds, mean \u00b1 standard deviation.");
        return Settings.TryGetValue(section, out string? setting) ? $"{text} {setting}" : text;
    }

    /// <summary>Whether the paper has something in the place of a network's rows.</summary>
    internal bool HasPaper(string section) => Rows.Any(row => row.Table == section && PaperTables.Of(Options.Table, section, row.Method) is not null);

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
