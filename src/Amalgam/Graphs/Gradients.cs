namespace Amalgam.Graphs;

/// <summary>Reverse-mode differentiation: the gradient of a graph is more of the graph.</summary>
public static class Gradients
{
    /// <summary>Adds the nodes that compute the gradient of a number by other nodes of its graph.</summary>
    /// <param name="y">What is differentiated; it has one element.</param>
    /// <param name="by">The nodes by which.</param>
    /// <returns>For each, the gradient in its shape; zeros where it has no influence.</returns>
    /// <exception cref="GraphException">An operation between them has no gradient.</exception>
    public static Node[] Of(Node y, IReadOnlyList<Node> by)
    {
        if (y.Shape.Count != 1) throw new GraphException($"{y} has shape {y.Shape}; a gradient is taken of one number, so sum or average it first");
        Node seed = y.Graph.Constant(new Tensor(y.Shape, [1]));
        Dictionary<Node, Node> gradients = Of(y, seed, by);
        return [.. by.Select(node => gradients.GetValueOrDefault(node) ?? y.Graph.Constant(new Tensor(node.Shape)))];
    }

    /// <summary>Adds the nodes that carry a gradient of <paramref name="y"/> back to other nodes.</summary>
    /// <param name="y">Where the gradient is given.</param>
    /// <param name="dy">The gradient by it, in its shape.</param>
    /// <param name="by">The nodes by which.</param>
    /// <returns>The gradients of those that have influence on <paramref name="y"/>.</returns>
    public static Dictionary<Node, Node> Of(Node y, Node dy, IReadOnlyList<Node> by)
    {
        bool[] between = DependsOn(y.Graph, by, y.Id);
        Dictionary<Node, Node> gradients = new() { [y] = dy };
        for (int id = y.Id; id >= 0; id--)
        {
            Node node = y.Graph.Nodes[id];
            if (!between[id] || node.Inputs.IsEmpty || !gradients.TryGetValue(node, out Node? ofNode)) continue;
            if (!node.Inputs.Any(input => between[input.Id])) continue;
            Node?[] ofInputs = GradientOf(node, ofNode);
            for (int i = 0; i < ofInputs.Length; i++)
            {
                Node input = node.Inputs[i];
                if (ofInputs[i] is not { } dx || !between[input.Id]) continue;
                Node fitted = dx.Shape == input.Shape ? dx : dx.Graph.Add(new Ops.SumTo(input.Shape), dx);
                gradients[input] = gradients.TryGetValue(input, out Node? sum) ? sum + fitted : fitted;
            }
        }

        return by.Where(gradients.ContainsKey).Distinct().ToDictionary(node => node, node => gradients[node]);
    }

    private static Node?[] GradientOf(Node node, Node dy)
    {
        try
        {
            Node?[] ofInputs = node.Op.Gradient(node, dy);
            ArgumentOutOfRangeException.ThrowIfNotEqual(ofInputs.Length, node.Inputs.Length, $"gradients of {node}");
            return ofInputs;
        }
        catch (GraphException e)
        {
            throw new GraphException($"the gradient of {node} {node.Shape}: {e.Message}", e);
        }
    }

    private static bool[] DependsOn(Graph graph, IReadOnlyList<Node> by, int last)
    {
        bool[] depends = new bool[Math.Max(last, by.Max(node => (int?)node.Id) ?? 0) + 1];
        foreach (Node node in by) depends[node.Id] = true;
        for (int id = 0; id <= last; id++)
        {
            foreach (Node input in graph.Nodes[id].Inputs) depends[id] |= depends[input.Id];
        }

        return depends;
    }
}
