using System.Collections.Immutable;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Training.Data;
using Net = Amalgam.Zoo.Models.Layers;

namespace Amalgam.Tests.Alignment.OfLayers;

public class LayerMergingTests
{
    /// <summary>Samples of one field, row by row.</summary>
    private sealed class Rows(params float[][] rows) : Dataset
    {
        public override string Name => "rows";

        public override int Count => rows.Length;

        public override ImmutableArray<Field> Fields => [new("x", new(rows[0].Length), DType.F32)];

        public override void Read(int field, int sample, Draw draw, Span<float> y) => rows[sample].CopyTo(y);
    }

    /// <summary>The hand-computed case: z of the second layer is (-1, 1), (1, -1), (1, -1), (2, -2).</summary>
    [Theory]
    [InlineData(Gate.Sum, new[] { 1, -1, 0, 2, -2, 0f })]
    [InlineData(Gate.Majority, new[] { 1, -1, 0, 2, -2, 0f })]
    [InlineData(Gate.Average, new[] { 0.75f, -0.25f, -0.25f, 1.5f, -2, 0.25f })]
    public void Gates_are_those_of_the_hand_computed_case(Gate gate, float[] expected)
    {
        Graph a = Chain([[1, 0, 0, 1, 1, 1], [1, -1, 0, 0, 2, -1], [1, 1, 2, -1], [1, 0, 0, 1]], [3, 2, 2, 2]), b = Chain([[1, 0, 0, 1], [1, 0, 0, 1], [1, 0, 0, 1]], [2, 2, 2]);
        BalancedNetworks balanced = LayerBalancing.Merge(Depths.Map(a, b, [0, 2]), gate, new Rows([1, 2], [2, 1], [1, 0], [3, 1]));
        Assert.Same(b, balanced.B);
        Assert.Equal(["w0", "w2", "w3"], balanced.A.Parameters.Keys);
        Assert.Equal(new Shape(2, 3), balanced.A.Parameters["w2"].Shape);
        Assert.Equal(expected, balanced.A.Parameters["w2"].Value!.Span.ToArray());
        Assert.Equal([1, 0, 0, 1, 1, 1f], balanced.A.Parameters["w0"].Value!.Span.ToArray());
        Assert.Equal(2, balanced.Notes.Length);
        Assert.Contains("w1", balanced.Notes[0], StringComparison.Ordinal);
        Assert.Contains("A: the outputs on random inputs change by", balanced.Notes[1], StringComparison.Ordinal);
    }

    /// <summary>Where all pre-activations of what goes are positive, the network is the same on those samples, with biases, over gaps of any length and at both ends.</summary>
    [Theory]
    [InlineData(new[] { 0, 4 }, Gate.Sum)]
    [InlineData(new[] { 0, 1 }, Gate.Average)]
    [InlineData(new[] { 3, 4 }, Gate.Majority)]
    [InlineData(new[] { 1, 3 }, Gate.Sum)]
    [InlineData(new[] { 2, 3 }, Gate.Average)]
    public void Merging_is_exact_where_nothing_was_cut(int[] map, Gate gate)
    {
        Graph a = Positive(6, 9, 8, 7, 8, 5), b = Positive(6, 4, 3);
        Dataset data = new Rows([.. Enumerable.Range(0, 20).Select(i => Enumerable.Range(0, 6).Select(j => (i * 7 + j * 3) % 11 / 11f).ToArray())]);
        BalancedNetworks balanced = LayerBalancing.Merge(Depths.Map(a, b, map), gate, data);

        Assert.Equal(2, NetworkLayers.Of(balanced.A).Layers.Length);
        Assert.Equal(Depths.Structure(b), Depths.Structure(balanced.A));
        Assert.Equal(map.Select(i => NetworkLayers.Of(a).Layers[i].Width), NetworkLayers.Of(balanced.A).Layers.Select(layer => layer.Width));
        float[] expected = SmallNetworks.Outputs(a, data), found = SmallNetworks.Outputs(balanced.A, data);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found[i], 1e-5f * Math.Max(1, Math.Abs(expected[i])));
    }

    /// <summary>Chained gates are all those of the network as it was: against a plain product in double precision.</summary>
    [Fact]
    public void Gaps_of_two_layers_chain_the_gates_of_the_original()
    {
        Graph a = Depths.Zoo("mlp", "input=6;hidden=9,8,7,5;classes=3", 3, 1), b = Depths.Zoo("mlp", "input=6;hidden=4,3;classes=3", 4, 1);
        Random random = new(1);
        float[][] rows = [.. Enumerable.Range(0, 50).Select(_ => Enumerable.Range(0, 6).Select(_ => (float)random.NextDouble() * 2 - 1).ToArray())];
        Graph merged = LayerBalancing.Merge(Depths.Map(a, b, [0, 3]), Gate.Average, new Rows(rows), samples: 50).A;

        double[][] weight = [.. Enumerable.Range(1, 4).Select(i => Doubles(a, $"fc{i}.weight"))], bias = [.. Enumerable.Range(1, 4).Select(i => Doubles(a, $"fc{i}.bias"))];
        double[][] gates = [new double[8], new double[7]];
        foreach (float[] row in rows)
        {
            double[] x = [.. row.Select(v => (double)v)];
            for (int layer = 0; layer < 3; layer++)
            {
                double[] z = Affine(weight[layer], bias[layer], x);
                if (layer > 0) gates[layer - 1] = [.. gates[layer - 1].Zip(z, (d, v) => d + (v > 0 ? 1 / 50.0 : 0))];
                x = [.. z.Select(v => Math.Max(0, v))];
            }
        }

        // The merged layer is affine: what it makes of nothing is its bias, and of each unit vector a column more.
        double[] Through(double[] h)
        {
            double[] y = [.. Affine(weight[1], bias[1], h).Zip(gates[0], (v, d) => v * d)];
            return Affine(weight[3], bias[3], [.. Affine(weight[2], bias[2], y).Zip(gates[1], (v, d) => v * d)]);
        }

        double[] zero = Through(new double[9]);
        for (int row = 0; row < 5; row++) Assert.Equal(zero[row], merged.Parameters["fc4.bias"].Value!.Span[row], 1e-5);
        for (int column = 0; column < 9; column++)
        {
            double[] made = Through([.. Enumerable.Range(0, 9).Select(i => i == column ? 1.0 : 0)]);
            for (int row = 0; row < 5; row++) Assert.Equal(made[row] - zero[row], merged.Parameters["fc4.weight"].Value!.Span[row * 9 + column], 1e-5);
        }
    }

    /// <summary>Weights as [inputs, outputs], as ONNX files have them.</summary>
    [Fact]
    public void Weights_that_are_stored_the_other_way_round_are_merged()
    {
        Graph a = Chain([[1, 0, 1, 0, 1, 1], [1, 0, -1, 2, 0, -1], [1, 2, 1, -1], [1, 0, 0, 1]], [3, 2, 2, 2], transposed: true), b = Chain([[1, 0, 0, 1], [1, 0, 0, 1], [1, 0, 0, 1]], [2, 2, 2], transposed: true);
        BalancedNetworks balanced = LayerBalancing.Merge(Depths.Map(b, a, [0, 2]), Gate.Average, new Rows([1, 2], [2, 1], [1, 0], [3, 1]));
        Assert.Equal(new Shape(3, 2), balanced.B.Parameters["w2"].Shape);
        Assert.Equal([0.75f, 1.5f, -0.25f, -2, -0.25f, 0.25f], balanced.B.Parameters["w2"].Value!.Span.ToArray());
    }

    /// <summary>Weights behind a Transpose, which may stand before everything that reads the layer's input.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(0, 2)]
    public void Weights_that_are_turned_in_the_network_are_merged(int first, int second)
    {
        static Graph Build(int seed, bool turned, params int[] hidden)
        {
            Graph g = new();
            int[] sizes = [6, .. hidden, 3];
            Node[] weights = [.. Enumerable.Range(0, hidden.Length + 1).Select(i => g.Parameter($"w{i}", new(new(sizes[i + 1], sizes[i]))))];
            if (turned) weights = [.. weights.Select(w => w.Transpose(1, 0))];
            Node x = g.Input("x", new(1, 6));
            for (int i = 0; i < weights.Length; i++)
            {
                x = x.MatMul(weights[i], false, !turned) + g.Parameter($"b{i}", new(new(sizes[i + 1])));
                if (i < hidden.Length) x = x.Relu();
            }

            g.Output("y", x);
            return g.Randomise(seed);
        }

        Graph Merged(bool turned)
        {
            Graph a = Build(1, turned, 8, 7, 5), b = Build(2, turned, 4, 3);
            return LayerBalancing.Merge(Depths.Map(a, b, [first, second]), Gate.Average, SmallNetworks.Normal(a, 64)).A;
        }

        Graph expected = Merged(false), found = Merged(true);
        Assert.Equal(expected.Parameters.Keys.Order(), found.Parameters.Keys.Order());
        Assert.All(expected.Parameters, p => Tests.Graphs.Oracles.Close([.. p.Value.Value!.Span.ToArray().Select(w => (double)w)], found.Parameters[p.Key].Value!.Span.ToArray()));
    }

    [Fact]
    public void Convolutions_are_refused()
    {
        Graph a = Depths.Zoo("vgg13", "width=0.0625;classes=2", 1), b = Depths.Zoo("vgg11", "width=0.0625;classes=2", 2);
        string message = Assert.Throws<GraphException>(() => LayerBalancing.Merge(Depths.Map(a, b), Gate.Sum, new Rows([0]))).Message;
        Assert.Contains("only dense layers", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("activation=gelu", "Gelu follows its product")]
    [InlineData("activation=tanh", "Tanh follows its product")]
    public void Other_activations_are_refused(string options, string reason)
    {
        Graph a = Depths.Zoo("mlp", $"input=2;hidden=3,3,3;classes=2;{options}", 1), b = Depths.Zoo("mlp", $"input=2;hidden=3,3;classes=2;{options}", 2);
        Assert.Contains(reason, Assert.Throws<GraphException>(() => LayerBalancing.Merge(Depths.Map(a, b), Gate.Sum, new Rows([0, 1]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bias_with_no_place_to_go_is_refused()
    {
        Graph Build(int layers)
        {
            Net net = new(new(), 1);
            Node x = net.Graph.Input("x", new(1, 2));
            for (int i = 0; i < layers; i++) x = net.Linear(x, $"fc{i}", 3, bias: i == 1).Relu();
            net.Graph.Output("y", net.Linear(x, "head", 2, false));
            return net.Graph.Randomise();
        }

        Assert.Contains("has none to take it", Assert.Throws<GraphException>(() => LayerBalancing.Merge(Depths.Map(Build(3), Build(1), [0]), Gate.Average, new Rows([0.3f, 1]))).Message, StringComparison.Ordinal);
    }

    private static double[] Doubles(Graph graph, string name) => [.. graph.Parameters[name].Value!.Span.ToArray().Select(v => (double)v)];

    private static double[] Affine(double[] w, double[] b, double[] x) => [.. b.Select((v, row) => v + x.Select((u, column) => u * w[row * x.Length + column]).Sum())];

    /// <summary>Layers without bias whose weights are given.</summary>
    private static Graph Chain(float[][] weights, int[] made, bool transposed = false)
    {
        Graph g = new();
        Node x = g.Input("x", new(1, 2));
        for (int i = 0; i < weights.Length; i++)
        {
            int taken = weights[i].Length / made[i];
            x = x.MatMul(g.Parameter($"w{i}", new(transposed ? new(taken, made[i]) : new(made[i], taken), weights[i])), false, !transposed);
            if (i < weights.Length - 1) x = x.Relu();
        }

        g.Output("y", x);
        return g;
    }

    /// <summary>Layers whose weights and biases are above zero.</summary>
    private static Graph Positive(int inputs, params int[] hidden)
    {
        Net net = new(new(), 1);
        Node x = net.Graph.Input("x", new(1, inputs));
        for (int i = 0; i < hidden.Length; i++) x = net.Linear(x, $"fc{i}", hidden[i]).Relu();
        net.Graph.Output("y", net.Linear(x, "head", 2));
        net.Graph.Randomise();
        foreach (Tensor value in net.Graph.Parameters.Values.Select(p => p.Value!))
        {
            foreach (ref float w in value.Span) w = Math.Abs(w);
        }

        return net.Graph;
    }
}
