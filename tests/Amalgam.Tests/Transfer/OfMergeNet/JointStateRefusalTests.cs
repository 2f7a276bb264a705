using Amalgam.Graphs;
using Amalgam.Tests.Alignment;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;
using static Amalgam.Tests.Transfer.OfMergeNet.JointRuns;

namespace Amalgam.Tests.Transfer.OfMergeNet;

/// <summary>States that are no run's, or another's.</summary>
public class JointStateRefusalTests
{
    [Theory]
    [InlineData("\"round\":8", "\"round\":7", "steps after 7 rounds")]
    [InlineData("\"round\":8", "\"round\":-8", "its round is -8")]
    [InlineData("\"optimizer_steps\":4,\"change", "\"optimizer_steps\":5,\"change", "do not go together")]
    public void Refuses_numbers_that_do_not_go_together(string found, string changed, string phrase)
    {
        using TemporaryFolder folder = new();
        string path = folder["state.safetensors"];
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() => Create(path).Run(new After(8, stop), cancel: stop.Token));
        Replace(path, found.Replace("\"", "\\\"", StringComparison.Ordinal), changed.Replace("\"", "\\\"", StringComparison.Ordinal));
        Assert.Contains(phrase, Assert.Throws<InvalidDataException>(() => Create(path).Resume()).Message);
    }

    [Theory]
    [InlineData("\"open\":")]
    [InlineData("\"settings\":")]
    [InlineData("\"cycle\":")]
    [InlineData("\"best_epoch\":")]
    public void Says_that_a_state_is_of_an_older_form(string lacking)
    {
        using TemporaryFolder folder = new();
        string path = folder["state.safetensors"];
        Create(path).Run();
        Replace(path, lacking.Replace("\"", "\\\"", StringComparison.Ordinal), "\\\"other\\\":");
        Assert.Equal($"{path} is the state of a training run in an older form, which lacks what is needed to go on, or is damaged: begin anew", Assert.Throws<InvalidDataException>(() => Create(path).Resume()).Message);
    }

    /// <summary>A caller that begins anew with the same object trains as from the start, or is told that it cannot.</summary>
    [Fact]
    public void A_run_that_could_not_be_resumed_begins_as_if_nothing_had_been_or_not_at_all()
    {
        using TemporaryFolder folder = new();
        string path = folder["state.safetensors"];
        using CancellationTokenSource stop = new();
        JointTraining whole = Create(null);
        Assert.Throws<OperationCanceledException>(() => Create(path).Run(new After(5, stop), cancel: stop.Token));
        whole.Run();

        JointTraining other = Create(path, "other");
        Assert.Throws<TrainingException>(() => other.Resume());
        JointTraining cycle = Create(path, cycle: 1), expected = Create(null, cycle: 1);
        Assert.Contains("'cycle'", Assert.Throws<TrainingException>(() => cycle.Resume()).Message);
        byte[] state = File.ReadAllBytes(path);
        other.Run();
        cycle.Run();
        expected.Run();
        JointTrainingTests.AssertSame(whole.NetworkOf("b"), other.NetworkOf("b"));
        JointTrainingTests.AssertSame(expected.NetworkOf("b"), cycle.NetworkOf("b"));

        File.WriteAllBytes(path, state);
        Replace(path, "\\\"round\\\":5", "\\\"round\\\":4");
        JointTraining damaged = Create(path);
        Assert.Throws<InvalidDataException>(() => damaged.Resume());
        Assert.Contains("create the run anew", Assert.Throws<TrainingException>(() => damaged.Run()).Message);

        // The state as it was takes the place of all that the damaged one left.
        File.WriteAllBytes(path, state);
        Assert.True(damaged.Resume());
        damaged.Run();
        JointTrainingTests.AssertSame(whole.NetworkOf("b"), damaged.NetworkOf("b"));
    }

    [Fact]
    public void Refuses_the_state_of_another_run()
    {
        using TemporaryFolder folder = new();
        string path = folder["state.safetensors"];
        Create(path).Run();
        Assert.Contains("another description", Assert.Throws<TrainingException>(() => Create(path, description: "other").Resume()).Message);
        Assert.Contains("2 transfers, the run 1", Assert.Throws<InvalidDataException>(() => Create(path, transfers: 1).Resume()).Message);
    }

    public static TheoryData<string, KnowledgeTransfer> OtherSettings => new()
    {
        { "the setting 'adapter' is heads 2 there and heads 4 here;", Usual with { Adapter = new LowRankAdapter { Heads = 4 } } },
        { "the setting 'adapter' is lpka, layers 2", Usual with { Adapter = new Blend() } },
        { "the setting 'cycle' is 2 there and 3 here;", Usual with { Cycle = 3 } },
        { "the setting 'rule' is Change there and ChainRule here;", Usual with { Rule = AdapterRule.ChainRule } },
        { "the setting 'damping' is 0.25 there and 0.5 here;", Usual with { Damping = 0.5 } },
        { "the setting 'optimizer' is weight decay 0.01 there and weight decay 0.02 here;", Usual with { Optimizer = new AdamW(WeightDecay: 0.02) } },
        { "the setting 'learning rate' is 0.001 there and 0.002 here;", Usual with { Rate = 0.002 } },
        { " is at 1 and 2 there and at 1 and 3 here;", Usual with { Schedule = new MultiStepRate([1, 3]) } },
        { "the setting 'largest norm' is 50 there and none here;", Usual with { ClipNorm = null } },
        { "the setting 'resets momentum' is False there and True here;", Usual with { ResetsMomentum = true } },
        { "the setting 'writes dropout' is True there and False here;", Usual with { WritesDropout = false } },
        { "the setting 'seed' is 0 there and 1 here;", Usual with { Seed = 1 } },
        { "the setting 'source' is a:fc2.weight [7, 9] there and a:fc1.weight [9, 6] here;", Usual with { Sources = [JointTrainingTests.Of("a", 1)] } },
        { "the setting 'source' is alpha 0 there and alpha 5 here;", Usual with { Sources = [AtRank(5)] } },
        { "the setting 'trust region' is 4 there and 2 here;", Usual with { TrustRegion = 2 } },
        { "the setting 'source' is a:fc2.weight [7, 9] there and a:fc2.weight [7, 9] + b:fc2.weight [7, 9] here;", Usual with { Sources = [JointTrainingTests.Of("a", 2), JointTrainingTests.Of("b", 2)] } },
        { "the setting 'target' is b:fc1.weight [9, 6] there and b:fc2.weight [7, 9] here;", Usual with { Target = JointTrainingTests.Of("b", 2) } },
    };

    private static TrainingOptions Short => Options with { Epochs = 1 };

    private static TransferMatrix AtRank(double alpha) => JointTrainingTests.Of("a", 2) with { Rank = 2, Alpha = alpha };

    private static KnowledgeTransfer Usual => JointTrainingTests.Transfer("a", "b", 2) with { Adapter = new LowRankAdapter { Heads = 2 } };

    /// <summary>Of the same tensors, so that nothing but the settings tells them apart.</summary>
    [Theory]
    [MemberData(nameof(OtherSettings))]
    public void Refuses_the_state_of_a_transfer_with_other_settings(string phrase, KnowledgeTransfer other)
    {
        using TemporaryFolder folder = new();
        KnowledgeTransfer begun = other.Sources[0].Rank > 0 ? other with { Sources = [AtRank(0)] } : other.Schedule is MultiStepRate ? Usual with { Schedule = new MultiStepRate([1, 2]) } : Usual;
        JointTraining Create(KnowledgeTransfer transfer) => new([JointTrainingTests.Mlp("a", 1, Short), JointTrainingTests.Mlp("b", 2, Short)], [transfer], new() { StatePath = folder["state.safetensors"] });
        Create(begun).Run();
        TrainingException e = Assert.Throws<TrainingException>(() => Create(other).Resume());
        Assert.Contains(phrase, e.Message);
        Assert.Contains($"of the transfer {other.Name} ", e.Message);
        Assert.True(Create(begun).Resume());
    }

    /// <summary>What a frozen network, or a frozen matrix that is taken apart, teaches is in no state.</summary>
    [Theory]
    [InlineData(0, true)]
    [InlineData(2, true)]
    [InlineData(2, false)]
    public void Refuses_the_state_of_a_run_with_another_frozen_teacher(int rank, bool isWhole)
    {
        using TemporaryFolder folder = new();
        JointTraining Create(int seed)
        {
            Learner teacher = JointTrainingTests.Mlp("a", seed, Short);
            Surgery.Freeze(teacher.Network, name => name == JointTrainingTests.Name(2));
            if (isWhole) teacher = Learner.Source("a", teacher.Network);
            return new([teacher, JointTrainingTests.Mlp("b", 2, Short)], [Usual with { Sources = [JointTrainingTests.Of("a", 2) with { Rank = rank }] }], new() { StatePath = folder["state.safetensors"] });
        }

        Create(1).Run();
        Assert.Contains("the setting 'frozen source' is one with the digest", Assert.Throws<TrainingException>(() => Create(99).Resume()).Message);
        Assert.True(Create(1).Resume());
    }

    [Fact]
    public void Refuses_a_damaged_state_and_one_of_a_plain_run()
    {
        using TemporaryFolder folder = new();
        string path = folder["state.safetensors"];
        Create(path).Run();
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^9]);
        Assert.Throws<InvalidDataException>(() => Create(path).Resume());

        var (network, data) = Samples.Of("mlp", 1, 60);
        new Trainer(network, new CrossEntropy(), data, Options with { StatePath = path, Description = "d" }).Run();
        Assert.Contains("lacks 'amalgam.joint'", Assert.Throws<InvalidDataException>(() => Create(path).Resume()).Message);
    }
}
