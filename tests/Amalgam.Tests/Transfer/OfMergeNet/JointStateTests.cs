using System.Collections.Immutable;
using System.Text;
using Amalgam.Tests.Alignment;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer.MergeNet;
using Amalgam.Transfer.Teaching;
using static Amalgam.Tests.Transfer.OfMergeNet.JointRuns;

namespace Amalgam.Tests.Transfer.OfMergeNet;

/// <summary>A run that was stopped goes on to the same bits.</summary>
public class JointStateTests
{
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
        Assert.Equal(first.Times, second.Times);
        second.Run();

        foreach (string name in new[] { "a", "b" })
        {
            JointTrainingTests.AssertSame(whole.NetworkOf(name), second.NetworkOf(name));
            JointTrainingTests.AssertSame(whole.BestOf(name)!, second.BestOf(name)!);
            Assert.Equal(whole.RecordOf(name)!.History.Select(e => (e.Loss, e.Validation!.Loss)), second.RecordOf(name)!.History.Select(e => (e.Loss, e.Validation!.Loss)));
        }

        for (int i = 0; i < 2; i++) Assert.Equal(whole.HistoryOf(i).Select(r => r.ToJson()), second.HistoryOf(i).Select(r => r.ToJson()));
    }

    [Theory]
    [InlineData(0, 0, 0, 0)]
    [InlineData(1, 2, 3, 7)]
    [InlineData(12_345_678_901, 9_999_999, 10_000_001, 864_000_000_001)]
    public void Times_are_kept_to_the_tick(long steps, long transfers, long updates, long evaluation)
    {
        using TemporaryFolder folder = new();
        PhaseTimes times = new(new(steps), new(transfers), new(updates), new(evaluation));
        JointState Create() => new(new() { StatePath = folder["state.safetensors"] }, [], [], []);
        Create().Save(new(0, false, times));
        Assert.Equal(times, Create().Load()!.Value.Times);
    }

    /// <summary>Everything that has a state: factors, spectral norms, dropout, an adapter of attention, a head beside a student, and a network that is done before the other.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(9)]
    public void A_run_with_everything_that_has_a_state_goes_on_to_the_same_bits(int after)
    {
        using TemporaryFolder folder = new();
        JointTraining whole = Rich(null);
        whole.Run(new After(0, null));
        Assert.Equal(4, whole.RecordOf("a")!.Step);

        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() => Rich(folder["state.safetensors"]).Run(new After(after, stop), cancel: stop.Token));
        JointTraining second = Rich(folder["state.safetensors"]);
        Assert.True(second.Resume());
        second.Run(new After(0, null));
        foreach (string name in new[] { "a", "b" }) JointTrainingTests.AssertSame(whole.NetworkOf(name), second.NetworkOf(name));
        Assert.Equal(whole.HistoryOf(0).Select(r => r.ToJson()), second.HistoryOf(0).Select(r => r.ToJson()));
    }

    /// <summary>Cancelled while a sample is read: within a round, between two steps of one network, in the evaluation of an epoch that ends within a round, with transfers open under either rule.</summary>
    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(false, 2)]
    public void A_run_that_is_interrupted_anywhere_goes_on_to_the_same_bits(bool isRich, int sources)
    {
        using TemporaryFolder folder = new();
        using Reads none = new(int.MaxValue), other = new(int.MaxValue);
        JointTraining whole = Interrupted(isRich, none, null, sources);
        whole.Run();

        HashSet<bool> open = [];
        for (int at = 0; at < none.Count; at += none.Count / 15)
        {
            string path = folder[$"state-{at}.safetensors"];
            using Reads reads = new(at);
            Assert.Throws<OperationCanceledException>(() => Interrupted(isRich, reads, path, sources).Run(cancel: reads.Cancelled));
            JointTraining second = Interrupted(isRich, other, path, sources);
            Assert.True(second.Resume());
            open.Add(Encoding.UTF8.GetString(File.ReadAllBytes(path)).Contains("open_rate", StringComparison.Ordinal));
            second.Run();
            foreach (string name in ((string[])["a", "b", "c"])[..(1 + sources)]) JointTrainingTests.AssertSame(whole.NetworkOf(name), second.NetworkOf(name));
            for (int i = 0; i < 2; i++) Assert.Equal(whole.HistoryOf(i).Select(r => r.ToJson()), second.HistoryOf(i).Select(r => r.ToJson()));
        }

        Assert.Equal(2, open.Count);
    }

    [Fact]
    public void A_run_that_was_interrupted_goes_on_in_the_same_object_too()
    {
        using Reads reads = new(500), none = new(int.MaxValue);
        JointTraining whole = Interrupted(true, none, null);
        whole.Run();
        JointTraining once = Interrupted(true, reads, null);
        Assert.Throws<OperationCanceledException>(() => once.Run(cancel: reads.Cancelled));
        once.Run();
        foreach (string name in new[] { "a", "b" }) JointTrainingTests.AssertSame(whole.NetworkOf(name), once.NetworkOf(name));
    }

    /// <summary>A killed run has the state of the last epoch's end.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public void The_state_is_kept_after_every_epoch_wherever_in_a_round_it_ends(int steps)
    {
        using TemporaryFolder folder = new();
        string path = folder["state.safetensors"];
        List<(int Epoch, bool IsKept)> closed = [];
        JointTraining joint = new([JointTrainingTests.Mlp("a", 1, Options) with { StepsPerRound = steps }], [], new() { StatePath = path });
        joint.Run(epochDone: (_, epoch) =>
        {
            closed.Add((epoch.Epoch, File.Exists(path)));
            File.Delete(path);
        });
        Assert.Equal([(1, true), (2, true), (3, true), (4, true)], closed);
    }

    [Fact]
    public void A_caller_that_cancels_at_an_epoch_leaves_a_state_too()
    {
        using TemporaryFolder folder = new();
        JointTraining whole = Create(null);
        whole.Run();
        JointTraining first = Create(folder["state.safetensors"]);
        Assert.Throws<OperationCanceledException>(() => first.Run(epochDone: (_, _) => throw new OperationCanceledException()));
        JointTraining second = Create(folder["state.safetensors"]);
        Assert.True(second.Resume());
        second.Run();
        JointTrainingTests.AssertSame(whole.NetworkOf("b"), second.NetworkOf("b"));
    }

    [Fact]
    public void There_is_nothing_to_resume_at_first()
    {
        using TemporaryFolder folder = new();
        Assert.False(Create(null).Resume());
        Assert.False(Create(folder["state.safetensors"]).Resume());
    }

    private static JointTraining Rich(string? path)
    {
        Learner a = JointTrainingTests.Mlp("a", 1, Options with { Epochs = 1 }), b = JointTrainingTests.Resnet("b", 2) with { Loss = new Uskd() };
        LowRankAdapter published = new() { Heads = 2, Form = AdapterForm.Published, Layers = 1 };
        return new([a, b], [new(JointTrainingTests.Of("a", 2) with { Rank = 3 }, JointTrainingTests.Of(b, "layer2.0.conv1.weight") with { Rank = 4 }, published, 2)], new() { StatePath = path });
    }

    /// <summary>Networks of which one ends its epochs within rounds, and which say when their samples are read; with two sources a third one teaches along.</summary>
    private static JointTraining Interrupted(bool isRich, Reads reads, string? path, int sources = 1)
    {
        Learner a = JointTrainingTests.Mlp("a", 1, Options with { Epochs = 2 }), b = JointTrainingTests.Mlp("b", 2, Options);
        LowRankAdapter adapter = new() { Heads = 2, Form = isRich ? AdapterForm.Published : AdapterForm.Residual };
        KnowledgeTransfer forth = JointTrainingTests.Transfer("a", "b", 2) with { Adapter = adapter, Rule = AdapterRule.ChainRule, Optimizer = new AdamW(), ResetsMomentum = true };
        KnowledgeTransfer back = JointTrainingTests.Transfer("b", "a", 3) with { Adapter = isRich ? new MlpAdapter(5) : adapter };
        Learner Heard(Learner learner) => learner with { Data = new HeardData(learner.Data!, reads), Validation = new HeardData(Samples.Of("mlp", 9, 31).Data, reads) };
        Learner c = JointTrainingTests.Mlp("c", 4, Options with { Epochs = 2 });
        if (sources == 2) forth = forth with { Sources = [.. forth.Sources, JointTrainingTests.Of("c", 3)] };
        return new([Heard(a), Heard(b) with { StepsPerRound = 3 }, .. sources == 2 ? [Heard(c)] : (Learner[])[]], [forth, back], new() { StatePath = path });
    }

    /// <summary>Counts samples that are read, and cancels at one of them.</summary>
    private sealed class Reads(int last) : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private int _count;

        public int Count => _count;

        public CancellationToken Cancelled => _stop.Token;

        public void Dispose() => _stop.Dispose();

        public void Add()
        {
            if (Interlocked.Increment(ref _count) > last) _stop.Cancel();
        }
    }

    private sealed class HeardData(Dataset data, Reads reads) : Dataset
    {
        public override string Name => data.Name;

        public override int Count => data.Count;

        public override ImmutableArray<Field> Fields => data.Fields;

        public override ReadOnlySpan<int> Labels => data.Labels;

        public override ImmutableArray<string> Classes => data.Classes;

        public override void Read(int field, int sample, Draw draw, Span<float> y)
        {
            reads.Add();
            data.Read(field, sample, draw, y);
        }
    }
}
