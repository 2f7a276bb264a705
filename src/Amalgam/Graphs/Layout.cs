using Amalgam.Graphs.Ops;

namespace Amalgam.Graphs;

/// <summary>Functions of nodes that move elements and change shapes; they add the operation, and constants for its integers, to the nodes' graph.</summary>
public static class Layout
{
    /// <summary>x under another shape: 0 keeps the size that x has at that axis, and one -1 takes the size that is left.</summary>
    public static Node Reshape(this Node x, params ReadOnlySpan<long> sizes) => x.Graph.Add(new Reshape(), x, x.Graph.Constant(sizes));

    /// <summary>x with its axes in another order; none given means reversed.</summary>
    public static Node Transpose(this Node x, params ReadOnlySpan<int> permutation) => x.Graph.Add(new Transpose([.. permutation]), x);

    /// <summary>A matrix: the axes before one as rows, the others as columns.</summary>
    public static Node Flatten(this Node x, int axis = 1) => x.Graph.Add(new Flatten(axis), x);

    /// <summary>x without axes of size 1; none given means all of them.</summary>
    public static Node Squeeze(this Node x, params ReadOnlySpan<int> axes) => x.Graph.Add(new Squeeze([.. axes]), x);

    /// <summary>x with axes of size 1, at these places of the result.</summary>
    public static Node Unsqueeze(this Node x, params ReadOnlySpan<int> axes) => x.Graph.Add(new Unsqueeze([.. axes]), x);

    /// <summary>Positions <paramref name="start"/> up to <paramref name="end"/>, that excluded, of one axis; negative ones count from the end, and <see cref="long.MaxValue"/> is the end.</summary>
    public static Node Slice(this Node x, int axis, long start, long end = long.MaxValue, long step = 1)
    {
        Graph g = x.Graph;
        return step == 1
            ? g.Add(new Slice(), x, g.Constant([start]), g.Constant([end]), g.Constant([axis]))
            : g.Add(new Slice(), x, g.Constant([start]), g.Constant([end]), g.Constant([axis]), g.Constant([step]));
    }

    /// <summary>Parts of an axis, one behind the other; their sizes add up to the axis.</summary>
    public static Node[] Split(this Node x, int axis, params ReadOnlySpan<long> sizes)
    {
        axis = Arguments.Axis(axis, x.Shape.Rank);
        Node[] parts = new Node[sizes.Length];
        long at = 0;
        for (int i = 0; i < parts.Length; i++) parts[i] = x.Slice(axis, at, at += sizes[i]);
        return at == x.Shape[axis] ? parts : throw new GraphException($"parts of {string.Join(" + ", sizes.ToArray())} do not fill axis {axis} of {x.Shape}");
    }

    /// <summary>The nodes one behind the other along an axis.</summary>
    public static Node Concat(int axis, params ReadOnlySpan<Node> nodes) => nodes[0].Graph.Add(new Concat(axis), nodes);

    /// <summary>Rows of x along an axis by their numbers; with a table as x and axis 0, an embedding.</summary>
    public static Node Gather(this Node x, Node indices, int axis = 0) => x.Graph.Add(new Gather(axis), x, indices);

    /// <summary>x stretched to the shape that it and <paramref name="sizes"/> take together.</summary>
    public static Node Expand(this Node x, params ReadOnlySpan<long> sizes) => x.Graph.Add(new Expand(), x, x.Graph.Constant(sizes));

    /// <summary>x repeated along each axis.</summary>
    public static Node Tile(this Node x, params ReadOnlySpan<long> repeats) => x.Graph.Add(new Tile(), x, x.Graph.Constant(repeats));

    /// <summary>x with a value around it: <paramref name="pads"/> are the numbers of positions before each axis, then after each.</summary>
    public static Node Pad(this Node x, ReadOnlySpan<long> pads, float value = 0) => x.Graph.Add(new Pad(), x, x.Graph.Constant(pads), x.Graph.Constant(value));

    /// <summary>x in training with a share of its elements set to zero and the others scaled up to keep the mean; x itself otherwise.</summary>
    public static Node Dropout(this Node x, float ratio) => x.Graph.Add(new Dropout(ratio), x);

    /// <summary>x rounded to another element type.</summary>
    public static Node Cast(this Node x, DType to) => x.Graph.Add(new Cast(to), x);

    /// <summary>Sums of products by Einstein's convention, as NumPy and ONNX write it: <c>"bhid,bhjd->bhij"</c>. A letter is an axis, <c>...</c> stands for axes that broadcast.</summary>
    public static Node Einsum(string equation, params ReadOnlySpan<Node> operands) => Graphs.Einsum.Of(equation, operands);

    /// <summary>ONNX DepthToSpace of [N,C,H,W]: blocks of channels become blocks of <paramref name="size"/> by <paramref name="size"/> positions.</summary>
    /// <param name="x">Images.</param>
    /// <param name="size">Side of a block.</param>
    /// <param name="channelsFirst">The channels of the result are the slow part of those of x (ONNX's mode CRD, PyTorch's PixelShuffle), and not the fast part (DCR).</param>
    public static Node DepthToSpace(this Node x, int size, bool channelsFirst = false)
    {
        var (c, h, w) = Image(x);
        if (size < 1 || c % ((long)size * size) != 0) throw new GraphException($"DepthToSpace of {x.Shape} in blocks of {size}: {c} channels are no multiple of {size} x {size}");
        c /= size * size;
        Node y = channelsFirst ? x.Reshape(0, c, size, size, h, w).Transpose(0, 1, 4, 2, 5, 3) : x.Reshape(0, size, size, c, h, w).Transpose(0, 3, 4, 1, 5, 2);
        return y.Reshape(0, c, h * size, w * size);
    }

    /// <summary>ONNX SpaceToDepth of [N,C,H,W]: blocks of positions become blocks of channels.</summary>
    public static Node SpaceToDepth(this Node x, int size)
    {
        var (c, h, w) = Image(x);
        if (size < 1 || h % size != 0 || w % size != 0) throw new GraphException($"SpaceToDepth of {x.Shape} in blocks of {size}: {h} x {w} is no multiple");
        return x.Reshape(0, c, h / size, size, w / size, size).Transpose(0, 3, 5, 1, 2, 4).Reshape(0, c * size * size, h / size, w / size);
    }

    /// <summary>x under a shape that is fully known.</summary>
    internal static Node ReshapeTo(this Node x, Shape shape) =>
        x.Shape == shape ? x : x.Graph.Add(new Reshape(AllowZero: true), x, x.Graph.Constant(shape.Sizes));

    private static (long C, long H, long W) Image(Node x) =>
        x.Shape.Rank == 4 ? (x.Shape[1], x.Shape[2], x.Shape[3]) : throw new GraphException($"expected [batch,channels,height,width], found {x.Shape}");
}
