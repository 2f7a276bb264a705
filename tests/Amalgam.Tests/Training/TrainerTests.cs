using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Tests.Training;

public class TrainerTests
{
    private static readonly TrainingOptions Options = new() { Rule = new Sgd(0.9, WeightDecay: 1e-4), Rate = 0.3, Schedule = new CosineRate(Warmup: 1), Epochs = 12, Batch = 24, Seed = 3 };

    [Fact]
    public void A_problem_that_no_line_solves_is_learned()
    {
        Graph network = NaiveNetwork.Build(12, 2, 1);
        Trainer trainer = new(network, new NaiveNetwork.NaiveCrossEntropy(), NaiveNetwork.Rings(400, 1), Options with { Epochs = 30 }, NaiveNetwork.Rings(200, 2));
        trainer.Run();
        Assert.Equal(30, trainer.History.Count);
        Assert.InRange(trainer.History[0].Validation!.Accuracy!.Value, 0.2, 0.8);
        Assert.True(trainer.BestEpoch!.Validation!.Accuracy > 0.97, $"{trainer.BestEpoch}");
        Assert.True(trainer.History[^1].Loss < 0.2);
        Assert.Equal(trainer.BestEpoch.Validation!.Accuracy, trainer.History.Max(e => e.Validation!.Accuracy));
    }

    [Fact]
    public void The_parameters_of_the_best_epoch_give_its_score_again()
    {
        Graph network = NaiveNetwork.Build(12, 2, 1);
        Dataset validation = NaiveNetwork.Rings(101, 2);
        Trainer trainer = new(network, new NaiveNetwork.NaiveCrossEntropy(), NaiveNetwork.Rings(200, 1), Options with { Rate = 2 }, validation);
        trainer.Run();
        foreach (var (name, weights) in trainer.Best!) weights.Span.CopyTo(network.Parameters[name].Value!.Span);
        Score again = new Evaluation(network, new NaiveNetwork.NaiveCrossEntropy(), validation, 7).Run();
        Assert.Equal(trainer.BestEpoch!.Validation!.Accuracy, again.Accuracy);
        Assert.Equal(trainer.BestEpoch.Validation.Loss, again.Loss, 1e-6);
    }

    [Fact]
    public void The_best_epoch_is_the_first_of_the_largest_merit_also_after_a_resume()
    {
        using TemporaryFolder folder = new();
        Dataset validation = NaiveNetwork.Rings(50, 2);
        // How far apart the two scores are lies: it is largest in the first epochs here, when most samples are taken for the wrong class.
        double Merit(ReadOnlySpan<float> scores, int sample) => -Math.Abs(scores[0] - scores[1]) * (1 + sample);
        TrainingOptions options = Options with { Merit = Merit, StatePath = folder["state.safetensors"], Epochs = 8, Rate = 1 };

        using CancellationTokenSource stop = new();
        Trainer first = new(NaiveNetwork.Build(8, 2, 1), new NaiveNetwork.NaiveCrossEntropy(), NaiveNetwork.Rings(200, 1), options, validation);
        Assert.Throws<OperationCanceledException>(() => first.Run(epochDone: e => { if (e.Epoch == 5) stop.Cancel(); }, cancel: stop.Token));
        Graph network = NaiveNetwork.Build(8, 2, 1);
        Trainer trainer = new(network, new NaiveNetwork.NaiveCrossEntropy(), NaiveNetwork.Rings(200, 1), options, validation);
        Assert.True(trainer.Resume());
        trainer.Run();

        EpochRecord best = trainer.BestEpoch!;
        Assert.Equal(trainer.History.Max(e => e.Validation!.Merit), best.Validation!.Merit);
        Assert.All(trainer.History.Take(best.Epoch - 1), e => Assert.True(e.Validation!.Merit < best.Validation.Merit));
        Assert.True(trainer.History.Max(e => e.Validation!.Accuracy) > best.Validation.Accuracy);
        Assert.All(trainer.History, e => Assert.Contains("\"validation_merit\":", e.ToJson()));

        foreach (var (name, weights) in trainer.Best!) weights.Span.CopyTo(network.Parameters[name].Value!.Span);
        Tensor scores = Predictions.Of(network, validation, 50);
        Assert.Equal(Enumerable.Range(0, 50).Average(i => Merit(scores.Span.Slice(2 * i, 2), i)), best.Validation.Merit!.Value, 1e-5);
    }

    [Fact]
    public void The_best_epoch_may_be_chosen_by_the_results_for_all_samples_together()
    {
        // How far the mean score of all samples is above that of the first; batches of 7 leave a smaller one at the end. A merit of single samples does not count beside it.
        Dataset validation = NaiveNetwork.Rings(50, 2);
        static double Merit(Tensor results) => Enumerable.Range(0, 50).Average(i => results.Span[2 * i]) - results.Span[0];
        TrainingOptions options = Options with { SetMerit = Merit, Merit = (_, sample) => sample, EvaluationBatch = 7, Epochs = 8, Rate = 1 };
        Graph network = NaiveNetwork.Build(8, 2, 1);
        Trainer trainer = new(network, new NaiveNetwork.NaiveCrossEntropy(), NaiveNetwork.Rings(200, 1), options, validation);
        trainer.Run();

        EpochRecord best = trainer.BestEpoch!;
        Assert.Equal(trainer.History.Max(e => e.Validation!.Merit), best.Validation!.Merit);
        foreach (var (name, weights) in trainer.Best!) weights.Span.CopyTo(network.Parameters[name].Value!.Span);
        Assert.Equal(Merit(Predictions.Of(network, validation, 50)), best.Validation.Merit!.Value, 1e-5);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_first_step_is_that_of_the_mean_gradient_of_its_samples(bool wholeBatches)
    {
        // One step over all samples; or two, of which the second has fewer, which dropping leaves out.
        Dataset data = NaiveNetwork.Rings(wholeBatches ? 10 : 13, 5);
        Graph network = NaiveNetwork.Build(3, 2, 2), reference = NaiveNetwork.Build(3, 2, 2);
        new Trainer(network, new NaiveNetwork.NaiveCrossEntropy(), data, new() { Rule = new Sgd(), Rate = 1, Epochs = 1, Batch = 10, DropLast = true, Seed = 9 }).Run();

        Batches batches = new(data, 10, 9, dropLast: true);
        int[] samples = batches.Samples(0).ToArray();
        Dictionary<string, double[]> slopes = reference.Parameters.ToDictionary(p => p.Key, p => Slopes(p.Value.Value!));
        foreach (var (name, node) in network.Parameters)
        {
            for (int i = 0; i < node.Value!.Count; i++)
                Assert.Equal(reference.Parameters[name].Value!.Span[i] - slopes[name][i], node.Value.Span[i], 2e-3);
        }

        double[] Slopes(Tensor w)
        {
            const float Width = 1e-2f;
            return [.. Enumerable.Range(0, w.Count).Select(i =>
            {
                float at = w.Span[i];
                w.Span[i] = at + Width;
                double above = MeanLoss();
                w.Span[i] = at - Width;
                double below = MeanLoss();
                w.Span[i] = at;
                return (above - below) / (2 * Width);
            })];
        }

        double MeanLoss() => samples.Average(s => new Evaluation(reference, new NaiveNetwork.NaiveCrossEntropy(), new One(data, s), 1).Run().Loss);
    }

    [Fact]
    public void Bits_depend_on_the_seed_and_not_on_the_threads()
    {
        float[] one = OnThreads.One(() => Train(3)), several = OnThreads.Four(() => Train(3)), other = Train(4);
        Assert.Equal(one, several);
        Assert.NotEqual(one, other);

        static float[] Train(long seed)
        {
            Graph network = NaiveNetwork.Build(40, 2, 1);
            new Trainer(network, new NaiveNetwork.NaiveCrossEntropy(), NaiveNetwork.Rings(250, 1), Options with { Seed = seed, Epochs = 2 }).Run();
            return Weights(network);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(20)]
    [InlineData(47)]
    public void An_interrupted_run_is_resumed_to_the_same_bits(int stopAt)
    {
        using TemporaryFolder folder = new();
        TrainingOptions options = Options with { Rule = new AdamW(), Rate = 0.02, Epochs = 5, ClipNorm = 0.5, StatePath = folder["state.safetensors"], Description = "the run" };
        Dataset data = NaiveNetwork.Rings(230, 1), validation = NaiveNetwork.Rings(50, 2);

        Graph whole = NaiveNetwork.Build(8, 2, 1);
        Trainer uninterrupted = new(whole, new NaiveNetwork.NaiveCrossEntropy(), data, options with { StatePath = null }, validation);
        uninterrupted.Run();

        using CancellationTokenSource stop = new();
        Trainer first = new(NaiveNetwork.Build(8, 2, 1), new NaiveNetwork.NaiveCrossEntropy(), data, options, validation);
        Assert.False(first.Resume());
        Assert.Throws<OperationCanceledException>(() => first.Run(new Reports(p => { if (p.Step == stopAt) stop.Cancel(); }), cancel: stop.Token));

        Graph network = NaiveNetwork.Build(8, 2, seed: 77);
        Trainer second = new(network, new NaiveNetwork.NaiveCrossEntropy(), data, options, validation);
        Assert.True(second.Resume());
        Assert.Equal(stopAt, second.Step);
        second.Run();

        Assert.Equal(Weights(whole), Weights(network));
        Assert.Equal(uninterrupted.History.Select(e => e with { Seconds = 0 }), second.History.Select(e => e with { Seconds = 0 }));
        Assert.Equal(uninterrupted.BestEpoch!.Epoch, second.BestEpoch!.Epoch);
        Assert.All(uninterrupted.Best!, b => Assert.Equal(b.Value.Span.ToArray(), second.Best![b.Key].Span.ToArray()));
    }

    [Fact]
    public void A_finished_run_has_nothing_left_to_do()
    {
        using TemporaryFolder folder = new();
        TrainingOptions options = Options with { Epochs = 2, StatePath = folder["state.safetensors"] };
        Graph network = NaiveNetwork.Build(4, 2, 1);
        new Trainer(network, new NaiveNetwork.NaiveCrossEntropy(), NaiveNetwork.Rings(50, 1), options).Run();
        float[] weights = Weights(network);
        Trainer again = new(network, new NaiveNetwork.NaiveCrossEntropy(), NaiveNetwork.Rings(50, 1), options);
        Assert.True(again.Resume());
        again.Run(new Reports(_ => Assert.Fail("there is no step left")), _ => Assert.Fail("there is no epoch left"));
        Assert.Equal(weights, Weights(network));
    }

    [Fact]
    public void A_state_of_another_run_or_of_no_run_is_refused()
    {
        using TemporaryFolder folder = new();
        TrainingOptions options = Options with { Epochs = 1, StatePath = folder["state.safetensors"], Description = "one" };
        Trainer Make(TrainingOptions o, int hidden = 4) => new(NaiveNetwork.Build(hidden, 2, 1), new NaiveNetwork.NaiveCrossEntropy(), NaiveNetwork.Rings(50, 1), o);
        Make(options).Run();
        Assert.Contains("another description", Assert.Throws<TrainingException>(() => Make(options with { Description = "two" }).Resume()).Message);
        Assert.Contains("fc1.weight", Assert.Throws<InvalidDataException>(() => Make(options, 5).Resume()).Message);
        TestModel.Write(folder["other.safetensors"], DType.F32, ("w", new(1), [1]));
        Assert.Contains("not the state of a training run", Assert.Throws<InvalidDataException>(() => Make(options with { StatePath = folder["other.safetensors"] }).Resume()).Message);
    }

    [Fact]
    public void A_run_that_could_not_be_resumed_begins_as_if_nothing_had_been_or_not_at_all()
    {
        using TemporaryFolder folder = new();
        TrainingOptions options = Options with { Rule = new AdamW(), Epochs = 2, StatePath = folder["state.safetensors"], Description = "one" };
        Graph whole = NaiveNetwork.Build(4, 2, 1), network = NaiveNetwork.Build(4, 2, 1);
        Trainer Make(Graph of, TrainingOptions o) => new(of, new NaiveNetwork.NaiveCrossEntropy(), NaiveNetwork.Rings(50, 1), o);
        Make(whole, options).Run();

        Trainer wider = Make(NaiveNetwork.Build(5, 2, 1), options), other = Make(network, options with { Description = "two" });
        Assert.Throws<InvalidDataException>(() => wider.Resume());
        Assert.Contains("create the run anew", Assert.Throws<TrainingException>(() => wider.Run()).Message);
        Assert.Throws<TrainingException>(() => other.Resume());
        other.Run();
        Assert.Equal(Weights(whole), Weights(network));
    }

    [Fact]
    public void A_loss_that_is_no_number_stops_the_run_before_it_spoils_the_weights()
    {
        Graph network = NaiveNetwork.Build(4, 2, 1);
        network.Parameters["fc1.bias"].Value!.Span[0] = float.NaN;
        float[] before = Weights(network);
        TrainingException e = Assert.Throws<TrainingException>(() => new Trainer(network, new NaiveNetwork.NaiveCrossEntropy(), NaiveNetwork.Rings(50, 1), Options).Run());
        Assert.Contains("NaN at step 1 of 36 (epoch 1", e.Message);
        Assert.Contains("lower the learning rate", e.Message);
        Assert.Equal(before, Weights(network));
    }

    [Fact]
    public void Progress_counts_steps_and_samples()
    {
        List<TrainingProgress> heard = [];
        new Trainer(NaiveNetwork.Build(4, 2, 1), new NaiveNetwork.NaiveCrossEntropy(), NaiveNetwork.Rings(50, 1), Options with { Epochs = 2 }).Run(new Reports(heard.Add));
        Assert.Equal([1L, 2, 3, 4, 5, 6], heard.Select(p => p.Step));
        Assert.Equal([1, 1, 1, 2, 2, 2], heard.Select(p => p.Epoch));
        Assert.All(heard, p => Assert.True(p is { Steps: 6, Epochs: 2, SamplesPerSecond: > 0, Accuracy: >= 0 and <= 1 } && p.TimeLeft >= TimeSpan.Zero && double.IsFinite(p.Loss)));
        Assert.Equal(TimeSpan.Zero, heard[^1].TimeLeft);
    }

    [Fact]
    public void Frozen_parameters_stay()
    {
        Graph network = NaiveNetwork.Build(4, 2, 1);
        network.Parameters["fc1.weight"].Trainable = false;
        float[] frozen = network.Parameters["fc1.weight"].Value!.Span.ToArray(), free = network.Parameters["fc2.weight"].Value!.Span.ToArray();
        new Trainer(network, new NaiveNetwork.NaiveCrossEntropy(), NaiveNetwork.Rings(50, 1), Options with { Epochs = 1 }).Run();
        Assert.Equal(frozen, network.Parameters["fc1.weight"].Value!.Span.ToArray());
        Assert.NotEqual(free, network.Parameters["fc2.weight"].Value!.Span.ToArray());
    }

    [Fact]
    public void What_does_not_fit_together_is_refused()
    {
        Graph network = NaiveNetwork.Build(4, 2, 1);
        Assert.Contains("no output 'y'", Assert.Throws<GraphException>(() => new Trainer(network, new NaiveNetwork.NaiveCrossEntropy(), NaiveNetwork.Rings(50, 1), Options with { Output = "y" })).Message);
        Assert.Contains("'target' [24,2] is filled by no field of rings", Assert.Throws<GraphException>(() => new Trainer(network, new SquaredError(), NaiveNetwork.Rings(50, 1), Options)).Message);
        foreach (Node node in network.Parameters.Values) node.Trainable = false;
        Assert.Contains("no parameter to train", Assert.Throws<GraphException>(() => new Trainer(network, new NaiveNetwork.NaiveCrossEntropy(), NaiveNetwork.Rings(50, 1), Options)).Message);
    }

    [Fact]
    public void An_input_of_another_name_is_filled_by_the_field_that_is_left()
    {
        Graph network = Rewrite.Apply(NaiveNetwork.Build(4, 2, 1), (to, node, _) => node.Op is Input ? to.Input("x.1", node.Shape) : null).Graph;
        Dataset data = NaiveNetwork.Rings(50, 1);
        Assert.Equal(new Evaluation(NaiveNetwork.Build(4, 2, 1), new NaiveNetwork.NaiveCrossEntropy(), data, 50).Run(), new Evaluation(network, new NaiveNetwork.NaiveCrossEntropy(), data, 50).Run());
    }

    [Fact]
    public void An_epoch_is_a_line_of_json()
    {
        EpochRecord record = new(2, 20, 0.05, 0.25, 0.5, new(0.75, 0.875, 8), 1.5);
        Assert.Equal("""{"epoch":2,"step":20,"lr":0.05,"loss":0.25,"accuracy":0.5,"validation_loss":0.75,"validation_accuracy":0.875,"validation_samples":8,"seconds":1.5}""", record.ToJson());
        Assert.Equal("""{"epoch":2,"step":20,"lr":0.05,"loss":0.25,"seconds":1.5}""", (record with { Accuracy = null, Validation = null }).ToJson());
    }

    private static float[] Weights(Graph network) => [.. network.Parameters.Values.SelectMany(p => p.Value!.Span.ToArray())];

    private sealed class Reports(Action<TrainingProgress> hear) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => hear(value);
    }

    private sealed class One(Dataset data, int sample) : Dataset
    {
        public override string Name => "one";

        public override int Count => 1;

        public override System.Collections.Immutable.ImmutableArray<Field> Fields => data.Fields;

        public override void Read(int field, int _, Draw draw, Span<float> y) => data.Read(field, sample, draw, y);
    }
}
