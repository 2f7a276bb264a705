using System.Collections.Immutable;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Runs;

/// <summary>The chapter of a page that says what networks are worth.</summary>
internal static class ScoresParts
{
    /// <param name="scores">The networks.</param>
    /// <param name="tasks">Groups of classes that were also measured among themselves.</param>
    public static IEnumerable<ReportPart> Of(NetworkScores scores, ImmutableArray<ImmutableArray<int>> tasks)
    {
        yield return new Heading("What it is worth");
        Measure[] measures = [.. scores.Names.Select(name => scores.Rows.SelectMany(r => r.Measures).First(m => m.Name == name))];
        ImmutableArray<Column> columns = [new("network"), .. measures.Select(m => new Column(m.Name, m.IsShare ? "0.00%" : "0.0000", m.Name == "loss" ? Best.Lowest : Best.Highest))];
        ImmutableArray<Cell> Row(NetworkRow row) => [row.Name, .. measures.Select(m => (Cell)(row.Measures.FirstOrDefault(own => own.Name == m.Name)?.Value ?? double.NaN))];
        yield return new DataTable($"On {scores.Samples:N0} {(scores.IsTest ? "test" : "calibration")} samples of {scores.Data}", columns,
            new("Given", [.. scores.Rows.Where(r => r.IsGiven).Select(Row)]), new("Put together", [.. scores.Rows.Where(r => !r.IsGiven).Select(Row)]));
        if (!tasks.IsEmpty)
            yield return new Paragraph($"A task's figure is the share of its samples that are right where only its classes may be predicted: {string.Join("; ", tasks.Select((t, i) => $"task {i + 1} is classes {string.Join(", ", t)}"))}. Accuracy is among all classes.", Quiet: true);
        if (!scores.IsTest) yield return new Paragraph("The data has no test samples: these are the ones that units were compared on.", Quiet: true);
    }
}
