using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Tests.Training;

/// <summary>Training with the library's operators: batch statistics, dropout, the usual losses.</summary>
public class RealOperatorsTests
{
    private static readonly TrainingOptions Options = new() { Rule = new AdamW(), Rate = 0.02, Epochs = 4, Batch = 32, Seed = 5 };

    [Fact]
    public void Running_statistics_follow_the_batches()
    {
        Graph network = Network(0);
        Tensor mean = network.Parameters["bn.running_mean"].Value!, variance = network.Parameters["bn.running_var"].Value!;
        Dataset data = NaiveNetwork.Rings(32, 1);
        float[] hidden = Hidden(network, data);
        new Trainer(network, new CrossEntropy(), data, Options with { Rate = 0, Epochs = 1 }).Run();
        for (int unit = 0; unit < mean.Count; unit++)
        {
            double[] values = [.. Enumerable.Range(0, 32).Select(i => (double)hidden[i * mean.Count + unit])];
            double average = values.Average(), unbiased = values.Sum(v => (v - average) * (v - average)) / 31;
            Assert.Equal(0.1 * average, mean.Span[unit], 1e-5);
            Assert.Equal(0.9 + 0.1 * unbiased, variance.Span[unit], 1e-5);
        }
    }

    [Fact]
    public void A_network_with_normalisation_and_dropout_learns()
    {
        Graph network = Network(0.1f);
        Trainer trainer = new(network, new CrossEntropy(0.02), NaiveNetwork.Rings(600, 1), Options with { Epochs = 15 }, NaiveNetwork.Rings(300, 2));
        trainer.Run();
        Assert.True(trainer.BestEpoch!.Validation!.Accuracy > 0.97, $"{trainer.BestEpoch}");
    }

    [Fact]
    public void Bits_depend_neither_on_threads_nor_on_interruption()
    {
        using TemporaryFolder folder = new();
        float[] alone = OnThreads.One(() => Train(null)), shared = OnThreads.Four(() => Train(null)), resumed = OnThreads.Four(() => Train(7));
        Assert.Equal(alone, shared);
        Assert.Equal(alone, resumed);

        float[] Train(int? stopAt)
        {
            // A batch of which the layers' values are worth sharing.
            TrainingOptions options = Options with { Batch = 4096, StatePath = stopAt is null ? null : folder["state.safetensors"] };
            Graph network = Network(0.3f);
            if (stopAt is not null)
            {
                using CancellationTokenSource stop = new();
                Assert.Throws<OperationCanceledException>(() => Make(network, options).Run(new Stop(stop, stopAt.Value), cancel: stop.Token));
                network = Network(0.3f);
            }

            Trainer trainer = Make(network, options);
            Assert.Equal(stopAt is not null, trainer.Resume());
            trainer.Run();
            return [.. network.Parameters.Values.SelectMany(p => p.Value!.Span.ToArray())];
        }

        static Trainer Make(Graph network, TrainingOptions options) => new(network, new CrossEntropy(), NaiveNetwork.Rings(10_000, 1), options, NaiveNetwork.Rings(40, 2));
    }

    [Fact]
    public void Dropout_draws_anew_at_every_step_and_by_the_seed()
    {
        Assert.NotEqual(Train(1), Train(2));
        Assert.Equal(Train(1), Train(1));

        static float[] Train(long seed)
        {
            Graph network = Network(0.5f);
            // One batch of all samples: without dropout their order has next to no influence.
            Trainer trainer = new(network, new CrossEntropy(), NaiveNetwork.Rings(32, 1), Options with { Seed = seed, Epochs = 2, Rate = 0, DropLast = true });
            trainer.Run();
            return [.. trainer.History.Select(e => MathF.Round((float)e.Loss, 4))];
        }
    }

    [Fact]
    public void A_warm_step_allocates_nothing()
    {
        AllocationMeter meter = new();
        new Trainer(Network(0.2f), new CrossEntropy(), NaiveNetwork.Rings(320, 1), Options with { Epochs = 1, ClipNorm = 1, Schedule = new CosineRate(Warmup: 0.5) }).Run(meter);
        Assert.Equal(0, meter.Least);
    }

    [Fact]
    public void Cosine_scores_are_cosines()
    {
        Generator gen = new(3);
        Tensor embedding = new(new(4, 6), gen.Floats(24)), vectors = new(new(3, 6), gen.Floats(18));
        Graph graph = new();
        Node scores = CosineCrossEntropy.Scores(graph.Input("x", new(4, 6)), vectors, 10);
        Executor executor = new(graph, [scores]);
        embedding.Span.CopyTo(executor["x"].Span);
        executor.Run();
        for (int i = 0; i < 4; i++)
        {
            for (int j = 0; j < 3; j++) Assert.Equal(10 * Cosine(embedding.Span.Slice(i * 6, 6), vectors.Span.Slice(j * 6, 6)), executor[scores].Span[i * 3 + j], 1e-4);
        }

        Assert.Throws<GraphException>(() => CosineCrossEntropy.Scores(graph.Input("y", new(4, 5)), vectors));

        static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
        {
            double ab = 0, aa = 0, bb = 0;
            for (int i = 0; i < a.Length; i++) (ab, aa, bb) = (ab + (double)a[i] * b[i], aa + (double)a[i] * a[i], bb + (double)b[i] * b[i]);
            return ab / Math.Sqrt(aa * bb);
        }
    }

    [Fact]
    public void Every_loss_names_its_truth_and_gives_one_number()
    {
        foreach (Amalgam.Training.Loss loss in (Amalgam.Training.Loss[])[new CrossEntropy(0.1), new CosineCrossEntropy(new(new(5, 3), new Generator(1).Floats(15))), new BinaryCrossEntropy(), new SquaredError("wanted")])
        {
            Graph graph = new();
            LossNodes nodes = loss.Add(graph.Input("x", new(4, 3)));
            Assert.Equal(1, nodes.Value.Shape.Count);
            Assert.Equal(loss.Target, nodes.Truth?.Name);
            Assert.Equal(loss is CrossEntropy ? 3 : loss is CosineCrossEntropy ? 5 : 0, nodes.Scores?.Shape[1] ?? 0);
        }

        Graph wrong = new();
        Assert.Contains("a score for each sample and class", Assert.Throws<GraphException>(() => new CrossEntropy().Add(wrong.Input("x", new(4, 3, 2)))).Message);
    }

    /// <summary>2 - 16 - normalise - tanh - drop - 2.</summary>
    private static Graph Network(float drop)
    {
        Random random = new(4);
        Graph graph = new();
        Node x = graph.Add(new MatMul(), graph.Input("point", new(1, 2)), Weights("fc1.weight", 2, 16));
        x = x.BatchNormalization(Parameter("bn.weight", 1), Parameter("bn.bias", 0), Parameter("bn.running_mean", 0, false), Parameter("bn.running_var", 1, false)).Tanh();
        if (drop > 0) x = x.Dropout(drop);
        graph.Output("logits", graph.Add(new MatMul(), x, Weights("fc2.weight", 16, 2)));
        return graph;

        Node Parameter(string name, float value, bool trainable = true) => graph.Parameter(name, new(new(16), [.. Enumerable.Repeat(value, 16)]), trainable);
        Node Weights(string name, int rows, int columns) => graph.Parameter(name, new(new(rows, columns), [.. Enumerable.Range(0, rows * columns).Select(_ => (float)(random.NextDouble() * 2 - 1))]));
    }

    /// <summary>What comes out of the first layer for each sample.</summary>
    private static float[] Hidden(Graph network, Dataset data)
    {
        Tensor w = network.Parameters["fc1.weight"].Value!;
        float[] hidden = new float[data.Count * 16], point = new float[2];
        for (int i = 0; i < data.Count; i++)
        {
            data.Read(0, i, default, point);
            for (int unit = 0; unit < 16; unit++) hidden[i * 16 + unit] = point[0] * w.Span[unit] + point[1] * w.Span[16 + unit];
        }

        return hidden;
    }

    private sealed class Stop(CancellationTokenSource stop, int at) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Step == at) stop.Cancel();
        }
    }

    /// <summary>The least of all steps, as <see cref="Warm"/> has it.</summary>
    private sealed class AllocationMeter : IProgress<TrainingProgress>
    {
        private long _before = GC.GetAllocatedBytesForCurrentThread();

        public long Least { get; private set; } = long.MaxValue;

        public void Report(TrainingProgress value)
        {
            long now = GC.GetAllocatedBytesForCurrentThread();
            (Least, _before) = (Math.Min(Least, now - _before), now);
        }
    }
}
