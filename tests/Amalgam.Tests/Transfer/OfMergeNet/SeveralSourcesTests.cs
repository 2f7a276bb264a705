using Amalgam.Graphs;
using Amalgam.Tests.Graphs;
using Amalgam.Transfer.MergeNet;
using static Amalgam.Tests.Transfer.OfMergeNet.LowRankAdapterTests;

namespace Amalgam.Tests.Transfer.OfMergeNet;

/// <summary>An adapter that asks several sources at once.</summary>
public class SeveralSourcesTests
{
    [Theory, MemberData(nameof(Variants), MemberType = typeof(LowRankAdapterTests))]
    public void Equals_the_naive_reference(string variant) => Property.Holds(gen =>
    {
        LowRankAdapter adapter = Variant(variant) with { Heads = 1 + gen.Random.Next(9) };
        Made made = new(adapter, Draw(gen), [.. Enumerable.Range(0, 2 + gen.Random.Next(3)).Select(_ => Draw(gen))], gen.Random.Next(), "of/");
        made.Shake(gen);
        Oracles.Close(NaiveAdapter.Flat(made.Expected(new(made.Graph, adapter, "of/"))), made.Run(), 2e-4);
    }, 6);

    [Theory, MemberData(nameof(Variants), MemberType = typeof(LowRankAdapterTests))]
    public void Gradients_equal_the_naive_references_differences(string variant) => CheckGradients(variant, new Shape(4, 3), new Shape(2, 5));

    [Theory, MemberData(nameof(Variants), MemberType = typeof(LowRankAdapterTests))]
    public void A_list_of_one_is_one_source_to_the_bit(string variant)
    {
        Made list = new(Variant(variant), new(4, 6), [new(5, 7)], 3, "p/");
        Graph one = new();
        one.Output("result", Variant(variant).Add(new(one, one.Input("target", list.Target.Shape), one.Input("source0", list.Source.Shape), list.Target, "p/", 3)));
        Assert.Equal(one.ToString(), list.Graph.ToString());
        Assert.Equal(one.Parameters.Select(p => (p.Key, p.Value.Shape)), list.Graph.Parameters.Select(p => (p.Key, p.Value.Shape)));
        Assert.All(one.Parameters, p => Assert.Equal(p.Value.Value!.Span.ToArray(), list.Graph.Parameters[p.Key].Value!.Span.ToArray()));
        Assert.Equal(Oracles.Value(one.Outputs["result"], list.Inputs), list.Run());
        Assert.DoesNotContain(one.Parameters.Keys, name => name.Replace("layers.1.", "", StringComparison.Ordinal).Contains(".1.", StringComparison.Ordinal));
    }

    /// <summary>What belongs to the first source has the name and the value that it has alone, as long as the others are no wider.</summary>
    [Theory, MemberData(nameof(Variants), MemberType = typeof(LowRankAdapterTests))]
    public void Another_source_adds_parameters_and_leaves_those_of_the_first(string variant)
    {
        Made one = new(Variant(variant), new(4, 6), [new(5, 7)], 3), two = new(Variant(variant), new(4, 6), [new(5, 7), new(3, 2)], 3);
        foreach (var (name, node) in one.Graph.Parameters.Where(p => !p.Key.EndsWith(".scale", StringComparison.Ordinal))) Assert.Equal(node.Value!.Span.ToArray(), two.Graph.Parameters[name].Value!.Span.ToArray());
        string[] added = [.. two.Graph.Parameters.Keys.Except(one.Graph.Parameters.Keys)];
        Assert.Contains("layers.0.rr.key.1.weight", added);
        Assert.Contains("layers.1.rr.value.1.bias", added);
        Assert.Equal(variant.StartsWith("residual", StringComparison.Ordinal), added.Contains("layers.0.rr.norm_source.1.weight"));
        Assert.Equal(variant.EndsWith("evolving", StringComparison.Ordinal), added.Contains("layers.0.source.1.rr.query.weight"));
        Assert.DoesNotContain(added, name => name.Contains(".1.query", StringComparison.Ordinal) || name.Contains("output.1", StringComparison.Ordinal));
    }

    /// <summary>Where rows of the source answer, two sources of one width and with the same projections are one below the other; where columns answer, one beside the other.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Sources_with_the_same_projections_are_one_larger_source(int attention)
    {
        string name = $"layers.0.{((string[])["rr", "rc", "cr", "cc"])[attention]}.";
        bool byColumns = attention % 2 == 1;
        foreach (AdapterForm form in Enum.GetValues<AdapterForm>())
        {
            LowRankAdapter adapter = new() { Layers = 1, Form = form };
            Made two = new(adapter, new(4, 6), byColumns ? [new(5, 7), new(5, 3)] : [new(7, 5), new(3, 5)], 1), one = new(adapter, new(4, 6), byColumns ? [new(5, 10)] : [new(10, 5)], 1);
            one.Shake(new(attention));
            Span<float> logits = one.Graph.Parameters["layers.0.mixing"].Value!.Span;
            for (int i = 0; i < 4; i++) logits[i] = i == attention ? 200 : 0;
            one.Target = two.Target;
            one.Source = byColumns ? Transposed(Stacked([.. two.Sources.Select(Transposed)])) : Stacked(two.Sources);
            foreach (var (own, node) in two.Graph.Parameters.Where(p => p.Key.StartsWith(name, StringComparison.Ordinal) || p.Key.Split('.') is [_, _, "mixing" or "scale" or "feed_forward", ..]))
                one.Graph.Parameters[own.Replace(".1.weight", ".weight", StringComparison.Ordinal).Replace(".1.bias", ".bias", StringComparison.Ordinal)].Value!.Span.CopyTo(node.Value!.Span);
            Oracles.Close([.. one.Run().Select(v => (double)v)], two.Run(), 1e-5);
            Assert.NotEqual(one.Target.Span.ToArray(), one.Run());
        }
    }

    [Theory, MemberData(nameof(Variants), MemberType = typeof(LowRankAdapterTests))]
    public void Their_order_does_not_matter_when_parameters_go_along(string variant)
    {
        int[] order = [2, 0, 1];
        Shape[] shapes = [new(5, 7), new(3, 9), new(6, 2)];
        LowRankAdapter adapter = Variant(variant);
        Made given = new(adapter, new(4, 6), shapes, 1), other = new(adapter, new(4, 6), [.. order.Select(i => shapes[i])], 1);
        given.Shake(new(3));
        (other.Target, other.Sources) = (given.Target, [.. order.Select(i => given.Sources[i])]);
        foreach (var (name, node) in other.Graph.Parameters) given.Graph.Parameters[Renamed(name, order)].Value!.Span.CopyTo(node.Value!.Span);
        Oracles.Close([.. given.Run().Select(v => (double)v)], other.Run(), 1e-4);
        (other.Sources[0], given.Sources[2]) = (Permuted(other.Sources[0], true, true), Permuted(given.Sources[2], true, true));
        Oracles.Close([.. given.Run().Select(v => (double)v)], other.Run(), 1e-4);
    }

    [Fact]
    public void In_the_residual_form_the_first_transfer_changes_nothing()
    {
        foreach (string variant in Variants.Select(v => v.Data))
        {
            Made made = new(Variant(variant), new(3, 7), [new(5, 11), new(3, 7), new(1, 2)], 1);
            foreach (float[] result in (float[][])[made.Run(), made.Run(forTraining: true)])
            {
                Assert.All(result, v => Assert.True(float.IsFinite(v)));
                Assert.Equal(variant.StartsWith("residual", StringComparison.Ordinal), result.AsSpan().SequenceEqual(made.Target.Span));
            }
        }
    }

    [Fact]
    public void Every_source_counts()
    {
        Made made = new(new LowRankAdapter(), new(4, 6), [new(5, 7), new(3, 9), new(6, 2)], 1);
        made.Shake(new(1));
        float[] before = made.Run();
        for (int i = 0; i < 3; i++)
        {
            made.Sources[i].Span[1] += 1;
            float[] after = made.Run();
            Assert.True(before.Zip(after, (a, b) => Math.Abs(a - b)).Max() > 1e-4, $"source {i}");
            before = after;
        }
    }

    /// <summary>The widest token of an unfolding decides.</summary>
    [Fact]
    public void Heads_are_as_wide_as_the_widest_source_asks_for()
    {
        Made made = new(new LowRankAdapter { Layers = 1 }, new(160, 960), [new(100, 512), new(10, 2048), new(300, 20)], 1);
        foreach (var (name, width) in new[] { ("rr", (960 + 2048) / 2 / 8), ("rc", (960 + 300) / 2 / 8), ("cr", (160 + 2048) / 2 / 8), ("cc", (160 + 300) / 2 / 8) })
        {
            foreach (string part in (string[])["query", "key", "key.1", "key.2", "value.2"]) Assert.Equal(8 * width, made.Graph.Parameters[$"layers.0.{name}.{part}.weight"].Shape.Size(0));
        }

        Assert.Contains("1505 heads do not fit tokens of 960 and 2048 numbers", Assert.Throws<GraphException>(() => new Made(new LowRankAdapter { Layers = 1, Heads = 1505 }, new(160, 960), [new(100, 512), new(10, 2048)], 1)).Message);
    }

    [Fact]
    public void Refuses_what_does_not_fit()
    {
        Graph graph = new();
        Node a = graph.Input("a", new(2, 3)), b = graph.Input("b", new(3)), c = graph.Input("c", new(4, 4));
        Tensor first = new(a.Shape);
        Assert.Equal("this adapter learns from one matrix, found 2; the adapter lpka learns from several", Assert.Throws<GraphException>(() => new MlpAdapter().Add(new(graph, a, [a, c], first))).Message);
        Assert.Contains("from matrix to matrix, found no source", Assert.Throws<GraphException>(() => new LowRankAdapter().Add(new(graph, a, [], first))).Message);
        Assert.Contains($"from matrix to matrix, found {b} [3]", Assert.Throws<GraphException>(() => new LowRankAdapter().Add(new(graph, a, [c, b], first))).Message);
        Assert.Empty(graph.Parameters);
    }

    /// <summary>The name that a parameter of one order has in the other.</summary>
    private static string Renamed(string name, int[] order)
    {
        List<string> parts = [.. name.Split('.')];
        int place = parts.FindIndex(part => part is "source" or "key" or "value" or "norm_source");
        if (place < 0) return name;
        int from = 0;
        if (int.TryParse(parts[place + 1], out int index))
        {
            parts.RemoveAt(place + 1);
            from = index;
        }

        if (order[from] > 0) parts.Insert(place + 1, $"{order[from]}");
        return string.Join('.', parts);
    }

    private static Tensor Stacked(Tensor[] parts) => new(new(parts.Sum(part => part.Shape[0]), parts[0].Shape[1]), [.. parts.SelectMany(part => part.Span.ToArray())]);

    private static Tensor Transposed(Tensor x)
    {
        Tensor y = new(new(x.Shape[1], x.Shape[0]));
        for (int i = 0; i < x.Count; i++) y.Span[i % x.Shape.Size(1) * x.Shape.Size(0) + i / x.Shape.Size(1)] = x.Span[i];
        return y;
    }

    private static Shape Draw(Generator gen) => new(1 + gen.Random.Next(6), 1 + gen.Random.Next(6));
}
