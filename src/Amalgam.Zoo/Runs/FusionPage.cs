using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Runs;

/// <summary>The page about networks that were fused: which layer belongs to which, what it cost to bring units together, what the result is worth.</summary>
public static class FusionPage
{
    private const int MostBars = 36, MostPlans = 3, MostPlanUnits = 128;

    /// <summary>The page.</summary>
    /// <param name="fusion">Networks that were fused.</param>
    /// <param name="scores">What they are worth; null where nothing was measured.</param>
    public static HtmlReport Of(NetworkFusion fusion, FusionScores? scores) => new(
        $"{string.Join(", ", fusion.Names[..^1])} and {fusion.Names[^1]} fused",
        [
            Beginning(fusion, scores),
            .. fusion.Notes.Concat(scores?.Notes ?? []).Select(note => new Paragraph(note)),
            .. scores is null ? [] : ScoresParts.Of(scores, fusion.Tasks),
            .. scores?.ByClass is { } classes ? Classes(classes) : [],
            .. fusion.Steps.SelectMany(step => Step(fusion, step)),
            .. Times(fusion),
        ])
    {
        Origin = $"Amalgam, {fusion.Description.Text}",
    };

    private static KeyFigures Beginning(NetworkFusion fusion, FusionScores? scores)
    {
        List<KeyFigure> figures = [];
        if (scores is { Rows: [{ Measures.Length: > 0 }, ..] })
        {
            NetworkRow fused = scores.Rows[^1];
            figures.Add(new(NetworkScores.Text(fused.Measures[0]), $"{fused.Name}, {fused.Measures[0].Name}", string.Join("; ", scores.Rows.Where(r => r.IsGiven).Select(r => $"{r.Name} {NetworkScores.Text(r.Measures[0])}"))));
        }

        LayerPair[] pairs = [.. fusion.Steps.SelectMany(step => LayerPair.Of(step.Pair.Layers))];
        int unmatched = pairs.Count(p => p.A is null || p.B is null);
        figures.Add(new($"{pairs.Length - unmatched}", "layers matched", unmatched == 0 ? "all" : $"{unmatched} {(fusion.Description.Balance.Gate is null ? "added" : "merged away")}"));
        string weight = fusion.Description.Merge ?? fusion.Lambda.ToString("0.###", CultureInfo.InvariantCulture);
        figures.Add(new(weight, fusion.Description.Merge is null ? $"weight of {fusion.Names[fusion.Reference]}" : "merge method", $"the result has the widths of {fusion.Names[fusion.Reference]}"));
        figures.Add(new($"{fusion.Times.Sum(t => t.Time.TotalSeconds):0.0} s", "for matching and merge", ""));
        return new([.. figures]);
    }

    private static IEnumerable<ReportPart> Classes(ClassShares shares)
    {
        yield return new Heading("Class by class", 3);
        yield return new HeatMap("Share of each class's samples that are right", shares.Rows.Length, shares.Classes.Length, [.. shares.Rows.SelectMany(row => row.Right)])
        {
            RowLabels = [.. shares.Rows.Select(row => row.Name)],
            ColumnLabels = shares.Classes,
            Low = 0,
            High = 1,
            Format = "0%",
        };
    }

    private static IEnumerable<ReportPart> Step(NetworkFusion fusion, FusionStep step)
    {
        yield return new Heading($"Layers of {step.Pair.Source} and {step.Pair.Reference}");
        yield return new Paragraph($"Layers are matched by {FusionWords.Measures.Of(fusion.Description.Layers.Measure)} among those of one kind between changes of resolution. {fusion.Description.Balance.Summary}.");
        foreach (ReportPart part in LayerParts.Of(step.Pair.Layers, step.Pair.Source, step.Pair.Reference, fusion.Description.Layers.Measure)) yield return part;
        foreach (ReportPart part in Units(step)) yield return part;
    }

    private static IEnumerable<ReportPart> Units(FusionStep step)
    {
        if (step.Units.IsEmpty) yield break;
        yield return new Heading(step.AreCosts ? $"Transport of the units of {step.Pair.Source}" : $"Units of {step.Pair.Source}", 3);
        FusedUnits[] shown = [.. step.Units.Take(MostBars)];
        Series after = new(step.AreCosts ? "transported" : "matched", [.. shown.Select(u => u.After)]);
        Series before = new("same place", [.. shown.Select(u => u.Before ?? double.NaN)]);
        yield return new BarChart(step.AreCosts ? "Mean distance of units that came together, and of those of the same place where the widths are the same" : "Mean similarity of units that came together, and of those of the same place",
            [.. shown.Select(u => u.Name)], [.. shown.Any(u => u.Before is not null) ? (Series[])[before, after] : [after]]);
        ImmutableArray<Column> columns = [new("units"), new(step.Pair.Source, "0"), new(step.Pair.Reference, "0"), new(step.AreCosts ? "cost in place" : "similarity in place"), new(step.AreCosts ? "transported" : "matched")];
        yield return new DataTable("", columns, new TableSection("", [.. step.Units.Select(u => (ImmutableArray<Cell>)[u.Name, u.OfSource, u.OfReference, u.Before ?? double.NaN, u.After])]));
        FusedUnits[] plans = [.. step.Units.Where(u => u.Plan is not null && Math.Max(u.OfSource, u.OfReference) <= MostPlanUnits)];
        if (plans.Length == 0) yield break;
        yield return new Paragraph($"Rows are units of {step.Pair.Source}, columns those of {step.Pair.Reference}: how much of each goes where.", Quiet: true);
        yield return new SideBySide([.. plans.Take(MostPlans).Select(Plan)]);
    }

    private static HeatMap Plan(FusedUnits units)
    {
        double[] dense = new double[units.OfSource * units.OfReference];
        for (int i = 0; i < units.Plan!.Mass.Length; i++) dense[units.Plan.RowOf[i] * units.OfReference + units.Plan.ColumnOf[i]] += units.Plan.Mass[i] * units.OfReference;
        return new(units.Name, units.OfSource, units.OfReference, [.. dense]) { RowName = "from", ColumnName = "to", Low = 0, High = 1, IsImage = true };
    }

    private static IEnumerable<ReportPart> Times(NetworkFusion fusion)
    {
        yield return new Heading("Times");
        yield return new DataTable("", [new("phase"), new("seconds", "0.00")], new TableSection("", [.. fusion.Times.Select(t => (ImmutableArray<Cell>)[t.Phase, t.Time.TotalSeconds])]));
        if (fusion.ResetText != "") yield return new Paragraph($"After the merge: {fusion.ResetText}.", Quiet: true);
    }
}
