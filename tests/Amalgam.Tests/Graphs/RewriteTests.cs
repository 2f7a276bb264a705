using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

public class RewriteTests
{
    [Fact]
    public void A_copy_computes_the_same_and_shares_the_weights() => Property.Holds(generator =>
    {
        Graph graph = RandomGraph.Make(generator), copy = Rewrite.Apply(graph).Graph;
        Dictionary<string, Tensor> inputs = RandomGraph.Inputs(generator, graph);
        Assert.Equal(graph.ToString(), copy.ToString());
        Assert.Same(graph.Parameters["p"].Value, copy.Parameters["p"].Value);
        foreach (var (name, value) in RandomGraph.Run(graph, inputs)) Assert.Equal(value.Span.ToArray(), RandomGraph.Run(copy, inputs)[name].Span.ToArray());
    }, runs: 20);

    [Fact]
    public void Another_batch_gives_each_sample_the_same()
    {
        Graph one = Scaled(1), four = Rewrite.Resize(one, 4).Graph;
        Assert.Equal(new Shape(4, 3), four.Inputs["x"].Shape);
        Dictionary<string, Tensor> samples = new() { ["x"] = new(new(4, 3), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]) };
        Assert.Equal([2f, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24], RandomGraph.Run(four, samples)["y"].Span.ToArray());
    }

    [Fact]
    public void Resizing_an_input_that_is_not_there_is_refused() =>
        Assert.Contains("no input 'z'; its inputs are 'x'", Assert.Throws<GraphException>(() => Rewrite.Resize(Scaled(1), new Dictionary<string, Shape> { ["z"] = new(1) })).Message);

    [Fact]
    public void Pruning_keeps_what_is_needed_and_the_inputs()
    {
        Graph graph = Scaled(2);
        graph.Parameter("unused", Tensor.Scalar(1));
        graph.Input("ignored", new(1));
        Graph pruned = Rewrite.Prune(graph).Graph;
        Assert.Equal(["w"], pruned.Parameters.Keys);
        Assert.Equal(["x", "ignored"], pruned.Inputs.Keys);
    }

    [Fact]
    public void Updates_survive_a_rewrite()
    {
        Graph graph = new();
        Node mean = graph.Parameter("mean", Tensor.Vector(1, 2), trainable: false);
        graph.Update(mean, mean * 0.9f);
        Graph copy = Rewrite.Prune(graph).Graph;
        Assert.Equal("mean", Assert.Single(copy.Updates).Key.Name);
        Assert.False(copy.Parameters["mean"].Trainable);
    }

    [Fact]
    public void A_replaced_parameter_is_an_expression_and_bakes_back_to_the_same_graph()
    {
        Graph graph = Scaled(2);
        float[] a = [1, 2, 3], b = [5, 6, 7];
        Graph spliced = Surgery.Replace(graph, new Dictionary<string, Func<Graph, Node, Node>>
        {
            ["w"] = (to, w) => to.Parameter("a/w", Tensor.Vector(a)) * 0.5f + to.Parameter("b/w", Tensor.Vector(b)) * to.Parameter("v", Tensor.Vector(1, 0.5f, 0)),
        }).Graph;
        Assert.Equal(["a/w", "b/w", "v"], spliced.Parameters.Keys);
        Dictionary<string, Tensor> x = new() { ["x"] = new(new(2, 3), [1, 1, 1, 2, 2, 2]) };
        Assert.Equal([5.5f, 4, 1.5f, 11, 8, 3], RandomGraph.Run(spliced, x)["y"].Span.ToArray());

        Graph baked = Surgery.Bake(spliced).Graph;
        Assert.Equal(graph.ToString(), baked.ToString());
        Assert.Equal([5.5f, 4, 1.5f], baked.Parameters["w"].Value!.Span.ToArray());
        Assert.Equal([5.5f, 4, 1.5f, 11, 8, 3], RandomGraph.Run(baked, x)["y"].Span.ToArray());
    }

    [Fact]
    public void An_expression_that_depends_on_an_input_is_not_baked()
    {
        Graph dynamic = Surgery.Replace(Scaled(1), new Dictionary<string, Func<Graph, Node, Node>>
        {
            ["w"] = (to, w) => to.Input("hint", new(3)) * to.Parameter("h", Tensor.Vector(1, 2, 3)),
        }).Graph;
        Assert.Equal(["h"], Surgery.Bake(dynamic).Graph.Parameters.Keys);
    }

    [Fact]
    public void An_expression_may_use_what_is_computed_before_the_parameter_is_read()
    {
        Graph graph = new();
        Node w = graph.Parameter("w", Tensor.Vector(1, 1, 1), trainable: false), x = graph.Input("x", new(1, 3));
        Node h = graph.Add(new Neg(), "h", x);
        graph.Output("y", h * w);
        Graph dynamic = Surgery.Replace(graph, new Dictionary<string, Func<Graph, Node, Node>> { ["w"] = (to, _) => to.Add(new SumTo(new(3)), to.Find("h")!) }).Graph;
        Assert.Equal([1f, 4, 9], RandomGraph.Run(dynamic, new Dictionary<string, Tensor> { ["x"] = new(new(1, 3), [1, 2, 3]) })["y"].Span.ToArray());
    }

    [Fact]
    public void Baking_keeps_what_is_not_trained()
    {
        Graph graph = Scaled(1);
        graph.Parameters["w"].Trainable = false;
        Graph spliced = Surgery.Replace(graph, new Dictionary<string, Func<Graph, Node, Node>> { ["w"] = (to, _) => to.Parameter("a", Tensor.Vector(1, 2, 3)) * 2 }).Graph;
        Assert.False(Surgery.Bake(spliced).Graph.Parameters["w"].Trainable);
    }

    [Fact]
    public void A_frozen_normalisation_does_not_change()
    {
        Graph graph = new();
        Node x = graph.Input("x", new(4, 2));
        Node[] vectors = [.. new[] { "scale", "bias", "mean", "var" }.Select((name, i) => graph.Parameter(name, Tensor.Vector(1, 1), trainable: i < 2))];
        graph.Output("y", graph.Add(new BatchNormalization(), [x, .. vectors]));
        Assert.Equal(2, Rewrite.ForTraining(graph).Graph.Updates.Count);
        Surgery.Freeze(graph, _ => true);
        Assert.Empty(Rewrite.ForTraining(graph).Graph.Updates);
    }

    [Fact]
    public void A_replacement_of_another_shape_is_refused()
    {
        GraphException e = Assert.Throws<GraphException>(() =>
            Surgery.Replace(Scaled(1), new Dictionary<string, Func<Graph, Node, Node>> { ["w"] = (to, _) => to.Parameter("v", Tensor.Vector(1, 2)) }));
        Assert.Contains("'w' has shape [2], the parameter [3]", e.Message);
        e = Assert.Throws<GraphException>(() => Surgery.Replace(Scaled(1), new Dictionary<string, Func<Graph, Node, Node>> { ["u"] = (to, old) => old }));
        Assert.Contains("no parameter 'u'", e.Message);
    }

    [Fact]
    public void A_gradient_reaches_the_leaves_of_an_expression()
    {
        Graph spliced = Surgery.Replace(Scaled(1), new Dictionary<string, Func<Graph, Node, Node>>
        {
            ["w"] = (to, w) => to.Parameter("a", Tensor.Vector(1, 2, 3)) * to.Parameter("v", Tensor.Scalar(4)),
        }).Graph;
        Node loss = spliced.Add(new SumTo(default), spliced.Outputs["y"]);
        Node[] gradients = Gradients.Of(loss, [spliced.Parameters["v"], spliced.Parameters["a"]]);
        Executor executor = new(spliced, gradients);
        executor["x"].Span.Fill(2);
        executor.Run(TestContext.Current.CancellationToken);
        Assert.Equal([12f], executor[gradients[0]].Span.ToArray());
        Assert.Equal([8f, 8, 8], executor[gradients[1]].Span.ToArray());
    }

    [Fact]
    public void Two_graphs_become_one()
    {
        Graph whole = new();
        Node x = whole.Input("x", new(2, 3));
        Graph part = Scaled(2);
        Node first = Surgery.Include(whole, part, new Dictionary<string, Node> { ["x"] = x }, "first/")[part.Outputs["y"]];
        Node second = Surgery.Include(whole, part, new Dictionary<string, Node> { ["x"] = first }, "second/", name => whole.Find("first/" + name))[part.Outputs["y"]];
        whole.Output("y", second);
        Assert.Equal(["first/w"], whole.Parameters.Keys);
        Assert.Equal([4f, 8, 12, 16, 20, 24], RandomGraph.Run(whole, new Dictionary<string, Tensor> { ["x"] = new(new(2, 3), [1, 2, 3, 4, 5, 6]) })["y"].Span.ToArray());
        Assert.Contains("no input 'nope'; its inputs are 'x'", Assert.Throws<GraphException>(() => Surgery.Include(whole, part, new Dictionary<string, Node> { ["nope"] = first }, "z/")).Message);
        Assert.Contains("has shape [2,3]", Assert.Throws<GraphException>(() => Surgery.Include(whole, part, new Dictionary<string, Node> { ["x"] = whole.Find("first/w")! })).Message);
    }

    [Fact]
    public void Freezing_goes_by_name()
    {
        Graph graph = Scaled(1);
        Assert.Equal(1, Surgery.Freeze(graph, name => name.StartsWith('w')));
        Assert.False(graph.Parameters["w"].Trainable);
        Assert.Equal(0, Surgery.Freeze(graph, _ => true));
        Assert.Equal(1, Surgery.Unfreeze(graph, _ => true));
        Assert.Throws<GraphException>(() => graph.Inputs["x"].Trainable = true);
    }

    private static Graph Scaled(int batch)
    {
        Graph graph = new();
        Node x = graph.Input("x", new(batch, 3));
        graph.Output("y", x * graph.Parameter("w", Tensor.Vector(2, 2, 2)));
        return graph;
    }
}
