namespace Amalgam.Graphs;

/// <summary>A graph made from another, with what became of each node.</summary>
/// <param name="Graph">The new graph.</param>
/// <param name="Map">Nodes of the old graph, each with the node that stands for it in the new one.</param>
public sealed record GraphCopy(Graph Graph, IReadOnlyDictionary<Node, Node> Map);

/// <summary>
/// Makes graphs from graphs. Every change is a replay: the nodes are added to a new graph in their order, and a rule may put something else in the place of
/// any. Shapes, known values and refusals are thereby always those of a graph built by hand. Parameters share their tensors with the original.
/// </summary>
public static class Rewrite
{
    /// <summary>What stands in the place of a node.</summary>
    /// <param name="to">The graph being made.</param>
    /// <param name="node">A node of the old graph.</param>
    /// <param name="inputs">What stands for its inputs in the new graph.</param>
    /// <returns>A node of the new graph; null to add the node as it is.</returns>
    public delegate Node? Rule(Graph to, Node node, ReadOnlySpan<Node> inputs);

    /// <summary>Replays a graph under a rule.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="rule">What becomes of each node; null for a plain copy.</param>
    public static GraphCopy Apply(Graph graph, Rule? rule = null) => Apply(graph, node => true, rule);

    /// <summary>The graph with other shapes of its inputs: another instance of the network, with the same weights.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="shapes">Shapes by name of the input; the other inputs keep theirs.</param>
    /// <exception cref="GraphException">An operation does not allow the new shapes.</exception>
    public static GraphCopy Resize(Graph graph, IReadOnlyDictionary<string, Shape> shapes)
    {
        foreach (string name in shapes.Keys)
        {
            if (!graph.Inputs.ContainsKey(name)) throw new GraphException($"the graph has no input '{name}'; its inputs are {string.Join(", ", graph.Inputs.Keys.Select(n => $"'{n}'"))}");
        }

        return Apply(graph, (to, node, _) => node.Op is Input && shapes.TryGetValue(node.Name!, out Shape shape) ? to.Input(node.Name!, shape, node.Type) : null);
    }

    /// <summary>The graph for another number of samples: the first axis of every input that has one.</summary>
    public static GraphCopy Resize(Graph graph, int batch) =>
        Resize(graph, graph.Inputs.Where(i => i.Value.Shape.Rank > 0).ToDictionary(i => i.Key, i => new Shape([batch, .. i.Value.Shape.Sizes[1..]])));

    /// <summary>The graph in its training form: batch statistics instead of running ones, dropout that drops (<see cref="Op.ForTraining"/>).</summary>
    public static GraphCopy ForTraining(Graph graph)
    {
        TrainingForm? form = null;
        return Apply(graph, (to, node, inputs) =>
        {
            form ??= new(to);
            return node.Op.ForTraining(inputs, form);
        });
    }

    /// <summary>
    /// The graph in the form in which networks are compared: whole operations in the place of parts that exporters write out (a layer normalisation, Gelu, Silu, HardSwish), and none that hand on
    /// what they are given. Parameters that nothing uses go; results agree within rounding.
    /// </summary>
    public static GraphCopy Simplify(Graph graph) =>
        Then(Idioms.Apply(graph, [.. graph.Outputs.Values]), whole => Apply(whole, (_, node, inputs) => node.Op is Ops.Identity ? inputs[0] : null));

    /// <summary>The graph without what none of the nodes given needs. Inputs stay; parameters that nothing uses go.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="results">What is needed; the outputs and updates when null.</param>
    public static GraphCopy Prune(Graph graph, IEnumerable<Node>? results = null)
    {
        bool[] needed = Needed(graph, results ?? [.. graph.Outputs.Values, .. graph.Updates.Keys, .. graph.Updates.Values]);
        return Apply(graph, node => needed[node.Id] || node.Op is Input, null);
    }

    /// <summary>Two rewrites one after the other.</summary>
    public static GraphCopy Then(GraphCopy first, Func<Graph, GraphCopy> next)
    {
        GraphCopy second = next(first.Graph);
        Dictionary<Node, Node> map = [];
        foreach (var (from, through) in first.Map)
        {
            if (second.Map.TryGetValue(through, out Node? to)) map[from] = to;
        }

        return new(second.Graph, map);
    }

    /// <summary>Which nodes the results need, themselves included.</summary>
    internal static bool[] Needed(Graph graph, IEnumerable<Node> results)
    {
        bool[] needed = new bool[graph.Nodes.Count];
        foreach (Node node in results) needed[node.Id] = true;
        for (int id = needed.Length - 1; id >= 0; id--)
        {
            if (!needed[id]) continue;
            foreach (Node input in graph.Nodes[id].Inputs) needed[input.Id] = true;
        }

        return needed;
    }

    private static GraphCopy Apply(Graph graph, Func<Node, bool> keep, Rule? rule) => Apply(graph, graph.Nodes.Where(keep), rule);

    /// <summary>Replays some nodes in an order in which each comes after its inputs.</summary>
    internal static GraphCopy Apply(Graph graph, IEnumerable<Node> order, Rule? rule)
    {
        Graph to = new();
        Dictionary<Node, Node> map = [];
        foreach (Node node in order)
        {
            Node[] inputs = [.. node.Inputs.Select(input => map[input])];
            map[node] = rule?.Invoke(to, node, inputs) ?? Replay(to, node, inputs);
        }

        foreach (var (name, node) in graph.Outputs)
        {
            if (map.TryGetValue(node, out Node? output)) to.Output(name, output);
        }

        foreach (var (parameter, value) in graph.Updates)
        {
            if (map.TryGetValue(parameter, out Node? target) && map.TryGetValue(value, out Node? source) && target.Op is Parameter) to.Update(target, source);
        }

        return new(to, map);
    }

    private static Node Replay(Graph to, Node node, ReadOnlySpan<Node> inputs) => node.Op switch
    {
        Input => to.Input(node.Name!, node.Shape, node.Type),
        Parameter => to.Parameter(node.Name!, node.Value!, node.Trainable, node.Type),
        Constant => to.Constant(node.Value!, node.Type, node.Name),
        _ => to.Add(node.Op, node.Name, inputs),
    };

    /// <summary>Adds a node as it is to another graph, under a name that is given or none.</summary>
    internal static Node Replay(Graph to, Node node, ReadOnlySpan<Node> inputs, string? name) => node.Op switch
    {
        Parameter => to.Parameter(name!, node.Value!, node.Trainable, node.Type),
        Constant => to.Constant(node.Value!, node.Type, name),
        _ => to.Add(node.Op, name, inputs),
    };
}
