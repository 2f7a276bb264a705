using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Amalgam.Zoo.Experiments.Clafusion;

namespace Amalgam.Zoo.Experiments.Mergenet;

/// <summary>The tables as Markdown.</summary>
public static class MergenetMarkdown
{
    /// <summary>Writes all of it.</summary>
    public static string Of(MergenetResult result)
    {
        StringBuilder text = new($"# MergeNet, {Title(result.Options.Table)}\n\n");
        foreach (string section in result.Sections) Append(text, result, section);
        return text.ToString();
    }

    /// <summary>What a table is called.</summary>
    internal static string Title(string table) => table.All(char.IsAsciiDigit) ? $"table {table}" : table;

    /// <summary>Figures of a network that a table shows, in order.</summary>
    internal static ImmutableArray<string> Figures(IEnumerable<MethodMean> methods) => [.. methods.SelectMany(m => m.Figures.Select(f => f.Name)).Distinct()];

    /// <summary>A figure: shares in percent, losses and times as they are.</summary>
    internal static string Text(MethodMean method, string figure) => method[figure] is { } value ? ClafusionMarkdown.Text(value, figure) : "";

    /// <summary>How much better than alone a method is: mean, spread, and on how many seeds.</summary>
    internal static IEnumerable<string> Gain(IEnumerable<PairedGain> gains, string method) =>
        gains.FirstOrDefault(gain => gain.Method == method) is { } own ? [ClafusionMarkdown.Text(own.Gain, own.Figure, signed: true), $"{own.Better} of {own.Pairs}"] : ["", ""];

    private static void Append(StringBuilder text, MergenetResult result, string section)
    {
        ImmutableArray<MethodMean> methods = result.Means(section);
        ImmutableArray<PairedGain> gains = result.Gains(section), variants = result.Against is { } other ? result.Over(section, other) : [];
        ImmutableArray<string> figures = Figures(methods);
        int seeds = methods.Max(m => m.Pairs);
        text.Append(CultureInfo.InvariantCulture, $"## {section}\n\n{result.Setting(section)} Accuracies, recalls and changes in percent.\n\n");
        string[] against = result.Against is null ? [] : [$"over {result.Against}", "better on"];
        Line(text, ["method", .. figures, "over alone", "better on", .. against, "seconds", "the paper"]);
        Line(text, ["---", .. figures.Select(_ => "---:"), "---:", "---:", .. against.Select(_ => "---:"), "---:", "---:"]);
        foreach (MethodMean method in methods)
        {
            Line(text, [
                method.Pairs == seeds ? method.Method : $"{method.Method} ({method.Pairs} of {seeds})",
                .. figures.Select(name => Text(method, name)),
                .. Gain(gains, method.Method),
                .. against.Length == 0 ? [] : Gain(variants, method.Method),
                method.Seconds.ToString("0.0", CultureInfo.InvariantCulture),
                PaperTables.Of(result.Options.Table, section, method.Method) ?? ""]);
        }

        text.Append('\n');
    }

    private static void Line(StringBuilder text, IEnumerable<string> cells) => text.Append($"| {string.Join(" | ", cells)} |\n");
}
