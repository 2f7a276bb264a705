using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Amalgam.Zoo.Experiments.Cki;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>The tables as Markdown.</summary>
public static class ClafusionMarkdown
{
    private const string Minus = "\u2212";

    /// <summary>Figures that are no shares, with how they are written.</summary>
    private static readonly Dictionary<string, string> Formats = new() { ["loss"] = "0.0000", ["cost"] = "0.####", ["parameters"] = "#,0", ["milliseconds"] = "0.0", ["seconds"] = "0.0" };

    /// <summary>Writes all of it.</summary>
    public static string Of(ClafusionResult result)
    {
        StringBuilder text = new($"# CLAFusion, {(PaperTables.IsOfPaper(result.Options.Table) ? "table " : "")}{result.Options.Table}\n\n");
        foreach (string table in result.Tables)
        {
            Append(text, result, table);
            Append(text, result.Gains(table));
        }

        return text.ToString();
    }

    /// <summary>A figure: shares in percent, costs and losses as they are.</summary>
    public static string Text(Spread spread, string figure, bool signed = false)
    {
        double factor = IsShare(figure) ? 100 : 1;
        string format = Formats.GetValueOrDefault(figure, "0.00"), mean = Number(factor * spread.Mean, format);
        if (signed && spread.Mean >= 0) mean = "+" + mean;
        return double.IsNaN(spread.Deviation) ? mean : $"{mean} \u00b1 {Number(factor * spread.Deviation, format)}";
    }

    /// <summary>Whether a figure is a share that is written in percent.</summary>
    public static bool IsShare(string figure) => !Formats.ContainsKey(figure) && !figure.EndsWith(", s", StringComparison.Ordinal);

    private static void Append(StringBuilder text, ClafusionResult result, string table)
    {
        ImmutableArray<MethodMean> methods = result.Means(table);
        int pairs = methods.Max(m => m.Pairs);
        string[] figures = [.. methods.SelectMany(m => m.Figures.Select(f => f.Name)).Distinct()];
        bool hasPaper = methods.Any(m => PaperTables.Of(table, m.Method) is not null), hasChoice = methods.Any(m => !m.Chosen.IsEmpty);
        text.Append($"## {table}\n\n{(pairs == 1 ? "One seed" : $"{pairs} seeds, mean \u00b1 standard deviation")}; accuracies in percent.\n\n");
        Line(text, ["method", .. figures, "seconds", .. hasPaper ? (string[])["the paper"] : [], .. hasChoice ? (string[])["chosen"] : []]);
        Line(text, ["---", .. figures.Select(_ => "---:"), "---:", .. hasPaper ? (string[])["---:"] : [], .. hasChoice ? (string[])["---"] : []]);
        foreach (MethodMean method in methods)
        {
            Line(text, [
                method.Pairs == pairs ? method.Method : $"{method.Method} ({method.Pairs} of {pairs})",
                .. figures.Select(name => method[name] is { } value ? Text(value, name) : ""),
                Number(method.Seconds, "0.0"),
                .. hasPaper ? (string[])[PaperTables.Of(table, method.Method) ?? ""] : [],
                .. hasChoice ? (string[])[CkiMarkdown.Choices(method.Chosen)] : []]);
        }

        text.Append('\n');
    }

    private static void Append(StringBuilder text, ImmutableArray<PairedGain> gains)
    {
        if (gains.IsEmpty) return;
        Line(text, ["method", "over", "difference", "better on"]);
        Line(text, ["---", "---", "---:", "---:"]);
        foreach (PairedGain gain in gains) Line(text, [gain.Method, gain.From, Text(gain.Gain, gain.Figure, signed: true), $"{gain.Better} of {gain.Pairs}"]);
        text.Append('\n');
    }

    private static string Number(double value, string format) => double.IsNaN(value) ? "\u2013" : (value < 0 ? Minus : "") + Math.Abs(value).ToString(format, CultureInfo.InvariantCulture);

    private static void Line(StringBuilder text, IEnumerable<string> cells) => text.Append($"| {string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)))} |\n");
}
