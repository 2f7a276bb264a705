using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

/// <summary>Random graphs of element-wise operations, views and sums, to put plans and rewrites to the test against plain evaluation.</summary>
internal static class RandomGraph
{
    public static Graph Make(Generator generator, int operations = 30)
    {
        Graph graph = new();
        int rows = 1 + generator.Random.Next(5), columns = 1 + generator.Random.Next(700);
        Shape shape = new(rows, columns);
        List<Node> nodes = [graph.Input("a", shape), graph.Input("b", shape), graph.Parameter("p", Random(generator, shape)), graph.Constant(Tensor.Scalar(0.5f))];
        nodes.Add(graph.Parameter("row", Random(generator, new(columns))));
        for (int i = 0; i < operations; i++)
        {
            Node x = nodes[generator.Random.Next(nodes.Count)], y = nodes[generator.Random.Next(nodes.Count)];
            nodes.Add(generator.Random.Next(6) switch
            {
                0 => x + y,
                1 => x - y,
                2 => x * y * 0.5f,
                3 => -x,
                4 => graph.Add(new Substitute(DType.F32), x),
                _ => x.Shape.Rank == 2 ? graph.Add(new SumTo(new(columns)), x) * 0.1f : x + x,
            });
        }

        for (int i = 0; i < 3; i++) graph.Output($"y{i}", nodes[^(1 + i * 4)]);
        return graph;
    }

    public static Tensor Random(Generator generator, Shape shape) => new(shape, generator.Floats((int)shape.Count));

    /// <summary>Every node's value, computed one after the other in memory of its own.</summary>
    public static Dictionary<Node, Tensor> Evaluate(Graph graph, IReadOnlyDictionary<string, Tensor> inputs)
    {
        Dictionary<Node, Tensor> values = [];
        foreach (Node node in graph.Nodes)
        {
            Tensor value = node.Value ?? (node.Op is Input ? inputs[node.Name!] : new(node.Shape));
            if (node.Value is null && node.Op is not Leaf)
            {
                if (node.Op.Reuse == Reuse.View) values[node.Inputs[0]].Span.CopyTo(value.Span);
                else node.Op.Run([.. node.Inputs.Select(input => values[input])], value);
            }

            values[node] = value;
        }

        return values;
    }

    /// <summary>Runs a graph's outputs by an executor.</summary>
    public static Dictionary<string, Tensor> Run(Graph graph, IReadOnlyDictionary<string, Tensor> inputs, ExecutorOptions? options = null)
    {
        Executor executor = new(graph, options);
        foreach (string name in graph.Inputs.Keys) inputs[name].Span.CopyTo(executor[name].Span);
        executor.Run();
        return graph.Outputs.Keys.ToDictionary(name => name, name => executor[graph.Outputs[name]].Copy());
    }

    public static Dictionary<string, Tensor> Inputs(Generator generator, Graph graph) =>
        graph.Inputs.ToDictionary(i => i.Key, i => Random(generator, i.Value.Shape));
}
