using Amalgam.Tests.Alignment;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Tests.Transfer.OfMergeNet;

public class JointStateTests
{
    private static readonly TrainingOptions Options = new() { Rule = new AdamW(), Rate = 0.01, Schedule = new CosineRate(), Epochs = 4, Batch = 16, Seed = 3 };

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(13)]
    public void An_interrupted_run_goes_on_to_the_same_bits(int after)
    {
        using TemporaryFolder folder = new();
        JointTraining whole = Create(null);
        whole.Run();

        using CancellationTokenSource stop = new();
        JointTraining first = Create(folder["state.safetensors"]);
        Assert.Throws<OperationCanceledException>(() => first.Run(new After(after, stop), cancel: stop.Token));
        JointTraining second = Create(folder["state.safetensors"]);
        Assert.True(second.Resume());
        Assert.Equal(after, second.Round);
        second.Run();

        foreach (string name in new[] { "a", "b" })
        {
            JointTrainingTests.AssertSame(whole.NetworkOf(name), second.NetworkOf(name));
            JointTrainingTests.AssertSame(whole.BestOf(name)!, second.BestOf(name)!);
        }

        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(whole.Trainers[i]!.History.Select(e => (e.Loss, e.Validation!.Loss)), second.Trainers[i]!.History.Select(e => (e.Loss, e.Validation!.Loss)));
            Assert.Equal(whole.HistoryOf(i).Select(r => r.ToJson()), second.HistoryOf(i).Select(r => r.ToJson()));
        }
    }

    [Fact]
    public void There_is_nothing_to_resume_at_first()
    {
        using TemporaryFolder folder = new();
        Assert.False(Create(null).Resume());
        Assert.False(Create(folder["state.safetensors"]).Resume());
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

    private static JointTraining Create(string? path, string description = "d", int transfers = 2)
    {
        Learner Of(string name, int seed) => JointTrainingTests.Mlp(name, seed, Options) with { Validation = Samples.Of("mlp", 9, 31).Data };
        KnowledgeTransfer[] both = [JointTrainingTests.Transfer("a", "b", 2), JointTrainingTests.Transfer("b", "a", 3) with { Rule = AdapterRule.ChainRule }];
        return new([Of("a", 1) with { StepsPerRound = 2 }, Of("b", 2)], both.Take(transfers), new() { StatePath = path, Description = description });
    }

    private sealed class After(int rounds, CancellationTokenSource stop) : IProgress<JointProgress>
    {
        public void Report(JointProgress value)
        {
            if (value.Round == rounds) stop.Cancel();
        }
    }
}
