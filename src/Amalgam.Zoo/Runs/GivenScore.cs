using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Zoo.Runs;

/// <summary>What a network that brings weights of its own was worth before it was trained.</summary>
/// <param name="Validation">On the validation data; null where there is none.</param>
/// <param name="Test">On the test data; null where there is none.</param>
public sealed record GivenScore(Score? Validation, Score? Test)
{
    /// <summary>Of a network that is trained; null where its weights are drawn by chance.</summary>
    internal static GivenScore? Of(TransferMember member, CancellationToken cancel) => member.Model.BringsWeights ? Measured(member.Learner.Network, member, cancel) : null;

    /// <summary>Of one that is frozen, on the data of the first of those that are trained whose samples it takes and whose scores it gives; null where there is none, and where its weights are drawn by chance.</summary>
    internal static FrozenTeacher? OfFrozen(TransferMember teacher, IEnumerable<TransferMember> trained, CancellationToken cancel)
    {
        if (!teacher.Model.BringsWeights) return null;
        static long ScoresOf(TransferMember member) => DataInputs.OutputOf(member.Learner.Network).Shape[^1];
        foreach (TransferMember member in trained.Where(member => ScoresOf(member) == ScoresOf(teacher)))
        {
            try
            {
                return new(teacher.Model.Name, teacher.Parameters, member.Model.Name, Measured(teacher.Learner.Network, member, cancel)) { MeritName = member.Data!.MeritName };
            }
            catch (Exception e) when (e is GraphException or InvalidDataException)
            {
                // It does not take these samples, which nobody said that it does.
            }
        }

        return null;
    }

    private static GivenScore Measured(Graph network, TransferMember by, CancellationToken cancel)
    {
        Score? On(Dataset? data) => data is null ? null
            : new Evaluation(network, by.Loss!, data, by.Model.Run!.Batch, merit: ItemRanking.Merit(data), setMerit: PairRetrieval.Merit(data)).Run(cancel);
        return new(On(by.Data!.Validation), On(by.Data.Test));
    }
}

/// <summary>A network that taught and was not trained.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Parameters">Numbers of its parameters.</param>
/// <param name="DataOf">The network whose data it was measured on.</param>
/// <param name="Given">What it is worth.</param>
public sealed record FrozenTeacher(string Name, long Parameters, string DataOf, GivenScore Given)
{
    /// <summary>What the scores' merit is.</summary>
    public string MeritName { get; init; } = ItemRanking.MeritName;
}

/// <summary>A line of the tables of what networks are worth.</summary>
/// <param name="Name">The network.</param>
/// <param name="Score">By what it is measured, and what it came to; not a number where it is not trained.</param>
/// <param name="Remark">Why there is no difference; null where there may be one.</param>
public sealed record ScoreRow(string Name, ComparedScore Score, string? Remark);
