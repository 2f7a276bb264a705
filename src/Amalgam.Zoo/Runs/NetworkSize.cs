using Amalgam.Graphs;

namespace Amalgam.Zoo.Runs;

/// <summary>What running a network takes.</summary>
/// <param name="Parameters">Numbers of its parameters.</param>
/// <param name="Operators">Operations of a run, before any are made one.</param>
/// <param name="Work">Floating-point operations for one sample, a multiplication and an addition counted as two.</param>
public sealed record NetworkSize(long Parameters, int Operators, long Work)
{
    /// <summary>The size of a network.</summary>
    /// <param name="graph">The network, for <paramref name="samples"/> samples.</param>
    /// <param name="samples">Samples at a time.</param>
    public static NetworkSize Of(Graph graph, int samples)
    {
        Node[] run = [.. Rewrite.Prune(graph).Graph.Nodes.Where(node => node.Op is not Leaf && node.Known is null)];
        return new(graph.Parameters.Values.Sum(p => p.Shape.Count), run.Length, run.Sum(node => node.Op.Work(node)) / Math.Max(1, samples));
    }

    /// <summary>Whether two graphs are the same operators with the same connections, and parameters of the same names, shapes and types in the same order; their values may differ.</summary>
    public static bool IsSame(Graph a, Graph b)
    {
        if (!a.Parameters.Select(p => (p.Key, p.Value.Shape, p.Value.Type)).SequenceEqual(b.Parameters.Select(p => (p.Key, p.Value.Shape, p.Value.Type)))) return false;
        if (!a.Inputs.Keys.SequenceEqual(b.Inputs.Keys) || !a.Outputs.Keys.SequenceEqual(b.Outputs.Keys)) return false;
        Dictionary<Node, Node> pairs = [];
        Stack<(Node A, Node B)> open = new(a.Outputs.Values.Zip(b.Outputs.Values));
        while (open.TryPop(out var pair))
        {
            if (pairs.TryGetValue(pair.A, out Node? known))
            {
                if (known != pair.B) return false;
                continue;
            }

            if (!IsSameNode(pair.A, pair.B)) return false;
            pairs.Add(pair.A, pair.B);
            foreach (var inputs in pair.A.Inputs.Zip(pair.B.Inputs)) open.Push(inputs);
        }

        return true;
    }

    private static bool IsSameNode(Node a, Node b) =>
        a.Op.Equals(b.Op) && a.Shape == b.Shape && a.Inputs.Length == b.Inputs.Length
        && (a.Op is not (Parameter or Input) || a.Name == b.Name)
        && (a.Op is not Constant || a.Value!.Span.SequenceEqual(b.Value!.Span));
}
