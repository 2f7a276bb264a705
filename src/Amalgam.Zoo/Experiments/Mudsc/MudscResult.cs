using System.Collections.Immutable;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>What a part of the reproduction came to.</summary>
/// <param name="Options">What was asked for.</param>
/// <param name="Folder">Where its files are.</param>
/// <param name="Rows">Every row.</param>
public sealed record MudscResult(MudscOptions Options, string Folder, ImmutableArray<MethodRow> Rows)
{
    /// <summary>Sentences that belong to the part, such as how data was drawn.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>Pictures that belong to the part.</summary>
    public ImmutableArray<ReportPart> Pictures { get; init; } = [];

    /// <summary>Names of the tables.</summary>
    public IEnumerable<string> Tables => Rows.Select(row => row.Table).Distinct();

    /// <summary>The methods of a table, in the order in which they were first run; of those that some pairs lack only the pairs that have them.</summary>
    public ImmutableArray<MethodMean> Means(string table) => MethodMean.Of(Rows, table);

    /// <summary>Differences between methods on the same pairs of a table.</summary>
    /// <param name="table">The table.</param>
    /// <param name="claims">Which method, and over which other.</param>
    public ImmutableArray<PairedGain> Gains(string table, IEnumerable<(string Method, string From)> claims) => PairedGain.Of(Rows, table, claims, ["joint", "average", "accuracy", "ndcg@10"]);
}
