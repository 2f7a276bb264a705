using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Tests.Transfer.OfMergeNet;

/// <summary>A transfer as a user gets it who chooses nothing: two layers with dropout, AdamW at 1e-3, a cosine, damping, a transfer at every fourth round.</summary>
public class DefaultTransferTests
{
    private const int Cycle = 4, Seeds = 4;

    /// <summary>
    /// A target whose optimum is a linear map of the source (item 44 of the specification). With a damping of 1/4 a transfer goes four of the target's own steps ahead, so that at every fourth step the target is up to twice
    /// as fast as alone: where alone the share r of the way is left, r^2 would be. Half of that gain must be there in the mean; it is within 0.03 of all of it with every seed.
    /// </summary>
    [Fact]
    public void The_target_comes_nearer_to_its_optimum_than_alone()
    {
        var (alone, taught) = Mean(rate: 1e-3);
        Assert.InRange(alone, 0.4, 0.6);
        Assert.True(taught < alone * (1 + alone) / 2, $"taught: {taught} of the way is left, alone {alone}");
    }

    /// <summary>An adapter that does not learn leaves the target alone, dropout and all: what the other test sees is learned.</summary>
    [Fact]
    public void It_does_not_where_the_adapter_does_not_learn()
    {
        var (alone, taught) = Mean(rate: 0);
        Assert.Equal(alone, taught, 1e-6);
    }

    /// <summary>What is left of the way to the optimum, in the mean over seeds of matrices, samples and adapters.</summary>
    private static (double Alone, double Taught) Mean(double rate)
    {
        var each = Enumerable.Range(1, Seeds).Select(seed => Left(seed, rate)).ToArray();
        return (each.Average(left => left.Alone), each.Average(left => left.Taught));
    }

    private static (double Alone, double Taught) Left(int seed, double rate)
    {
        Random random = new(seed);
        Tensor source = AdapterRuleTests.Draw(random, 4, 5, 1), map = AdapterRuleTests.Draw(random, 5, 6, 0.5f), best = new(new(4, 6));
        new MatMul().Run([source, map], best);
        TrainingOptions options = new() { Rule = new Sgd(), Rate = 0.005, Epochs = 80, Batch = 40, Seed = seed };
        Learner still = Learner.Source("source", AdapterRuleTests.Linear(source));
        Learner learner = new("target", AdapterRuleTests.Linear(AdapterRuleTests.Draw(random, 4, 6, 0.3f)), new SquaredError(), new AdapterRuleTests.Mapped(best, 400), options);
        double begin = AdapterRuleTests.Distance(learner.Network, best);
        Learner alone = learner with { Network = Surgery.Copy(learner.Network) };
        JointTrainingTests.Trained(alone);
        KnowledgeTransfer transfer = new(JointTrainingTests.Of(still, "w"), JointTrainingTests.Of(learner, "w"), new LowRankAdapter(), Cycle) { Rate = rate, Seed = seed };
        JointTraining joint = new([still, learner], [transfer]);
        joint.Run();
        return (AdapterRuleTests.Distance(alone.Network, best) / begin, AdapterRuleTests.Distance(joint.NetworkOf("target"), best) / begin);
    }

    /// <summary>The description above, and the bound's reason, are of these.</summary>
    [Fact]
    public void These_are_the_defaults()
    {
        LowRankAdapter adapter = new();
        Learner still = Learner.Source("source", AdapterRuleTests.Linear(new Tensor(new(2, 2))));
        KnowledgeTransfer transfer = new(JointTrainingTests.Of(still, "w"), JointTrainingTests.Of(still, "w"), adapter, Cycle);
        Assert.Equal((2, AdapterForm.Residual, 0.25), (adapter.Layers, adapter.Form, adapter.UsualDamping));
        Assert.True(adapter.Dropout > 0 && adapter.AttentionDropout > 0);
        Assert.Equal((AdapterRule.Change, null, 1e-3, true), (transfer.Rule, transfer.Damping, transfer.Rate, transfer.WritesDropout));
        Assert.Equal((new AdamW(WeightDecay: 0.01), new CosineRate()), (transfer.Optimizer, transfer.Schedule));
    }
}
