using System.Collections.Immutable;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>A table of results as a page with charts.</summary>
internal static class CkiPage
{
    /// <summary>Makes the page.</summary>
    public static HtmlReport Of(CkiResult result)
    {
        List<ReportPart> parts = [new Paragraph(result.Setting)];
        foreach (Summary summary in result.Summaries) parts.AddRange(Chapter(result, summary));
        if (!result.Costs.IsEmpty)
        {
            parts.Add(new Heading("Inference"));
            parts.Add(new DataTable(
                "", [new("network"), new("parameters", "#,0"), new("milliseconds", "0.0")],
                new TableSection("", [.. result.Costs.Select(cost => (ImmutableArray<Cell>)[cost.Name, (double)cost.Parameters, cost.Milliseconds])])));
            parts.Add(new Paragraph($"{InferenceClock.What}.", Quiet: true));
        }

        if (!result.Shares.IsEmpty)
        {
            parts.Add(new Heading("What the trained splices take from model A"));
            parts.Add(new DataTable(
                "Seed 1", [new("splice"), new("matrix"), new("g", "0.000"), new("least V", "0.000"), new("mean V", "0.000"), new("largest V", "0.000"), new("positions with V of 1/2 or more", "0.0%")],
                new TableSection("", [.. result.Shares.Select(s => (ImmutableArray<Cell>)[s.Splice, s.Matrix, s.Global, s.Least, s.Mean, s.Most, s.Larger])])));
        }

        if (!result.Paper.IsEmpty)
        {
            parts.Add(new Heading("The paper's figures"));
            parts.Add(new Paragraph("Another protocol: other candidates, other filtering, best epochs chosen on test data. They are here for the order of the methods, not for the values.", Quiet: true));
            ImmutableArray<Column> columns = [new("method"), .. result.Figures.Take(result.Paper[0].Figures.Length).Select(name => new Column(name, "0.0000", Best.Highest))];
            parts.Add(new DataTable("", columns, new TableSection("", [.. result.Paper.Select(row => (ImmutableArray<Cell>)[row.Method, .. row.Figures.Select(f => (Cell)f)])])));
        }

        return new($"CKI, table {result.Options.Table}: {result.Subject}", [.. parts]) { Origin = $"amalgam reproduce cki --table {result.Options.Table} --dataset {result.Options.Dataset}" };
    }

    private static IEnumerable<ReportPart> Chapter(CkiResult result, Summary summary)
    {
        int merit = result.Figures.IndexOf(result.Merit);
        SummaryRow? reference = summary.Rows.FirstOrDefault(row => row.Method == result.Reference);
        yield return new Heading(result.Title(summary));
        ImmutableArray<Column> columns =
            [new("method"), .. result.Figures.Select(name => new Column(name, "0.0000", Best.Highest)), new("±"), new($"{result.Merit} over {result.Reference}"), new("steps", "#,0"), new("chosen by validation")];
        ImmutableArray<ImmutableArray<Cell>> rows = [.. summary.Rows.Select(row => (ImmutableArray<Cell>)
            [summary.NameOf(row), .. row.Test.Select(s => (Cell)s.Mean), CkiMarkdown.Text(new(row.Test[merit].Deviation, double.NaN)), CkiMarkdown.Text(row.Gain[merit], signed: true), (double)row.Steps, CkiMarkdown.Choices(row.Chosen)])];
        yield return new DataTable("Means over the seeds, on the test data", columns, new TableSection("", rows));
        yield return new Paragraph($"± is the standard deviation of {result.Merit} over the seeds; the next column is the mean of the differences from {result.Reference} of the same seed, and their standard deviation.", Quiet: true);
        yield return new BarChart($"{result.Merit} on the test data", [.. summary.Rows.Select(summary.NameOf)], new Series(result.Merit, [.. summary.Rows.Select(row => row.Test[merit].Mean)]))
        {
            Format = "0.0000",
            References = reference is null ? [] : [new(result.Reference, reference.Test[merit].Mean)],
        };
    }
}
