using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Zoo.Models;
using Net = Amalgam.Zoo.Models.Layers;

namespace Amalgam.Tests.Alignment.OfLayers;

/// <summary>Networks of other depth and width, and mappings between their layers.</summary>
internal static class Depths
{
    /// <summary>A network of the zoo with all parameters at random, running statistics among them.</summary>
    public static Graph Zoo(string model, string options, int seed, int batch = 3) =>
        ZooModel.Find(model).Build(batch, options.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(o => o.Split('=')).ToDictionary(o => o[0], o => o[1]), seed).Randomise(seed);

    /// <summary>A mapping with the given map for each group; where there is none, the first and last layers belong together and those between are spread evenly.</summary>
    public static LayerMapping Map(Graph a, Graph b, params int[][] maps)
    {
        NetworkLayers ofA = NetworkLayers.Of(a), ofB = NetworkLayers.Of(b);
        Assert.Equal(ofA.Groups.Length, ofB.Groups.Length);
        return new(ofA, ofB, [.. ofA.Groups.Zip(ofB.Groups).Select((pair, i) =>
            new GroupMapping(pair.First, pair.Second, [], i < maps.Length ? maps[i] : Spread(Math.Max(pair.First.Count, pair.Second.Count), Math.Min(pair.First.Count, pair.Second.Count))))]);
    }

    /// <summary>What a network is made of, apart from widths: its operations with their inputs, from the outputs back.</summary>
    public static string Structure(Graph graph)
    {
        Dictionary<Node, int> numbers = [];
        List<string> lines = [];
        foreach (Node node in graph.Outputs.Values) Visit(node);
        return string.Join('\n', lines);

        int Visit(Node node)
        {
            if (numbers.TryGetValue(node, out int known)) return known;
            string inputs = string.Join(',', node.Inputs.Select(Visit));
            numbers.Add(node, numbers.Count);
            string op = node.Op is Conv { Groups: > 1 } conv ? (conv with { Groups = 2 }).ToString() : node.Op.ToString();
            lines.Add($"{numbers[node]}: {op}({inputs}) rank {node.Shape.Rank}");
            return numbers[node];
        }
    }

    /// <summary>All outputs on random inputs.</summary>
    public static float[] Outputs(Graph graph, int seed = 5, ExecutorOptions? options = null)
    {
        Executor executor = new(graph, options ?? new ExecutorOptions(Rewrites: false));
        Random random = new(seed);
        foreach (Node input in graph.Inputs.Values)
        {
            foreach (ref float x in executor[input].Span) x = input.Type.IsFloat ? (float)(4 * random.NextDouble() - 2) : random.Next(5);
        }

        executor.Run();
        return [.. graph.Outputs.Values.SelectMany(node => executor[node].Span.ToArray())];
    }

    /// <summary>Asserts that two arrays have the same values; zero is zero whatever its sign.</summary>
    public static void Same(float[] expected, float[] found)
    {
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < expected.Length; i++) Assert.True(expected[i] == found[i], $"number {i} is {found[i]:R}, expected {expected[i]:R}");
        Assert.Contains(expected, x => x != 0);
    }

    /// <summary>Three hidden layers 16, 12 and 8, and after the first some that do nothing; turned, the first gives rotated pre-activations.</summary>
    public static Graph Deepened(long seed, int identities, bool turn = false)
    {
        Graph graph = new();
        Net net = new(graph, seed);
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

    /// <summary>A stem and blocks of two convolutions without normalisation or activation of the sum, each with channels of its own inside.</summary>
    public static Graph Residual(int[] inner, int channels)
    {
        Graph g = new();
        Net net = new(g, 1);
        Node x = net.Conv(g.Input("image", new(2, 3, 6, 6)), "stem", channels, 3, padding: 1);
        for (int i = 0; i < inner.Length; i++) x += net.Conv(net.Conv(x, $"{i}.a", inner[i], 3, padding: 1).Gelu(), $"{i}.b", channels, 3, padding: 1);
        g.Output("y", net.Linear(Net.ChannelMeans(x), "head", 3));
        return g.Randomise();
    }

    /// <summary>Stages of inverted residual blocks with batch normalisation, the first of each of which changes the width.</summary>
    public static Graph MobileNet(int[] blocks, int channels, int expansion)
    {
        Graph g = new();
        Net net = new(g, 1);
        Node Conv(Node x, string name, int made, int kernel = 1, int groups = 1) => net.BatchNorm(net.Conv(x, name, made, kernel, padding: kernel / 2, groups: groups, bias: false), $"{name}.norm");
        Node x = Conv(g.Input("image", new(2, 3, 6, 6)), "stem", channels, 3).Clip(0, 6);
        for (int stage = 0; stage < blocks.Length; stage++)
        {
            for (int i = 0; i < blocks[stage]; i++)
            {
                string name = $"block{stage}.{i}";
                int width = channels * (stage + 2), inner = expansion * width;
                Node y = Conv(Conv(x, $"{name}.expand", inner).Clip(0, 6), $"{name}.depth", inner, 3, inner).Clip(0, 6);
                x = Conv(y, $"{name}.project", width) + (i == 0 ? Conv(x, $"{name}.shortcut", width) : x);
            }
        }

        g.Output("y", net.Linear(Net.ChannelMeans(x), "head", 3));
        return g.Randomise();
    }

    private static int[] Spread(int deep, int shallow) => [.. Enumerable.Range(0, shallow).Select(i => shallow == 1 ? 0 : i * (deep - 1) / (shallow - 1))];
}
