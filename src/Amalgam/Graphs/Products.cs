using System.Collections.Immutable;
using Amalgam.Graphs.Ops;

namespace Amalgam.Graphs;

/// <summary>Matrix products and convolutions as functions of nodes.</summary>
public static class Products
{
    /// <summary>The product of the matrices in the last two axes.</summary>
    public static Node MatMul(this Node a, Node b, bool transposeA = false, bool transposeB = false) => a.Graph.Add(new MatMul(transposeA, transposeB), a, b);

    /// <summary>x w^T + bias, with the weights of a linear layer as PyTorch stores them: [outputs, inputs].</summary>
    public static Node Linear(this Node x, Node w, Node? bias = null) => bias is null ? x.MatMul(w, false, true) : x.MatMul(w, false, true) + bias;

    /// <summary>A convolution with one stride, padding and dilation for all spatial axes.</summary>
    public static Node Conv(this Node x, Node w, Node? bias = null, int stride = 1, int pad = 0, int dilation = 1, int groups = 1)
    {
        int axes = w.Shape.Rank - 2;
        ImmutableArray<int> All(int value, int times = 1) => [.. Enumerable.Repeat(value, Math.Max(0, axes * times))];
        Conv conv = new(All(stride), All(pad, 2), All(dilation), groups);
        return bias is null ? x.Graph.Add(conv, x, w) : x.Graph.Add(conv, x, w, bias);
    }
}
