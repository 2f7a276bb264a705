using System.Collections.Immutable;
using Amalgam.Numerics;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer.MergeNet;
using static Amalgam.Tests.Transfer.OfMergeNet.JointTrainingTests;

namespace Amalgam.Tests.Transfer.OfMergeNet;

public class JointMemoryTests
{
    public static TheoryData<string, KnowledgeTransfer> Kinds
    {
        get
        {
            KnowledgeTransfer usual = JointTrainingTests.Transfer("a", "b", 1) with { Adapter = new LowRankAdapter { Heads = 2 } };
            return new()
            {
                { "usual", usual },
                { "chain rule", usual with { Rule = AdapterRule.ChainRule } },
                { "momentum reset", usual with { ResetsMomentum = true } },
                { "no limit", usual with { ClipNorm = null } },
                { "without dropout", usual with { WritesDropout = false } },
                { "at a rank", usual with { Target = usual.Target with { Rank = 2 }, Damping = 0 } },
                { "steps of the rate", usual with { Schedule = new MultiStepRate([1, 2]) } },
                { "two sources", usual with { Sources = [Of("a", 1), Of("a", 2)] } },
                { "no trust region", usual with { TrustRegion = 0 } },
                { "published", usual with { Adapter = new LowRankAdapter { Heads = 2, Form = AdapterForm.Published } } },
                { "mlp", usual with { Adapter = new MlpAdapter(5) } },
            };
        }
    }

    /// <summary>From one step of the last network to its next, within an epoch, lies all that a round does.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_warm_round_allocates_nothing(string kind, KnowledgeTransfer transfer)
    {
        const int Steps = 24;
        using CoreLimit limit = Cores.Limit(1);
        Noted rule = new(new long[Steps + 1]);
        TrainingOptions options = Options with { Batch = 5, Epochs = 2 };
        JointTraining joint = new([Kept(Mlp("a", 1, options)), Kept(Mlp("b", 2, options with { Rule = rule }))], [transfer, new(transfer.Target, Of("a", 3), new Blend(), 1)]);
        joint.Run();
        Assert.Equal(Steps, joint.HistoryOf(0)[^1].Transfers);
        long median = Warm.Median(Enumerable.Range(3, Steps / 2 - 3).Concat(Enumerable.Range(Steps / 2 + 1, Steps / 2 - 1)).Select(step => rule.Allocated[step + 1] - rule.Allocated[step]));
        Assert.True(median == 0, $"{kind}: {median} bytes a round");
    }

    private static Learner Kept(Learner learner) => learner with { Data = new KeptData(learner.Data!) };

    /// <summary>Samples that are read without drawing them anew.</summary>
    private sealed class KeptData(Dataset data) : Dataset
    {
        private readonly float[][][] _values = [.. Enumerable.Range(0, data.Fields.Length).Select(field => Enumerable.Range(0, data.Count).Select(sample => Values(data, field, sample)).ToArray())];

        public override string Name => data.Name;

        public override int Count => data.Count;

        public override ImmutableArray<Field> Fields { get; } = data.Fields;

        public override void Read(int field, int sample, Draw draw, Span<float> y) => _values[field][sample].CopyTo(y);

        private static float[] Values(Dataset data, int field, int sample)
        {
            float[] values = new float[data.Fields[field].Shape.Count];
            data.Read(field, sample, default, values);
            return values;
        }
    }

    /// <summary>Descent with momentum that notes what the thread has allocated when a step is taken.</summary>
    private sealed record Noted(long[] Allocated) : UpdateRule(0)
    {
        public override string Name => "noted";

        public override ImmutableArray<string> Slots { get; } = ["momentum"];

        public override void Apply(UpdateStep step, Span<float> w, ReadOnlySpan<float> dw, Span<float> first, Span<float> second)
        {
            if (Allocated[step.Number] == 0) Allocated[step.Number] = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < w.Length; i++) w[i] -= (float)(step.Rate * (first[i] = 0.5f * first[i] + dw[i]));
        }
    }
}
