using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary>A transfer run with several seeds as people read it.</summary>
internal static class TransferSeedsText
{
    /// <summary>A table for the validation data and one for the test data, with a column for each seed's difference.</summary>
    public static void Write(TextWriter output, TransferSeeds result)
    {
        string seeds = $"{result.Seeds.Length} {(result.Seeds.Length == 1 ? "SEED" : "SEEDS")}";
        foreach (var scores in result.Scores.GroupBy(score => score.OnTest))
        {
            bool hasSolo = scores.Any(score => !score.Solo.IsEmpty);
            Table table = hasSolo ? new(1, $"{(scores.Key ? "TEST" : "VALIDATION")} DATA, {seeds}", "MEASURE", ">SOLO", ">WITH TRANSFER", ">DIFFERENCE", ">BETTER") : new(1, $"{(scores.Key ? "TEST" : "VALIDATION")} DATA, {seeds}", "MEASURE", ">WITH TRANSFER");
            foreach (SeededScore score in scores)
            {
                string[] cells = [score.Model, score.Measure, Text(score.Text(score.Together))];
                if (!hasSolo) table.Add(cells);
                else table.Add([.. cells[..2], Text(score.Text(score.Solo)), cells[2], score.IsChanged ? Text(score.Text(score.Differences, isDifference: true)) : "not written to", score.Differences.IsEmpty ? "" : $"{score.Better} of {score.Together.Length}"]);
            }

            table.Write(output, Screen.WidthOf(output));
            foreach (SeededScore score in scores.Where(score => !score.Differences.IsEmpty && score.Together.Length > 1))
                output.WriteLine($"  {score.Model}, {string.Join(", ", result.Seeds.Zip(score.Differences, (seed, difference) => $"seed {seed} {Text(score.Text([difference], isDifference: true))}"))}");
            output.WriteLine();
        }

        if (result.Seeds.Length > 1) output.WriteLine("Means over the seeds, with the standard deviation of one run; differences are taken seed for seed.");
        foreach (SeedRemark remark in result.Remarks) output.WriteLine($"{(remark.IsWarning ? "warning" : "note")}: {Printable.Line(remark.Sentence)}");
    }

    /// <summary>With the signs of a terminal, as other verbs print numbers.</summary>
    private static string Text(string text) => text.Replace('\u2212', '-').Replace('\u2013', '-');
}
