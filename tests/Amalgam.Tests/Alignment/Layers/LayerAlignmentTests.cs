using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Alignment.OfLayers;

/// <summary>Which layers of two networks belong together.</summary>
public class LayerAlignmentTests
{
    private static readonly LayerOptions Width = new() { Measure = LayerMeasure.Width };

    [Fact]
    public void Vgg_of_the_paper_are_matched_as_there()
    {
        NetworkLayers a = Of("vgg13:width=2,fixed_ends=true,norm=none"), b = Of("vgg11:width=0.5,fixed_ends=true,norm=none");
        Assert.Equal([64, 128, 256, 256, 512, 512, 1024, 1024, 1024, 512], a.Layers.Select(layer => layer.Width));
        Assert.Equal([1, 3, 5, 6, 7, 8, 9, 10], From1(LayerAlignment.Run(a, b, Width)));
        Assert.Equal([1, 3, 5, 6, 7, 8, 9, 10], From1(LayerAlignment.Run(b, a, Width)));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("batch")]
    public void Residual_networks_of_the_paper_are_matched_as_there(string norm)
    {
        NetworkLayers a = Of($"resnet34:width=0.0625,norm={norm}"), b = Of($"resnet18:width=0.125,norm={norm}");
        int[] ofA = Tensors(a, out int[] firstOfA), ofB = Tensors(b, out _);
        LayerMapping mapping = LayerAlignment.Run(a, b, Width);
        int[] map = [.. mapping.Pairs.SelectMany(pair => Enumerable.Range(firstOfA[pair.A.Index] + 1, ofA[pair.A.Index]))];

        Assert.Equal((36, 20), (ofA.Sum(), ofB.Sum()));
        Assert.Equal([1, 2, 3, 6, 7, 8, 9, 10, 15, 16, 17, 18, 19, 28, 29, 30, 31, 32, 35, 36], map);
        Assert.All(mapping.Pairs, pair => Assert.Equal(ofA[pair.A.Index], ofB[pair.B.Index]));
    }

    [Fact]
    public void Widths_are_compared_by_their_squared_difference()
    {
        GroupMapping group = Assert.Single(LayerAlignment.Run(Of("mlp:hidden=400/200/100/50/25"), Of("mlp:hidden=400/200/100"), Width).Groups);
        Assert.Equal([0, 40000, 90000, 40000, 0, 10000, 90000, 10000, 0, 122500, 22500, 2500, 140625, 30625, 5625], group.Cost);
        Assert.Equal([0, 1, 4], group.Map);
        Assert.True(group.AIsDeeper);
    }

    /// <summary>Invariant 7 of the specification: B deepened after its first layer twice by layers that do nothing.</summary>
    [Theory]
    [InlineData(LayerMeasure.Cka)]
    [InlineData(LayerMeasure.Wasserstein)]
    public void Planted_layers_are_found(LayerMeasure measure)
    {
        NetworkLayers shallow = NetworkLayers.Of(Deepened(1, 0)), deep = NetworkLayers.Of(Deepened(1, 2));
        Samples data = new("x", new(10), 150, 3);

        GroupMapping group = Assert.Single(LayerAlignment.Run(deep, shallow, new() { Measure = measure, Samples = 100 }, data).Groups);

        Assert.Equal([0, 3, 4], group.Map);
        Assert.All(group.Map.Select((d, s) => group.Cost[d * 3 + s]), cost => Assert.Equal(0, cost, 1e-9));
        Assert.All(group.Cost.Where((_, i) => group.Map[i % 3] != i / 3), cost => Assert.True(cost > 1e-3));
        Assert.Equal(group.Map, LayerAlignment.Run(shallow, deep, new() { Measure = measure, Samples = 100 }, data).Groups[0].Map);
    }

    [Fact]
    public void Planted_blocks_are_found_in_residual_networks_with_normalisation()
    {
        Graph shallow = Residual([0, 1], 4), deep = Residual([0, -1, 1, -1], 4);
        LayerOptions options = new() { PinnedLast = 0, Samples = 60, Batch = 32 };

        LayerMapping mapping = LayerAlignment.Run(NetworkLayers.Of(deep), NetworkLayers.Of(shallow), options, new Samples("x", new(3, 6, 6), 80, 3));

        GroupMapping blocks = mapping.Groups[1];
        Assert.Equal([0, 2], blocks.Map);
        Assert.Equal(0, blocks.Cost[0], 1e-6);
        Assert.Equal(0, blocks.Cost[5], 1e-6);
        Assert.True(blocks.Cost[3] > 1e-4 && blocks.Cost[7] > 1e-4);
    }

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

        NetworkLayers straight = NetworkLayers.Of(Deepened(1, 0)), turned = NetworkLayers.Of(Deepened(1, 0, turn: true));
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
        Graph any = Deepened(1, 0), two = new();
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
    public void Baselines_are_the_first_layers_and_random_ones()
    {
        NetworkLayers a = Of("resnet34:width=0.0625"), b = Of("resnet18:width=0.0625");
        Assert.All(LayerAlignment.Chain(a, b).Groups, group => Assert.Equal(Enumerable.Range(0, group.B.Count), group.Map));
        int[][] drawn = [.. Enumerable.Range(0, 40).Select(seed => LayerAlignment.Random(a, b, seed).Groups[3].Map)];
        Assert.All(drawn, map => Assert.Equal((0, true), (map[0], map[1] is > 0 and < 6)));
        Assert.Equal(5, drawn.Select(map => map[1]).Distinct().Count());
        Assert.Equal(LayerAlignment.Random(a, b, 3).Groups.SelectMany(group => group.Map), LayerAlignment.Random(a, b, 3).Groups.SelectMany(group => group.Map));
    }

    [Theory]
    [InlineData("resnet18:width=0.0625", "vgg11:width=0.125", "do not correspond")]
    [InlineData("vgg11:width=0.125", "vgg11:width=0.125,norm=none", "cannot be matched")]
    [InlineData("resnet18:width=0.0625", "resnet20:width=0.25", "do not correspond")]
    [InlineData("mlp", "mlp:activation=gelu", "Gelu")]
    public void Networks_whose_layers_do_not_correspond_are_refused(string a, string b, string phrase)
    {
        string message = Assert.Throws<GraphException>(() => LayerAlignment.Run(Of(a), Of(b), Width)).Message;
        Assert.Contains(phrase, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Blocks_that_change_the_width_are_matched_with_such_alone()
    {
        NetworkLayers a = Of("resnet34:width=0.0625"), b = Of("resnet18:width=0.0625");
        Assert.All(LayerAlignment.Run(a, b, Width with { PinnedFirst = 0, PinnedLast = 0 }).Pairs, pair => Assert.Equal(pair.A.IsTransition, pair.B.IsTransition));
        string message = Assert.Throws<GraphException>(() => LayerAlignment.Given(a, b, [[0], [0, 1], [1, 2], [0, 1], [0, 1]])).Message;
        Assert.Contains("'layer2.1' of the first network (2 x Conv 3x3) cannot be matched with 'layer2.0' of the second (Conv 3x3 /2, Conv 3x3, Conv 1x1 /2)", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0 2 1")]
    [InlineData("0 1")]
    [InlineData("0 1 5")]
    [InlineData("-1 1 2")]
    public void Maps_that_are_none_are_refused(string map)
    {
        int[] given = [.. map.Split(' ').Select(int.Parse)];
        Assert.Contains("must name 3 of 5 layers in order", Assert.Throws<GraphException>(() => LayerAlignment.Given(Of("mlp:hidden=5/5/5/5/5"), Of("mlp:hidden=5/5/5"), [given])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_is_asked_for_where_it_is_needed_and_must_fit_both_networks()
    {
        NetworkLayers a = Of("mlp:input=6,hidden=5/4"), b = Of("mlp:input=8,hidden=5/4");
        Assert.Contains("takes data", Assert.Throws<GraphException>(() => LayerAlignment.Run(a, a)).Message, StringComparison.Ordinal);
        Assert.Contains("noise", Assert.Throws<GraphException>(() => LayerAlignment.Run(a, b, null, new Samples("x", new(6), 30, 3))).Message, StringComparison.Ordinal);
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
        Graph graph = Deepened(1, 0);
        graph.Parameters["fc2.weight"].Value!.Span[3] = float.NaN;
        NetworkLayers layers = NetworkLayers.Of(graph), fine = NetworkLayers.Of(Deepened(1, 0));
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

    /// <summary>Three hidden layers 16, 12 and 8, and after the first some that do nothing; turned, the first gives rotated pre-activations.</summary>
    private static Graph Deepened(long seed, int identities, bool turn = false)
    {
        Graph graph = new();
        Layers net = new(graph, seed);
        Node x = net.Linear(graph.Input("x", new(1, 10)), "fc1", 16, bias: false).Relu();
        for (int i = 0; i < identities; i++)
        {
            Tensor eye = new(new Shape(16, 16));
            for (int unit = 0; unit < 16; unit++) eye.Span[unit * 17] = 1;
            x = x.Linear(graph.Parameter($"same{i}", eye)).Relu();
        }

        x = net.Linear(net.Linear(x, "fc2", 12, bias: false).Relu(), "fc3", 8, bias: false).Relu();
        graph.Output("y", net.Linear(x, "out", 4, bias: false));
        if (!turn) return graph;
        Span<float> weights = graph.Parameters["fc1.weight"].Value!.Span;
        for (int i = 0; i < 10; i++) (weights[i], weights[10 + i]) = ((0.6f * weights[i]) - (0.8f * weights[10 + i]), (0.8f * weights[i]) + (0.6f * weights[10 + i]));
        return graph;
    }

    /// <summary>A stem and residual blocks with normalisation; a negative number makes a block that does nothing.</summary>
    private static Graph Residual(int[] blocks, int channels)
    {
        Graph graph = new();
        Layers net = new(graph, 3);
        Node x = net.BatchNorm(net.Conv(graph.Input("x", new(1, 3, 6, 6)), "stem", channels, 3, 1, 1, bias: false), "norm").Relu();
        for (int i = 0; i < blocks.Length; i++)
        {
            string name = blocks[i] < 0 ? $"nothing{i}" : $"block{blocks[i]}";
            Node y = net.BatchNorm(net.Conv(x, $"{name}.a", channels, 3, 1, 1, bias: false), $"{name}.n").Relu();
            y = net.BatchNorm(net.Conv(y, $"{name}.b", channels, 3, 1, 1, bias: false), $"{name}.m");
            if (blocks[i] < 0) graph.Parameters[$"{name}.m.weight"].Value!.Span.Clear();
            x = (y + x).Relu();
        }

        graph.Output("y", net.Linear(Layers.ChannelMeans(x), "out", 2));
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

    private static int[] From1(LayerMapping mapping) => [.. mapping.Pairs.Select(pair => Math.Max(pair.A.Index, pair.B.Index) + 1)];

    /// <summary>How many convolutions each layer has, and how many come before it.</summary>
    private static int[] Tensors(NetworkLayers layers, out int[] first)
    {
        int[] counts = [.. layers.Layers.Select(layer => layer.Nodes.Count(node => node.Op is Conv))];
        first = [.. counts.Select((_, i) => counts.Take(i).Sum())];
        return counts;
    }

    private static IEnumerable<int[]> Permutations(int count) =>
        count == 0 ? [[]] : Permutations(count - 1).SelectMany(rest => Enumerable.Range(0, count).Select(at => (int[])[.. rest[..at], count - 1, .. rest[at..]]));

    /// <summary>A network without weights, which are not looked at.</summary>
    private static NetworkLayers Of(string model)
    {
        ModelDescription description = ModelDescription.Parse(model);
        return NetworkLayers.Of(ZooModel.Find(description.Name).With(description.Options).Build(2, null));
    }
}
