using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Alignment.OfLayers;

/// <summary>How unlike two layers are by what they compute.</summary>
public class LayerCostTests
{
    [Theory]
    [InlineData("mlp")]
    [InlineData("resnet")]
    [InlineData("plain")]
    [InlineData("vit")]
    public void Costs_of_alignment_are_the_naive_ones(string kind)
    {
        (Graph a, Samples data) = Samples.Of(kind, 1, 20);
        Graph b = Samples.Of(kind, 2).Network;
        NetworkLayers ofA = NetworkLayers.Of(a), ofB = NetworkLayers.Of(b);

        LayerMapping mapping = LayerAlignment.Run(ofA, ofB, new() { Samples = 20, Batch = 7 }, data);

        float[][] valuesOfA = Values(ofA, data), valuesOfB = Values(ofB, data);
        foreach (GroupMapping group in mapping.Groups)
        {
            for (int i = 0; i < group.Cost.Length; i++)
            {
                NetworkLayer one = group.A.Layers[i / group.B.Count], other = group.B.Layers[i % group.B.Count];
                if (one.Signature == other.Signature) Assert.Equal(1 - LinearCka.Of(valuesOfA[one.Index], valuesOfB[other.Index], 20), group.Cost[i], 1e-5);
                else Assert.True(double.IsNaN(group.Cost[i]));
            }
        }
    }

    [Theory]
    [InlineData(2000)]
    [InlineData(9000)]
    public void However_little_is_kept_at_a_time_the_products_are_the_same(int mostKept)
    {
        (Graph network, Samples data) = Samples.Of("resnet", 1, 20);
        NetworkLayers layers = NetworkLayers.Of(network);
        SampleProducts[] all = LayerActivations.Collect(layers, data, 8), some = LayerActivations.Collect(layers, data, 8, mostKept: mostKept);
        Assert.All(all.Zip(some), pair => Assert.Equal(1, pair.First.Cka(pair.Second), 1e-6));
        Assert.Equal(all[1].Cka(all[2]), some[1].Cka(some[2]), 1e-5);
    }

    [Fact]
    public void Units_in_another_order_cost_the_same_and_turned_units_only_by_alignment()
    {
        (Graph network, Samples data) = Samples.Of("mlp", 1, 50);
        Graph other = Samples.Of("mlp", 2).Network;
        NetworkLayers a = NetworkLayers.Of(network), b = NetworkLayers.Of(other), twin = NetworkLayers.Of(SmallNetworks.Twins(network, 5) is var (models, _) ? models.With(1).Graph : network);
        foreach (LayerMeasure measure in (LayerMeasure[])[LayerMeasure.Cka, LayerMeasure.Wasserstein])
        {
            LayerOptions options = new() { Measure = measure };
            double[] of = LayerAlignment.Run(a, b, options, data).Groups[0].Cost, ofTwin = LayerAlignment.Run(twin, b, options, data).Groups[0].Cost;
            Assert.All(of.Zip(ofTwin), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        }

        NetworkLayers straight = NetworkLayers.Of(Depths.Deepened(1, 0)), turned = NetworkLayers.Of(Depths.Deepened(1, 0, turn: true));
        Samples values = new("x", new(10), 60, 3);
        double Cost(NetworkLayers x, LayerMeasure measure) => LayerAlignment.Run(x, straight, new() { Measure = measure }, values).Groups[0].Cost[1];
        Assert.Equal(Cost(straight, LayerMeasure.Cka), Cost(turned, LayerMeasure.Cka), 1e-5);
        Assert.NotEqual(Cost(straight, LayerMeasure.Wasserstein), Cost(turned, LayerMeasure.Wasserstein), 1e-3);
    }

    [Fact]
    public void Wasserstein_costs_are_those_of_the_best_assignment_of_units()
    {
        (Graph network, Samples data) = Samples.Of("resnet", 1, 10);
        Graph other = Samples.Of("resnet", 2).Network;
        NetworkLayers a = NetworkLayers.Of(network), b = NetworkLayers.Of(other);
        GroupMapping stem = LayerAlignment.Run(a, b, new() { Measure = LayerMeasure.Wasserstein, Batch = 4 }, data).Groups[0];

        float[] x = Values(a, data)[0], y = Values(b, data)[0];
        int units = a.Layers[0].Width, positions = x.Length / 10 / units;
        double Distance(int i, int j)
        {
            double sum = 0;
            for (int s = 0; s < 10; s++)
                for (int p = 0; p < positions; p++) sum += Math.Pow(x[((s * units + i) * positions) + p] - (double)y[((s * units + j) * positions) + p], 2);
            return Math.Sqrt(sum);
        }

        double best = Permutations(units).Min(order => order.Select((j, i) => Distance(i, j)).Average());
        Assert.Equal(best, stem.Cost[0], 1e-4);
    }

    [Fact]
    public void Samples_may_lie_on_any_axis()
    {
        Graph first = Sequence(timeFirst: false), second = Sequence(timeFirst: true);
        Samples data = new("x", new(4, 6), 30, 3);
        foreach (LayerMeasure measure in (LayerMeasure[])[LayerMeasure.Cka, LayerMeasure.Wasserstein])
        {
            GroupMapping group = LayerAlignment.Run(NetworkLayers.Of(first), NetworkLayers.Of(second), new() { Measure = measure, Batch = 8 }, data).Groups[0];
            Assert.Equal(0, group.Cost[0], 1e-6);
            Assert.Equal(0, group.Cost[3], 1e-6);
        }
    }

    [Fact]
    public void A_network_that_takes_a_fixed_number_of_samples_is_compared_on_as_many_as_fill_its_batches()
    {
        Graph any = Depths.Deepened(1, 0), two = new();
        Node x = two.Input("x", new(2, 10)).Reshape(2, 10);
        foreach (string name in (string[])["fc1", "fc2", "fc3"]) x = x.Linear(two.Parameter($"{name}.weight", any.Parameters[$"{name}.weight"].Value!)).Relu();
        two.Output("y", x.Linear(two.Parameter("out.weight", any.Parameters["out.weight"].Value!)));
        foreach (LayerMeasure measure in (LayerMeasure[])[LayerMeasure.Cka, LayerMeasure.Wasserstein])
        {
            GroupMapping group = LayerAlignment.Run(NetworkLayers.Of(two), NetworkLayers.Of(any), new() { Measure = measure, Batch = 5 }, new Samples("x", new(10), 17, 3)).Groups[0];
            Assert.All([0, 4, 8], i => Assert.Equal(0, group.Cost[i], 1e-6));
            Assert.All([1, 2, 5], i => Assert.True(group.Cost[i] > 1e-3));
        }
    }

    [Fact]
    public void Wasserstein_is_refused_where_units_have_different_numbers_of_positions()
    {
        NetworkLayers a = NetworkLayers.Of(Plain(3, 1)), b = NetworkLayers.Of(Plain(3, 2));
        Samples data = new("x", new(2, 9, 9), 10, 3);
        Assert.Contains("49 values for a sample and one of 'a' 81", Assert.Throws<GraphException>(() => LayerAlignment.Run(a, b, new() { Measure = LayerMeasure.Wasserstein }, data)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_layer_whose_values_are_not_finite_is_named()
    {
        Graph graph = Depths.Deepened(1, 0);
        graph.Parameters["fc2.weight"].Value!.Span[3] = float.NaN;
        NetworkLayers layers = NetworkLayers.Of(graph), fine = NetworkLayers.Of(Depths.Deepened(1, 0));
        Samples data = new("x", new(10), 20, 3);
        foreach (LayerMeasure measure in (LayerMeasure[])[LayerMeasure.Cka, LayerMeasure.Wasserstein])
            Assert.Contains("'fc2'", Assert.Throws<GraphException>(() => LayerAlignment.Run(fine, layers, new() { Measure = measure }, data)).Message, StringComparison.Ordinal);
    }

    private static Graph Plain(int kernel, int pad)
    {
        Graph graph = new();
        Layers net = new(graph, 0);
        Node x = net.Conv(graph.Input("x", new(1, 2, 9, 9)), "a", 3, kernel, 1, pad - 1).Relu();
        graph.Output("y", net.Linear(x.Flatten(), "out", 2));
        return graph;
    }

    private static Graph Sequence(bool timeFirst)
    {
        Graph graph = new();
        Layers net = new(graph, 5);
        Node x = graph.Input("x", new(1, 4, 6));
        if (timeFirst) x = x.Transpose(1, 0, 2);
        x = net.Linear(net.Linear(x, "a", 5).Relu(), "b", 7).Relu();
        x = x.Mean(false, timeFirst ? 0 : 1);
        graph.Output("y", net.Linear(x, "out", 2));
        return graph;
    }

    /// <summary>Each layer's pre-activations, sample by sample, from a plain run.</summary>
    private static float[][] Values(NetworkLayers layers, Samples data)
    {
        GraphCopy copy = Rewrite.Resize(layers.Graph, data.Count);
        Executor executor = new(copy.Graph, layers.Layers.Select(layer => copy.Map[layer.PreActivation]));
        Span<float> input = executor[copy.Graph.Inputs.Values.Single()].Span;
        int size = input.Length / data.Count;
        for (int i = 0; i < data.Count; i++) data.Read(0, i, default, input.Slice(i * size, size));
        executor.Run();
        return [.. layers.Layers.Select(layer => executor[copy.Map[layer.PreActivation]].Span.ToArray())];
    }

    private static IEnumerable<int[]> Permutations(int count) =>
        count == 0 ? [[]] : Permutations(count - 1).SelectMany(rest => Enumerable.Range(0, count).Select(at => (int[])[.. rest[..at], count - 1, .. rest[at..]]));
}
