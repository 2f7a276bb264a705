using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Alignment;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Runs;

/// <summary>The page about networks whose units were matched: how well, what it is worth, what moved, what is pinned and why.</summary>
public static class AlignmentPage
{
    private const int MostBars = 36, MostMaps = 3;

    /// <summary>The page.</summary>
    /// <param name="alignment">Networks that were matched.</param>
    /// <param name="scores">What they are worth; null where nothing was measured.</param>
    /// <param name="merges">Whether one network was made of them, and they were not just brought into one order.</param>
    public static HtmlReport Of(NetworkAlignment alignment, AlignmentScores? scores, bool merges) => new(
        merges ? $"{Listed(alignment.Names)} merged unit by unit" : $"{Listed(alignment.Names[1..])} in the order of {alignment.Names[0]}",
        [
            Beginning(alignment, scores),
            .. alignment.Notes.Select(note => new Paragraph(note)),
            .. Worth(alignment, scores),
            .. Matched(alignment),
            .. Maps(alignment),
            .. Search(alignment),
            .. Units(alignment),
            .. Pinned(alignment),
            .. Times(alignment),
        ])
    {
        Origin = $"Amalgam, units matched by {alignment.Description.Text}",
    };

    private static KeyFigures Beginning(NetworkAlignment alignment, AlignmentScores? scores)
    {
        ClassMatch[] classes = [.. alignment.Result.Classes.Where(c => double.IsFinite(c.Matched))];
        double units = Math.Max(1, classes.Sum(c => c.Units.Units));
        double Mean(Func<ClassMatch, double> of) => classes.Sum(c => c.Units.Units * of(c)) / units;
        List<KeyFigure> figures = [];
        if (scores is not null && scores.Rows[0].Measures.Length > 0)
        {
            NetworkRow merged = scores.Rows[^1], average = scores.Rows.First(r => r.Name == NetworkScores.AverageName);
            string given = string.Join("; ", scores.Rows.Where(r => r.IsGiven).Select(r => $"{r.Name} {NetworkScores.Text(r.Measures[0])}"));
            figures.Add(new(NetworkScores.Text(merged.Measures[0]), $"merged network, {merged.Measures[0].Name}", given));
            figures.Add(new(NetworkScores.Text(average.Measures[0]), "average without matching", average.Measures[0].Name));
        }

        if (classes.Length > 0)
        {
            figures.Add(new(Figure(Mean(c => c.Matched)), "similarity of matched units", $"{Figure(Mean(c => c.Before))} of units in the same place"));
            figures.Add(new(Percent(Mean(c => c.Moved)), "of the units moved", alignment.Options.Matching == UnitMatching.Zip ? $"{Percent(Mean(c => c.Within))} of merged units have several of one network" : $"{units:N0} units in {classes.Length} classes"));
        }

        figures.Add(new($"{alignment.Times.Sum(t => t.Time.TotalSeconds):0.0} s", "for check, matching and merge", ""));
        return new([.. figures]);
    }

    private static IEnumerable<ReportPart> Worth(NetworkAlignment alignment, AlignmentScores? scores)
    {
        if (scores is null) yield break;
        foreach (ReportPart part in ScoresParts.Of(scores, alignment.Tasks)) yield return part;
        if (scores.After.IsEmpty) yield break;

        yield return new Heading("On the straight line between the two", 3);
        LineChart Chart(string title, string name, string? format, Func<InterpolationPoint, double?> of) => new(title, $"share of {alignment.Names[1]}", name, [Curve("as they came", scores.Before, of), Curve("units matched", scores.After, of)]) { Format = format };
        LineChart loss = Chart("Loss", "loss", null, p => p.Loss);
        yield return scores.After[0].Accuracy is null ? loss : new SideBySide(loss, Chart("Right", "share", "0%", p => p.Accuracy));
        yield return new Paragraph($"The barrier, how far the loss rises above the line between the losses at the ends, is {Figure(Interpolation.Barrier(scores.Before))} as they came and {Figure(Interpolation.Barrier(scores.After))} with units matched, with {scores.LineText}.");
    }

    private static Series Curve(string name, ImmutableArray<InterpolationPoint> points, Func<InterpolationPoint, double?> of) => new(name, [.. points.Select(p => of(p) ?? double.NaN)]) { X = [.. points.Select(p => p.Lambda)] };

    private static IEnumerable<ReportPart> Matched(NetworkAlignment alignment)
    {
        ClassMatch[] classes = [.. alignment.Result.Classes.Where(c => double.IsFinite(c.Matched))];
        if (classes.Length == 0) yield break;
        yield return new Heading("How alike the matched units are");
        var rows = classes.Length <= MostBars ? [.. classes.Select(c => new[] { c })] : classes.GroupBy(c => NumberedNames.Key(c.Units.Name)).Select(g => g.ToArray()).ToArray();
        Series before = new("same place", [.. rows.Select(row => row.Average(c => c.Before))]), matched = new("matched", [.. rows.Select(row => row.Average(c => c.Matched))]);
        ImmutableArray<string> names = [.. rows.Select(row => NumberedNames.Counted([.. row.Select(c => c.Units.Name)]))];
        yield return new BarChart("Mean similarity of units that were put together, and of those of the same place", names, before, matched) { Format = "0.00" };
        yield return new Paragraph(SimilarityText(alignment), Quiet: true);
    }

    private static string SimilarityText(NetworkAlignment alignment)
    {
        if (alignment.Description.Permutations is not null || alignment.Description.Method.NeedsLabels) return "Similarity is the correlation of the weights around two units.";
        double alpha = alignment.Options.Alpha;
        return alignment.Options.Space switch
        {
            MatchingSpace.Both => $"Similarity is {Figure(alpha)} times that of the weights around two units and {Figure(1 - alpha)} times that of their activations (MuDSC, equation 8).",
            MatchingSpace.Weights => "Similarity is that of the weights around two units.",
            _ => "Similarity is that of activations.",
        };
    }

    private static IEnumerable<ReportPart> Maps(NetworkAlignment alignment)
    {
        ClassMatch[] shown = [.. alignment.Result.Classes.Where(c => c.Similarity is not null && c.Units.Units >= 4 && c.Moved > 0)];
        if (shown.Length == 0) yield break;
        int step = Math.Max(1, (shown.Length - 1) / (MostMaps - 1));
        yield return new Heading("Unit by unit");
        yield return new Paragraph(shown[0].Similarity!.IsFull
            ? "Rows and columns are units of all networks: as they came, network after network, and in the order of the merged units. What became one is then a block on the diagonal."
            : $"Rows are units of {alignment.Names[0]}, columns those of {alignment.Names[1]}: as they came, and in the order of the match. What belongs together then lies on the diagonal.");
        foreach (ClassMatch match in shown.Where((_, i) => i % step == 0).Take(MostMaps))
        {
            var (before, after) = SimilarityMap.Of(match, alignment.Result.Maps);
            yield return new Heading(match.Units.Name, 3);
            yield return new SideBySide(before, after);
        }
    }

    private static IEnumerable<ReportPart> Search(NetworkAlignment alignment)
    {
        if (alignment.Result.Sweeps.Length > 1)
        {
            yield return new Heading("Sweeps over the groups");
            yield return new LineChart("Score of each sweep", "sweep", "score", new Series("score", alignment.Result.Sweeps));
        }

        if (alignment.Tried.IsEmpty) yield break;
        AlphaMerit[] tried = [.. alignment.Tried.OrderBy(t => t.Alpha)];
        yield return new Heading("Search for alpha");
        yield return new LineChart($"Share right of the merged network on {alignment.Data!.Train!.Name}", "alpha, the share of the weights' similarity", "right", new Series("merged network", [.. tried.Select(t => t.Merit)]) { X = [.. tried.Select(t => t.Alpha)] }) { Format = "0.0%" };
        yield return new Paragraph($"{Figure(alignment.Tried[0].Alpha)} was taken. No test sample was looked at.", Quiet: true);
    }

    private static IEnumerable<ReportPart> Units(NetworkAlignment alignment)
    {
        bool zips = alignment.Options.Matching == UnitMatching.Zip;
        yield return new Heading("Units");
        yield return new Paragraph($"Found from the network's operations. {alignment.Siblings.Groups.Groups.Count(g => !g.IsPinned)} groups of units may change places; random permutations of all of them at once change the outputs of {alignment.Names[0]} by {alignment.Check.Error.ToString("0.#e+0", CultureInfo.InvariantCulture)} of the largest.");
        ImmutableArray<Column> columns = [new("units"), new("size"), new("tensors", "0"), new("same place", "0.000"), new("matched", "0.000"), new("moved", "0.0%"), .. zips ? (Column[])[new("several of one", "0.0%")] : [], new("never active", "0")];
        ImmutableArray<Cell> Row(ClassMatch c) =>
            [c.Units.Name, c.Units.Blocks == 1 ? $"{c.Units.Size}" : $"{c.Units.Blocks} x {c.Units.Size}", c.Units.Parameters.Select(p => p.Node).Distinct().Count(), c.Before, c.Matched, c.Moved, .. zips ? (Cell[])[c.Within] : [], c.Dead];
        yield return new DataTable("", columns, new TableSection("", [.. alignment.Result.Classes.Select(Row)]));
    }

    private static IEnumerable<ReportPart> Pinned(NetworkAlignment alignment)
    {
        UnitGroups groups = alignment.Siblings.Groups;
        var axes = groups.Pinned.GroupBy(p => (NumberedNames.Key(p.Parameter), p.Axis, p.Size, NumberedNames.Key(p.Reason)))
            .Select(g => (ImmutableArray<Cell>)[NumberedNames.Counted([.. g.Select(p => p.Parameter)]), $"{g.Key.Axis}", NumberedNames.Common([.. g.Select(p => p.Reason)]), g.Key.Size]);
        var classes = groups.Classes.Where(c => c.Pinned is not null).Select(c => (ImmutableArray<Cell>)[c.Name, "", c.Pinned!, c.Size]);
        ImmutableArray<ImmutableArray<Cell>> rows = [.. classes, .. axes];
        if (rows.IsEmpty) yield break;
        yield return new Heading("What stays in place, and why", 3);
        yield return new DataTable("", [new("tensor or units"), new("axis"), new("why"), new("size", "0")], new TableSection("", rows));
    }

    private static IEnumerable<ReportPart> Times(NetworkAlignment alignment)
    {
        yield return new Heading("Times");
        yield return new DataTable("", [new("phase"), new("seconds", "0.00")], new TableSection("", [.. alignment.Times.Select(t => (ImmutableArray<Cell>)[t.Phase, t.Time.TotalSeconds])]));
        if (alignment.ResetText != "") yield return new Paragraph($"After the merge: {alignment.ResetText}.", Quiet: true);
    }

    private static string Figure(double value) => Figures.Text(value, null);

    private static string Percent(double share) => share.ToString("0%", CultureInfo.InvariantCulture);

    private static string Listed(ImmutableArray<string> names) => names.Length == 1 ? names[0] : $"{string.Join(", ", names[..^1])} and {names[^1]}";
}
