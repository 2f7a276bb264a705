using System.Collections.Immutable;
using Amalgam.Transfer.MergeNet;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Runs;

/// <summary>What a transfer run came to, in sentences for the terminal and the page alike.</summary>
public static class TransferSentences
{
    /// <summary>One for each transfer that rewrote its target.</summary>
    public static ImmutableArray<string> Warnings(TransferResult result) =>
    [
        .. result.Transfers.Where(summary => summary.IsAstray).Select(summary =>
            $"a transfer changed {summary.Transfer.Target} by {Figures.Text(summary.History[^1].Change, "0.0%")} on average in the last epoch ({summary.Transfer.Name}), and training hardly repairs more than "
            + $"{Figures.Text(TransferSummary.LargestChange, "0%")}: lower the adapter's lr, or lengthen the cycle"),
    ];

    /// <summary>Of which epochs the scores are.</summary>
    public static string Epochs(TransferResult result)
    {
        static string Number(RunResult of) => $"{of.Best?.Epoch ?? of.Epochs.Count}";
        string Of(TransferredModel model) => $"{model.Name} {Number(model.Together)} of {model.Together.Epochs.Count}{(model is { Solo: { } solo, IsChanged: true } ? $" (by itself {Number(solo)})" : "")}";
        string[] chosen = [.. result.Models.Where(model => model.Together.Best is not null).Select(Of)], last = [.. result.Models.Where(model => model.Together.Best is null).Select(Of)];
        string text = chosen.Length > 0 ? $"Scores are of the epochs that did best on the validation data: {string.Join(", ", chosen)}." : "";
        return last.Length == 0 ? text : $"{text} Scores are of the last epoch where there is no validation data: {string.Join(", ", last)}.".TrimStart();
    }

    /// <summary>What the networks that were changed by no transfer are, and those that trained in factors; nothing where there are none.</summary>
    public static string Comparison(TransferResult result)
    {
        if (!result.HasSolo) return "";
        List<string> sentences = [];
        string[] same = [.. result.Models.Where(model => !model.IsChanged).Select(model => model.Name)];
        if (same.Length > 0) sentences.Add($"Nothing is written to {string.Join(", ", same)}, which therefore trained as by {(same.Length == 1 ? "itself" : "themselves")} and {(same.Length == 1 ? "was" : "were")} trained once.");
        foreach (TransferMatrix end in result.InFactors)
            sentences.Add($"{end.Learner}:{end.Matrix.Name} trained as a product of factors of rank {end.Rank}; by itself {end.Learner} trained as it was given, without factors, so the difference is that of the rank too.");
        return string.Join(' ', sentences);
    }

    /// <summary>What a round cost, together and alone.</summary>
    public static string Cost(TransferResult result)
    {
        static string Seconds(double value) => $"{Figures.Text(value, "0.0000")} s";
        double adapters = (result.Times.Transfers + result.Times.AdapterUpdates).TotalSeconds / Math.Max(1, result.Rounds);
        string text = $"A round took {Seconds(result.SecondsTogether)} together, of which transfers and adapters {Seconds(adapters)}";
        return result.SecondsAlone is not { } alone ? $"{text}."
            : $"{text}, and {Seconds(alone)} with each network by itself{(result.TimesAsLong is { } ratio ? $": {Figures.Text(ratio, "0.00")} times as long together" : "")}.";
    }
}
