using Amalgam.Alignment;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Alignment;

/// <summary>Pairs that others trained, matched, merged and measured. Bounds are the figures that the authors' code or a plain implementation gave (data/models/README.md), with room for other orders of sweeps.</summary>
public class RealPairTests
{
    private static readonly Mlp MnistMlp = new([1, 28, 28], [400, 200, 100], 10) { Bias = false };
    private static readonly Architecture Halves = ZooModel.Find("resnet20").With(Zoo.Models.ZooModelTests.Options("shortcut=3x3;result=embedding;classes=512"));
    private static readonly int[][] Tasks = [[0, 1, 2, 6, 9], [3, 4, 5, 7, 8]];

    [Fact]
    public void Matched_networks_of_two_seeds_merge_where_their_average_does_not()
    {
        Siblings models = Siblings.Of([Load(MnistMlp, "mlp-mnist-pair/mlp-mnist-a"), Load(MnistMlp, "mlp-mnist-pair/mlp-mnist-b")]);
        Augmentation pixels = new() { Mean = [0.1307f], Deviation = [0.3081f] };
        Dataset train = new Augmented(DataSource.OpenNamed("mnist", Split.Train, root: RealData.At()), pixels), test = new Augmented(DataSource.OpenNamed("mnist", Split.Test, root: RealData.At()), pixels);
        ActivationStatistics statistics = UnitAlignment.Statistics(models, new() { Samples = 2000 }, train);
        double Accuracy(AlignmentOptions how) => new Evaluation(models.With(Rearrangement.Merge(UnitAlignment.Match(models, how, statistics).Maps, models)).Graph, new CrossEntropy(), test, 500).Run().Accuracy!.Value;

        Assert.InRange(Accuracy(new() { Space = MatchingSpace.None }), 0.7382, 0.7386);
        Assert.InRange(Accuracy(new() { Space = MatchingSpace.Weights, WeightMeasure = SimilarityMeasure.InnerProduct }), 0.955, 1);
        Assert.InRange(Accuracy(new() { Space = MatchingSpace.Activations }), 0.96, 1);
        Assert.InRange(Accuracy(new()), 0.96, 1);
    }

    [Fact]
    public void Networks_of_two_tasks_zip_better_than_they_align_and_both_beat_their_average()
    {
        Graph[] parents = [Load(Halves, "resnet20-cifar10-halves/a"), Load(Halves, "resnet20-cifar10-halves/b")];
        Augmentation pixels = new() { Mean = [125.307f / 255, 122.961f / 255, 113.8575f / 255], Deviation = [51.5865f / 255, 50.847f / 255, 51.255f / 255] };
        Dataset calibration = Subset.First(new Augmented(DataSource.OpenNamed("cifar10", Split.Train, root: RealData.At()), pixels), 1000);
        Dataset test = Subset.First(new Augmented(DataSource.OpenNamed("cifar10", Split.Test, root: RealData.At()), pixels), 1000);
        foreach (Graph parent in parents) BatchNormReset.Run(parent, calibration, 250);
        Siblings models = Siblings.Of(parents);
        Tensor vectors = ClassVectors.Read(RealData.At("models", "resnet20-cifar10-halves", "class_vectors.safetensors"));
        AlignmentOptions align = new() { Positions = 64, Batch = 250 }, zip = align with { Matching = UnitMatching.Zip };
        ActivationStatistics statistics = UnitAlignment.Statistics(models, zip, calibration);
        (double Joint, double Mean) Measure(AlignmentOptions how) =>
            Accuracies(MergedNetwork.Of(models, UnitAlignment.Match(models, how, statistics).Maps, how, calibration), vectors, test);

        var average = Measure(align with { Space = MatchingSpace.None });
        var aligned = Measure(align with { Space = MatchingSpace.Activations });
        var alignedByBoth = Measure(align);
        var zipped = Measure(zip with { Space = MatchingSpace.Activations });
        var zippedByBoth = Measure(zip);

        Assert.InRange(average.Mean, 0.2, 0.33);
        Assert.InRange(Math.Min(aligned.Mean, alignedByBoth.Mean), average.Mean + 0.06, 0.6);
        Assert.InRange(Math.Min(zipped.Joint, zippedByBoth.Joint), Math.Max(aligned.Joint, alignedByBoth.Joint) + 0.02, 0.4);
        Assert.True(Math.Min(aligned.Joint, alignedByBoth.Joint) > average.Joint + 0.01);
    }

    /// <summary>Share of the images that are right among all classes, and the mean over the tasks of that among the task's own.</summary>
    private static (double Joint, double Mean) Accuracies(Graph network, Tensor vectors, Dataset test)
    {
        const int Batch = 250;
        Graph scored = DataInputs.Fit(network, test, Batch);
        Node scores = CosineCrossEntropy.Scores(DataInputs.OutputOf(scored), vectors);
        Executor executor = new(scored, [scores]);
        Batches batches = new(test, Batch, shuffle: false);
        Tensor?[] inputs = DataInputs.Bind(test, scored, Batch, null, executor);
        int joint = 0;
        int[] right = new int[Tasks.Length], count = new int[Tasks.Length];
        for (int step = 0; step < batches.PerEpoch; step++)
        {
            batches.Fill(step, inputs);
            executor.Run();
            for (int i = 0; i < Batch; i++)
            {
                float[] row = executor[scores].Span.Slice(i * 10, 10).ToArray();
                int label = test.Labels[step * Batch + i], task = Array.FindIndex(Tasks, classes => classes.Contains(label));
                count[task]++;
                if (Tasks[task].MaxBy(c => row[c]) == label) right[task]++;
                if (Enumerable.Range(0, 10).MaxBy(c => row[c]) == label) joint++;
            }
        }

        return ((double)joint / test.Count, right.Zip(count, (r, n) => (double)r / n).Average());
    }

    private static Graph Load(Architecture architecture, string file)
    {
        Graph graph = architecture.Build(1, null);
        using Checkpoint checkpoint = Checkpoint.Open(RealData.At(["models", .. $"{file}.safetensors".Split('/')]));
        GraphWeights.Load(graph, checkpoint);
        return graph;
    }
}
