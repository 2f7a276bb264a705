using System.Collections.Immutable;
using System.Text;
using Amalgam.Graphs;
using Amalgam.Tests.Alignment;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer.MergeNet;
using Amalgam.Transfer.Teaching;

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

    public static TheoryData<string, KnowledgeTransfer> OtherSettings => new()
    {
        { "the setting 'adapter' is Heads = 2 there and Heads = 4 here;", Usual with { Adapter = new LowRankAdapter { Heads = 4 } } },
        { "the setting 'adapter' is LowRankAdapter", Usual with { Adapter = new Blend() } },
        { "the setting 'cycle' is 2 there and 3 here;", Usual with { Cycle = 3 } },
        { "the setting 'rule' is Change there and ChainRule here;", Usual with { Rule = AdapterRule.ChainRule } },
        { "the setting 'damping' is 0.25 there and 0.5 here;", Usual with { Damping = 0.5 } },
        { "the setting 'optimizer' is AdamW { WeightDecay = 0.01 there and AdamW { WeightDecay = 0.02 here;", Usual with { Optimizer = new AdamW(WeightDecay: 0.02) } },
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

    private static JointTraining Create(string? path, string description = "d", int transfers = 2, int cycle = 2)
    {
        Learner Of(string name, int seed) => JointTrainingTests.Mlp(name, seed, Options) with { Validation = Samples.Of("mlp", 9, 31).Data };
        KnowledgeTransfer[] both = [JointTrainingTests.Transfer("a", "b", cycle), JointTrainingTests.Transfer("b", "a", 3) with { Rule = AdapterRule.ChainRule }];
        return new([Of("a", 1) with { StepsPerRound = 2 }, Of("b", 2)], both.Take(transfers), new() { StatePath = path, Description = description });
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

    /// <summary>Hears of a run, as a command line does, and stops it after a number of rounds.</summary>
    private sealed class After(int rounds, CancellationTokenSource? stop) : IProgress<JointProgress>
    {
        public void Report(JointProgress value)
        {
            if (value.Round == rounds) stop?.Cancel();
        }
    }

    /// <summary>Changes text of a safetensors file's header, which keeps its length.</summary>
    private static void Replace(string path, string found, string changed)
    {
        byte[] bytes = File.ReadAllBytes(path);
        int length = (int)BitConverter.ToInt64(bytes);
        string header = Encoding.UTF8.GetString(bytes, 8, length), mended = header.Replace(found, changed, StringComparison.Ordinal).TrimEnd();
        Assert.Contains(found, header);
        byte[] text = Encoding.UTF8.GetBytes(mended.PadRight(length + (8 - length % 8) % 8 + 8));
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)text.Length), .. text, .. bytes.AsSpan(8 + length)]);
    }
}
