using System.Collections.Immutable;
using Amalgam.Zoo.Experiments.Cki;

namespace Amalgam.Zoo.Experiments;

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

    /// <summary>The methods of a table, in the order in which they were first run; of those that some pairs lack only the pairs that have them.</summary>
    /// <param name="rows">Rows of any table.</param>
    /// <param name="table">The table that is meant.</param>
    public static ImmutableArray<MethodMean> Of(IEnumerable<MethodRow> rows, string table) => [.. rows.Where(row => row.Table == table).GroupBy(row => row.Method).Select(group => new MethodMean(
        group.Key,
        [.. group.First().Test.Select(f => (f.Name, Spread.Of([.. group.Select(row => row[f.Name])])))],
        group.Average(row => row.Seconds),
        [.. group.Select(row => row.Chosen).Where(chosen => chosen != "")],
        group.Count()))];
}

/// <summary>How much better one method is than another on the same pairs.</summary>
/// <param name="Method">The method.</param>
/// <param name="From">The other.</param>
/// <param name="Figure">The figure.</param>
/// <param name="Gain">Mean and spread of the differences.</param>
/// <param name="Better">Pairs on which it is better.</param>
/// <param name="Pairs">All pairs.</param>
public sealed record PairedGain(string Method, string From, string Figure, Spread Gain, int Better, int Pairs)
{
    /// <summary>Differences between methods on the same pairs of a table.</summary>
    /// <param name="rows">Rows of any table.</param>
    /// <param name="table">The table that is meant.</param>
    /// <param name="claims">Which method, and over which other.</param>
    /// <param name="figures">The figures that are compared, where the table has them.</param>
    public static ImmutableArray<PairedGain> Of(IEnumerable<MethodRow> rows, string table, IEnumerable<(string Method, string From)> claims, IEnumerable<string> figures)
    {
        MethodRow[] own = [.. rows.Where(row => row.Table == table)];
        string[] there = [.. figures.Where(name => own.Any(row => double.IsFinite(row[name])))];
        return [.. from claim in claims from figure in there let gain = Of(own, claim.Method, claim.From, figure) where gain is not null select gain];
    }

    private static PairedGain? Of(MethodRow[] rows, string method, string over, string figure)
    {
        double[] gains = [.. from row in rows where row.Method == method from other in rows where other.Method == over && other.Pair == row.Pair select row[figure] - other[figure]];
        return gains.Length == 0 ? null : new(method, over, figure, Spread.Of(gains), gains.Count(gain => gain > 0), gains.Length);
    }
}
