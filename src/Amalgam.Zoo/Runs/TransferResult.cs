using System.Collections.Immutable;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Runs;

/// <summary>What training together came to.</summary>
public sealed record TransferResult
{
    /// <summary>Seconds that the networks must have trained, together and alone, before the two are compared.</summary>
    public const double LeastCompared = 2;

    /// <summary>The trained networks, in the order of the description.</summary>
    public required ImmutableArray<TransferredModel> Models { get; init; }

    /// <summary>Networks that taught and were not trained, as far as the data of one that was fits them.</summary>
    public ImmutableArray<FrozenTeacher> Frozen { get; init; } = [];

    /// <summary>The transfers, a transfer back after the one there.</summary>
    public required ImmutableArray<TransferSummary> Transfers { get; init; }

    /// <summary>The matrices that trained as a product of factors.</summary>
    public ImmutableArray<TransferMatrix> InFactors { get; init; } = [];

    /// <summary>Where the time of the training together went.</summary>
    public required PhaseTimes Times { get; init; }

    /// <summary>
    /// Whether the run was interrupted and went on. Then <see cref="Times"/> is that of all starts, each of which prepares anew, and what the networks took by themselves is not known in whole.
    /// </summary>
    public bool Resumed { get; init; }

    /// <summary>Rounds of the training together.</summary>
    public required long Rounds { get; init; }

    /// <summary>Tells the run from those with another description or other data.</summary>
    public string Identity { get; init; } = "";

    /// <summary>What a user should know of the networks, the transfers and what was written.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>Whether there is something to compare with.</summary>
    public bool HasSolo => Models.Any(model => model.Solo is not null);

    /// <summary>Whether a network has a score from before the training.</summary>
    public bool HasGiven => !Frozen.IsEmpty || Models.Any(model => model.Given is not null);

    /// <summary>The lines of a table of what the networks are worth: those that were trained, then those that were not.</summary>
    /// <param name="onTest">On the test data; else on the validation data.</param>
    public ImmutableArray<ScoreRow> RowsOf(bool onTest)
    {
        var trained = Models.Select(model => (model.Name, Score: model.Compared(onTest), Remark: model.IsChanged ? null : "not written to"));
        var frozen = Frozen.Select(teacher => (teacher.Name, Score: Compared(teacher, onTest), Remark: (string?)"frozen"));
        return [.. trained.Concat(frozen).Where(row => row.Score is not null).Select(row => new ScoreRow(row.Name, row.Score!, row.Remark))];
    }

    private static ComparedScore? Compared(FrozenTeacher teacher, bool onTest) =>
        (onTest ? teacher.Given.Test : teacher.Given.Validation) is { } score ? ComparedScore.Of(score, teacher.MeritName) with { Together = double.NaN, Given = ComparedScore.Of(score, teacher.MeritName).Together } : null;

    /// <summary>The first rounds, in which the code that the others run is compiled; none where the run was interrupted.</summary>
    public FirstRounds First { get; init; }

    /// <summary>Seconds of a round of the training together after the first ones, with all that belongs to it.</summary>
    public double SecondsTogether => OfARound(times => times.Total);

    /// <summary>The part of it that transfers and adapters took.</summary>
    public double SecondsOfTransfers => OfARound(times => times.Transfers + times.AdapterUpdates);

    /// <summary>Seconds that the same steps took without transfers, by the sum over the networks; null where one was not trained by itself, and where the run was interrupted.</summary>
    public double? SecondsAlone => !Resumed && Models.All(model => model.Solo is not null) ? Models.Sum(model => model.Solo!.Epochs.Sum(epoch => epoch.Seconds)) / Math.Max(1, Rounds) : null;

    /// <summary>How many times as long as alone the networks took together; null where they did not train alone, or either took less than <see cref="LeastCompared"/> seconds, which says nothing.</summary>
    public double? TimesAsLong =>
        SecondsAlone is { } alone && alone * Math.Max(1, Rounds) >= LeastCompared && (Times.Total - First.Times.Total).TotalSeconds >= LeastCompared ? SecondsTogether / alone : null;

    private double OfARound(Func<PhaseTimes, TimeSpan> part) => (part(Times) - part(First.Times)).TotalSeconds / Math.Max(1, Rounds - First.Rounds);
}

/// <summary>The first rounds of a training together.</summary>
/// <param name="Rounds">How many.</param>
/// <param name="Times">What they took.</param>
public readonly record struct FirstRounds(long Rounds, PhaseTimes Times)
{
    /// <summary>So many of a run: a tenth.</summary>
    public static long Of(long rounds) => rounds / 10;
}

/// <summary>What a network came to.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Together">Trained with the transfers.</param>
/// <param name="Solo">Trained by itself with the same seed and options; null where it was not.</param>
public sealed record TransferredModel(string Name, RunResult Together, RunResult? Solo)
{
    /// <summary>Numbers of its parameters.</summary>
    public long Parameters { get; init; }

    /// <summary>Whether a transfer wrote to it, or trained it in factors; else it trained as by itself, and <see cref="Solo"/> is <see cref="Together"/>.</summary>
    public bool IsChanged { get; init; } = true;

    /// <summary>What it was worth before; null where its weights were drawn by chance.</summary>
    public GivenScore? Given { get; init; }

    /// <summary>Whether what was written is the network that was given, operator for operator, with other weights.</summary>
    public bool IsSameNetwork { get; init; }

    /// <summary>With transfers and by itself, by one measure.</summary>
    /// <param name="onTest">On the test data; else on the validation data.</param>
    /// <returns>Null where there is no such data.</returns>
    public ComparedScore? Compared(bool onTest)
    {
        Score? Of(RunResult? result) => result is null ? null : onTest ? result.OfBest ?? result.Last : result.Best?.Validation;
        if (Of(Together) is not { } score) return null;
        double? Value(Score? other) => other is null ? null : score.Merit is not null ? other.Merit : score.Accuracy is not null ? other.Accuracy : other.Loss;
        return ComparedScore.Of(score, Together.MeritName) with { Solo = Value(Of(Solo)), Given = Value(onTest ? Given?.Test : Given?.Validation) };
    }
}

/// <summary>A network's score with transfers and without.</summary>
/// <param name="Measure">What is measured: accuracy, NDCG at 10, or the loss where there is neither.</param>
/// <param name="Together">With transfers, of the best epoch where there is one.</param>
/// <param name="Solo">By itself, in the same way; null where it was not trained so.</param>
public sealed record ComparedScore(string Measure, double Together, double? Solo)
{
    /// <summary>The measure of networks that are judged by nothing better; smaller is better.</summary>
    internal const string Loss = "loss";

    private const double ErrorsOfChance = 2, ShareOfLoss = 0.1;

    /// <summary>Before the training, where the network brought weights of its own; null otherwise.</summary>
    public double? Given { get; init; }

    /// <summary>Number of samples that it was measured on; 0 where it is not known.</summary>
    public int Samples { get; init; }

    /// <summary>What the transfers added; null where there is nothing to compare with.</summary>
    public double? Difference => Together - Solo;

    /// <summary>Whether the measure is a share, to be written in percent.</summary>
    public bool IsShare => Measure is "accuracy" or PairRetrieval.MeritName;

    /// <summary>A score by what it is judged by: its merit where it has one, else the accuracy, else the loss.</summary>
    internal static ComparedScore Of(Score score, string meritName) =>
        (score.Merit is { } merit ? new ComparedScore(meritName, merit, null) : score.Accuracy is { } accuracy ? new("accuracy", accuracy, null) : new(Loss, score.Loss, null)) with { Samples = score.Samples };

    /// <summary>
    /// Whether the network is worse with transfers than another score by more than the choice of samples explains: by more than twice the standard error of the difference of two means of so many values
    /// between 0 and 1. A loss is not bounded, so there a tenth of it counts.
    /// </summary>
    /// <param name="other">The other score, by the same measure.</param>
    public bool IsBehind(double other)
    {
        if (double.IsNaN(other)) return false;
        if (Measure == Loss) return !(Together <= other + ShareOfLoss * Math.Abs(other));
        static double Variance(double mean) => Math.Max(0, mean * (1 - mean));
        return !(other - Together <= ErrorsOfChance * Math.Sqrt((Variance(Together) + Variance(other)) / Math.Max(1, Samples)));
    }
}

/// <summary>What became of a transfer.</summary>
/// <param name="Transfer">The transfer.</param>
/// <param name="Parameters">Numbers that its adapter learned.</param>
/// <param name="History">One record for each epoch of the target.</param>
public sealed record TransferSummary(KnowledgeTransfer Transfer, long Parameters, ImmutableArray<TransferRecord> History)
{
    /// <summary>The mean relative change of an epoch's transfers above which a target is overwritten rather than taught.</summary>
    public const double LargestChange = 0.3;

    /// <summary>
    /// The epoch whose transfers changed the target most, where that is more than <see cref="LargestChange"/>; null where there is none. An epoch with no transfer but the first of all does not count: there a target that
    /// begins at random is made anew by adapters that do so.
    /// </summary>
    public TransferRecord? Astray => History.Where(record => record.Transfers > 1 && !(record.Change <= LargestChange)).MaxBy(record => double.IsNaN(record.Change) ? double.PositiveInfinity : record.Change);
}
