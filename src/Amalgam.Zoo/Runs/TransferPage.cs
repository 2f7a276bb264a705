using System.Collections.Immutable;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Runs;

/// <summary>The page about networks that taught each other: what each is worth with transfers and by itself, how they trained, and what the adapters did.</summary>
internal static class TransferPage
{
    private static readonly ImmutableArray<string> Unfoldings = ["rows by rows", "rows by columns", "columns by rows", "columns by columns"];

    /// <summary>The page.</summary>
    /// <param name="result">What it came to.</param>
    /// <param name="plan">What was to be done.</param>
    public static HtmlReport Of(TransferResult result, TransferPlan plan) => new(
        $"Parameters teach: {string.Join(", ", plan.Members.Select(member => member.Model.Name))}",
        [
            .. Beginning(result),
            .. Tables(result),
            .. result.Models.SelectMany(Curves),
            .. result.Transfers.SelectMany(Curves),
            .. Times(result),
            new Heading("How it was measured"),
            new Paragraph((result.Models.Any(model => model.Solo is not null) ? "Each network was also trained by itself with the same description and seed: the same first weights, the same batches in the same order, the same number of steps. " : "")
                + "Scores are those of the epoch that did best on the validation samples, or, without any, of the last. No choice was made by test data."),
            new Paragraph("Adapters take part in the training alone. What was written is the network that was given, with other weights.", Quiet: true),
        ])
    {
        Origin = "amalgam transfer",
    };

    private static IEnumerable<ReportPart> Beginning(TransferResult result)
    {
        KeyFigure Figure(TransferredModel model)
        {
            bool onTest = model.Compared(onTest: true) is not null;
            if (model.Compared(onTest) is not { } score) return new($"{result.Rounds:#,0}", model.Name, "rounds; no data to measure on");
            string against = score.Solo is { } solo ? $"by itself {Text(score, solo)}, {Signed(score)}" : "not trained by itself";
            return new(Text(score, score.Together), $"{model.Name}, {score.Measure} on {(onTest ? "test" : "validation")} data", against);
        }

        yield return new KeyFigures([.. result.Models.Select(Figure)]);
        string[] changed = [.. result.Models.Where(model => !model.IsSameNetwork).Select(model => model.Name)];
        yield return new Paragraph(changed.Length == 0 ? "Every network is the one that was given, operator for operator: adapters and factors are gone." : $"Not the same operators as given: {string.Join(", ", changed)}.");
    }

    private static IEnumerable<ReportPart> Tables(TransferResult result)
    {
        yield return new Heading("With transfers and by itself");
        foreach (var (name, onTest) in new[] { ("validation", false), ("test", true) })
        {
            var rows = result.Models.Select(model => (model.Name, Score: model.Compared(onTest))).Where(row => row.Score is not null).ToArray();
            if (rows.Length == 0) continue;
            yield return new DataTable($"On the {name} data", [new("network"), new("measure"), new("by itself"), new("with transfers"), new("difference")], new TableSection("",
                [.. rows.Select(row => (ImmutableArray<Cell>)[row.Name, row.Score!.Measure, row.Score.Solo is { } solo ? Text(row.Score, solo) : "\u2013", Text(row.Score, row.Score.Together), Signed(row.Score)])]));
        }

        yield return new Heading("Transfers");
        yield return new DataTable("What goes from where to where", [new("from"), new("shape"), new("to"), new("shape"), new("every", "0")], new TableSection("", [.. result.Transfers.Select(Ends)]));
        yield return new DataTable(
            "The adapters",
            [new("into"), new("adapter"), new("parameters", "#,0"), new("transfers", "#,0"), new("mean change", "0.00%")],
            new TableSection("", [.. result.Transfers.Select(Adapter)]));
        yield return new Paragraph("Transfers come every so many rounds, the first in the first round. The mean change is what a transfer of the last epoch did to its target: the norm of the difference by the norm before.", Quiet: true);
    }

    private static ImmutableArray<Cell> Ends(TransferSummary summary)
    {
        static string Shape(TransferMatrix end) => $"{(end.Rank > 0 ? $"{end.Rank} \u00d7 {end.Matrix.Columns} of " : "")}{end.Matrix.Rows} \u00d7 {end.Matrix.Columns}";
        KnowledgeTransfer transfer = summary.Transfer;
        return [transfer.Source.ToString(), Shape(transfer.Source), transfer.Target.ToString(), Shape(transfer.Target), transfer.Cycle];
    }

    private static ImmutableArray<Cell> Adapter(TransferSummary summary)
    {
        TransferRecord? last = summary.History.LastOrDefault();
        return [summary.Transfer.Target.ToString(), summary.Transfer.Adapter.Name, summary.Parameters, last?.Transfers ?? 0, last?.Change ?? double.NaN];
    }

    private static IEnumerable<ReportPart> Curves(TransferredModel model)
    {
        yield return new Heading(model.Name);
        Series Of(string name, IReadOnlyList<EpochRecord> epochs, Func<EpochRecord, double?> value) => new(name, [.. epochs.Select(e => value(e) ?? double.NaN)]);
        LineChart Chart(string title, string axis, Func<EpochRecord, double?> value, string? format = null)
        {
            List<Series> curves = [Of("with transfers", model.Together.Epochs, value)];
            if (model.Solo is { } solo) curves.Add(Of("by itself", solo.Epochs, value));
            return new(title, "epoch", axis, [.. curves]) { Format = format };
        }

        List<ReportPart> charts = [];
        Score? score = model.Together.Best?.Validation;
        if (score is { Accuracy: not null }) charts.Add(Chart("Right on validation samples", "share", e => e.Validation?.Accuracy, "0.0%"));
        else if (score is { Merit: not null }) charts.Add(Chart($"{model.Together.MeritName} on validation samples", model.Together.MeritName, e => e.Validation?.Merit));
        charts.Add(Chart("Loss on training samples", "loss", e => e.Loss));
        if (score is not null) charts.Add(Chart("Loss on validation samples", "loss", e => e.Validation?.Loss));
        yield return new SideBySide([.. charts]);
    }

    private static IEnumerable<ReportPart> Curves(TransferSummary summary)
    {
        if (summary.History.IsEmpty) yield break;
        yield return new Heading(summary.Transfer.Name);
        Series Of(string name, Func<TransferRecord, double> value) => new(name, [.. summary.History.Select(value)]) { X = [.. summary.History.Select(record => (double)record.Epoch)] };
        yield return new SideBySide(
            new LineChart("Norm of the adapter's weights", "epoch", "norm", Of("norm", record => record.WeightNorm)),
            new LineChart("Relative change at a transfer", "epoch", "mean of the epoch", Of("change", record => record.Change)));
        int layers = summary.History.Max(record => record.Mixing.Length);
        if (layers == 0) yield break;
        yield return new SideBySide([.. Enumerable.Range(0, layers).Select(layer => new LineChart(
            $"Mixing weights of layer {layer + 1}", "epoch", "share",
            [.. Unfoldings.Select((name, i) => Of(name, record => layer < record.Mixing.Length && i < record.Mixing[layer].Length ? record.Mixing[layer][i] : double.NaN))]) { Format = "0%" })]);
        yield return new Paragraph("What asks by what answers: rows or columns of the target ask, rows or columns of the source answer.", Quiet: true);
    }

    private static IEnumerable<ReportPart> Times(TransferResult result)
    {
        yield return new Heading("Time");
        PhaseTimes times = result.Times;
        (string Name, TimeSpan Time)[] phases = [("steps of the networks", times.Steps), ("transfers: snapshot, adapters forward, writing", times.Transfers), ("updates of the adapters", times.AdapterUpdates), ("measuring and keeping", times.Evaluation)];
        double whole = Math.Max(1e-9, times.Total.TotalSeconds);
        yield return new DataTable("Training together, since it began or was resumed", [new("phase"), new("seconds", "0.0"), new("share", "0.0%")],
            new TableSection("", [.. phases.Select(phase => (ImmutableArray<Cell>)[phase.Name, phase.Time.TotalSeconds, phase.Time.TotalSeconds / whole])]));
        double steps = times.Steps.TotalSeconds;
        if (steps > 0) yield return new Paragraph($"Transfers and adapters take {Figures.Text((times.Transfers + times.AdapterUpdates).TotalSeconds / steps, "0.00")} of the time that the networks' own steps take.");
    }

    private static string Text(ComparedScore score, double value) => Figures.Text(value, score.IsShare ? "0.00%" : "0.0000");

    private static string Signed(ComparedScore score) => score.Difference is not { } difference ? "\u2013"
        : (difference > 0 ? "+" : "") + (score.IsShare ? $"{Figures.Text(100 * difference, "0.00")} points" : Figures.Text(difference, "0.0000"));
}
