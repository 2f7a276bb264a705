using System.Collections.Immutable;
using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Numerics;
using Amalgam.Training.Data;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Alignment;

/// <summary>Networks of random weights (He's), small enough to be matched in a moment.</summary>
internal static class SmallNetworks
{
    /// <summary>Three hidden layers.</summary>
    public static Graph Mlp(long seed, int hidden, int inputs = 32, int outputs = 32, bool bias = false)
    {
        Layers net = Start(seed);
        Node x = net.Graph.Input("x", new(1, inputs));
        for (int i = 1; i <= 3; i++) x = net.Linear(x, $"fc{i}", hidden, bias).Relu();
        net.Graph.Output("y", net.Linear(x, "fc4", outputs, bias));
        return net.Graph;
    }

    /// <summary>Three blocks of two layers, each added to what it was given.</summary>
    public static Graph Residual(long seed, int hidden, int inputs = 32, int outputs = 32)
    {
        Layers net = Start(seed);
        Node x = net.Linear(net.Graph.Input("x", new(1, inputs)), "stem", hidden, false);
        for (int i = 1; i <= 3; i++) x += net.Linear(net.Linear(x, $"block{i}.a", hidden, false).Relu(), $"block{i}.b", hidden, false);
        net.Graph.Output("y", net.Linear(x, "head", outputs, false));
        return net.Graph;
    }

    /// <summary>An attention of heads between a layer that embeds and one that reads, over four positions.</summary>
    public static Graph Attention(long seed, int units, int heads, int inputs = 16)
    {
        Layers net = Start(seed);
        Node x = net.Linear(net.Graph.Input("x", new(1, 4, inputs)), "stem", units, false);
        Node attended = Layers.Attend(net.Linear(x, "q", units, false), net.Linear(x, "k", units, false), net.Linear(x, "v", units, false), heads);
        net.Graph.Output("y", net.Linear(x + net.Linear(attended, "out", units, false), "head", inputs, false));
        return net.Graph;
    }

    /// <summary>A convolutional network with batch normalisation and a residual block that changes its stage.</summary>
    public static Graph Convolutional(long seed, int channels, int classes = 10)
    {
        Layers net = Start(seed);
        net.ConvStart = Initialisation.KaimingFanIn;
        Node x = net.Graph.Input("x", new(1, 3, 8, 8));
        x = net.BatchNorm(net.Conv(x, "stem", channels, 3, 1, 1, bias: false), "stem.norm").Relu();
        Node y = net.BatchNorm(net.Conv(x, "conv1", 2 * channels, 3, 2, 1, bias: false), "norm1").Relu();
        y = net.BatchNorm(net.Conv(y, "conv2", 2 * channels, 3, 1, 1, bias: false), "norm2");
        Node aside = net.BatchNorm(net.Conv(x, "aside", 2 * channels, 1, 2, 0, bias: false), "aside.norm");
        x = net.Graph.Add(new Amalgam.Graphs.Ops.Add(), "joined", y, aside).Relu();
        net.Graph.Output("y", net.Linear(Layers.ChannelMeans(x), "head", classes));
        return net.Graph;
    }

    /// <summary>A network and the same one with its units in a random order, with the order.</summary>
    public static (Siblings Models, UnitMaps Planted) Twins(Graph network, int seed)
    {
        UnitGroups groups = UnitGroups.Of(network);
        UnitMaps planted = UnitMaps.Random(groups, 1, seed);
        IReadOnlyDictionary<string, Tensor> weights = Siblings.WeightsOf(network);
        return (new(groups, [weights, Rearrangement.Apply(planted, 0, weights)]), planted);
    }

    /// <summary>Weights with noise of a share of each tensor's deviation.</summary>
    public static IReadOnlyDictionary<string, Tensor> Noisy(IReadOnlyDictionary<string, Tensor> weights, double share, long seed) => weights.ToDictionary(w => w.Key, w =>
    {
        double deviation = Math.Sqrt(Sums.SumOfSquares(w.Value.Span) / w.Value.Count);
        Tensor noise = Initialisation.Normal(share * deviation).Draw(w.Value.Shape, seed, $"noise of {w.Key}"), sum = w.Value.Copy();
        for (int i = 0; i < sum.Count; i++) sum.Span[i] += noise.Span[i];
        return sum;
    });

    /// <summary>Normal numbers for a network's only input.</summary>
    public static Dataset Normal(Graph network, int samples = 512, long seed = 7) => new Draws(network.Inputs.Single().Key, new(network.Inputs.Single().Value.Shape.Sizes[1..]), samples, seed);

    /// <summary>The outputs of a network on samples.</summary>
    public static float[] Outputs(Graph network, Dataset data, string output = "y")
    {
        Graph all = Rewrite.Resize(network, data.Count).Graph;
        Executor executor = new(all);
        for (int i = 0; i < data.Count; i++) data.Read(0, i, default, executor["x"].Span.Slice(i * (int)data.Fields[0].Shape.Count, (int)data.Fields[0].Shape.Count));
        executor.Run();
        return executor[output].Span.ToArray();
    }

    /// <summary>Whether two networks' weights are the same, bit by bit.</summary>
    public static bool AreSame(IReadOnlyDictionary<string, Tensor> a, IReadOnlyDictionary<string, Tensor> b) => a.All(w => w.Value.Span.SequenceEqual(b[w.Key].Span));

    /// <summary>The weights of a model where its maps send them.</summary>
    public static IReadOnlyDictionary<string, Tensor> Moved(UnitMaps maps, Siblings models, int model) => Rearrangement.Apply(maps, model, models.Weights[model]);

    private static Layers Start(long seed) => new(new(), seed) { LinearStart = Initialisation.KaimingFanIn };

    private sealed class Draws(string name, Shape shape, int samples, long seed) : Dataset
    {
        private readonly Tensor _values = Initialisation.Normal(1).Draw(new([samples, .. shape.Sizes]), seed, "samples");

        public override string Name => "normal numbers";

        public override int Count => samples;

        public override ImmutableArray<Field> Fields { get; } = [new(name, shape, DType.F32)];

        public override void Read(int field, int sample, Draw draw, Span<float> y) => _values.Span.Slice(sample * y.Length, y.Length).CopyTo(y);
    }
}
