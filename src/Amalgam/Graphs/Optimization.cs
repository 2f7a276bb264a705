namespace Amalgam.Graphs;

/// <summary>What the executor does to a graph before it runs it.</summary>
internal static class Optimization
{
    /// <summary>The part of a graph that some nodes need, made faster. The map holds the wanted nodes and the inputs.</summary>
    public static GraphCopy Apply(Graph graph, IReadOnlyList<Node> wanted, ExecutorOptions options)
    {
        GraphCopy copy = Rewrite.Prune(graph, wanted);
        Node[] Now() => [.. wanted.Select(node => copy.Map[node])];
        void Then(Func<Graph, GraphCopy> next) => copy = Rewrite.Then(copy, next);

        Then(g => Known.Fold(g, Now()));
        if (options.Frozen)
        {
            Then(g => BatchNormalizationFolding.Apply(g, Now()));
            Then(g => Known.FoldParameters(g, Now()));
        }

        if (options.Rewrites)
        {
            Then(g => Idioms.Apply(g, Now()));
            Then(g => ConvReluFusion.Apply(g, Now()));
            Then(g => Fusion.Apply(g, Now()));
        }

        return copy;
    }
}

/// <summary>Computes beforehand what is the same at every run.</summary>
internal static class Known
{
    /// <summary>Constants in the place of what depends on constants and shapes alone.</summary>
    public static GraphCopy Fold(Graph graph, IReadOnlyList<Node> wanted) =>
        Replace(graph, wanted, node => node.Op is not (Constant or Parameter) ? node.Known : null);

    /// <summary>Constants in the place of what depends on constants and parameters alone, though not of parameters themselves.</summary>
    public static GraphCopy FoldParameters(Graph graph, IReadOnlyList<Node> wanted)
    {
        bool[] dynamic = new bool[graph.Nodes.Count];
        foreach (Node node in graph.Nodes) dynamic[node.Id] = node.Op is Input || node.Inputs.Any(input => dynamic[input.Id]);
        HashSet<Node> read = [.. graph.Nodes.Where(node => dynamic[node.Id]).SelectMany(node => node.Inputs), .. wanted];
        Node[] folded = [.. read.Where(node => !dynamic[node.Id] && node.Op is not Leaf && node.Known is null).OrderBy(node => node.Id)];
        if (folded.Length == 0) return Rewrite.Apply(graph);

        Executor executor = new(graph, folded, new(Rewrites: false));
        executor.Run();
        Dictionary<Node, Tensor> values = folded.ToDictionary(node => node, node => executor[node].Copy());
        return Replace(graph, wanted, values.GetValueOrDefault);
    }

    private static GraphCopy Replace(Graph graph, IReadOnlyList<Node> wanted, Func<Node, Tensor?> value)
    {
        GraphCopy copy = Rewrite.Apply(graph, (to, node, _) => value(node) is { } known ? to.Constant(known, node.Type, node.Name) : null);
        return Rewrite.Then(copy, g => Rewrite.Prune(g, wanted.Select(node => copy.Map[node])));
    }
}
