using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

/// <summary>Operations that were written out in parts become whole again, and compute what the parts did.</summary>
public class IdiomsTests
{
    [Fact]
    public void Gelu_is_found_in_every_order_of_its_factors()
    {
        Func<Node, Node>[] forms =
        [
            x => x * (Erf(x / MathF.Sqrt(2)) + 1f) * 0.5f,
            x => x * 0.5f * (1f.Plus(Erf(x * 0.70710677f))),
            x => 0.5f * (x * (Erf(x / 1.4142135f) + 1f)),
            x => (Erf(x / 1.4142135f) + 1f) * 0.5f * x,
        ];
        foreach (Func<Node, Node> form in forms) AssertBecomes<Gelu>(form);
    }

    [Fact]
    public void Silu_is_found()
    {
        AssertBecomes<Silu>(x => x * x.Sigmoid());
        AssertBecomes<Silu>(x => x.Sigmoid() * x);
    }

    [Fact]
    public void Layer_normalisation_is_found()
    {
        AssertBecomes<LayerNormalization>(x => Normalised(x, d => x.Graph.Add(new Pow(), d, x.Graph.Constant(2))));
        AssertBecomes<LayerNormalization>(x => Normalised(x, d => d * d));
        AssertBecomes<LayerNormalization>(x => Normalised(x, d => x.Graph.Add(new Pow(), d.Inputs[0] - d.Inputs[1], x.Graph.Constant(2))));
    }

    [Fact]
    public void What_differs_in_a_number_stays()
    {
        AssertStays(x => x * (Erf(x / 1.5f) + 1f) * 0.5f);
        AssertStays(x => x * (Erf(x / MathF.Sqrt(2)) + 1f) * 0.25f);
        AssertStays(x => x * (x + 1f).Sigmoid());
        AssertStays(x => Normalised(x, d => x.Graph.Add(new Pow(), d, x.Graph.Constant(3))));
    }

    [Fact]
    public void Parts_that_are_observed_or_read_elsewhere_stay()
    {
        Graph graph = Of(x => x * x.Sigmoid());
        Node gate = graph.Nodes.Single(n => n.Op is Sigmoid), y = graph.Outputs["y"];
        Assert.DoesNotContain(Idioms.Apply(graph, [y, gate]).Graph.Nodes, n => n.Op is Silu);
        Node other = gate + 1f;
        Assert.DoesNotContain(Idioms.Apply(graph, [y, other]).Graph.Nodes, n => n.Op is Silu);
        Assert.Contains(Idioms.Apply(graph, [y]).Graph.Nodes, n => n.Op is Sigmoid); // other is still a user of the gate, wanted or not
    }

    private static void AssertBecomes<TOp>(Func<Node, Node> form)
    {
        Graph graph = Of(form);
        GraphCopy copy = Idioms.Apply(graph, [graph.Outputs["y"]]);
        Assert.IsType<TOp>(copy.Map[graph.Outputs["y"]].Op);
        Assert.DoesNotContain(copy.Graph.Nodes, n => n.Op is Binary);

        Dictionary<string, Tensor> inputs = new() { ["x"] = RandomGraph.Random(new(5), new(4, 6)) };
        float[] expected = RandomGraph.Run(graph, inputs, new(Rewrites: false))["y"].Span.ToArray(), found = RandomGraph.Run(copy.Graph, inputs, new(Rewrites: false))["y"].Span.ToArray();
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found[i], 1e-5f);
    }

    private static void AssertStays(Func<Node, Node> form)
    {
        Graph graph = Of(form);
        Assert.Equal(graph.Nodes.Count(n => n.Op is Binary), Idioms.Apply(graph, [graph.Outputs["y"]]).Graph.Nodes.Count(n => n.Op is Binary));
    }

    private static Graph Of(Func<Node, Node> form)
    {
        Graph graph = new();
        graph.Output("y", form(graph.Input("x", new(4, 6))));
        return graph;
    }

    private static Node Normalised(Node x, Func<Node, Node> square)
    {
        Generator generator = new(3);
        Node scale = x.Graph.Parameter("scale", RandomGraph.Random(generator, new(6))), bias = x.Graph.Parameter("bias", RandomGraph.Random(generator, new(6)));
        Node centred = x - Mean(x);
        return centred / (Mean(square(centred)) + 1e-5f).Sqrt() * scale + bias;
    }

    private static Node Mean(Node x) => x.Graph.Add(new ReduceMean([-1], true), x);

    private static Node Erf(Node x) => x.Graph.Add(new Erf(), x);
}

file static class Numbers
{
    /// <summary>A number first, where an operator would put it last.</summary>
    public static Node Plus(this float a, Node b) => b.Graph.Constant(a) + b;
}
