using Amalgam.Alignment;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Tests.Alignment;

public class BatchNormResetTests
{
    /// <summary>Two normalisations with a layer and a Relu between them, by loops in double: the second one sees what the first makes of the batch's own statistics.</summary>
    [Theory]
    [InlineData(20)]
    [InlineData(7)]
    [InlineData(60)]
    public void Statistics_are_the_mean_over_batches_of_means_and_unbiased_variances(int batch)
    {
        Samples data = new("x", new(4), 60, 3);
        Graph network = Network();
        Assert.Equal(2, BatchNormReset.Run(network, data, batch));
        double[][] first = [.. Enumerable.Range(0, 60).Select(i => Read(data, i))];
        double[] w = Values(network, "w"), mean1 = new double[4], variance1 = new double[4], mean2 = new double[3], variance2 = new double[3];
        double[] scale = Values(network, "1.scale"), bias = Values(network, "1.bias");
        List<double[][]> batches = [.. first.Chunk(batch)];
        foreach (double[][] x in batches)
        {
            (double[] mean, double[] biased) = Add(x, mean1, variance1, batches.Count);
            double[][] hidden = [.. x.Select(row => Enumerable.Range(0, 3).Select(o =>
                Enumerable.Range(0, 4).Sum(i => w[o * 4 + i] * Math.Max(0, (row[i] - mean[i]) / Math.Sqrt(biased[i] + 1e-3) * scale[i] + bias[i]))).ToArray())];
            Add(hidden, mean2, variance2, batches.Count);
        }

        Equal(mean1, network, "1.mean");
        Equal(variance1, network, "1.var");
        Equal(mean2, network, "2.mean");
        Equal(variance2, network, "2.var");

        float[][] once = Bits(network);
        Assert.Equal(2, BatchNormReset.Run(network, data, batch));
        Assert.Equal(once, Bits(network));
    }

    /// <summary>Weights that were frozen, dropout and other networks' statistics make no difference.</summary>
    [Fact]
    public void Frozen_layers_count_too_and_dropout_drops_nothing()
    {
        Samples data = new("x", new(4), 60, 3);
        Graph plain = Network(), frozen = Network(dropout: true);
        Surgery.Freeze(frozen, _ => true);
        frozen.Parameters["1.mean"].Value!.Span.Fill(100);
        BatchNormReset.Run(plain, data, 20);
        BatchNormReset.Run(frozen, data, 20);
        Assert.Equal(Bits(plain), Bits(frozen));
    }

    [Fact]
    public void A_last_batch_of_one_sample_has_no_variance_and_is_left_out()
    {
        Graph all = Network(), fewer = Network();
        BatchNormReset.Run(all, new Samples("x", new(4), 61, 3), 20);
        BatchNormReset.Run(fewer, new Samples("x", new(4), 60, 3), 20);
        Assert.Equal(Bits(fewer), Bits(all));
    }

    [Fact]
    public void Without_normalisations_nothing_is_read_and_nothing_changes()
    {
        (Graph network, Samples data) = Samples.Of("mlp", 1);
        float[][] before = Bits(network);
        Assert.Equal(0, BatchNormReset.Run(network, new Samples("nothing of it", new(1), 1, 1), 10));
        Assert.Equal(before, Bits(network));
        Assert.True(data.Count > 0);
    }

    [Fact]
    public void Merged_twins_are_their_parent_after_a_reset()
    {
        (Graph network, Samples data) = Samples.Of("resnet", 4);
        Siblings twins = Siblings.Of([network, Surgery.Copy(network)]);
        Graph merged = twins.With(Rearrangement.Merge(UnitMaps.Identity(twins.Groups, 2), twins)).Graph;
        Assert.Equal(BatchNormReset.Run(network, data, 16), BatchNormReset.Run(merged, data, 16));
        Assert.Equal(network.Parameters.Keys, merged.Parameters.Keys);
        Assert.Equal(Bits(network), Bits(merged));
    }

    [Fact]
    public void A_statistic_that_is_a_constant_is_refused()
    {
        Graph network = new();
        Tensor ones = Tensor.Vector(1, 1, 1, 1);
        Node Parameter(string name) => network.Parameter(name, ones.Copy());
        network.Output("y", network.Input("x", new(2, 4)).BatchNormalization(Parameter("scale"), Parameter("bias"), Parameter("mean"), network.Constant(ones)));
        Assert.Contains("running variance", Assert.Throws<GraphException>(() => BatchNormReset.Run(network, new Samples("x", new(4), 8, 1), 4)).Message, StringComparison.Ordinal);
    }

    /// <summary>An exported network: its first normalisation's statistics are those of its convolution's result.</summary>
    [Fact]
    public void Networks_from_onnx_files_have_theirs_estimated()
    {
        Graph network = OnnxModel.Open(RealData.At("models", "resnet20-cifar10-halves", "a.onnx")).ToGraph();
        string input = network.Inputs.Keys.Single();
        Samples data = new(input, new(3, 32, 32), 24, 1);
        Node first = network.Nodes.First(node => node.Op is BatchNormalization);
        Assert.Equal(21, BatchNormReset.Run(network, data, 12));
        Graph whole = DataInputs.Fit(network, data, 12);
        Node convolution = whole.Nodes.First(node => node.Op is BatchNormalization).Inputs[0];
        Executor executor = new(whole, [convolution]);
        Tensor?[] inputs = DataInputs.Bind(data, whole, 12, null, executor);
        Batches batches = new(data, 12, shuffle: false);
        double[] mean = new double[16], variance = new double[16];
        for (int step = 0; step < 2; step++)
        {
            batches.Fill(step, inputs);
            executor.Run();
            float[] x = executor[convolution].Span.ToArray();
            Add([.. Enumerable.Range(0, 12 * 1024).Select(i => Enumerable.Range(0, 16).Select(c => (double)x[(i / 1024 * 16 + c) * 1024 + i % 1024]).ToArray())], mean, variance, 2);
        }

        Assert.Equal(mean, [.. first.Inputs[3].Value!.Span.ToArray().Select(v => (double)v)], (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Equal(variance, [.. first.Inputs[4].Value!.Span.ToArray().Select(v => (double)v)], (a, b) => Math.Abs(a - b) < 1e-5 * (1 + a));
    }

    private static Graph Network(bool dropout = false)
    {
        Graph network = new();
        Random random = new(5);
        Node Draw(string name, params long[] sizes) => network.Parameter(name, new(new(sizes), [.. Enumerable.Range(0, (int)sizes.Aggregate(1L, (a, b) => a * b)).Select(_ => (float)random.NextDouble() + 0.2f)]));
        Node Normalise(Node x, string name, int size) => x.BatchNormalization(Draw($"{name}.scale", size), Draw($"{name}.bias", size), Draw($"{name}.mean", size), Draw($"{name}.var", size), 1e-3f);
        Node hidden = Normalise(network.Input("x", new(2, 4)), "1", 4).Relu();
        if (dropout) hidden = network.Add(new Dropout(), hidden);
        network.Output("y", Normalise(hidden.Linear(Draw("w", 3, 4)), "2", 3));
        return network;
    }

    /// <summary>Adds a batch's mean and unbiased variance to their means over the batches, and gives the mean and the biased variance.</summary>
    private static (double[] Mean, double[] Biased) Add(double[][] x, double[] means, double[] variances, int batches)
    {
        double[] mean = new double[means.Length], biased = new double[means.Length];
        for (int c = 0; c < mean.Length; c++)
        {
            mean[c] = x.Average(row => row[c]);
            biased[c] = x.Average(row => (row[c] - mean[c]) * (row[c] - mean[c]));
            means[c] += mean[c] / batches;
            variances[c] += biased[c] * x.Length / (x.Length - 1) / batches;
        }

        return (mean, biased);
    }

    private static double[] Read(Samples data, int sample)
    {
        float[] x = new float[4];
        data.Read(0, sample, default, x);
        return [.. x.Select(v => (double)v)];
    }

    private static double[] Values(Graph network, string name) => [.. network.Parameters[name].Value!.Span.ToArray().Select(v => (double)v)];

    private static void Equal(double[] expected, Graph network, string name) => Assert.Equal(expected, Values(network, name), (a, b) => Math.Abs(a - b) < 1e-5 * (1 + Math.Abs(a)));

    private static float[][] Bits(Graph network) => [.. network.Parameters.Values.Select(p => p.Value!.Span.ToArray())];
}
