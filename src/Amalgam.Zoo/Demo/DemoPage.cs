using System.Collections.Immutable;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Demo;

/// <summary>The demonstration as a page.</summary>
internal static class DemoPage
{
    /// <summary>Makes the page.</summary>
    public static HtmlReport Make(Demonstration made, long seed)
    {
        List<ReportPart> parts = [new Paragraph($"{made.Data} {made.Network}")];
        parts.Add(new KeyFigures([.. made.Pairs.Select(Key)]));
        parts.Add(new ImageGrid("Some of the test samples", made.Samples, 2));
        foreach (PairResult result in made.Pairs) parts.AddRange(Chapter(result));
        if (!made.Trained.IsEmpty) parts.AddRange(Curves(made.Trained));
        parts.AddRange(Method(made));
        return new(made.Title, [.. parts]) { Origin = $"amalgam demo{(made.Trained.IsEmpty ? " --data" : "")}, seed {seed}" };
    }

    private static KeyFigure Key(PairResult result)
    {
        string before = string.Join(", ", result.Parents.Select(p => $"{p.Name} {DemoText.Percent(result, p.Joint)}")) + $", both at once {DemoText.Percent(result, result.Ensemble.Joint)}";
        return result.Pair.Base is null
            ? new(DemoText.Percent(result, result.Average.Joint), $"{result.Pair.Title}: the plain average", before)
            : new(DemoText.Percent(result, result.Chosen.Score.Joint), $"{result.Pair.Title}: merged by {result.Chosen.Merge.Entry.Name}", before);
    }

    private static IEnumerable<ReportPart> Chapter(PairResult result)
    {
        yield return new Heading(result.Pair.Title);
        yield return new Paragraph(result.Pair.Story);
        yield return new Paragraph(DemoText.Finding(result));
        yield return Table(result);
        yield return new Paragraph(DemoText.Columns(result) + " The last column says how many combinations of parameters the validation samples chose from, where there were several.", Quiet: true);
        string format = DemoText.FormatOf(result);
        yield return new BarChart("Right answers among all classes", [.. result.Merged.Select(m => m.Merge.Entry.Name)], new Series("merged", [.. result.Merged.Select(m => m.Score.Joint)]))
        {
            Format = format,
            High = 1,
            References = [new($"best before merging, {result.BestParent.Name}", result.BestParent.Joint), new("ensemble", result.Ensemble.Joint)],
        };
        if (!result.Pair.Tasks.IsEmpty)
        {
            yield return new BarChart(
                "Right answers within each task", [.. result.Merged.Select(m => m.Merge.Entry.Name)],
                [.. result.Pair.Tasks.Select((task, i) => new Series(task.Name, [.. result.Merged.Select(m => m.Score.Tasks[i])]))])
            {
                Format = format,
                High = 1,
            };
        }

        yield return new Heading("Which class is taken for which", 3);
        yield return new SideBySide([.. result.Confusions]);
    }

    private static DataTable Table(PairResult result)
    {
        string format = DemoText.FormatOf(result);
        ImmutableArray<Column> columns = [new("network"), new("all classes", format, Best.Highest), .. result.Pair.Tasks.Select(t => new Column(t.Name, format, Best.Highest)), new("loss", "0.000", Best.Lowest), new("combinations", "0")];
        ImmutableArray<Cell> Row(NetworkScore score, int tried) => [score.Name, score.Joint, .. score.Tasks.Select(t => (Cell)t), score.Loss, tried > 1 ? tried : ""];
        return new("Right answers on the test samples", columns,
            new TableSection("Before merging", [.. result.Parents.Select(p => Row(p, 0))]),
            new TableSection("Both networks at once", Row(result.Ensemble, 0)),
            new TableSection("Merged: one network of the same size, no training", [.. result.Merged.Select(m => Row(m.Score, m.Candidates))]));
    }

    private static IEnumerable<ReportPart> Curves(ImmutableArray<TrainedNetwork> networks)
    {
        yield return new Heading("Training");
        Series Of(TrainedNetwork network, Func<Training.EpochRecord, double> value) => new(network.Name, [.. network.Epochs.Select(value)]);
        yield return new SideBySide(
            new LineChart("Loss on training samples", "epoch", "cross-entropy", [.. networks.Select(n => Of(n, e => e.Loss))]) { Low = 0 },
            new LineChart("Right on validation samples", "epoch", "share of the network's classes", [.. networks.Select(n => Of(n, e => e.Validation?.Accuracy ?? double.NaN))]) { Format = "0%", High = 1 });
        yield return new Paragraph("first-half and second-half are measured on the validation samples of their own classes, the others on all.", Quiet: true);
    }

    private static IEnumerable<ReportPart> Method(Demonstration made)
    {
        yield return new Heading("How it was measured");
        yield return new Paragraph(DemoText.Rules);
        yield return new Heading("What to try next", 3);
        yield return new CodeText(string.Join('\n', DemoText.Commands(made, ".")));
        yield return new Paragraph("In the folder of this page, which also holds every network as safetensors and as ONNX, and every recipe.", Quiet: true);
    }
}
