using System.Collections.Immutable;
using Amalgam.Zoo.Experiments.Cki;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>A method of a table: each figure's mean and spread over the pairs.</summary>
/// <param name="Method">The method.</param>
/// <param name="Figures">Each figure.</param>
/// <param name="Seconds">Mean time of the method.</param>
/// <param name="Chosen">What the calibration data chose, pair by pair.</param>
/// <param name="Pairs">Number of pairs.</param>
public sealed record MethodMean(string Method, ImmutableArray<(string Name, Spread Value)> Figures, double Seconds, ImmutableArray<string> Chosen, int Pairs)
{
    /// <summary>The figure of that name.</summary>
    public Spread? this[string name] => Figures.Where(f => f.Name == name).Select(f => (Spread?)f.Value).FirstOrDefault();
}

/// <summary>How much better one method is than another on the same pairs.</summary>
/// <param name="Method">The method.</param>
/// <param name="From">The other.</param>
/// <param name="Figure">The figure.</param>
/// <param name="Gain">Mean and spread of the differences.</param>
/// <param name="Better">Pairs on which it is better.</param>
/// <param name="Pairs">All pairs.</param>
public sealed record PairedGain(string Method, string From, string Figure, Spread Gain, int Better, int Pairs);

/// <summary>What a part of the reproduction came to.</summary>
/// <param name="Options">What was asked for.</param>
/// <param name="Folder">Where its files are.</param>
/// <param name="Rows">Every row.</param>
public sealed record MudscResult(MudscOptions Options, string Folder, ImmutableArray<MudscRow> Rows)
{
    /// <summary>Sentences that belong to the part, such as how data was drawn.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>Pictures that belong to the part.</summary>
    public ImmutableArray<ReportPart> Pictures { get; init; } = [];

    /// <summary>Names of the tables.</summary>
    public IEnumerable<string> Tables => Rows.Select(row => row.Table).Distinct();

    /// <summary>The methods of a table, in the order in which they were first run; of those that some pairs lack only the pairs that have them.</summary>
    public ImmutableArray<MethodMean> Means(string table) => [.. Rows.Where(row => row.Table == table).GroupBy(row => row.Method).Select(group => new MethodMean(
        group.Key,
        [.. group.First().Test.Select(f => (f.Name, Spread.Of([.. group.Select(row => row[f.Name])])))],
        group.Average(row => row.Seconds),
        [.. group.Select(row => row.Chosen).Where(chosen => chosen != "")],
        group.Count()))];

    /// <summary>Differences between methods on the same pairs of a table.</summary>
    /// <param name="table">The table.</param>
    /// <param name="claims">Which method, and over which other.</param>
    public ImmutableArray<PairedGain> Gains(string table, IEnumerable<(string Method, string From)> claims)
    {
        MudscRow[] own = [.. Rows.Where(row => row.Table == table)];
        string[] figures = [.. new[] { "joint", "average", "accuracy", "ndcg@10" }.Where(name => own.Any(row => double.IsFinite(row[name])))];
        return [.. from claim in claims from figure in figures let gain = Gain(own, claim.Method, claim.From, figure) where gain is not null select gain];
    }

    private static PairedGain? Gain(MudscRow[] rows, string method, string over, string figure)
    {
        double[] gains = [.. from row in rows where row.Method == method from other in rows where other.Method == over && other.Pair == row.Pair select row[figure] - other[figure]];
        return gains.Length == 0 ? null : new(method, over, figure, Spread.Of(gains), gains.Count(gain => gain > 0), gains.Length);
    }
}
