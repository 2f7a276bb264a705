using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

public class ExecutorTests
{
    [Fact]
    public void Shared_memory_gives_what_memory_of_its_own_gives() => Property.Holds(generator =>
    {
        Graph graph = RandomGraph.Make(generator);
        Dictionary<string, Tensor> inputs = RandomGraph.Inputs(generator, graph);
        Dictionary<Node, Tensor> expected = RandomGraph.Evaluate(graph, inputs);

        foreach (ExecutorOptions options in new[] { new ExecutorOptions(Rewrites: false), new(), new(Frozen: true), new(Threads: 1) })
        {
            Dictionary<string, Tensor> found = RandomGraph.Run(graph, inputs, options);
            foreach (var (name, node) in graph.Outputs) Assert.Equal(expected[node].Span.ToArray(), found[name].Span.ToArray());
        }
    });

    /// <summary>The gradient's input is filled when the value is known, as an adapter's is; the parts together are the whole run.</summary>
    [Fact]
    public void A_run_in_two_parts_gives_what_a_whole_one_gives()
    {
        Graph graph = new();
        Node x = graph.Input("x", new(5, 6)), w = graph.Parameter("w", new Tensor(new(6, 4), [.. Enumerable.Range(0, 24).Select(i => MathF.Sin(i))]));
        Node y = x.MatMul(w).Softmax() * x.Slice(1, 0, 4).Exp(), view = y.Reshape(4, 5);
        Node dy = graph.Input("dy", y.Shape), gradient = Gradients.Of(y, dy, [w])[w];
        Executor whole = new(graph, [view, gradient]), parts = new(graph, [view, gradient]);
        for (int run = 0; run < 3; run++)
        {
            foreach (Executor executor in new[] { whole, parts })
            {
                for (int i = 0; i < x.Shape.Count; i++) executor[x].Span[i] = MathF.Cos(i + run);
            }

            parts[dy].Span.Fill(float.NaN);
            parts.RunUntil(view);
            for (int i = 0; i < dy.Shape.Count; i++) parts[dy].Span[i] = whole[dy].Span[i] = 1 - parts[view].Span[i] + i;
            parts.RunAfter(view);
            whole.Run();
            Assert.Equal(whole[view].Span.ToArray(), parts[view].Span.ToArray());
            Assert.Equal(whole[gradient].Span.ToArray(), parts[gradient].Span.ToArray());
            Assert.True(float.IsFinite(parts[gradient].Span[0]));
        }

        Assert.Throws<ArgumentException>(() => parts.RunUntil(x.MatMul(w)));
    }

    /// <summary>Values large enough that chains are joined on both sides of the cut and across it, with masks, a batch's statistics and their updates.</summary>
    [Fact]
    public void Two_parts_are_one_run_of_joined_chains_and_of_the_training_form()
    {
        Graph graph = new();
        Tensor weight = new(new(64, 64), [.. Enumerable.Range(0, 4096).Select(i => 0.2f * MathF.Sin(i))]);
        Node hidden = graph.Input("x", new(64, 64)).MatMul(graph.Parameter("w", weight)), early = (hidden * 3 + 1).Clip(-1, 1) * 0.5f;
        Node[] of = [.. new[] { 1f, 0, 0, 1 }.Select((value, i) => graph.Parameter($"norm{i}", new(new(64), [.. Enumerable.Repeat(value, 64)])))];
        Node normed = graph.Add(new BatchNormalization(), hidden, of[0], of[1], of[2], of[3]).Dropout(0.3f);
        graph.Output("y", (normed * 0.5f + 0.25f).Gelu() * 2 - 1);
        graph.Output("early", early);
        GraphCopy training = Rewrite.ForTraining(graph);
        Node y = training.Graph.Outputs["y"], dy = training.Graph.Input("dy", y.Shape), late = (training.Map[early] * dy + 1) * 0.5f;
        Node[] wanted = [y, Gradients.Of(y, dy, [training.Graph.Parameters["w"]])[training.Graph.Parameters["w"]], late, .. training.Graph.Updates.Values];
        Assert.Equal(5, wanted.Length);
        Executor whole = new(training.Graph, wanted), parts = new(training.Graph, wanted), plain = new(training.Graph, wanted, new(Rewrites: false));
        Assert.True(whole.Operations < plain.Operations - 3, $"{whole.Operations} of {plain.Operations}");
        for (int run = 0; run < 3; run++)
        {
            foreach (Executor executor in new[] { whole, parts })
            {
                for (int i = 0; i < 4096; i++) executor["x"].Span[i] = MathF.Cos(i + run);
                (executor[TrainingForm.StepName].Span[0], executor[TrainingForm.SeedName].Span[0]) = (run, 9);
            }

            parts[dy].Span.Fill(float.NaN);
            parts.RunUntil(y);
            for (int i = 0; i < 4096; i++) parts[dy].Span[i] = whole[dy].Span[i] = 1 - parts[y].Span[i] + i % 7;
            float[] before = parts[y].Span.ToArray();
            parts.RunAfter(y);
            whole.Run();
            foreach (Node node in wanted) Assert.Equal(whole[node].Span.ToArray(), parts[node].Span.ToArray());
            Assert.Equal(before, parts[y].Span.ToArray());
        }

        Assert.Throws<InvalidOperationException>(() => parts.RunAfter(y));
        parts.RunUntil(y);
        Assert.Throws<InvalidOperationException>(() => parts.RunAfter(wanted[1]));
    }

    [Fact]
    public void Any_node_can_be_observed() => Property.Holds(generator =>
    {
        Graph graph = RandomGraph.Make(generator);
        Dictionary<string, Tensor> inputs = RandomGraph.Inputs(generator, graph);
        Dictionary<Node, Tensor> expected = RandomGraph.Evaluate(graph, inputs);
        Node[] observed = [.. graph.Nodes.Where(_ => generator.Random.Next(3) == 0)];
        Executor executor = new(graph, observed);
        foreach (string name in graph.Inputs.Keys) inputs[name].Span.CopyTo(executor[name].Span);
        executor.Run();
        executor.Run();
        foreach (Node node in observed) Assert.Equal(expected[node].Span.ToArray(), executor[node].Span.ToArray());
    }, runs: 50);

    [Fact]
    public void Inputs_and_parameters_are_never_written_over() => Property.Holds(generator =>
    {
        Graph graph = RandomGraph.Make(generator);
        Dictionary<string, Tensor> inputs = RandomGraph.Inputs(generator, graph);
        float[][] parameters = [.. graph.Parameters.Values.Select(p => p.Value!.Span.ToArray())];
        Executor executor = new(graph);
        foreach (string name in graph.Inputs.Keys) inputs[name].Span.CopyTo(executor[name].Span);
        executor.Run();
        foreach (string name in graph.Inputs.Keys) Assert.Equal(inputs[name].Span.ToArray(), executor[name].Span.ToArray());
        Assert.Equal(parameters, graph.Parameters.Values.Select(p => p.Value!.Span.ToArray()));
    }, runs: 50);

    [Fact]
    public void A_warm_run_allocates_nothing()
    {
        Graph graph = RandomGraph.Make(new(200), 100);
        Executor executor = new(graph);
        Warm.AllocatesNothing(() =>
        {
            for (int i = 0; i < 10; i++) executor.Run();
        });
    }

    [Fact]
    public void A_long_chain_needs_the_memory_of_few_values()
    {
        Graph graph = new();
        Node x = graph.Input("x", new(1000)), y = x;
        for (int i = 0; i < 50; i++) y = graph.Add(new SumTo(new(1000)), y + graph.Add(new SumTo(new(1000)), -y));
        graph.Output("y", y);
        Assert.InRange(new Executor(graph, new ExecutorOptions(Rewrites: false)).ArenaBytes, 1, 3 * 1008 * sizeof(float));
    }

    [Fact]
    public void Parameters_are_read_at_each_run()
    {
        Graph graph = new();
        Node w = graph.Parameter("w", Tensor.Vector(2));
        graph.Output("y", graph.Input("x", new(1)) * w);
        Executor executor = new(graph);
        executor["x"].Span[0] = 5;
        executor.Run(TestContext.Current.CancellationToken);
        Assert.Equal(10, executor["y"].Span[0]);
        w.Value!.Span[0] = 3;
        executor.Run(TestContext.Current.CancellationToken);
        Assert.Equal(15, executor["y"].Span[0]);
    }

    [Fact]
    public void A_run_stops_when_told_to()
    {
        Graph graph = new();
        graph.Output("y", -graph.Input("x", new(1)));
        using CancellationTokenSource stop = new();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() => new Executor(graph).Run(stop.Token));
    }

    [Fact]
    public void The_profile_names_every_operation_that_ran()
    {
        Graph graph = new();
        Node x = graph.Input("x", new(3));
        graph.Output("y", -(x * x));
        Executor executor = new(graph, new ExecutorOptions(Profile: true));
        executor.Run(TestContext.Current.CancellationToken);
        executor.Run(TestContext.Current.CancellationToken);
        Assert.Equal(["Mul", "Neg"], executor.Profile().Select(p => p.Node.Op.Name));
        Assert.All(executor.Profile(), p => Assert.True(p.Runs == 2 && p.Time >= TimeSpan.Zero));
        Assert.Empty(new Executor(graph).Profile());
        executor.ClearProfile();
        Assert.All(executor.Profile(), p => Assert.True(p.Runs == 0 && p.Time == TimeSpan.Zero));
    }

    [Fact]
    public void A_name_that_is_neither_input_nor_result_is_refused()
    {
        Graph graph = new();
        graph.Output("y", -graph.Input("x", new(3)));
        Assert.Contains("'x', 'y'", Assert.Throws<ArgumentException>(() => new Executor(graph)["z"]).Message);
    }

    [Fact]
    public void Chains_of_elementwise_operations_run_as_one()
    {
        Graph graph = new();
        Node x = graph.Input("x", new(100, 100));
        graph.Output("y", -((x * 3 + 1) * (x - 2)));
        Executor fused = new(graph);
        Assert.Equal(1, fused.Operations);
        Assert.Equal(0, new Executor(graph, new ExecutorOptions(Rewrites: false)).Operations - 5);
    }
}
