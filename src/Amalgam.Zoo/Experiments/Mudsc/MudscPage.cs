using System.Collections.Immutable;
using Amalgam.Zoo.Experiments.Cki;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>The tables of a part as a page with charts.</summary>
internal static class MudscPage
{
    /// <summary>Makes the page.</summary>
    public static HtmlReport Of(MudscResult result)
    {
        List<ReportPart> parts = [.. result.Notes.Select(note => new Paragraph(note))];
        foreach (string table in result.Tables) parts.AddRange(Chapter(result, table));
        parts.AddRange(result.Pictures);
        return new($"MuDSC, part {result.Options.Part}", [.. parts]) { Origin = $"amalgam reproduce mudsc --part {result.Options.Part}" };
    }

    private static IEnumerable<ReportPart> Chapter(MudscResult result, string table)
    {
        ImmutableArray<MethodMean> methods = result.Means(table);
        string[] figures = [.. methods.SelectMany(m => m.Figures.Select(f => f.Name)).Distinct()];
        string main = figures.Contains("average") ? "average" : figures[0];
        yield return new Heading(table);
        ImmutableArray<Column> columns =
            [new("method"), .. figures.Select(name => new Column(name, MudscMarkdown.IsShare(name) ? "0.00%" : "0.0000", Best.None)), new($"\u00b1 of {main}"), new("seconds", "0.0"), new("chosen")];
        yield return new DataTable(
            "Means over the pairs, on the test data", columns,
            new TableSection("", [.. methods.Select(m => (ImmutableArray<Cell>)
                [m.Method, .. figures.Select(name => (Cell)(m[name]?.Mean ?? double.NaN)), (Cell)MudscMarkdown.Text(new(m[main]?.Deviation ?? double.NaN, double.NaN), main), m.Seconds, CkiMarkdown.Choices(m.Chosen)])]));
        yield return new BarChart($"{main} on the test data", [.. methods.Select(m => m.Method)], new Series(main, [.. methods.Select(m => m[main]?.Mean ?? double.NaN)])) { Format = MudscMarkdown.IsShare(main) ? "0.0%" : "0.0000" };
        ImmutableArray<PairedGain> gains = result.Gains(table, PairMethods.Claims.Concat(AfterMatching.Claims));
        if (gains.IsEmpty) yield break;
        yield return new DataTable(
            "Differences on the same pairs", [new("method"), new("over"), new("figure"), new("difference"), new("better on")],
            new TableSection("", [.. gains.Select(g => (ImmutableArray<Cell>)[g.Method, g.From, g.Figure, MudscMarkdown.Text(g.Gain, g.Figure, signed: true), $"{g.Better} of {g.Pairs}"])]));
    }
}
