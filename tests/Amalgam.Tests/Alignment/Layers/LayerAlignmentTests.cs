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
        NetworkLayers shallow = NetworkLayers.Of(Depths.Deepened(1, 0)), deep = NetworkLayers.Of(Depths.Deepened(1, 2));
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
        Assert.Contains("'layer2.1' of the first network (2 x Conv 3x3) cannot be matched with 'layer2.0' of the second network (Conv 3x3 /2, Conv 3x3, Conv 1x1 /2)", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(7, 1, "'dense' has 3 layers in the shallower network, fewer than the 7 first and 1 last ones that are to be pinned: 3 first and 0 last ones are")]
    [InlineData(2, 2, "2 first and 1 last ones are")]
    [InlineData(2, 1, null)]
    [InlineData(1, 1, null)]
    public void Pins_that_cannot_all_hold_are_told_of(int first, int last, string? phrase)
    {
        LayerMapping mapping = LayerAlignment.Run(Of("mlp:hidden=5/5/5/5/5"), Of("mlp:hidden=5/5/5"), Width with { PinnedFirst = first, PinnedLast = last });
        if (phrase is null) Assert.Empty(mapping.Notes);
        else Assert.Contains(phrase, Assert.Single(mapping.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void The_total_is_what_the_pairs_cost()
    {
        GroupMapping group = LayerAlignment.Run(Of("mlp:hidden=400/200/100"), Of("mlp:hidden=400/200/100/50/25"), Width).Groups[0];
        Assert.Equal(5625, group.Total);
        Assert.Equal(double.NaN, LayerAlignment.Chain(Of("mlp"), Of("mlp")).Groups[0].Total);
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

    private static int[] From1(LayerMapping mapping) => [.. mapping.Pairs.Select(pair => Math.Max(pair.A.Index, pair.B.Index) + 1)];

    /// <summary>How many convolutions each layer has, and how many come before it.</summary>
    private static int[] Tensors(NetworkLayers layers, out int[] first)
    {
        int[] counts = [.. layers.Layers.Select(layer => layer.Nodes.Count(node => node.Op is Conv))];
        first = [.. counts.Select((_, i) => counts.Take(i).Sum())];
        return counts;
    }

    /// <summary>A network without weights, which are not looked at.</summary>
    private static NetworkLayers Of(string model)
    {
        ModelDescription description = ModelDescription.Parse(model);
        return NetworkLayers.Of(ZooModel.Find(description.Name).With(description.Options).Build(2, null));
    }
}
