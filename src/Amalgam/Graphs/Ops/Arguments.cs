using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>What operations that move elements share: axes counted from either end, integers in tensors, steps of dense layouts.</summary>
internal static class Arguments
{
    /// <summary>An axis from 0 on of one that may be counted from the end.</summary>
    public static int Axis(long axis, int rank)
    {
        if (axis < -rank || axis >= rank) throw new GraphException(rank == 0 ? $"axis {axis} of a scalar; it has none" : $"axis {axis} is not in [{-rank}, {rank - 1}]");
        return (int)(axis < 0 ? axis + rank : axis);
    }

    /// <summary>Axes from 0 on, each at most once.</summary>
    public static int[] Axes(ReadOnlySpan<long> axes, int rank)
    {
        int[] from0 = new int[axes.Length];
        for (int i = 0; i < axes.Length; i++)
        {
            from0[i] = Axis(axes[i], rank);
            if (Array.IndexOf(from0, from0[i]) < i) throw new GraphException($"axis {from0[i]} is given twice");
        }

        return from0;
    }

    /// <summary>A scalar or one-element input, known when the graph is built.</summary>
    public static long Integer(Node x, string what) => x.Integers(what) is [var value] ? value : throw new GraphException($"{what} must be one number, found {x.Shape}");

    /// <summary>An element of a tensor as an integer, within the range of <see cref="int"/>: "to the end" is stored as a very large number.</summary>
    public static int Clamped(float value) => (int)Math.Clamp((double)value, int.MinValue, int.MaxValue);

    /// <summary>Elements between two positions of an axis in a dense tensor.</summary>
    public static int Step(Shape shape, int axis)
    {
        int step = 1;
        for (int i = axis + 1; i < shape.Rank; i++) step *= (int)shape[i];
        return step;
    }

    /// <summary>Product of the sizes of axes <paramref name="from"/> up to <paramref name="to"/>, that excluded.</summary>
    public static int Count(Shape shape, int from, int to)
    {
        int count = 1;
        for (int i = from; i < to; i++) count *= (int)shape[i];
        return count;
    }

    /// <summary>A shape with another size at one axis.</summary>
    public static Shape With(this Shape shape, int axis, long size)
    {
        long[] sizes = shape.Sizes.ToArray();
        sizes[axis] = size;
        return new(sizes);
    }

    /// <summary>Copies a tensor into one of the same shape, on all cores.</summary>
    public static void Copy(Tensor x, Tensor y) =>
        Cores.ForRange(y.Count, Cores.WorthSharing, (x, y), static (s, from, to) => s.x.Span[from..to].CopyTo(s.y.Span[from..to]));

    /// <summary>Sets every element, on all cores.</summary>
    public static void Fill(Tensor y, float value) =>
        Cores.ForRange(y.Count, Cores.WorthSharing, (y, value), static (s, from, to) => s.y.Span[from..to].Fill(s.value));

    /// <summary>A known input of integers for export: computed as in the graph where that gives ONNX's integers, so that sizes may depend on those of inputs.</summary>
    public static string Integers(this OnnxExport to, Node x) => x.Op is not Constant && x.Type == DType.I64 ? to[x] : to.Integers(x.Integers("exported integers"));

    /// <summary>A constant of zeros.</summary>
    public static Node Zeros(Graph graph, Shape shape) => graph.Constant(new Tensor(shape));

    /// <summary>Axes of the result are those of <paramref name="x"/>, aligned at the innermost; an axis that is stretched says nothing.</summary>
    public static void Follow(this AxisLinks links, Node y, Node x)
    {
        for (int i = 1; i <= Math.Min(x.Shape.Rank, y.Shape.Rank); i++)
        {
            if (x.Shape[^i] == y.Shape[^i]) links.Same(AxisLinks.Of(y, ^i), AxisLinks.Of(x, ^i));
        }
    }

    /// <summary>Every axis but one is the same in both; those whose sizes differ are fixed, and so is that one.</summary>
    public static void FollowExcept(this AxisLinks links, Node y, Node x, int except, string reason)
    {
        for (int i = 0; i < y.Shape.Rank; i++)
        {
            if (i != except && x.Shape[i] == y.Shape[i]) links.Same(AxisLinks.Of(y, i), AxisLinks.Of(x, i));
            else
            {
                links.Fix(AxisLinks.Of(y, i), reason);
                links.Fix(AxisLinks.Of(x, i), reason);
            }
        }
    }
}
