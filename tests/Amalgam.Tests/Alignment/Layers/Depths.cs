using System.Collections.Immutable;
using Amalgam.Alignment;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Zoo.Models;

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

    private static int[] Spread(int deep, int shallow) => [.. Enumerable.Range(0, shallow).Select(i => shallow == 1 ? 0 : i * (deep - 1) / (shallow - 1))];
}
