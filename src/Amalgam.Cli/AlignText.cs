using System.Globalization;
using Amalgam.Alignment;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary>What a match of units came to, as people and programs read it.</summary>
internal static class AlignText
{
    private const int MostRows = 30;

    public static void Write(TextWriter output, NetworkAlignment alignment, AlignmentScores? scores, string? target, bool merged)
    {
        output.WriteLine($"{Printable.Line(string.Join(", ", alignment.Names))}: {Printable.Line(alignment.Description.Text)}{(alignment.Tried.IsEmpty ? "" : $", {alignment.Options.Alpha.ToString(CultureInfo.InvariantCulture)} was best")}");
        output.WriteLine($"checked: {UnitsText.CheckText(alignment.Check)}");
        output.WriteLine();
        WriteClasses(output, alignment);
        if (scores is not null) WriteScores(output, scores);
        output.WriteLine();
        if (alignment.ResetText != "") output.WriteLine(alignment.ResetText);
        output.WriteLine(string.Join(", ", alignment.Times.Select(t => $"{t.Phase} {t.Time.TotalSeconds:0.0} s")) + (target is null ? "" : $"; {(merged ? "merged network" : alignment.Names.Length == 2 ? $"{Printable.Line(alignment.Names[1])} in the order of {Printable.Line(alignment.Names[0])}" : "aligned networks")} in {Printable.Line(target)}"));
    }

    /// <summary>What was matched, in a line.</summary>
    public static string Summary(NetworkAlignment alignment)
    {
        ClassMatch[] classes = [.. alignment.Result.Classes.Where(c => double.IsFinite(c.Matched))];
        double units = Math.Max(1, classes.Sum(c => c.Units.Units));
        double Mean(Func<ClassMatch, double> of) => classes.Sum(c => c.Units.Units * of(c)) / units;
        return Printable.Line($"aligned by {alignment.Description.Text}: {units:N0} units, {Percent(Mean(c => c.Moved))} moved, mean similarity {Similarity(Mean(c => c.Before))} in the same place, {Similarity(Mean(c => c.Matched))} matched, {alignment.Times.Sum(t => t.Time.TotalSeconds):0.0} s");
    }

    /// <summary>A match and its figures as JSON; without times, the same bytes for the same run.</summary>
    public static void WriteJson(TextWriter output, NetworkAlignment alignment, AlignmentScores? scores) => Json.Write(output, json =>
    {
        json.Strings("models", alignment.Names);
        json.WriteString("method", alignment.Description.Text);
        json.Number("alpha", alignment.Options.Alpha);
        json.Number("check", alignment.Check.Error);
        json.Strings("pinned_by_check", alignment.Check.Culprits);
        json.WriteStartArray("units");
        foreach (ClassMatch match in alignment.Result.Classes)
        {
            json.WriteStartObject();
            json.WriteString("name", match.Units.Name);
            json.WriteNumber("size", match.Units.Size);
            json.WriteNumber("blocks", match.Units.Blocks);
            json.Number("before", match.Before);
            json.Number("matched", match.Matched);
            json.Number("moved", match.Moved);
            json.Number("within", match.Within);
            json.WriteNumber("dead", match.Dead);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("sweeps");
        foreach (double sweep in alignment.Result.Sweeps) json.WriteNumberValue(sweep);
        json.WriteEndArray();
        if (scores is null) return;
        ScoresText.WriteJson(json, scores);
        if (scores.After.IsEmpty) return;
        json.Number("barrier_before", Interpolation.Barrier(scores.Before));
        json.Number("barrier", Interpolation.Barrier(scores.After));
    });

    private static void WriteClasses(TextWriter output, NetworkAlignment alignment)
    {
        bool zips = !alignment.Result.Maps.ArePermutations;
        ClassMatch[][] rows = alignment.Result.Classes.Length <= MostRows ? [.. alignment.Result.Classes.Select(c => new[] { c })]
            : [.. alignment.Result.Classes.GroupBy(c => (NumberedNames.Key(c.Units.Name), c.Units.Size, c.Units.Blocks)).Select(g => g.ToArray())];
        Table table = new(1, ["UNITS", ">SIZE", $">{alignment.SimilarityName.ToUpperInvariant()} IN PLACE", ">MATCHED", ">MOVED", .. zips ? (string[])[">SEVERAL OF ONE"] : []]);
        foreach (ClassMatch[] row in rows)
        {
            UnitClass units = row[0].Units;
            table.Add([
                Printable.Line(NumberedNames.Counted([.. row.Select(c => c.Units.Name)])), units.Blocks == 1 ? $"{units.Size}" : $"{units.Blocks} x {units.Size}",
                Similarity(row.Average(c => c.Before)), Similarity(row.Average(c => c.Matched)), Percent(row.Average(c => c.Moved)), .. zips ? (string[])[Percent(row.Average(c => c.Within))] : [],
            ]);
        }

        if (rows.Length > 0) table.Write(output, Screen.WidthOf(output));
        else output.WriteLine("no units may change places");
    }

    private static void WriteScores(TextWriter output, AlignmentScores scores)
    {
        ScoresText.Write(output, scores);
        if (!scores.After.IsEmpty) output.WriteLine($"barrier on the line between the two: {Printable.Number(Interpolation.Barrier(scores.Before))} as they came, {Printable.Number(Interpolation.Barrier(scores.After))} matched, with {scores.LineText}");
    }

    private static string Similarity(double value) => double.IsNaN(value) ? "-" : value.ToString(Math.Abs(value) >= 100 ? "0" : "0.000", CultureInfo.InvariantCulture);

    private static string Percent(double share) => share.ToString("0%", CultureInfo.InvariantCulture);
}
