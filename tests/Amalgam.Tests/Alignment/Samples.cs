using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Training.Data;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Alignment;

/// <summary>Random numbers as samples, with classes by turns, and small networks that take them.</summary>
internal sealed class Samples(string field, Shape shape, int count, int seed, int classes = 3) : Dataset
{
    private readonly int[] _labels = [.. Enumerable.Range(0, count).Select(i => i % classes)];

    public override string Name => "noise";

    public override int Count => count;

    public override ImmutableArray<Field> Fields { get; } = [new(field, shape, DType.F32), new("label", default, DType.I64)];

    public override ReadOnlySpan<int> Labels => _labels;

    public override ImmutableArray<string> Classes => [.. Enumerable.Range(0, classes).Select(c => $"{c}")];

    public override void Read(int field, int sample, Draw draw, Span<float> y)
    {
        if (field == 1)
        {
            y[0] = _labels[sample];
            return;
        }

        Random random = new(seed * 100_003 + sample);
        for (int i = 0; i < y.Length; i++) y[i] = (float)(random.NextDouble() * 2 - 1 + random.NextDouble() - 0.3 * (sample % classes));
    }

    /// <summary>A small network of a kind, drawn by a seed, and data for it.</summary>
    public static (Graph Network, Samples Data) Of(string kind, int seed, int count = 60)
    {
        string field = kind == "mlp" ? "features" : kind is "mixer" or "folded" ? "x" : "image";
        return kind switch
        {
            "mlp" => Zoo("mlp", "input=6;hidden=9,7;classes=3", new(6)),
            "resnet" => Zoo("resnet20", "image=3,8,8;width=0.25;blocks=1;shortcut=3x3;classes=3", new(3, 8, 8)),
            "plain" => Zoo("resnet20", "image=3,8,8;width=0.25;blocks=1;shortcut=3x3;classes=3;norm=none", new(3, 8, 8)),
            "vit" => Zoo("vit_tiny", "image=3,8,8;hidden=8;depth=2;heads=2;inner=12;classes=3", new(3, 8, 8)),
            _ => (kind == "mixer" ? Mixer(seed) : Folded(seed), new("x", new(4, 6), count, 7)),
        };

        (Graph Network, Samples Data) Zoo(string model, string options, Shape shape)
        {
            Graph network = ZooModel.Find(model).Build(2, options.Split(';').Select(o => o.Split('=')).ToDictionary(o => o[0], o => o[1]), seed);
            string input = network.Inputs.Keys.Single();
            Random random = new(seed);
            foreach (Node parameter in network.Parameters.Values.Where(p => p.Shape.Rank == 1))
            {
                foreach (ref float x in parameter.Value!.Span) x += (float)random.NextDouble() * 0.4f;
            }

            return (network, new(input, shape, count, 7));
        }
    }

    /// <summary>A layer over channels, then one over positions, as MLP-Mixer has: units of the second are seen beside free units of the first.</summary>
    private static Graph Mixer(int seed)
    {
        Graph graph = new();
        Random random = new(seed);
        Node x = graph.Input("x", new(2, 4, 6)).Linear(Weight(graph, random, "a", 5, 6)).Relu().Transpose(0, 2, 1);
        x = x.Linear(Weight(graph, random, "b", 7, 4)).Relu().Linear(Weight(graph, random, "c", 4, 7)).Transpose(0, 2, 1);
        graph.Output("y", x.Linear(Weight(graph, random, "d", 3, 5)).Mean(false, 1));
        return graph;
    }

    /// <summary>Attention with samples and heads on one axis, as PyTorch's MultiheadAttention has: two heads of three units over four places.</summary>
    private static Graph Folded(int seed)
    {
        Graph graph = new();
        Random random = new(seed);
        Node x = graph.Input("x", new(2, 4, 6)).Transpose(1, 0, 2);
        Node Heads(string name) => x.Linear(Weight(graph, random, name, 6, 6)).Reshape(4, -1, 3).Transpose(1, 0, 2);
        Node read = Heads("q").MatMul(Heads("k"), false, true).Softmax().MatMul(Heads("v")).Transpose(1, 0, 2).Reshape(4, -1, 6);
        graph.Output("y", read.Linear(Weight(graph, random, "o", 3, 6)).Transpose(1, 0, 2).Mean(false, 1));
        return graph;
    }

    private static Node Weight(Graph graph, Random random, string name, int outputs, int inputs) =>
        graph.Parameter(name, new(new(outputs, inputs), [.. Enumerable.Range(0, outputs * inputs).Select(_ => (float)(random.NextDouble() * 2 - 0.9))]));
}
