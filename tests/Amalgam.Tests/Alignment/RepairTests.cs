using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Tests.Alignment;

public class RepairTests
{
    /// <summary>Means and deviations of every repaired layer, measured on the merged network by itself, are the mean over the members in the parents of theirs.</summary>
    [Theory]
    [InlineData("mlp", true, 20)]
    [InlineData("mlp", false, 60)]
    [InlineData("plain", true, 20)]
    [InlineData("plain", false, 60)]
    [InlineData("vit", true, 60)]
    public void Channels_have_the_means_and_deviations_of_their_members(string kind, bool sequential, int batch)
    {
        (Siblings models, Samples data) = ActivationStatisticsTests.Models(kind, 2);
        UnitMaps maps = UnitMaps.Random(models.Groups, 2, 3);
        Graph merged = models.With(Rearrangement.Merge(maps, models)).Graph;
        RepairResult result = Repair.Run(merged, models, maps, data, batch, sequential, addBiases: true);
        Assert.NotEmpty(result.Layers);
        Assert.All(result.Layers, layer => Assert.True(layer.HasBias));
        int compared = 0;
        foreach (string weight in result.Layers.Select(layer => layer.Weight))
        {
            // The units that the layer makes, and what each parent's do.
            UnitClass? units = models.Groups.Classes.FirstOrDefault(u => u.Parameters.Any(p => p.Node.Name == weight && p.Side == UnitSide.Out && p.Part.Digits.Length == 1) && u.Outer is null);
            if (units is null) continue;
            (double[] mean, double[] deviation) = Measure(result.Network, weight, data);
            double[] goalMean = new double[units.Units], goalDeviation = new double[units.Units];
            for (int model = 0; model < 2; model++)
            {
                (double[] of, double[] and) = Measure(models.With(model).Graph, weight, data);
                for (int unit = 0; unit < units.Units; unit++)
                {
                    goalMean[maps.Target(units, model, unit)] += of[unit] / 2;
                    goalDeviation[maps.Target(units, model, unit)] += and[unit] / 2;
                }
            }

            compared++;
            Assert.Equal(goalMean, mean, (a, b) => Math.Abs(a - b) < 1e-3 * (1 + Math.Abs(a)));
            Assert.Equal(goalDeviation, deviation, (a, b) => Math.Abs(a - b) < 1e-3 * (1e-2 + a));
        }

        Assert.True(compared > 1);
    }

    /// <summary>Clusters of several units of one parent: the goal is the mean over all members.</summary>
    [Fact]
    public void Zipped_channels_have_the_mean_of_their_members()
    {
        (Siblings models, Samples data) = ActivationStatisticsTests.Models("mlp", 2);
        UnitMaps maps = UnitMaps.Identity(models.Groups, 2);
        UnitClass units = models.Groups.Classes[0];
        maps.Set(units, [[0, 0, 0, 1, 2, 3, 4, 5, 6], [7, 8, 0, 1, 2, 3, 4, 5, 5]]);
        Graph merged = models.With(Rearrangement.Merge(maps, models)).Graph;
        string weight = units.Parameters.First(p => p.Side == UnitSide.Out && p.Node.Shape.Rank == 2).Node.Name!;
        Repair.Run(merged, models, maps, data, 60);
        (double[] a, _) = Measure(models.With(0).Graph, weight, data);
        (double[] b, double[] deviationB) = Measure(models.With(1).Graph, weight, data);
        (double[] mean, double[] deviation) = Measure(merged, weight, data);
        Assert.Equal((a[0] + a[1] + a[2] + b[2]) / 4, mean[0], 1e-4);
        Assert.Equal((a[7] + b[7] + b[8]) / 3, mean[5], 1e-4);
        Assert.Equal(deviationB[0], deviation[7], 1e-4);
    }

    [Theory]
    [InlineData("mlp", true)]
    [InlineData("mlp", false)]
    [InlineData("plain", true)]
    [InlineData("vit", true)]
    public void Merged_twins_stay_as_they_are(string kind, bool sequential)
    {
        (Graph network, Samples data) = Samples.Of(kind, 2);
        Siblings twins = Siblings.Of([network, Surgery.Copy(network)]);
        UnitMaps maps = UnitMaps.Identity(twins.Groups, 2);
        Graph merged = twins.With(Rearrangement.Merge(maps, twins)).Graph;
        RepairResult result = Repair.Run(merged, twins, maps, data, sequential ? 20 : 60, sequential);
        Assert.Same(merged, result.Network);
        Assert.All(result.Layers, layer => Assert.Equal(1, layer.Scale, 1e-4));
        Tensor before = Predictions.Of(network, data, 60), after = Predictions.Of(merged, data, 60);
        Assert.Equal(before.Span.ToArray(), after.Span.ToArray(), (x, y) => Math.Abs(x - y) < 1e-3f * (1 + Math.Abs(x)));
    }

    /// <summary>A layer without a bias keeps being without, unless asked for; its deviations are repaired alone.</summary>
    [Fact]
    public void Layers_without_a_bias_have_their_deviations_repaired()
    {
        Graph[] networks = [.. Enumerable.Range(1, 2).Select(seed => NoBiases(seed))];
        Siblings models = Siblings.Of(networks);
        Samples data = new("x", new(6), 60, 7);
        UnitMaps maps = UnitMaps.Identity(models.Groups, 2);
        Graph merged = models.With(Rearrangement.Merge(maps, models)).Graph, other = Surgery.Copy(merged);
        RepairResult result = Repair.Run(merged, models, maps, data, 60);
        Assert.Equal(["a", "b"], result.Layers.Select(layer => layer.Weight));
        Assert.All(result.Layers, layer => Assert.False(layer.HasBias));
        Assert.All(result.Layers, layer => Assert.True(layer.Scale > 1));
        foreach (string weight in (string[])["a", "b"])
        {
            double[] goal = [.. Measure(networks[0], weight, data).Deviation.Zip(Measure(networks[1], weight, data).Deviation, (a, b) => (a + b) / 2)];
            Assert.Equal(goal, Measure(merged, weight, data).Deviation, (a, b) => Math.Abs(a - b) < 1e-4 * (1 + a));
        }

        RepairResult with = Repair.Run(other, models, maps, data, 60, addBiases: true);
        Assert.Equal(["a", "b", "c", "a.bias", "b.bias"], with.Network.Parameters.Keys.Order(StringComparer.Ordinal).OrderBy(name => name.Length));
        Assert.Equal(3, other.Parameters.Count);
    }

    [Fact]
    public void Layers_before_a_batch_normalisation_are_left_to_it()
    {
        (Siblings models, Samples data) = ActivationStatisticsTests.Models("resnet", 2);
        UnitMaps maps = UnitMaps.Identity(models.Groups, 2);
        Graph merged = models.With(Rearrangement.Merge(maps, models)).Graph;
        float[][] before = [.. merged.Parameters.Values.Select(p => p.Value!.Span.ToArray())];
        Assert.Empty(Repair.Run(merged, models, maps, data, 60).Layers);
        Assert.Equal(before, merged.Parameters.Values.Select(p => p.Value!.Span.ToArray()));
    }

    private static Graph NoBiases(int seed)
    {
        Graph graph = new();
        Random random = new(seed);
        Node Weight(string name, int outputs, int inputs) => graph.Parameter(name, new(new(outputs, inputs), [.. Enumerable.Range(0, outputs * inputs).Select(_ => (float)random.NextDouble() * 2 - 1)]));
        graph.Output("y", graph.Input("x", new(2, 6)).Linear(Weight("a", 9, 6)).Relu().Linear(Weight("b", 7, 9)).Tanh().Linear(Weight("c", 3, 7)));
        return graph;
    }

    /// <summary>Mean and deviation of each channel of what the layer of a weight gives with its bias, in double over all samples.</summary>
    private static (double[] Mean, double[] Deviation) Measure(Graph network, string weight, Samples data)
    {
        Graph whole = DataInputs.Fit(network, data, data.Count);
        Node result = whole.Nodes.First(node => node.Inputs.Contains(whole.Parameters[weight]));
        if (whole.Nodes.FirstOrDefault(node => node.Op is Add && node.Inputs.Contains(result) && node.Inputs.Any(i => i.Op is Parameter)) is { } sum) result = sum;
        Executor executor = new(whole, [result]);
        new Batches(data, data.Count, shuffle: false).Fill(0, DataInputs.Bind(data, whole, data.Count, null, executor));
        executor.Run();
        float[] y = executor[result].Span.ToArray();
        bool isImage = result.Shape.Rank == 4;
        int channels = result.Shape.Size(isImage ? 1 : ^1), positions = isImage ? result.Shape.Size(2) * result.Shape.Size(3) : 1;
        double[][] of = [.. Enumerable.Range(0, channels).Select(c => y.Where((_, i) => i / positions % channels == c).Select(v => (double)v).ToArray())];
        return ([.. of.Select(v => v.Average())], [.. of.Select(v => Math.Sqrt(v.Average(x => Math.Pow(x - v.Average(), 2))))]);
    }
}
