using System.Collections.Immutable;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Runs;

/// <summary>What training together came to.</summary>
public sealed record TransferResult
{
    /// <summary>The trained networks, in the order of the description.</summary>
    public required ImmutableArray<TransferredModel> Models { get; init; }

    /// <summary>The transfers, a transfer back after the one there.</summary>
    public required ImmutableArray<TransferSummary> Transfers { get; init; }

    /// <summary>The matrices that trained as a product of factors.</summary>
    public ImmutableArray<TransferMatrix> InFactors { get; init; } = [];

    /// <summary>Where the time of the training together went.</summary>
    public required PhaseTimes Times { get; init; }

    /// <summary>Rounds of the training together.</summary>
    public required long Rounds { get; init; }

    /// <summary>Tells the run from those with another description or other data.</summary>
    public string Identity { get; init; } = "";

    /// <summary>What a user should know of what was written.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>Whether there is something to compare with.</summary>
    public bool HasSolo => Models.Any(model => model.Solo is not null);

    /// <summary>Seconds of a round of the training together, with all that belongs to it.</summary>
    public double SecondsTogether => Times.Total.TotalSeconds / Math.Max(1, Rounds);

    /// <summary>Seconds that the same steps took without transfers, by the sum over the networks; null where one was not trained by itself.</summary>
    public double? SecondsAlone => Models.All(model => model.Solo is not null) ? Models.Sum(model => model.Solo!.Epochs.Sum(epoch => epoch.Seconds)) / Math.Max(1, Rounds) : null;

    /// <summary>How many times as long as alone the networks took together; null where they did not train alone, or either took no time that the clock could tell.</summary>
    public double? TimesAsLong => SecondsAlone is > 0 and var alone && SecondsTogether > 0 ? SecondsTogether / alone : null;
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

    /// <summary>Whether what was written is the network that was given, operator for operator, with other weights.</summary>
    public bool IsSameNetwork { get; init; }

    /// <summary>With transfers and by itself, by one measure.</summary>
    /// <param name="onTest">On the test data; else on the validation data.</param>
    /// <returns>Null where there is no such data.</returns>
    public ComparedScore? Compared(bool onTest)
    {
        Score? Of(RunResult? result) => result is null ? null : onTest ? result.OfBest ?? result.Last : result.Best?.Validation;
        if (Of(Together) is not { } score) return null;
        Score? solo = Of(Solo);
        return score.Merit is { } merit ? new(Together.MeritName, merit, solo?.Merit)
            : score.Accuracy is { } accuracy ? new("accuracy", accuracy, solo?.Accuracy)
            : new("loss", score.Loss, solo?.Loss);
    }
}

/// <summary>A network's score with transfers and without.</summary>
/// <param name="Measure">What is measured: accuracy, NDCG at 10, or the loss where there is neither.</param>
/// <param name="Together">With transfers, of the best epoch where there is one.</param>
/// <param name="Solo">By itself, in the same way; null where it was not trained so.</param>
public sealed record ComparedScore(string Measure, double Together, double? Solo)
{
    /// <summary>What the transfers added; null where there is nothing to compare with.</summary>
    public double? Difference => Together - Solo;

    /// <summary>Whether the measure is a share, to be written in percent.</summary>
    public bool IsShare => Measure is "accuracy" or PairRetrieval.MeritName;
}

/// <summary>What became of a transfer.</summary>
/// <param name="Transfer">The transfer.</param>
/// <param name="Parameters">Numbers that its adapter learned.</param>
/// <param name="History">One record for each epoch of the target.</param>
public sealed record TransferSummary(KnowledgeTransfer Transfer, long Parameters, ImmutableArray<TransferRecord> History)
{
    /// <summary>The mean relative change of an epoch's transfers above which a target is overwritten rather than taught.</summary>
    public const double LargestChange = 0.3;

    /// <summary>Whether the last epoch's transfers changed the target by more than <see cref="LargestChange"/>.</summary>
    public bool IsAstray => History is [.., var last] && !(last.Change <= LargestChange);
}
