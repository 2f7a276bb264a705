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
        Origin = CommandOf(result.Options),
    };

    /// <summary>What runs the same again.</summary>
    private static string CommandOf(MergenetOptions options)
    {
        string Given(string name, int? value) => value is null ? "" : FormattableString.Invariant($" --{name} {value}");
        return $"amalgam reproduce mergenet --table {options.Table}{Given("seeds", options.Seeds)}{Given("epochs", options.Epochs)}{Given("samples", options.Samples)}{Given("limit", options.Limit)}";
    }

    private static IEnumerable<ReportPart> Chapter(MergenetResult result, string section)
    {
        ImmutableArray<MethodMean> methods = result.Means(section);
        ImmutableArray<string> figures = MergenetMarkdown.Figures(methods), merits = [.. figures.Where(name => !IsOfTraining(name))];
        yield return new Heading(section);
        yield return new Paragraph($"{result.Setting(section)} Accuracies, recalls and changes in percent.");
        yield return Merits(result, section, methods, merits);
        yield return Training(methods, [.. figures.Except(merits)]);
        if (figures.Contains("change"))
            yield return new Paragraph("The change is what a transfer of the last epoch did to its target on average, the norm of the difference by the norm before. The first transfer leaves its target as it is, so that where no other comes the change is 0.", Quiet: true);
        string shown = figures[0];
        MethodMean[] cycles = [.. methods.Where(m => m.Method.StartsWith(CyclePrefix, StringComparison.Ordinal) && !m.Method.Contains(','))];
        if (cycles.Length > 1) yield return Curve(shown, cycles, methods.First());
        else yield return new BarChart($"{shown} on {(result.Options.Table == "choice" ? "held-out training samples" : "the test data")}", [.. methods.Select(m => m.Method)], new Series(shown, [.. methods.Select(m => m[shown]?.Mean ?? double.NaN)])) { Format = "0.0%" };
    }

    /// <summary>Whether a figure says how the training went, and not what came of it.</summary>
    private static bool IsOfTraining(string figure) => figure == "change" || figure.EndsWith(", s", StringComparison.Ordinal);

    private static DataTable Merits(MergenetResult result, string section, ImmutableArray<MethodMean> methods, ImmutableArray<string> figures)
    {
        ImmutableArray<PairedGain> gains = result.Gains(section), variants = result.Against is { } other ? result.Over(section, other) : [];
        string[] against = result.Against is null ? [] : [$"over {result.Against}", "better on"];
        Column[] papers = result.HasPaper(section) ? [Right("the paper")] : [];
        return new("What came of it", [new("method"), .. figures.Select(Right), Right("over alone"), Right("better on"), .. against.Select(Right), .. papers], new TableSection("", [.. methods.Select(m => (ImmutableArray<Cell>)
            [
                m.Method, .. figures.Select(name => (Cell)MergenetMarkdown.Text(m, name)), .. MergenetMarkdown.Gain(gains, m.Method).Select(text => (Cell)text),
                .. against.Length == 0 ? [] : MergenetMarkdown.Gain(variants, m.Method).Select(text => (Cell)text),
                .. papers.Select(_ => (Cell)(PaperTables.Of(result.Options.Table, section, m.Method) ?? "")),
            ])]));
    }

    private static DataTable Training(ImmutableArray<MethodMean> methods, ImmutableArray<string> figures) =>
        new("How the training went", [new("method"), .. figures.Select(Right), new("seconds in all", "0.0")], new TableSection("", [.. methods.Select(m => (ImmutableArray<Cell>)
            [m.Method, .. figures.Select(name => (Cell)MergenetMarkdown.Text(m, name)), m.Seconds])]));

    private static Column Right(string name) => new(name) { IsRight = true };

    /// <summary>The paper's figure 3: a mean for each cycle, every seed beside it.</summary>
    private static LineChart Curve(string figure, MethodMean[] cycles, MethodMean alone) =>
        new($"{figure} by T_cycle", "T_cycle", figure, new Series("MergeNet", [.. cycles.Select(m => m[figure]!.Value.Mean)]) { X = [.. cycles.Select(m => double.Parse(m.Method.AsSpan(CyclePrefix.Length), CultureInfo.InvariantCulture))] })
        {
            Format = "0.0%",
            References = [new("alone", alone[figure]!.Value.Mean)],
        };
}
