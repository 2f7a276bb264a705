using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>A table of results as Markdown.</summary>
internal static class CkiMarkdown
{
    private const string Minus = "\u2212";

    /// <summary>Writes all of it.</summary>
    public static string Of(CkiResult result)
    {
        StringBuilder text = new();
        text.Append($"# CKI, table {result.Options.Table}: {result.Subject}\n\n{result.Setting}\n");
        foreach (Summary summary in result.Summaries) Append(text, result, summary);
        if (!result.Costs.IsEmpty)
        {
            text.Append($"\nInference, {InferenceClock.What}:\n\n");
            Line(text, ["network", "parameters", "milliseconds"]);
            Line(text, ["---", "---:", "---:"]);
            foreach (Cost cost in result.Costs) Line(text, [cost.Name, Number(cost.Parameters, "#,0"), Number(cost.Milliseconds, "0.0")]);
        }

        if (!result.Shares.IsEmpty)
        {
            text.Append("\nShares of model A in the trained splices of seed 1:\n\n");
            Line(text, ["splice", "matrix", "g", "least V", "mean V", "largest V", "positions with V of 1/2 or more"]);
            Line(text, ["---", "---", "---:", "---:", "---:", "---:", "---:"]);
            foreach (ShareRange share in result.Shares)
                Line(text, [share.Splice, $"`{share.Matrix}`", .. new[] { share.Global, share.Least, share.Mean, share.Most }.Select(v => Number(v, "0.000")), Number(share.Larger, "0.0%")]);
        }

        if (!result.Paper.IsEmpty)
        {
            text.Append("\nThe paper's figures, under a protocol that differs (docs/results/cki.md):\n\n");
            Line(text, ["method", .. result.Figures.Take(result.Paper[0].Figures.Length)]);
            Line(text, ["---", .. result.Paper[0].Figures.Select(_ => "---:")]);
            foreach (PaperRow row in result.Paper) Line(text, [row.Method, .. row.Figures.Select(f => Number(f, "0.0000"))]);
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, CkiResult result, Summary summary)
    {
        text.Append($"\n{result.Title(summary)}:\n\n");
        Line(text, ["method", .. result.Figures, $"{result.Merit} over {result.Reference}", "steps", "chosen by validation"]);
        Line(text, ["---", .. result.Figures.Select(_ => "---:"), "---:", "---:", "---"]);
        int merit = result.Figures.IndexOf(result.Merit);
        foreach (SummaryRow row in summary.Rows)
            Line(text, [summary.NameOf(row), .. row.Test.Select(s => Text(s)), row.Method == result.Reference ? "" : Text(row.Gain[merit], signed: true), Number(row.Steps, "#,0"), Choices(row.Chosen)]);
    }

    /// <summary>Mean and standard deviation: .1234 ± .0012.</summary>
    public static string Text(Spread spread, bool signed = false)
    {
        string mean = Number(spread.Mean, "0.0000");
        if (signed && spread.Mean >= 0) mean = "+" + mean;
        return double.IsNaN(spread.Deviation) ? mean : $"{mean} ± {Number(spread.Deviation, "0.0000")}";
    }

    /// <summary>What was chosen, each with how often where there were several.</summary>
    public static string Choices(ImmutableArray<string> chosen)
    {
        var groups = chosen.Where(c => c != "").GroupBy(c => c).ToArray();
        return string.Join("; ", groups.Select(g => groups.Length == 1 ? g.Key : $"{g.Key} ({g.Count()}x)"));
    }

    private static string Number(double value, string format) =>
        double.IsNaN(value) ? "\u2013" : (value < 0 ? Minus : "") + Math.Abs(value).ToString(format, CultureInfo.InvariantCulture);

    private static void Line(StringBuilder text, IEnumerable<string> cells) => text.Append($"| {string.Join(" | ", cells)} |\n");
}
