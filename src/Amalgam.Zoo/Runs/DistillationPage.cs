using System.Collections.Immutable;
using Amalgam.Training;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Runs;

/// <summary>The page about a student: what it is worth beside its teachers and beside itself without them, how it trained, and by what parameters.</summary>
internal static class DistillationPage
{
    /// <summary>The page.</summary>
    /// <param name="result">What it came to.</param>
    /// <param name="data">What was learned from and measured on.</param>
    public static HtmlReport Of(DistillationResult result, RunData data) => new(
        $"A student taught by {result.Method.Name}",
        [
            .. Beginning(result, data),
            .. Tables(result, data),
            .. Curves(result),
            new Heading("How it learned"),
            new Paragraph($"{result.Method.Summary}."),
            new DataTable("Parameters", [new("parameter"), new("value"), new("what it is")],
                new TableSection("", [.. result.Method.Parameters.Select(p => (ImmutableArray<Cell>)[p.Name, p.Value ?? "\u2013", p.What])])),
            new Heading("How it was measured"),
            new Paragraph($"{result.Epochs}{(data.Validation is null ? "" : " No choice was made by test data.")} All are judged by the labels alone."),
            .. result.Solo is null ? [] : new[] { new Paragraph("Without a teacher the same network was trained from the same first weights on the same batches in the same order, for as many steps.") },
            new Paragraph("What was written of the student is its own network: neither teachers nor anything that helped in training is part of it.", Quiet: true),
        ])
    {
        Origin = $"amalgam distill, method: {result.Method.Name}",
    };

    private static IEnumerable<ReportPart> Beginning(DistillationResult result, RunData data)
    {
        bool onTest = data.Test is not null;
        List<KeyFigure> figures = [];
        foreach (SpliceRow row in result.Rows.OrderBy(row => row.Name == DistillationResult.StudentName ? 0 : row.Stage == SpliceStage.Trained ? 1 : 2))
        {
            if (DistillationResult.Decisive(row, onTest) is { } measure) figures.Add(new(NetworkScores.Text(measure), row.Name, $"{measure.Name} on {(onTest ? "test" : "validation")} data"));
        }

        NetworkSize student = result.Sizes[result.Rows.Select(row => row.Name).ToList().IndexOf(DistillationResult.StudentName)];
        string teachers = string.Join(", ", result.Rows.Zip(result.Sizes).Where(r => r.First.Stage == SpliceStage.Given).Select(r => $"{r.First.Name} has {Figures.Text(r.Second.Parameters, "#,0")}"));
        figures.Add(new(Figures.Text(student.Parameters, "#,0"), "parameters of the student", teachers));
        yield return new KeyFigures([.. figures]);
        if (result.Warning is { } warning) yield return new Paragraph(warning);
        foreach (string note in result.Notes) yield return new Paragraph($"Note: {note}.");
    }

    private static IEnumerable<ReportPart> Tables(DistillationResult result, RunData data)
    {
        yield return new Heading("Teachers and student");
        if (data.Test is { } test) yield return Table($"On the {test.Count:N0} test samples", result.Rows, row => row.Test);
        if (data.Validation is { } validation) yield return Table($"On the {validation.Count:N0} validation samples", result.Rows, row => row.Validation);
        yield return new Paragraph($"{result.Comparison} {result.Epochs}".Trim(), Quiet: true);
        yield return new DataTable("Sizes", [new("network"), new("parameters", "#,0"), new("operators", "0"), new("FLOP per sample", "#,0")],
            new TableSection("", [.. result.Rows.Zip(result.Sizes, (row, size) => (ImmutableArray<Cell>)[row.Name, size.Parameters, size.Operators, size.Work])]));
    }

    private static DataTable Table(string title, ImmutableArray<SpliceRow> rows, Func<SpliceRow, IReadOnlyList<Measure>> of)
    {
        double LargestOf(string name) => rows.SelectMany(of).Where(m => m.Name == name).Max(m => m.Value);
        ImmutableArray<Column> columns = [new("network"), .. of(rows[0]).Select(m => new Column(m.Name, m.IsShare ? "0.00%" : NetworkScores.FormatOf(LargestOf(m.Name)), m.Name == "loss" ? Best.Lowest : Best.Highest))];
        return new(title, columns, new TableSection("", [.. rows.Where(row => of(row).Count == of(rows[0]).Count).Select(row => (ImmutableArray<Cell>)[row.Name, .. of(row).Select(m => (Cell)m.Value)])]));
    }

    private static IEnumerable<ReportPart> Curves(DistillationResult result)
    {
        yield return new Heading("Training");
        LineChart Chart(string title, string axis, Func<EpochRecord, double?> value, string? format = null)
        {
            Series Of(string name, RunResult run) => new(name, [.. run.Epochs.Select(e => value(e) ?? double.NaN)]);
            Series student = Of(DistillationResult.StudentName, result.Student);
            return new(title, "epoch", axis, result.Solo is { } solo ? [student, Of(DistillationResult.SoloName, solo)] : [student]) { Format = format };
        }

        List<ReportPart> charts = [];
        if (result.Student.Best?.Validation is { } score)
        {
            ImmutableArray<ReferenceLine> teachers = [.. result.Rows.Where(row => row.Stage == SpliceStage.Given).Select(row => (row.Name, Measure: DistillationResult.Decisive(row, false))).Where(r => r.Measure is not null).Select(r => new ReferenceLine(r.Name, r.Measure!.Value))];
            if (score.Merit is not null) charts.Add(Chart($"{result.Student.MeritName} on validation samples", result.Student.MeritName, e => e.Validation?.Merit) with { References = teachers });
            else if (score.Accuracy is not null) charts.Add(Chart("Right on validation samples", "share", e => e.Validation?.Accuracy, "0.0%") with { References = teachers });
            charts.Add(Chart("Cross-entropy on validation samples", "loss", e => e.Validation?.Loss));
        }

        charts.Add(Chart("Right on training samples", "share", e => e.Accuracy, "0.0%"));
        yield return new SideBySide([.. charts]);
        yield return new Paragraph("The losses on training samples are not shown beside each other: that of the student also counts what it learns from its teacher.", Quiet: true);
    }
}
