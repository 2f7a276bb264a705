using Amalgam.Graphs;
using Amalgam.Tests.Alignment;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Transfer.OfMergeNet;

public class JointTrainingTests
{
    internal static readonly TrainingOptions Options = new() { Rule = new Sgd(0.9), Rate = 0.05, Epochs = 3, Batch = 16, Seed = 3 };

    [Theory]
    [InlineData(1, 12)]
    [InlineData(2, 6)]
    [InlineData(5, 3)]
    [InlineData(12, 1)]
    [InlineData(100, 1)]
    public void A_transfer_comes_at_every_round_that_its_cycle_divides(int cycle, int expected)
    {
        JointTraining joint = new([Mlp("a", 1), Mlp("b", 2)], [Transfer("a", "b", cycle)]);
        joint.Run();
        Assert.Equal(12, joint.Rounds);
        Assert.Equal(expected, joint.HistoryOf(0)[^1].Transfers);
        Assert.Equal(3, joint.HistoryOf(0).Count);
    }

    [Fact]
    public void A_network_that_nothing_is_written_to_trains_as_alone()
    {
        JointTraining joint = new([Mlp("a", 1), Mlp("b", 2), Resnet("c", 3)], [Transfer("a", "b", 2), new(Of("a", 1), Of(Resnet("c", 3), "layer2.0.conv1.weight"), new Blend(), 1)]);
        joint.Run();
        AssertSame(Alone(Mlp("a", 1)), joint.NetworkOf("a"));
        Assert.NotEqual(Weight(Alone(Mlp("b", 2)), 1), Weight(joint.NetworkOf("b"), 1));
        Assert.NotEqual(Alone(Resnet("c", 3)).Parameters["layer2.0.conv1.weight"].Value!.Span.ToArray(), joint.NetworkOf("c").Parameters["layer2.0.conv1.weight"].Value!.Span.ToArray());
    }

    [Fact]
    public void Without_transfers_each_network_trains_as_alone_whatever_its_steps_in_a_round()
    {
        Learner a = Mlp("a", 1) with { StepsPerRound = 3 }, b = Resnet("b", 2);
        JointTraining joint = new([a, b], []);
        joint.Run();
        Assert.Equal(12, joint.Rounds);
        AssertSame(Alone(a), joint.NetworkOf("a"));
        AssertSame(Alone(b), joint.NetworkOf("b"));
        Assert.Equal(Trained(a).History.Select(e => e.Loss), joint.RecordOf("a")!.History.Select(e => e.Loss));
    }

    [Fact]
    public void The_networks_that_are_given_stay_as_they_are()
    {
        Learner a = Mlp("a", 1), b = Mlp("b", 2);
        JointTraining joint = new([a, b], [Transfer("a", "b", 1), Transfer("b", "a", 1)]);
        joint.Run();
        AssertSame(Mlp("a", 1).Network, a.Network);
        AssertSame(Mlp("b", 2).Network, b.Network);
    }

    /// <summary>With learning rates of 0 nothing changes but what is written: after one round the matrices of two networks have changed places, which needs one snapshot for both.</summary>
    [Fact]
    public void Both_directions_are_made_from_one_snapshot_before_either_is_written()
    {
        Learner a = Still("a", 1), b = Still("b", 2);
        JointTraining joint = new([a, b], [new(Of("a", 2), Of("b", 2), new Overwrite(), 100), new(Of("b", 2), Of("a", 2), new Overwrite(), 100)]);
        joint.Run();
        Assert.Equal(Weight(a.Network, 2), Weight(joint.NetworkOf("b"), 2));
        Assert.Equal(Weight(b.Network, 2), Weight(joint.NetworkOf("a"), 2));
        Assert.Equal(Weight(a.Network, 1), Weight(joint.NetworkOf("a"), 1));
    }

    /// <summary>Of three networks one learns from the two others, and each of these from it.</summary>
    [Fact]
    public void Several_networks_teach_one_from_the_same_snapshot()
    {
        Learner[] learners = [Still("a", 1), Still("b", 2), Still("c", 3)];
        KnowledgeTransfer forth = new([Of("a", 2), Of("b", 2)], Of("c", 2), new Sum(), 100), toA = new(Of("c", 2), Of("a", 2), new Overwrite(), 100);
        Assert.Equal("a:fc2.weight + b:fc2.weight -> c:fc2.weight", forth.Name);
        JointTraining joint = new(learners, [toA, forth, toA with { Target = Of("b", 2) }]);
        joint.Run();
        float[][] before = [.. learners.Select(learner => Weight(learner.Network, 2))];
        Assert.Equal(before[0].Zip(before[1], (x, y) => x + y), Weight(joint.NetworkOf("c"), 2));
        foreach (string name in new[] { "a", "b" }) Assert.Equal(before[2], Weight(joint.NetworkOf(name), 2));
    }

    /// <summary>A matrix and a factor, of a network that trains and of one that stays.</summary>
    [Theory]
    [InlineData(AdapterForm.Residual)]
    [InlineData(AdapterForm.Published)]
    public void Sources_of_any_kind_teach_together(AdapterForm form)
    {
        Learner still = Learner.Source("still", Mlp("still", 3).Network);
        KnowledgeTransfer Of(params TransferMatrix[] sources) => new([.. sources], JointTrainingTests.Of("b", 1), new LowRankAdapter { Heads = 2, Form = form }, 2);
        TransferMatrix whole = JointTrainingTests.Of("a", 2), factor = JointTrainingTests.Of("still", 2) with { Rank = 3 };
        float[][] results = [.. new[] { Of(whole), Of(whole, factor), Of(factor, whole) }.Select(transfer =>
        {
            JointTraining joint = new([Mlp("a", 1), Mlp("b", 2), still], [transfer]);
            joint.Run();
            AssertSame(Alone(Mlp("a", 1)), joint.NetworkOf("a"));
            AssertSame(still.Network, joint.NetworkOf("still"));
            Assert.Equal(6, joint.HistoryOf(0)[^1].Transfers);
            return Weight(joint.NetworkOf("b"), 1);
        })];
        Assert.NotEqual(results[0], results[1]);
        Assert.NotEqual(results[1], results[2]);
    }

    [Fact]
    public void A_list_of_one_source_trains_to_the_same_bits()
    {
        KnowledgeTransfer one = new(Of("a", 2), Of("b", 1), new LowRankAdapter { Heads = 2 }, 2), list = new([Of("a", 2)], Of("b", 1), new LowRankAdapter { Heads = 2 }, 2);
        Graph[] results = [.. new[] { one, list }.Select(transfer =>
        {
            JointTraining joint = new([Mlp("a", 1), Mlp("b", 2)], [transfer]);
            joint.Run();
            return joint.NetworkOf("b");
        })];
        AssertSame(results[0], results[1]);
    }

    [Fact]
    public void A_layer_may_teach_another_one_of_its_own_network()
    {
        Learner a = Still("a", 1);
        JointTraining joint = new([a], [new(Of("a", 2), Of("a", 1), new Blend(0.5f), 100)]);
        joint.Run();
        Graph after = joint.NetworkOf("a");
        Assert.Equal(Weight(a.Network, 2), Weight(after, 2));
        Assert.NotEqual(Weight(a.Network, 1), Weight(after, 1));
    }

    [Fact]
    public void A_frozen_network_teaches_and_stays()
    {
        Learner a = Learner.Source("a", Mlp("a", 1).Network), b = Mlp("b", 2);
        JointTraining joint = new([a, b], [Transfer("a", "b", 1)]);
        joint.Run();
        AssertSame(a.Network, joint.NetworkOf("a"));
        Assert.Equal(12, joint.HistoryOf(0)[^1].Transfers);
        Assert.Null(joint.BestOf("a"));
    }

    [Fact]
    public void Transfers_end_with_the_training_of_the_target()
    {
        Learner a = Mlp("a", 1), b = Mlp("b", 2, Options with { Epochs = 1 });
        JointTraining joint = new([a, b], [Transfer("a", "b", 1)]);
        joint.Run();
        Assert.Equal((12L, 12L, 4L), (joint.Rounds, joint.RecordOf("a")!.Step, joint.RecordOf("b")!.Step));
        Assert.Equal(4, joint.HistoryOf(0)[^1].Transfers);
    }

    /// <summary>Matrices that are large enough for kernels to share the work.</summary>
    [Theory]
    [InlineData(AdapterRule.Change, AdapterForm.Residual)]
    [InlineData(AdapterRule.ChainRule, AdapterForm.Published)]
    public void The_result_does_not_depend_on_the_number_of_threads(AdapterRule rule, AdapterForm form)
    {
        AssertSame(OnThreads.One(Trained), OnThreads.Four(Trained));

        Graph Trained()
        {
            Learner[] learners = [Wide("a", 200, 100, 1), Wide("b", 256, 64, 2)];
            JointTraining joint = new(learners, [new(Of(learners[0], "fc2.weight"), Of(learners[1], "fc2.weight"), new LowRankAdapter { Form = form, Layers = 1 }, 2) { Rule = rule }]);
            joint.Run();
            return joint.NetworkOf("b");
        }
    }

    [Fact]
    public void An_adapter_does_not_depend_on_which_others_there_are()
    {
        KnowledgeTransfer there = Transfer("a", "b", 1) with { Adapter = new LowRankAdapter { Heads = 2 } }, other = new(Of("c", 2), Of("c", 1), new Blend(), 2);
        Graph[] results = [.. new[] { new[] { there }, [other, there] }.Select(transfers =>
        {
            JointTraining joint = new([Mlp("a", 1), Mlp("b", 2), Mlp("c", 3)], transfers);
            joint.Run();
            return joint.NetworkOf("b");
        })];
        AssertSame(results[0], results[1]);
    }

    [Fact]
    public void A_network_that_trains_for_no_epoch_stays()
    {
        Learner a = Mlp("a", 1, Options with { Epochs = 0 });
        JointTraining joint = new([a, Mlp("b", 2)], [Transfer("a", "b", 2), Transfer("b", "a", 2)]);
        joint.Run(new Nobody());
        AssertSame(a.Network, joint.NetworkOf("a"));
        Assert.Equal(0, joint.RecordOf("a")!.Step);
        Assert.Empty(joint.HistoryOf(1));
    }

    /// <summary>What is handed out while training goes on is a copy.</summary>
    [Fact]
    public void A_network_that_was_asked_for_does_not_change_any_more()
    {
        Graph? early = null, best = null;
        float[] then = [], bestThen = [];
        JointTraining joint = new([Mlp("a", 1), Mlp("b", 2) with { Validation = Samples.Of("mlp", 9, 31).Data }], [Transfer("a", "b", 1)]);
        joint.Run(epochDone: (name, epoch) =>
        {
            if (name != "b" || epoch.Epoch != 1) return;
            (early, best) = (joint.NetworkOf("b"), joint.BestOf("b"));
            (then, bestThen) = (Weight(early, 1), Weight(best!, 1));
        });
        Assert.Equal(then, Weight(early!, 1));
        Assert.Equal(bestThen, Weight(best!, 1));
        Assert.NotEqual(then, Weight(joint.NetworkOf("b"), 1));
    }

    [Fact]
    public void A_residual_adapter_changes_nothing_at_its_first_transfer()
    {
        JointTraining joint = new([Mlp("a", 1), Mlp("b", 2)], [Transfer("a", "b", 100) with { Adapter = new LowRankAdapter { Heads = 2 } }]);
        joint.Run();
        Assert.Equal(0, joint.HistoryOf(0)[0].Change);
        AssertSame(Alone(Mlp("b", 2)), joint.NetworkOf("b"));
    }

    [Fact]
    public void What_is_written_goes_through_dropout_where_that_is_asked_for()
    {
        float[][] results = [.. new[] { false, true }.Select(drops =>
        {
            KnowledgeTransfer transfer = Transfer("a", "b", 1) with { Adapter = new LowRankAdapter { Heads = 2, Dropout = 0.5 }, WritesDropout = drops };
            JointTraining joint = new([Mlp("a", 1), Mlp("b", 2)], [transfer]);
            joint.Run();
            return Weight(joint.NetworkOf("b"), 1);
        })];
        Assert.NotEqual(results[0], results[1]);
        KnowledgeTransfer none = Transfer("a", "b", 1) with { Adapter = new LowRankAdapter { Heads = 2, Dropout = 0, AttentionDropout = 0 } };
        Graph[] same = [.. new[] { false, true }.Select(drops =>
        {
            JointTraining joint = new([Mlp("a", 1), Mlp("b", 2)], [none with { WritesDropout = drops }]);
            joint.Run();
            return joint.NetworkOf("b");
        })];
        AssertSame(same[0], same[1]);
    }

    [Fact]
    public void The_best_weights_give_the_best_score_again()
    {
        Learner b = Mlp("b", 2) with { Validation = Samples.Of("mlp", 9, 31).Data };
        JointTraining joint = new([Mlp("a", 1), b], [Transfer("a", "b", 2)]);
        joint.Run();
        Score again = new Evaluation(joint.BestOf("b")!, b.Loss!, b.Validation!, 16).Run();
        Assert.Equal(joint.RecordOf("b")!.BestEpoch!.Validation!.Loss, again.Loss, 1e-6);
    }

    internal static Learner Mlp(string name, int seed, TrainingOptions? options = null)
    {
        var (network, data) = Samples.Of("mlp", seed, 60);
        return new(name, network, new CrossEntropy(), data, options ?? Options);
    }

    internal static Learner Resnet(string name, int seed)
    {
        var (network, data) = Samples.Of("resnet", seed, 60);
        return new(name, network, new CrossEntropy(), data, Options);
    }

    internal static string Name(int layer) => $"fc{layer}.weight";

    /// <summary>A matrix of the networks that <see cref="Mlp"/> makes.</summary>
    internal static TransferMatrix Of(string learner, int layer) => new(learner, WeightMatrix.Of(Samples.Of("mlp", 1).Network, Name(layer)));

    internal static TransferMatrix Of(Learner learner, string weight) => new(learner.Name, WeightMatrix.Of(learner.Network, weight));

    internal static KnowledgeTransfer Transfer(string from, string to, int cycle) => new(Of(from, from == to ? 1 : 2), Of(to, 1), new Blend(), cycle);

    internal static Trainer Trained(Learner learner)
    {
        Trainer trainer = new(learner.Network, learner.Loss!, learner.Data!, learner.Options, learner.Validation);
        trainer.Run();
        return trainer;
    }

    internal static void AssertSame(Graph expected, Graph actual)
    {
        Assert.Equal(expected.Parameters.Keys, actual.Parameters.Keys);
        foreach (var (name, node) in expected.Parameters) Assert.Equal(node.Value!.Span.ToArray(), actual.Parameters[name].Value!.Span.ToArray());
        Assert.Equal(expected.Nodes.Select(node => node.Op.GetType()), actual.Nodes.Select(node => node.Op.GetType()));
    }

    internal static Graph Alone(Learner learner)
    {
        Learner copy = learner with { Network = Surgery.Copy(learner.Network) };
        Trained(copy);
        return copy.Network;
    }

    /// <summary>A network of two wide layers.</summary>
    private static Learner Wide(string name, int first, int second, int seed)
    {
        Dictionary<string, string> options = new() { ["input"] = "6", ["hidden"] = $"{first},{second}", ["classes"] = "3" };
        return new(name, ZooModel.Find("mlp").Build(2, options, seed), new CrossEntropy(), Samples.Of("mlp", 1, 60).Data, Options with { Rate = 0.01, Epochs = 1 });
    }

    private sealed class Nobody : IProgress<JointProgress>
    {
        public void Report(JointProgress value)
        {
        }
    }

    internal static Learner Still(string name, int seed) => Mlp(name, seed, Options with { Rate = 0 });

    internal static float[] Weight(Graph network, int layer) => network.Parameters[Name(layer)].Value!.Span.ToArray();
}
