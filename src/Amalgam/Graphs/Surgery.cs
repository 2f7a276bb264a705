namespace Amalgam.Graphs;

/// <summary>Changes to a network that leave it a network: parameters that become expressions, graphs joined to graphs, and back to plain weights.</summary>
public static class Surgery
{
    /// <summary>
    /// Puts expressions in the place of parameters, and of other named values. The rest of the graph does not notice: what was the parameter <c>W</c> is now a node of
    /// that name. Leaves that the expression needs, such as the weights of two parents, it declares itself under other names.
    /// </summary>
    /// <param name="graph">The graph; it stays as it is.</param>
    /// <param name="expressions">By name, what makes the expression in the new graph. It is given that graph, with all that is computed before the value is first read, and
    /// the old value: the parameter of the old graph, or, of a value that is computed, the node that still computes it in the new one.</param>
    /// <exception cref="GraphException">There is no such value, or the expression has another shape.</exception>
    public static GraphCopy Replace(Graph graph, IReadOnlyDictionary<string, Func<Graph, Node, Node>> expressions)
    {
        foreach (string name in expressions.Keys)
        {
            if (graph.Find(name) is null or { Op: Input }) throw new GraphException($"the graph has no parameter '{name}'");
        }

        // A parameter is declared before the values that its expression may want to use, so the expression takes its place where the parameter is first read.
        HashSet<Node> waiting = [.. graph.Nodes.Where(node => node.Op is Parameter && expressions.ContainsKey(node.Name!))];
        List<Node> order = [];
        foreach (Node node in graph.Nodes.Where(node => !waiting.Contains(node)))
        {
            order.AddRange(node.Inputs.Where(waiting.Remove));
            order.Add(node);
        }

        return Rewrite.Apply(graph, [.. order, .. waiting.OrderBy(node => node.Id)], (to, node, inputs) =>
        {
            if (node.Name is null || !expressions.TryGetValue(node.Name, out var expression)) return null;
            Node value = expression(to, node.Op is Parameter ? node : Rewrite.Replay(to, node, inputs, null));
            if (value.Shape != node.Shape) throw new GraphException($"the expression for '{node.Name}' has shape {value.Shape}, the parameter {node.Shape}");
            return to.Add(new Ops.Substitute(node.Type, node.Trainable, node.Id), node.Name, value);
        });
    }

    /// <summary>The same network with weights of its own.</summary>
    public static Graph Copy(Graph graph) =>
        Rewrite.Apply(graph, (to, node, _) => node.Op is Parameter ? to.Parameter(node.Name!, node.Value!.Copy(), node.Trainable, node.Type) : null).Graph;

    /// <summary>
    /// Turns every replaced parameter whose expression depends on no input back into a parameter with the expression's value. Of a graph changed by
    /// <see cref="Replace"/> alone that gives the operations and parameters of the original, in their order: parameters of the expressions and operations that lead to no result go.
    /// Expressions that do depend on an input stay.
    /// </summary>
    public static GraphCopy Bake(Graph graph)
    {
        bool[] dynamic = new bool[graph.Nodes.Count];
        foreach (Node node in graph.Nodes) dynamic[node.Id] = node.Op is Input || (node.Known is null && node.Inputs.Any(input => dynamic[input.Id]));
        Node[] baked = [.. graph.Nodes.Where(node => node.Op is Ops.Substitute && !dynamic[node.Id])];
        if (baked.Length == 0) return Rewrite.Apply(graph);

        Executor executor = new(graph, baked);
        executor.Run();
        Dictionary<Node, Tensor> values = baked.ToDictionary(node => node, node => executor[node].Copy());
        GraphCopy copy = Rewrite.Apply(graph, (to, node, _) => values.TryGetValue(node, out Tensor? value) ? to.Parameter(node.Name!, value, ((Ops.Substitute)node.Op).Trainable, node.Type) : null);
        bool[] within = Rewrite.Needed(graph, baked.SelectMany(node => node.Inputs));
        Node[] needed = [.. graph.Outputs.Values, .. graph.Updates.Keys, .. graph.Updates.Values, .. graph.Parameters.Values.Where(node => !within[node.Id])];
        copy = Rewrite.Then(copy, next => Rewrite.Prune(next, needed.Select(node => copy.Map[node])));
        var places = baked.Where(node => copy.Map.ContainsKey(node)).Select(node => (Node: copy.Map[node], ((Ops.Substitute)node.Op).Place)).OrderBy(p => p.Place);
        Queue<(Node Node, int Place)> waiting = new(places);
        return Rewrite.Then(copy, graph => Rewrite.Apply(graph, InPlace(graph, waiting), null));
    }

    /// <summary>The nodes in an order in which some parameters have given places, or come before their first reader where that is earlier. A parameter needs nothing, so it can.</summary>
    private static List<Node> InPlace(Graph graph, Queue<(Node Node, int Place)> waiting)
    {
        HashSet<Node> left = [.. waiting.Select(w => w.Node)];
        List<Node> order = [];
        foreach (Node node in graph.Nodes.Where(node => !left.Contains(node)).ToArray())
        {
            while (waiting.TryPeek(out var next) && (next.Place <= order.Count || node.Inputs.Any(left.Contains)))
            {
                order.Add(waiting.Dequeue().Node);
                left.Remove(next.Node);
            }

            order.Add(node);
        }

        return [.. order, .. waiting.Select(w => w.Node)];
    }

    /// <summary>Adds a graph to another one.</summary>
    /// <param name="to">The graph that grows.</param>
    /// <param name="graph">The graph that is added; it stays as it is, and shares its parameters' tensors.</param>
    /// <param name="inputs">What stands for its inputs, by name. An input that is not named becomes an input of the whole.</param>
    /// <param name="prefix">Put before the names of its parameters, nodes and remaining inputs.</param>
    /// <param name="parameter">What stands for a parameter, by its name in <paramref name="graph"/>; null, or null for one, adds it as it is. So two networks share weights.</param>
    /// <returns>What became of its nodes. Its outputs are not made outputs of the whole.</returns>
    public static IReadOnlyDictionary<Node, Node> Include(Graph to, Graph graph, IReadOnlyDictionary<string, Node> inputs, string prefix = "", Func<string, Node?>? parameter = null)
    {
        foreach (string name in inputs.Keys.Where(name => !graph.Inputs.ContainsKey(name)))
            throw new GraphException($"the graph has no input '{name}'; its inputs are {string.Join(", ", graph.Inputs.Keys.Select(n => $"'{n}'"))}");
        Dictionary<Node, Node> map = [];
        foreach (Node node in graph.Nodes)
        {
            string? name = node.Name is null ? null : prefix + node.Name;
            map[node] = node.Op switch
            {
                Input when inputs.TryGetValue(node.Name!, out Node? given) => given.Shape == node.Shape
                    ? given
                    : throw new GraphException($"the input '{node.Name}' has shape {node.Shape}, {given} has {given.Shape}"),
                Input => to.Input(name!, node.Shape, node.Type),
                Parameter when parameter?.Invoke(node.Name!) is { } shared => shared,
                _ => Rewrite.Replay(to, node, [.. node.Inputs.Select(input => map[input])], name),
            };
        }

        foreach (var (target, value) in graph.Updates)
        {
            if (map[target].Op is Parameter) to.Update(map[target], map[value]);
        }

        return map;
    }

    /// <summary>Freezes the parameters whose names a condition holds for, and unfreezes none.</summary>
    /// <returns>How many were frozen.</returns>
    public static int Freeze(Graph graph, Func<string, bool> which) => Set(graph, which, false);

    /// <summary>Lets the parameters be trained whose names a condition holds for.</summary>
    /// <returns>How many were unfrozen.</returns>
    public static int Unfreeze(Graph graph, Func<string, bool> which) => Set(graph, which, true);

    private static int Set(Graph graph, Func<string, bool> which, bool trainable)
    {
        int changed = 0;
        foreach (var (name, node) in graph.Parameters)
        {
            if (node.Trainable == trainable || !which(name)) continue;
            node.Trainable = trainable;
            changed++;
        }

        return changed;
    }
}
