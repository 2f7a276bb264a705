using Amalgam.Graphs;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>Pruning by magnitude (Han et al., Learning both weights and connections, 2015), without training on: in each matrix the values that are nearest to zero become zero.</summary>
internal static class MagnitudePruning
{
    /// <summary>Prunes the matrices of a network in place.</summary>
    /// <param name="network">The network.</param>
    /// <param name="sparsity">Share of each matrix that becomes zero, in [0, 1]; of equal magnitudes the first go.</param>
    /// <param name="which">Whether a parameter of that name is pruned; those of fewer than two dimensions never are.</param>
    /// <returns>The network.</returns>
    public static Graph Prune(Graph network, double sparsity, Func<string, bool> which)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sparsity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sparsity, 1);
        foreach (var (name, node) in network.Parameters)
        {
            if (node.Shape.Rank < 2 || !which(name)) continue;
            Span<float> values = node.Value!.Span;
            float[] sizes = new float[values.Length];
            int[] order = new int[values.Length];
            for (int i = 0; i < sizes.Length; i++) (sizes[i], order[i]) = (MathF.Abs(values[i]), i);
            order.AsSpan().Sort((i, j) => sizes[i] != sizes[j] ? sizes[i].CompareTo(sizes[j]) : i.CompareTo(j));
            foreach (int i in order.AsSpan(0, (int)Math.Round(sparsity * order.Length))) values[i] = 0;
        }

        return network;
    }
}
