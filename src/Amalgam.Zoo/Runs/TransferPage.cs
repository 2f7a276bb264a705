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
            .. TransferPageSettings.Of(plan),
            new Heading("How it was measured"),
            new Paragraph((result.Models.Any(model => model is { Solo: not null, IsChanged: true })
                ? "Each network that transfers change was also trained by itself with the same description and seed: the same first weights as given, the same batches in the same order, the same number of steps. " : "")
                + $"{TransferSentences.Comparison(result)} {TransferSentences.Epochs(result)} No choice was made by test data."),
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
            string against = !model.IsChanged ? "nothing is written to it" : score.Solo is { } solo ? $"by itself {Text(score, solo)}, {Signed(score)}" : score.Given is { } given ? $"as given {Text(score, given)}" : "with transfers";
            if (TransferSentences.LostBy(model) is not null) against = $"Worse for the transfers: {against}";
            return new(Text(score, score.Together), $"{model.Name}, {score.Measure} on {(onTest ? "test" : "validation")} data", against);
        }

        yield return new KeyFigures([.. result.Models.Select(Figure)]);
        foreach (string warning in TransferSentences.Warnings(result)) yield return new Paragraph($"Warning: {warning}.");
        foreach (string note in result.Notes) yield return new Paragraph($"Note: {note}.");
        string[] changed = [.. result.Models.Where(model => !model.IsSameNetwork).Select(model => model.Name)];
        yield return new Paragraph(changed.Length == 0 ? "Every network is the one that was given, operator for operator: adapters and factors are gone." : $"Not the same operators as given: {string.Join(", ", changed)}.");
    }

    private static IEnumerable<ReportPart> Tables(TransferResult result)
    {
        yield return new Heading(result.HasSolo ? "With transfers and by itself" : "With transfers");
        foreach (var (name, onTest) in new[] { ("validation", false), ("test", true) })
        {
            ImmutableArray<ScoreRow> rows = result.RowsOf(onTest);
            if (rows.IsEmpty) continue;
            static string Of(ScoreRow row, double? value) => value is { } number ? Text(row.Score, number) : "\u2013";
            List<(Column Column, Func<ScoreRow, string> Cell)> columns = [(new("network"), row => row.Name), (new("measure"), row => row.Score.Measure)];
            static Column Number(string name) => new(name) { IsRight = true };
            if (result.HasGiven) columns.Add((Number("as given"), row => Of(row, row.Score.Given)));
            if (result.HasSolo) columns.Add((Number("by itself"), row => Of(row, row.Score.Solo)));
            columns.Add((Number("with transfers"), row => Of(row, row.Score.Together)));
            if (result.HasSolo) columns.Add((Number("difference"), row => row.Remark ?? Signed(row.Score)));
            yield return new DataTable($"On the {name} data", [.. columns.Select(column => column.Column)], new TableSection("", [.. rows.Select(row => (ImmutableArray<Cell>)[.. columns.Select(column => (Cell)column.Cell(row))])]));
        }

        yield return new Paragraph($"{TransferSentences.Epochs(result)} {TransferSentences.Frozen(result)}".TrimEnd(), Quiet: true);

        yield return new Heading("Transfers");
        yield return new DataTable("What goes from where to where", [new("from"), new("shape") { IsRight = true }, new("to"), new("shape") { IsRight = true }, new("every", "0")], new TableSection("", [.. result.Transfers.SelectMany(Ends)]));
        yield return new DataTable(
            "The adapters",
            [new("into"), new("adapter"), new("parameters", "#,0"), new("transfers", "#,0"), new("mean change", "0.00%")],
            new TableSection("", [.. result.Transfers.Select(Adapter)]));
        yield return new Paragraph("Transfers come every so many rounds, the first in the first round. The mean change is what a transfer of the last epoch did to its target: the norm of the difference by the norm before.", Quiet: true);
    }

    /// <summary>A row for the transfer, and for each further source one in which it alone stands.</summary>
    private static IEnumerable<ImmutableArray<Cell>> Ends(TransferSummary summary)
    {
        static string Shape(TransferMatrix end) => $"{(end.Rank > 0 ? $"{end.Rank}\u00a0\u00d7\u00a0{end.Matrix.Columns} of " : "")}{end.Matrix.Rows}\u00a0\u00d7\u00a0{end.Matrix.Columns}";
        KnowledgeTransfer transfer = summary.Transfer;
        yield return [Breakable(transfer.Sources[0]), Shape(transfer.Sources[0]), Breakable(transfer.Target), Shape(transfer.Target), transfer.Cycle];
        foreach (TransferMatrix source in transfer.Sources[1..]) yield return [$"+ {Breakable(source)}", Shape(source), "", "", ""];
    }

    private static ImmutableArray<Cell> Adapter(TransferSummary summary)
    {
        TransferRecord? last = summary.History.LastOrDefault();
        return [Breakable(summary.Transfer.Target), summary.Transfer.Adapter.Name, summary.Parameters, last?.Transfers ?? 0, last?.Change ?? double.NaN];
    }

    private static IEnumerable<ReportPart> Curves(TransferredModel model)
    {
        // With one epoch a curve is a dot, and the tables say it better.
        if (model.Together.Epochs.Count < 2) yield break;
        yield return new Heading(model.Name);
        Series Of(string name, IReadOnlyList<EpochRecord> epochs, Func<EpochRecord, double?> value) => new(name, [.. epochs.Select(e => value(e) ?? double.NaN)]);
        LineChart Chart(string title, string axis, Func<EpochRecord, double?> value, string? format = null)
        {
            List<Series> curves = [Of("with transfers", model.Together.Epochs, value)];
            if (model is { Solo: { } solo, IsChanged: true }) curves.Add(Of("by itself", solo.Epochs, value));
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
        if (summary.History.Length < 2)
        {
            if (summary.History is [var only]) yield return OfOneEpoch(summary, only);
            yield break;
        }

        yield return new Heading($"{string.Join(" + ", summary.Transfer.Sources)} \u2192 {summary.Transfer.Target}");
        Series Of(string name, Func<TransferRecord, double> value) => new(name, [.. summary.History.Select(value)]) { X = [.. summary.History.Select(record => (double)record.Epoch)] };
        yield return new SideBySide(
            new LineChart("Norm of the adapter's weights", "epoch", "norm", Of("norm", record => record.WeightNorm)),
            new LineChart("Relative change at a transfer", "epoch", "mean of the epoch", Of("change", record => record.Change)));
        int layers = summary.History.Max(record => record.Mixing.Length);
        if (layers == 0) yield break;
        yield return new SideBySide([.. Enumerable.Range(0, layers).Select(layer => new LineChart(
            $"Mixing weights of layer {layer + 1}", "epoch", "share",
            [.. Unfoldings.Select((name, i) => Of(name, record => layer < record.Mixing.Length && i < record.Mixing[layer].Length ? record.Mixing[layer][i] : double.NaN))]) { Format = "0.00%" })]);
        yield return new Paragraph($"What asks by what answers: rows or columns of the target ask, rows or columns of {(summary.Transfer.Sources.Length == 1 ? "the source" : "all sources")} answer. Scales do not begin at 0, and lines that coincide look like one.", Quiet: true);
    }

    /// <summary>What curves would show of more epochs.</summary>
    private static DataTable OfOneEpoch(TransferSummary summary, TransferRecord record)
    {
        List<ImmutableArray<Cell>> rows = [["norm of the adapter's weights", Figures.Text(record.WeightNorm, "0.0000")], ["relative change at a transfer, on average", Figures.Text(record.Change, "0.00%")]];
        for (int layer = 0; layer < record.Mixing.Length; layer++)
        {
            for (int i = 0; i < record.Mixing[layer].Length; i++) rows.Add([$"mixing weight in layer {layer + 1}, {Unfoldings[i]}", Figures.Text(record.Mixing[layer][i], "0.00%")]);
        }

        return new($"{summary.Transfer.Name.Replace(" -> ", " \u2192 ")}, after the one epoch", [new("what"), new("value") { IsRight = true }], new TableSection("", [.. rows]));
    }

    private static IEnumerable<ReportPart> Times(TransferResult result)
    {
        yield return new Heading("Time");
        PhaseTimes times = result.Times;
        (string Name, TimeSpan Time)[] phases = [("steps of the networks", times.Steps), ("transfers: snapshot, adapters forward, writing", times.Transfers), ("updates of the adapters", times.AdapterUpdates), ("measuring and keeping", times.Evaluation)];
        double whole = Math.Max(1e-9, times.Total.TotalSeconds);
        yield return new DataTable(result.Resumed ? "Training together, in all starts of the run" : "Training together", [new("phase"), new("seconds", "0.0"), new("share", "0.0%"), new("seconds of a round", "0.0000")],
            new TableSection("", [.. phases.Select(phase => (ImmutableArray<Cell>)[phase.Name, phase.Time.TotalSeconds, phase.Time.TotalSeconds / whole, phase.Time.TotalSeconds / Math.Max(1, result.Rounds)])]));
        yield return new Paragraph(TransferSentences.Cost(result));
    }

    /// <summary>A name that may be broken at its dots, and hence is not broken elsewhere.</summary>
    private static string Breakable(TransferMatrix end) => end.ToString().Replace(":", ":\u200b").Replace(".", ".\u200b");

    private static string Text(ComparedScore score, double value) => TransferSentences.Number(score, value);

    private static string Signed(ComparedScore score) => score.Difference is not { } difference ? "\u2013"
        : (difference > 0 ? "+" : "") + (score.IsShare ? $"{Figures.Text(100 * difference, "0.00")} points" : Figures.Text(difference, "0.0000"));
}
