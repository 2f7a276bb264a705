using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Experiments.Mergenet;

/// <summary>The tables as a page with charts.</summary>
internal static class MergenetPage
{
    private const string CyclePrefix = "T_cycle ";

    /// <summary>Makes the page.</summary>
    public static HtmlReport Of(MergenetResult result) => new($"MergeNet, {MergenetMarkdown.Title(result.Options.Table)}", [.. result.Sections.SelectMany(section => Chapter(result, section))])
    {
        Origin = $"amalgam reproduce mergenet --table {result.Options.Table}",
    };

    private static IEnumerable<ReportPart> Chapter(MergenetResult result, string section)
    {
        ImmutableArray<MethodMean> methods = result.Means(section);
        ImmutableArray<PairedGain> gains = result.Gains(section);
        ImmutableArray<string> figures = MergenetMarkdown.Figures(methods);
        yield return new Heading(section);
        ImmutableArray<Column> columns = [new("method"), .. figures.Select(name => new Column(name)), new("over alone"), new("better on"), new("seconds", "0.0"), new("the paper")];
        yield return new DataTable("Means and deviations over the seeds", columns, new TableSection("", [.. methods.Select(m => (ImmutableArray<Cell>)
            [
                m.Method, .. figures.Select(name => (Cell)MergenetMarkdown.Text(m, name)), .. MergenetMarkdown.Gain(gains, m.Method).Select(text => (Cell)text), m.Seconds,
                PaperTables.Of(result.Options.Table, section, m.Method) ?? "",
            ])]));
        string shown = figures[0];
        MethodMean[] cycles = [.. methods.Where(m => m.Method.StartsWith(CyclePrefix, StringComparison.Ordinal) && !m.Method.Contains(','))];
        if (cycles.Length > 1) yield return Curve(shown, cycles, methods.First());
        else yield return new BarChart($"{shown} on {(result.Options.Table == "choice" ? "held-out training samples" : "the test data")}", [.. methods.Select(m => m.Method)], new Series(shown, [.. methods.Select(m => m[shown]?.Mean ?? double.NaN)])) { Format = "0.0%" };
    }

    /// <summary>The paper's figure 3: a mean for each cycle, every seed beside it.</summary>
    private static LineChart Curve(string figure, MethodMean[] cycles, MethodMean alone) =>
        new($"{figure} by T_cycle", "T_cycle", figure, new Series("MergeNet", [.. cycles.Select(m => m[figure]!.Value.Mean)]) { X = [.. cycles.Select(m => double.Parse(m.Method.AsSpan(CyclePrefix.Length), CultureInfo.InvariantCulture))] })
        {
            Format = "0.0%",
            References = [new("alone", alone[figure]!.Value.Mean)],
        };
}
