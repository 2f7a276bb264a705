using System.Collections.Immutable;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>A mean over seeds and its spread.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="Deviation">The standard deviation (n - 1); NaN of one seed.</param>
public readonly record struct Spread(double Mean, double Deviation)
{
    /// <summary>Of some values.</summary>
    public static Spread Of(IReadOnlyCollection<double> values)
    {
        double mean = values.Average();
        return new(mean, values.Count < 2 ? double.NaN : Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1)));
    }
}

/// <summary>What one method came to over all seeds.</summary>
/// <param name="Method">The method.</param>
/// <param name="Test">Each figure.</param>
/// <param name="Gain">Each figure's difference from model A of the same seed.</param>
/// <param name="Steps">Training steps after the pair was trained.</param>
/// <param name="Chosen">What the validation data chose, seed by seed.</param>
/// <param name="Seeds">How many seeds the means are of.</param>
public sealed record SummaryRow(string Method, ImmutableArray<Spread> Test, ImmutableArray<Spread> Gain, long Steps, ImmutableArray<string> Chosen, int Seeds);

/// <summary>What the methods came to for one kind of pair.</summary>
/// <param name="Start">The kind.</param>
/// <param name="Seeds">Seeds that the method has that gains are over; others may have fewer.</param>
/// <param name="Rows">The methods, in the order in which they were first run.</param>
public sealed record Summary(CkiStart Start, int Seeds, ImmutableArray<SummaryRow> Rows)
{
    /// <summary>What a table calls a row: the method, and how many seeds it has where those are not all.</summary>
    public string NameOf(SummaryRow row) => row.Seeds == Seeds ? row.Method : $"{row.Method} ({row.Seeds} of {Seeds} seeds)";

    /// <summary>Summarises rows; those of seeds that lack the method that gains are over are left out.</summary>
    /// <param name="rows">Rows of any start.</param>
    /// <param name="start">The kind of pair that is meant.</param>
    /// <param name="reference">The method that gains are over.</param>
    public static Summary Of(IEnumerable<Row> rows, CkiStart start, string reference)
    {
        Row[] own = [.. rows.Where(row => row.Start == start)];
        Dictionary<int, Row> references = own.Where(row => row.Method == reference).ToDictionary(row => row.Seed);
        own = [.. own.Where(row => references.ContainsKey(row.Seed))];
        return new(start, references.Count, [.. own.GroupBy(row => row.Method).Select(group => Of(group.Key, [.. group.OrderBy(row => row.Seed)], references))]);
    }

    private static SummaryRow Of(string method, Row[] rows, Dictionary<int, Row> references)
    {
        int figures = rows[0].Test.Length;
        return new(
            method,
            [.. Enumerable.Range(0, figures).Select(f => Spread.Of([.. rows.Select(row => row.Test[f])]))],
            [.. Enumerable.Range(0, figures).Select(f => Spread.Of([.. rows.Select(row => row.Test[f] - references[row.Seed].Test[f])]))],
            rows[0].Steps,
            [.. rows.Select(row => row.Chosen)],
            rows.Length);
    }
}
