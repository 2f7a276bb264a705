using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;
using static Amalgam.Tests.Transfer.OfMergeNet.JointTrainingTests;

namespace Amalgam.Tests.Transfer.OfMergeNet;

/// <summary>Transfers that cannot be, and trainings that fail.</summary>
public class JointTrainingRefusalTests
{
    public static TheoryData<string, KnowledgeTransfer[]> Refusals => new()
    {
        { "there is no network 'z'", [JointTrainingTests.Transfer("z", "b", 1)] },
        { "a:fc1.weight -> a:fc1.weight is from a matrix to itself", [new(Of("a", 1), Of("a", 1), new Blend(), 1)] },
        { "is from b:fc2.weight, among others, to itself", [new([Of("a", 1), Of("b", 2)], Of("b", 2), new LowRankAdapter(), 1)] },
        { "a:fc1.weight + a:fc2.weight + a:fc1.weight -> b:fc1.weight learns from a:fc1.weight twice", [new([Of("a", 1), Of("a", 2), Of("a", 1)], Of("b", 1), new LowRankAdapter(), 1)] },
        { "a transfer to b:fc1.weight has no source", [new([], Of("b", 1), new LowRankAdapter(), 1)] },
        { "a:fc1.weight + a:fc2.weight -> b:fc1.weight: this adapter learns from one matrix, found 2", [new([Of("a", 1), Of("a", 2)], Of("b", 1), new MlpAdapter(), 1)] },
        { "there is no network 'z' for a:fc1.weight + z:fc2.weight -> b:fc1.weight", [new([Of("a", 1), Of("z", 2)], Of("b", 1), new LowRankAdapter(), 1)] },
        { "a:fc1.weight + a:fc1.weight at rank 2 -> b:fc1.weight learns from a:fc1.weight twice", [new([Of("a", 1), Of("a", 1) with { Rank = 2 }], Of("b", 1), new LowRankAdapter(), 1)] },
        { "still:fc1.weight at rank 2 is frozen and stays as it is", [new([Of("a", 1), Of("still", 1) with { Rank = 2, Start = FactorStart.Fresh }], Of("b", 1), new LowRankAdapter(), 1)] },
        { "the cycle of a:", [JointTrainingTests.Transfer("a", "b", 0)] },
        { "two transfers write to b:", [JointTrainingTests.Transfer("a", "b", 1), new(Of("a", 2), Of("b", 1), new Blend(), 3)] },
        { "needs a rank from 1 to 6", [new(Of("a", 1) with { Rank = 7 }, Of("b", 1), new Blend(), 1)] },
        { "give both the same rank", [new(Of("a", 1) with { Rank = 2 }, Of("b", 1), new Blend(), 1), new(Of("a", 1) with { Rank = 3 }, Of("b", 2), new Blend(), 1)] },
        { "the damping of a:", [JointTrainingTests.Transfer("a", "b", 1) with { Damping = -1 }] },
        { "learning rate of a:", [JointTrainingTests.Transfer("a", "b", 1) with { Rate = double.PositiveInfinity }] },
        { "largest norm of a:", [JointTrainingTests.Transfer("a", "b", 1) with { ClipNorm = 0 }] },
        { "begin with its decomposition", [new(Of("still", 1) with { Rank = 2, Start = FactorStart.Fresh }, Of("b", 1), new Blend(), 1)] },
        { "writes to a network that is not trained", [JointTrainingTests.Transfer("a", "still", 1)] },
        { "is frozen", [new(Of("a", 1), Of("b", 3), new Blend(), 1)] },
        { "generates [7,9] for a target [9,6]", [new(Of("a", 2), Of("b", 1), new Overwrite(), 1)] },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Refuses_transfers_that_cannot_be(string phrase, KnowledgeTransfer[] transfers)
    {
        Learner b = Mlp("b", 2);
        Surgery.Freeze(b.Network, name => name == Name(3));
        GraphException e = Assert.Throws<GraphException>(() => new JointTraining([Mlp("a", 1), b, Learner.Source("still", Mlp("still", 3).Network)], transfers));
        Assert.Contains(phrase, e.Message);
    }

    [Fact]
    public void Says_when_an_adapter_goes_astray()
    {
        KnowledgeTransfer transfer = JointTrainingTests.Transfer("a", "b", 1) with { Rate = 1e30, Optimizer = new Sgd(), ClipNorm = null };
        TrainingException e = Assert.Throws<TrainingException>(() => new JointTraining([Mlp("a", 1), Mlp("b", 2)], [transfer]).Run());
        Assert.StartsWith($"the adapter of {transfer.Name} ", e.Message);

        // The adapter is not run again before the epoch ends.
        KnowledgeTransfer rare = JointTrainingTests.Transfer("a", "b", 100) with { Rate = 1e39, ClipNorm = null };
        e = Assert.Throws<TrainingException>(() => new JointTraining([Mlp("a", 1), Mlp("b", 2)], [rare]).Run());
        Assert.Contains($"the adapter of {rare.Name} has parameters that are no finite numbers", e.Message);
        e = Assert.Throws<TrainingException>(() => new JointTraining([Mlp("a", 1), Mlp("b", 2)], [rare with { ClipNorm = 50 }]).Run());
        Assert.Contains($"the adapter of {rare.Name} has parameters that are no finite numbers", e.Message);
    }

    [Fact]
    public void Says_whose_loss_is_no_number()
    {
        JointTraining joint = new([Mlp("a", 1), Mlp("b", 2, Options with { Rate = 1e30 })], []);
        Assert.StartsWith("b: the loss is", Assert.Throws<TrainingException>(() => joint.Run()).Message);
    }
}
