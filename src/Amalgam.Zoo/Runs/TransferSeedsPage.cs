using System.Collections.Immutable;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Runs;

/// <summary>The page about a transfer run with several seeds.</summary>
internal static class TransferSeedsPage
{
    /// <summary>The page.</summary>
    public static HtmlReport Of(TransferSeeds result) => new(
        $"Parameters teach: {string.Join(", ", result.Scores.Select(score => score.Model).Distinct())}",
        [
            new KeyFigures([.. result.Scores.GroupBy(score => score.Model).Select(group => Figure(result, group.Last()))]),
            .. result.Remarks.Select(remark => new Paragraph($"{(remark.IsWarning ? "Warning" : "Note")}, {remark.Sentence}.")),
            .. result.Scores.GroupBy(score => score.OnTest).SelectMany(group => Tables(result, group.Key, [.. group])),
            new Heading("How it was measured"),
            new Paragraph("A mean is over the seeds, and what stands behind \u00b1 is the standard deviation of one run. Differences are taken seed for seed: with a seed a network has the same first weights and the same batches with transfers and by itself. "
                + $"Each run has a page of its own, in the folders {string.Join(", ", result.Seeds.Select(TransferSeedsFolder.Of))}."),
        ])
    {
        Origin = $"amalgam transfer --seeds {result.Seeds.Length}",
    };

    private static KeyFigure Figure(TransferSeeds result, SeededScore score) => new(
        score.Differences.IsEmpty ? score.Text(score.Together) : score.Text(score.Differences, isDifference: true),
        $"{score.Model}, {score.Measure} on {(score.OnTest ? "test" : "validation")} data",
        !score.IsChanged ? "nothing is written to it" : score.Differences.IsEmpty ? $"mean of {Seeds(result)}" : $"with transfers {score.Text(score.Together)}, better with {score.Better} of {Seeds(result)}");

    private static string Seeds(TransferSeeds result) => $"{result.Seeds.Length} {(result.Seeds.Length == 1 ? "seed" : "seeds")}";

    private static IEnumerable<ReportPart> Tables(TransferSeeds result, bool onTest, ImmutableArray<SeededScore> scores)
    {
        string data = onTest ? "test" : "validation";
        yield return new Heading($"On the {data} data");
        yield return new DataTable(
            $"Mean over {Seeds(result)}", [new("network"), new("measure"), new("by itself") { IsRight = true }, new("with transfers") { IsRight = true }, new("difference") { IsRight = true }, new("better with") { IsRight = true }],
            new TableSection("", [.. scores.Select(score => (ImmutableArray<Cell>)
                [
                    score.Model, score.Measure, score.Text(score.Solo), score.Text(score.Together), score.IsChanged ? score.Text(score.Differences, isDifference: true) : "nothing is written to it",
                    score.Differences.IsEmpty ? "\u2013" : $"{score.Better} of {Seeds(result)}",
                ])]));
        yield return new DataTable(
            "Each seed", [new("network"), .. result.Seeds.Select(seed => new Column($"seed {seed}") { IsRight = true })],
            [.. scores.Select(score => new TableSection("", [.. Rows(score)]))]);
    }

    private static IEnumerable<ImmutableArray<Cell>> Rows(SeededScore score)
    {
        ImmutableArray<Cell> Row(string name, ImmutableArray<double> values, bool isDifference = false) => [name, .. values.Select(value => (Cell)score.Text([value], isDifference))];
        if (!score.Differences.IsEmpty) yield return Row($"{score.Model}, by itself", score.Solo);
        yield return Row($"{score.Model}, with transfers", score.Together);
        if (!score.Differences.IsEmpty) yield return Row($"{score.Model}, difference", score.Differences, isDifference: true);
    }
}
