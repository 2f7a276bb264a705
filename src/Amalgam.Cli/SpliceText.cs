using System.Collections.Immutable;
using Amalgam.Training.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary>A learned splice as people read it: the networks' figures, the spliced weights, sizes and times.</summary>
internal static class SpliceText
{
    public static void Write(TextWriter output, SpliceResult result, RunData data)
    {
        output.WriteLine();
        WriteRows(output, "after", result.Rows, data);
        WriteWeights(output, result);
        output.WriteLine();
        output.WriteLine(Printable.Line(result.SizeText));
        string Time(double seconds) => $"{1e3 * seconds:0.00} ms";
        output.WriteLine($"A batch of {result.Batch:N0} takes {Time(result.Seconds.First)} with {Printable.Line(result.Host)}, {Time(result.Seconds.Result)} with the result, {Time(result.Seconds.Ensemble)} with the ensemble.");
        if (result.Best is { } best) output.WriteLine($"The result is of epoch {best.Epoch}, the best on the validation data.");
        if (result.Warning is { } warning) output.WriteLine(Printable.Line(warning));
    }

    /// <summary>Prints a table for the validation data and one for the test data.</summary>
    public static void WriteRows(TextWriter output, string when, ImmutableArray<SpliceRow> rows, RunData data)
    {
        foreach (var (name, part, of) in new (string, Dataset?, Func<SpliceRow, IReadOnlyList<Measure>>)[] { ("validation data", data.Validation, r => r.Validation), ("test data", data.Test, r => r.Test) })
        {
            if (part is null) continue;
            Table table = new(1, [$"{when.ToUpperInvariant()}, {name.ToUpperInvariant()}", .. of(rows[0]).Select(m => $">{m.Name.ToUpperInvariant()}")]);
            foreach (SpliceRow row in rows.Where(r => of(r).Count == of(rows[0]).Count))
                table.Add([Printable.Line(row.Name), .. of(row).Select(m => m.IsShare ? EvalCommand.Percent(m.Value) : NetworkScores.Text(m.Value))]);
            table.Write(output, Screen.WidthOf(output));
            output.WriteLine();
        }
    }

    private static void WriteWeights(TextWriter output, SpliceResult result)
    {
        bool hasGlobal = result.Weights.Any(w => !w.Global.IsEmpty);
        Table table = new(1, ["WEIGHT", "SHAPE", .. result.Models.SelectMany(m => hasGlobal ? (string[])[$">g {m}", ">SHARE", ">5 %", ">95 %"] : [$">{m}"])]);
        foreach (SplicedSummary weight in result.Weights)
        {
            table.Add([
                Printable.Line(weight.Name), weight.Shape.ToString(),
                .. weight.Shares.SelectMany((s, k) => hasGlobal ? (string[])[weight.Global.IsEmpty ? "" : $"{weight.Global[k]:0.000}", EvalCommand.Percent(s.Mean), EvalCommand.Percent(s.Low), EvalCommand.Percent(s.High)] : [$"{s.Mean:0.0000}"]),
            ]);
        }

        table.Write(output, Screen.WidthOf(output));
    }
}
