using System.Collections.Immutable;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>What a table of the reproduction came to.</summary>
/// <param name="Options">What was asked for.</param>
/// <param name="Folder">Where its files are.</param>
/// <param name="Rows">Every row.</param>
public sealed record ClafusionResult(ClafusionOptions Options, string Folder, ImmutableArray<MethodRow> Rows)
{
    /// <summary>Names of the tables.</summary>
    public IEnumerable<string> Tables => Rows.Select(row => row.Table).Distinct();

    /// <summary>The methods of a table, in the order in which they were first run.</summary>
    public ImmutableArray<MethodMean> Means(string table) => MethodMean.Of(Rows, table);

    /// <summary>Differences between methods on the same seeds: those that the paper's claims are about.</summary>
    public ImmutableArray<PairedGain> Gains(string table) => PairedGain.Of(Rows, table, PaperTables.Claims, ["accuracy"]);
}
