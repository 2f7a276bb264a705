using System.Collections.Immutable;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Report;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Demo;

/// <summary>
/// Small convolutional networks on glyphs: two that were trained on from one base, each on half of the classes, and two that learned all classes from different
/// first weights.
/// </summary>
internal sealed class GlyphDemo
{
    private const int Batch = 50, ShownSamples = 20;
    private const double Rate = 6e-3, TuneRate = 2e-3;
    private const string Ending = ".safetensors", Model = "cnn";

    private static readonly Architecture Architecture = ZooModel.Find(Model).With();
    private static readonly ImmutableArray<int> FirstHalf = [.. Enumerable.Range(0, Glyphs.UsualClasses / 2)], SecondHalf = [.. Enumerable.Range(Glyphs.UsualClasses / 2, Glyphs.UsualClasses / 2)];

    private readonly string _folder;
    private readonly DemoOptions _options;
    private readonly Dataset _training, _validation;
    private readonly ImageSet _test;
    private readonly List<TrainedNetwork> _trained = [];

    private GlyphDemo(string folder, DemoOptions options)
    {
        (_folder, _options) = (folder, options);
        DemoSize size = options.Size;
        ImageSet all = Glyphs.Create(size.Training + size.Validation);
        _training = Subset.First(all, size.Training);
        _validation = new Subset(all, Enumerable.Range(size.Training, size.Validation));
        _test = Glyphs.Create(size.Test, split: Split.Test);
    }

    /// <summary>Trains, merges and tests.</summary>
    public static Demonstration Run(string folder, DemoOptions options) => new GlyphDemo(folder, options).Run();

    private Demonstration Run()
    {
        Pair halves = Halves(), wholes = Wholes();
        Contest contest = new(Architecture.Build(1, null), _validation, _test, _options);
        ImmutableArray<PairResult> results = [.. new[] { halves, wholes }.Select(pair => contest.Run(pair, Path.Combine(_folder, pair.Name)))];
        long parameters = Architecture.Build(1, null).Parameters.Values.Sum(p => p.Shape.Count);
        return new(
            "Small networks become one",
            $"Glyphs of {Glyphs.UsualClasses} classes, drawn with random position, slant, bend and noise: {_options.Size.Training:N0} to learn from, {_options.Size.Validation:N0} to choose the methods' parameters by, {_options.Size.Test:N0} to test on.",
            $"A network has {parameters:N0} parameters, in convolutions and a linear layer.",
            new(Model, $"--data glyphs", $" --tasks {string.Join(',', FirstHalf)}/{string.Join(',', SecondHalf)}"),
            results,
            [.. _trained],
            [.. Enumerable.Range(0, Math.Min(ShownSamples, _test.Count)).Select(i => new ImageTile(Glyphs.Side, Glyphs.Side, [.. _test[i]], _test.Classes[_test.Labels[i]]))]);
    }

    private Pair Halves()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "halves")).FullName;
        DemoSize size = _options.Size;
        Graph origin = Architecture.Build(1, _options.Seed);
        Train(origin, folder, "base", Subset.First(_training, size.BaseSamples), _validation, size.BaseEpochs, Rate, 0);
        foreach (var (name, classes, order) in new[] { ("first-half", FirstHalf, 1), ("second-half", SecondHalf, 2) })
            Train(Copy(origin), folder, name, Subset.OfClasses(_training, classes), Subset.OfClasses(_validation, classes), size.HalfEpochs, TuneRate, order);
        return new(
            "halves", "Two halves of the classes",
            $"A base learned all classes from {size.BaseSamples:N0} samples. From it two networks were trained on, each on its half of the classes alone: first-half on {Names(FirstHalf)}, "
            + $"second-half on {Names(SecondHalf)}. Neither has seen the other's classes since.",
            "first-half" + Ending, "second-half" + Ending, "base" + Ending, [new("1st half", FirstHalf), new("2nd half", SecondHalf)]);
    }

    private Pair Wholes()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "seeds")).FullName;
        for (int i = 1; i <= 2; i++) Train(Architecture.Build(1, unchecked(_options.Seed * 2 + i + 1000)), folder, $"seed-{i}", _training, _validation, _options.Size.WholeEpochs, Rate, 2 + i);
        return new(
            "seeds", "All classes, two first weights",
            "Two networks learned all classes, from different random weights and in another order of samples. They do the same with other units in other places, so a position in one has nothing to do with "
            + "the same position in the other, and they have no base in common.",
            "seed-1" + Ending, "seed-2" + Ending, null, []);
    }

    /// <summary>Trains a network in place and writes it, weights and ONNX.</summary>
    private void Train(Graph network, string folder, string name, Dataset data, Dataset validation, int epochs, double rate, int order)
    {
        TrainingOptions how = new() { Rule = new Adam(), Rate = rate, Schedule = new CosineRate(Warmup: 0.5), Epochs = epochs, Batch = Batch, Seed = unchecked(_options.Seed * 8 + order), EvaluationBatch = 250 };
        Trainer trainer = new(network, new CrossEntropy(), data, how, validation);
        trainer.Run(_options.Training, cancel: _options.Cancel);
        _trained.Add(new(name, [.. trainer.History]));
        EpochRecord last = trainer.History[^1];
        _options.Finished?.Invoke($"{name}: {data.Count:N0} samples, {epochs} epochs, {100 * (last.Validation?.Accuracy ?? 0):0.0}% right on validation samples of its classes, {trainer.History.Sum(e => e.Seconds):0.0} s");
        GraphWeights.Save(network, Path.Combine(folder, name + Ending), metadata: new Dictionary<string, string> { [ModelLoader.ArchitectureKey] = Model });
        OnnxModel.Write(network, Path.Combine(folder, name + ".onnx"), new(Batch: "batch"));
    }

    private static Graph Copy(Graph network)
    {
        Graph copy = Architecture.Build(1, null);
        foreach (var (name, node) in network.Parameters) node.Value!.Span.CopyTo(copy.Parameters[name].Value!.Span);
        return copy;
    }

    private string Names(ImmutableArray<int> classes) => string.Join(", ", classes.Select(c => _test.Classes[c]));
}
