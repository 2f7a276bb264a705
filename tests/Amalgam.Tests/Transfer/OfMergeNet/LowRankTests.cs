using Amalgam.Graphs;
using Amalgam.Tests.Graphs;
using Amalgam.Tests.Numerics;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Tests.Transfer.OfMergeNet;

public class LowRankTests
{
    [Fact]
    public void What_is_baked_is_the_original_graph_and_at_full_rank_the_original_function()
    {
        Graph network = Network();
        LowRank[] full = [.. WeightMatrix.AllOf(network).Select(m => new LowRank(m, Math.Min(m.Rows, m.Columns)))];
        Graph encoded = LowRank.Encode(network, full), baked = Surgery.Bake(encoded).Graph;
        Assert.Equal(network.ToString(), baked.ToString());
        Assert.Equal(network.Parameters.Select(p => (p.Key, p.Value.Trainable, p.Value.Type)), baked.Parameters.Select(p => (p.Key, p.Value.Trainable, p.Value.Type)));
        Tensor x = RandomGraph.Random(new(5), network.Inputs["x"].Shape);
        double[] expected = Run(network, x);
        Oracles.Close(expected, [.. Run(encoded, x).Select(v => (float)v)], 1e-5);
        Oracles.Close(expected, [.. Run(baked, x).Select(v => (float)v)], 1e-5);
    }

    [Theory]
    [InlineData("conv", ConvolutionLayout.Filters, 2)]
    [InlineData("dense", ConvolutionLayout.Filters, 3)]
    [InlineData("linear", ConvolutionLayout.Filters, 1)]
    [InlineData("back", ConvolutionLayout.Filters, 2)]
    [InlineData("square", ConvolutionLayout.Filters, 2)]
    [InlineData("square", ConvolutionLayout.Loralib, 1)]
    public void A_matrix_becomes_the_nearest_of_the_rank_that_the_factors_have(string name, ConvolutionLayout layout, int rank)
    {
        Graph network = Network();
        WeightMatrix matrix = WeightMatrix.Of(network, name, layout);
        LowRank low = new(matrix, rank, Alpha: 3);
        Graph encoded = LowRank.Encode(network, [low]);
        Tensor a = encoded.Parameters[low.NameOfA].Value!, b = encoded.Parameters[low.NameOfB].Value!;
        int inner = rank * matrix.Side;
        Assert.Equal((new Shape(inner, matrix.Columns), new Shape(matrix.Rows, inner)), (a.Shape, b.Shape));
        Assert.DoesNotContain(name, encoded.Parameters.Keys);

        float[] before = WeightMatrixTests.Values(network, matrix), after = WeightMatrixTests.Values(Surgery.Bake(encoded).Graph, matrix);
        double error = 0;
        for (int i = 0; i < before.Length; i++)
        {
            double product = 0;
            for (int k = 0; k < inner; k++) product += (double)b.Span[i / matrix.Columns * inner + k] * a.Span[k * matrix.Columns + i % matrix.Columns];
            Assert.Equal(3.0 / rank * product, after[i], 1e-5);
            error += ((double)before[i] - after[i]) * ((double)before[i] - after[i]);
        }

        double[] values = TruncatedSvdTests.Values(before, matrix.Rows, matrix.Columns);
        Assert.Equal(Math.Sqrt(values.Skip(inner).Sum(v => v * v)), Math.Sqrt(error), 1e-5 * values[0]);

        // Both factors take the same share: B' B = A A', the singular values.
        for (int k = 0; k < inner; k++)
        {
            double ofA = Enumerable.Range(0, matrix.Columns).Sum(i => Math.Pow(a.Span[k * matrix.Columns + i], 2)), ofB = Enumerable.Range(0, matrix.Rows).Sum(i => Math.Pow(b.Span[i * inner + k], 2));
            Assert.Equal(ofA, ofB, 1e-5 * values[0]);
            Assert.Equal(values[k] * rank / 3, ofA, 1e-5 * values[0]);
        }
    }

    [Fact]
    public void Fresh_factors_are_drawn_in_kaimings_bounds_whatever_was_there()
    {
        Graph network = new();
        network.Output("y", network.Input("x", new(1, 200)).Linear(network.Parameter("w", new(new(100, 200)))));
        LowRank low = new(WeightMatrix.Of(network, "w"), 10, FactorStart.Fresh, 5);
        Graph encoded = LowRank.Encode(network, [low], 3);
        float[] a = encoded.Parameters[low.NameOfA].Value!.Span.ToArray(), b = encoded.Parameters[low.NameOfB].Value!.Span.ToArray();
        foreach (var (values, fan) in new[] { (a, 200), (b, 10) })
        {
            double bound = 1 / Math.Sqrt(fan);
            Assert.All(values, v => Assert.InRange(Math.Abs(v), 0, bound));
            Assert.InRange(values.Average(v => v * v) / (bound * bound / 3), 0.85, 1.15);
        }

        Assert.Equal(a, LowRank.Encode(network, [low], 3).Parameters[low.NameOfA].Value!.Span.ToArray());
        Assert.NotEqual(a, LowRank.Encode(network, [low], 4).Parameters[low.NameOfA].Value!.Span.ToArray());
        double expected = 0;
        for (int k = 0; k < 10; k++) expected += 0.5 * b[7 * 10 + k] * a[k * 200 + 11];
        Assert.Equal(expected, Surgery.Bake(encoded).Graph.Parameters["w"].Value!.Span[7 * 200 + 11], 1e-6);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Parts_of_a_packed_matrix_are_encoded_and_its_other_rows_stay(bool outputsFirst)
    {
        Graph network = new();
        Node w = network.Parameter("qkv", RandomGraph.Random(new(1), outputsFirst ? new(12, 5) : new(5, 12)));
        network.Output("y", network.Input("x", new(2, 5)).MatMul(w, false, outputsFirst));
        WeightMatrix all = WeightMatrix.Of(network, "qkv");
        LowRank[] parts = [new(WeightMatrix.Of(network, "qkv", rows: (8, 3)), 3), new(WeightMatrix.Of(network, "qkv", rows: (4, 4)), 1)];
        Graph encoded = LowRank.Encode(network, parts), baked = Surgery.Bake(encoded).Graph;
        Assert.Equal(network.ToString(), baked.ToString());
        float[] before = WeightMatrixTests.Values(network, all), after = WeightMatrixTests.Values(baked, all);
        Assert.Equal(before[..20], after[..20]);
        Assert.Equal(before[55..], after[55..]);
        for (int i = 40; i < 55; i++) Assert.Equal(before[i], after[i], 1e-5);
        double[] values = TruncatedSvdTests.Values(before.AsSpan(20, 20), 4, 5);
        Assert.Equal(Math.Sqrt(values.Skip(1).Sum(v => v * v)), Math.Sqrt(Enumerable.Range(20, 20).Sum(i => Math.Pow(before[i] - after[i], 2))), 1e-5);
    }

    [Fact]
    public void Factors_are_trained_where_the_parameter_was_and_the_network_stays()
    {
        Graph network = Network();
        Surgery.Freeze(network, name => name == "linear");
        string before = network.ToString();
        float[] weights = network.Parameters["dense"].Value!.Span.ToArray();
        LowRank dense = new(WeightMatrix.Of(network, "dense"), 1), linear = new(WeightMatrix.Of(network, "linear"), 1);
        Graph encoded = LowRank.Encode(network, [dense, linear]);
        Assert.True(encoded.Parameters[dense.NameOfA].Trainable && encoded.Parameters[dense.NameOfB].Trainable);
        Assert.False(encoded.Parameters[linear.NameOfA].Trainable || encoded.Parameters[linear.NameOfB].Trainable);
        encoded.Parameters[dense.NameOfA].Value!.Span.Clear();
        Assert.Equal(before, network.ToString());
        Assert.Equal(weights, network.Parameters["dense"].Value!.Span.ToArray());
    }

    [Fact]
    public void Gradients_reach_both_factors()
    {
        Graph network = Network();
        Graph encoded = LowRank.Encode(network, WeightMatrix.AllOf(network).Select(m => new LowRank(m, 1, FactorStart.Fresh)));
        Graph still = Rewrite.Apply(encoded, (to, node, _) => node.Op is Input ? to.Constant(RandomGraph.Random(new(2), node.Shape)) : null).Graph;
        Oracles.CheckGradients(still.Outputs["y"], new(1));
    }

    [Theory]
    [InlineData(10, 1280, 1)]
    [InlineData(100, 2048, 12)]
    [InlineData(1024, 1024, 64)]
    [InlineData(3, 5, 1)]
    public void The_usual_rank_is_an_eighth_of_the_shorter_side(int rows, int columns, int rank) => Assert.Equal(rank, LowRank.UsualRank(rows, columns));

    [Fact]
    public void Refuses_ranks_and_parts_that_cannot_be()
    {
        Graph network = Network();
        WeightMatrix dense = WeightMatrix.Of(network, "dense");
        Assert.Contains("from 1 to 4, got 5", Refusal(network, new LowRank(dense, 5)), StringComparison.Ordinal);
        Assert.Contains("from 1 to 4, got 0", Refusal(network, new LowRank(dense, 0)), StringComparison.Ordinal);
        Assert.Contains("alpha", Refusal(network, new LowRank(dense, 1, Alpha: -1)), StringComparison.Ordinal);
        Assert.Contains("rows in common", Refusal(network, new(WeightMatrix.Of(network, "dense", rows: (0, 2)), 1), new(WeightMatrix.Of(network, "dense", rows: (1, 2)), 1)), StringComparison.Ordinal);
        Assert.Contains("two layouts", Refusal(network, new(WeightMatrix.Of(network, "square", rows: (0, 2)), 1), new(WeightMatrix.Of(network, "square", ConvolutionLayout.Loralib, (4, 3)), 1)), StringComparison.Ordinal);
        Assert.Contains("no parameter of the network", Assert.Throws<GraphException>(() => LowRank.Encode(new Graph(), [new(dense, 1)])).Message, StringComparison.Ordinal);
        network.Parameters["dense"].Value!.Span[3] = float.NaN;
        Assert.Contains("'dense' cannot be decomposed", Refusal(network, new LowRank(dense, 1)), StringComparison.Ordinal);
    }

    private static string Refusal(Graph network, params LowRank[] matrices) => Assert.Throws<GraphException>(() => LowRank.Encode(network, matrices)).Message;

    private static double[] Run(Graph graph, Tensor x) => [.. Oracles.Value(graph.Outputs["y"], new Dictionary<string, Tensor> { ["x"] = x }).Select(v => (double)v)];

    private static Graph Network()
    {
        Graph graph = new();
        Generator gen = new(1);
        Node P(string name, params long[] sizes) => graph.Parameter(name, RandomGraph.Random(gen, new(sizes)));
        Node x = graph.Input("x", new(2, 4, 6, 5)).Conv(P("conv", 6, 2, 3, 2), P("bias", 6), groups: 2).Tanh().Conv(P("square", 3, 6, 3, 3), pad: 1);
        x = x.Graph.Add(new Amalgam.Graphs.Ops.ConvTranspose(), x, P("back", 3, 4, 2, 2)).Tanh();
        graph.Output("y", x.GlobalAveragePool().Reshape(2, 4).MatMul(P("dense", 4, 7)).Tanh().Linear(P("linear", 3, 7)));
        return graph;
    }
}
