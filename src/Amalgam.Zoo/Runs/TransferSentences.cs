using System.Collections.Immutable;
using Amalgam.Transfer.MergeNet;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Runs;

/// <summary>What a transfer run came to, in sentences for the terminal and the page alike.</summary>
public static class TransferSentences
{
    private const string Remedy = "lower the adapter's lr, give it a smaller trust_region (0 is none), lengthen the cycle, or name another target";

    /// <summary>One for each network that transfers made worse, and one for each transfer that rewrote its target.</summary>
    public static ImmutableArray<string> Warnings(TransferResult result) =>
    [
        .. result.Models.Select(LostBy).OfType<string>(),
        .. result.Transfers.Select(Astray).OfType<string>(),
    ];

    /// <summary>
    /// That a network is worse with the transfers than by itself, or where it was not trained so than as it was given; on the validation data, or where there is none on the test data. Null where it is not.
    /// </summary>
    public static string? LostBy(TransferredModel model)
    {
        if (!model.IsChanged || Judged(model) is not var (score, data) || (score.Solo ?? score.Given) is not { } other || !score.IsBehind(other)) return null;
        string how = score.Solo is null ? $"is worse than it was given by {Lost(score, other)}" : $"lost {Lost(score, other)} by the transfers";
        return $"{model.Name} {how}: {Number(score, score.Together)} on the {data} data, {Number(score, other)} {(score.Solo is null ? "as given" : "by itself")}, and the choice of samples does not explain that: {Remedy}";
    }

    /// <summary>A score as people read it.</summary>
    internal static string Number(ComparedScore score, double value) => Figures.Text(value, score.IsShare ? "0.00%" : "0.0000");

    private static (ComparedScore Score, string Data)? Judged(TransferredModel model) =>
        model.Compared(onTest: false) is { } chosen ? (chosen, "validation") : model.Compared(onTest: true) is { } test ? (test, "test") : null;

    private static string Lost(ComparedScore score, double other)
    {
        double lost = Math.Abs(score.Together - other);
        return score.IsShare ? $"{Figures.Text(100 * lost, "0.00")} points" : $"{Figures.Text(lost, "0.0000")} of its {score.Measure}";
    }

    private static string? Astray(TransferSummary summary)
    {
        if (summary.Astray is not { } most) return null;
        string when = most.Epoch == summary.History[^1].Epoch ? "in the last epoch" : $"in epoch {most.Epoch}, and by {Figures.Text(summary.History[^1].Change, "0.0%")} in the last";
        return $"a transfer changed {summary.Transfer.Target} by {Figures.Text(most.Change, "0.0%")} on average {when} ({summary.Transfer.Name}), and training hardly repairs more than "
            + $"{Figures.Text(TransferSummary.LargestChange, "0%")}: {Remedy}";
    }

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

    /// <summary>On what the networks that were not trained are measured; nothing where there are none.</summary>
    public static string Frozen(TransferResult result) =>
        string.Join(' ', result.Frozen.Select(teacher => $"{teacher.Name} is frozen and measured on the data of {teacher.DataOf}."));

    /// <summary>What a round cost, together and alone; of a run that was interrupted what the training together took in all its starts.</summary>
    public static string Cost(TransferResult result)
    {
        static string Seconds(double value) => $"{Figures.Text(value, "0.0000")} s";
        TimeSpan adapters = result.Times.Transfers + result.Times.AdapterUpdates;
        if (result.Resumed)
        {
            return $"The training together took {Figures.Text(result.Times.Total.TotalSeconds, "0.0")} s in all starts of the run, of which transfers and adapters {Figures.Text(adapters.TotalSeconds, "0.0")} s. "
                + "Each start prepares anew, so a round is not compared with that of the networks by themselves.";
        }

        string text = $"A round took {Seconds(result.SecondsTogether)} together, of which transfers and adapters {Seconds(result.SecondsOfTransfers)}";
        if (result.SecondsAlone is { } alone) text += $", and {Seconds(alone)} with each network by itself";
        if (result.TimesAsLong is { } ratio) text += $": {Figures.Text(ratio, "0.00")} times as long together";
        if (result.First.Rounds > 0) text += $". {(result.First.Rounds == 1 ? "The first round is" : FormattableString.Invariant($"The first {result.First.Rounds:#,0} rounds are"))} left out, since code is compiled there";
        return result.SecondsAlone is not null && result.TimesAsLong is null ? $"{text}. The run is too short to say how many times as long that is." : $"{text}.";
    }
}
