using System.Collections.Immutable;
using Amalgam.Zoo.Experiments.Cki;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>The tables as a page with charts.</summary>
internal static class ClafusionPage
{
    /// <summary>Makes the page.</summary>
    public static HtmlReport Of(ClafusionResult result) => new($"CLAFusion, {(PaperTables.IsOfPaper(result.Options.Table) ? "table " : "")}{result.Options.Table}", [.. result.Tables.SelectMany(table => Chapter(result, table))])
    {
        Origin = $"amalgam reproduce clafusion --table {result.Options.Table}",
    };

    private static IEnumerable<ReportPart> Chapter(ClafusionResult result, string table)
    {
        ImmutableArray<MethodMean> methods = result.Means(table);
        string[] figures = [.. methods.SelectMany(m => m.Figures.Select(f => f.Name)).Distinct()];
        yield return new Heading(table);
        ImmutableArray<Column> columns = [new("method"), .. figures.Select(name => new Column(name)), new("seconds", "0.0"), new("the paper"), new("chosen")];
        yield return new DataTable("Means and deviations over the seeds", columns, new TableSection("", [.. methods.Select(m => (ImmutableArray<Cell>)
            [m.Method, .. figures.Select(name => (Cell)(m[name] is { } value ? ClafusionMarkdown.Text(value, name) : "")), m.Seconds, PaperTables.Of(table, m.Method) ?? "", CkiMarkdown.Choices(m.Chosen)])]));
        if (table == SkillTransfer.Table) yield return Curves(methods);
        else if (figures.Contains("accuracy")) yield return new BarChart("accuracy on the test data", [.. methods.Select(m => m.Method)], new Series("accuracy", [.. methods.Select(m => m["accuracy"]?.Mean ?? double.NaN)])) { Format = "0.0%" };
        ImmutableArray<PairedGain> gains = result.Gains(table);
        if (gains.IsEmpty) yield break;
        yield return new DataTable("Differences on the same seeds", [new("method"), new("over"), new("difference"), new("better on")], new TableSection("",
            [.. gains.Select(g => (ImmutableArray<Cell>)[g.Method, g.From, ClafusionMarkdown.Text(g.Gain, g.Figure, signed: true), $"{g.Better} of {g.Pairs}"])]));
    }

    /// <summary>The paper's figure 4.</summary>
    private static LineChart Curves(ImmutableArray<MethodMean> methods) =>
        new("accuracy by the generalist's weight", "weight of the generalist", "accuracy", [.. methods.Select(m => new Series(m.Method, [.. SkillTransfer.Weights.Select(w => m[w]?.Mean ?? double.NaN)])
        {
            X = [.. SkillTransfer.Weights.Select(w => double.Parse(w, System.Globalization.CultureInfo.InvariantCulture))],
        })])
        { Format = "0.0%" };
}
