using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Amalgam.Zoo.Experiments.Cki;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>The tables of a part as Markdown.</summary>
internal static class MudscMarkdown
{
    private const string Minus = "\u2212";

    /// <summary>Writes all of it.</summary>
    public static string Of(MudscResult result)
    {
        StringBuilder text = new();
        text.Append($"# MuDSC, part {result.Options.Part}\n\n");
        foreach (string note in result.Notes) text.Append($"{note}\n\n");
        foreach (string table in result.Tables)
        {
            Append(text, result, table);
            Append(text, result.Gains(table, PairMethods.Claims.Concat(AfterMatching.Claims)));
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, MudscResult result, string table)
    {
        ImmutableArray<MethodMean> methods = result.Means(table);
        int pairs = methods.Max(m => m.Pairs);
        string[] figures = [.. methods.SelectMany(m => m.Figures.Select(f => f.Name)).Distinct()];
        text.Append($"## {table}\n\n{(pairs == 1 ? "One pair" : $"{pairs} pairs, mean \u00b1 standard deviation")}; accuracies in percent.\n\n");
        Line(text, ["method", .. figures, "seconds", "chosen"]);
        Line(text, ["---", .. figures.Select(_ => "---:"), "---:", "---"]);
        foreach (MethodMean method in methods)
        {
            Line(text, [
                method.Pairs == pairs ? method.Method : $"{method.Method} ({method.Pairs} of {pairs})",
                .. figures.Select(name => method[name] is { } value ? Text(value, name) : ""),
                method.Seconds == 0 ? "" : Number(method.Seconds, "0.0"),
                CkiMarkdown.Choices(method.Chosen)]);
        }

        text.Append('\n');
    }

    private static void Append(StringBuilder text, ImmutableArray<PairedGain> gains)
    {
        if (gains.IsEmpty) return;
        Line(text, ["method", "over", "figure", "difference", "better on"]);
        Line(text, ["---", "---", "---", "---:", "---:"]);
        foreach (PairedGain gain in gains) Line(text, [gain.Method, gain.From, gain.Figure, Text(gain.Gain, gain.Figure, signed: true), $"{gain.Better} of {gain.Pairs}"]);
        text.Append('\n');
    }

    /// <summary>A figure: shares in percent, losses and rankings as they are.</summary>
    public static string Text(Spread spread, string figure, bool signed = false)
    {
        bool share = IsShare(figure);
        double factor = share ? 100 : 1;
        string format = share ? "0.00" : "0.0000", mean = Number(factor * spread.Mean, format);
        if (signed && spread.Mean >= 0) mean = "+" + mean;
        return double.IsNaN(spread.Deviation) ? mean : $"{mean} \u00b1 {Number(factor * spread.Deviation, format)}";
    }

    /// <summary>Whether a figure is a share that is written in percent.</summary>
    public static bool IsShare(string figure) => !figure.StartsWith("loss", StringComparison.Ordinal) && !figure.Contains('@', StringComparison.Ordinal) && !figure.EndsWith("auc", StringComparison.Ordinal);

    private static string Number(double value, string format) => double.IsNaN(value) ? "\u2013" : (value < 0 ? Minus : "") + Math.Abs(value).ToString(format, CultureInfo.InvariantCulture);

    private static void Line(StringBuilder text, IEnumerable<string> cells) => text.Append($"| {string.Join(" | ", cells)} |\n");
}
