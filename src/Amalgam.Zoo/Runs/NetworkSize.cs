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
    public static bool IsSame(Graph a, Graph b) =>
        a.Parameters.Select(p => (p.Key, p.Value.Shape, p.Value.Type)).SequenceEqual(b.Parameters.Select(p => (p.Key, p.Value.Shape, p.Value.Type))) && GraphComparison.Difference(a, b) is null;
}
