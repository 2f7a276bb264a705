using System.Collections.Immutable;
using Amalgam.Training;
using Amalgam.Transfer;

namespace Amalgam.Zoo.Runs;

/// <summary>Which part of a comparison a network belongs to.</summary>
public enum SpliceStage
{
    /// <summary>A model as it was given.</summary>
    Given,

    /// <summary>Made of the models without training.</summary>
    Combined,

    /// <summary>Trained.</summary>
    Trained,
}

/// <summary>How good one network is.</summary>
/// <param name="Stage">Which part of the comparison it belongs to.</param>
/// <param name="Name">What it is.</param>
/// <param name="Validation">On the validation data; empty without.</param>
/// <param name="Test">On the test data; empty without.</param>
public sealed record SpliceRow(SpliceStage Stage, string Name, IReadOnlyList<Measure> Validation, IReadOnlyList<Measure> Test);

/// <summary>What a learned splice came to.</summary>
public sealed record SpliceResult
{
    /// <summary>Short names of the models.</summary>
    public required ImmutableArray<string> Models { get; init; }

    /// <summary>Short name of the model whose network it is: the first, or the one that makes weights for each sample.</summary>
    public required string Host { get; init; }

    /// <summary>What was learned, as the command line names it.</summary>
    public required string Method { get; init; }

    /// <summary>What was trained.</summary>
    public required TrainScope Train { get; init; }

    /// <summary>The networks, those given first.</summary>
    public required ImmutableArray<SpliceRow> Rows { get; init; }

    /// <summary>The spliced weights as they are in the result.</summary>
    public required ImmutableArray<SplicedSummary> Weights { get; init; }

    /// <summary>The epochs of the training.</summary>
    public required ImmutableArray<EpochRecord> Epochs { get; init; }

    /// <summary>The epoch that the result is of; null without validation data, when it is the last.</summary>
    public required EpochRecord? Best { get; init; }

    /// <summary>The epochs of the host trained on alone; empty where it was not.</summary>
    public ImmutableArray<EpochRecord> Baseline { get; init; } = [];

    /// <summary>Size of the host.</summary>
    public required NetworkSize Before { get; init; }

    /// <summary>Size of all models together.</summary>
    public required NetworkSize Together { get; init; }

    /// <summary>Size of the result.</summary>
    public required NetworkSize After { get; init; }

    /// <summary>Whether the result is the host's network, operator for operator, with other weights.</summary>
    public required bool IsSameNetwork { get; init; }

    /// <summary>Seconds for a batch: of the host, of the result, and of all models one after another.</summary>
    public required (double First, double Result, double Ensemble) Seconds { get; init; }

    /// <summary>Samples of that batch.</summary>
    public required int Batch { get; init; }

    /// <summary>What a user should know of what was written.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>
    /// That the learned splice is not worth having, in a sentence: a single network there is without it does as well on the validation data, by what the best epoch is chosen by. Null where
    /// none does, and without validation data.
    /// </summary>
    public string? Warning
    {
        get
        {
            SpliceRow learned = Rows.First(r => r.Name == SpliceRun.LearnedName);
            if (Decisive(learned) is not { } own) return null;
            var rivals = Rows.Where(r => r != learned && r.Name != SpliceRun.EnsembleName).Select(r => (r.Name, Measure: Decisive(r))).Where(r => r.Measure is not null).ToArray();
            if (rivals.Length == 0) return null;
            var (name, best) = own.Name == Loss ? rivals.MinBy(r => r.Measure!.Value) : rivals.MaxBy(r => r.Measure!.Value);
            bool isBehind = own.Name == Loss ? best!.Value <= own.Value : best!.Value >= own.Value;
            return isBehind ? $"On the validation data the learned splice is no better than {name}: {own.Name} {Text(own)} against {Text(best)}." : null;
        }
    }

    /// <summary>What the size of the result is, in a sentence.</summary>
    public string SizeText => IsSameNetwork
        ? $"The result has {After.Parameters:N0} parameters in {After.Operators:N0} operators, the same ones as {Host}, operator for operator: nothing was added to it."
        : $"The result has {After.Parameters:N0} parameters in {After.Operators:N0} operators, {Host} has {Before.Parameters:N0} in {Before.Operators:N0}: the splice is part of what runs, since weights are made for each sample and cannot be baked.";

    private const string Loss = "loss";

    private static Measure? Decisive(SpliceRow row) =>
        new[] { ItemRanking.MeritName, "accuracy", Loss }.Select(name => row.Validation.FirstOrDefault(m => m.Name == name && !double.IsNaN(m.Value))).FirstOrDefault(m => m is not null);

    private static string Text(Measure measure) => measure.IsShare ? FormattableString.Invariant($"{100 * measure.Value:0.00}%") : FormattableString.Invariant($"{measure.Value:0.0000}");
}
