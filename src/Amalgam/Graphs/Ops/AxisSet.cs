using System.Collections.Immutable;

namespace Amalgam.Graphs.Ops;

/// <summary>Axes given as in ONNX: negative ones count from the end.</summary>
internal static class AxisSet
{
    /// <summary>The position of one axis.</summary>
    public static int At(int axis, int rank)
    {
        int at = axis < 0 ? axis + rank : axis;
        return at >= 0 && at < rank ? at : throw new GraphException($"axis {axis} is not one of the {rank} axes");
    }

    /// <summary>A bit for each axis; all of them for an empty list.</summary>
    public static uint Mask(ImmutableArray<int> axes, int rank)
    {
        if (rank > Dims.Most) throw new GraphException($"{rank} axes, at most {Dims.Most} are reduced over");
        if (axes.IsDefaultOrEmpty) return (1u << rank) - 1;
        uint mask = 0;
        foreach (int axis in axes)
        {
            uint bit = 1u << At(axis, rank);
            mask = (mask & bit) == 0 ? mask | bit : throw new GraphException($"axis {axis} is named twice");
        }

        return mask;
    }

    /// <summary>The shape without the masked axes, or with size 1 there.</summary>
    public static Shape Reduce(Shape shape, uint mask, bool keepDims)
    {
        List<long> sizes = [];
        for (int axis = 0; axis < shape.Rank; axis++)
        {
            if ((mask >> axis & 1) == 0) sizes.Add(shape[axis]);
            else if (keepDims) sizes.Add(1);
        }

        return new([.. sizes]);
    }

    /// <summary>Links the axes of a reduced value to those of the whole that are not masked.</summary>
    public static void Link(Node reduced, Node whole, uint mask, bool keepDims, AxisLinks links)
    {
        for (int axis = 0, at = 0; axis < whole.Shape.Rank; axis++)
        {
            bool isReduced = (mask >> axis & 1) != 0;
            if (!isReduced) links.Same(AxisLinks.Of(reduced, at), AxisLinks.Of(whole, axis));
            if (!isReduced || keepDims) at++;
        }
    }
}

/// <summary>A tensor seen as [outer, size, inner] around one of its axes.</summary>
internal readonly record struct Lanes(int Outer, int Size, int Inner)
{
    /// <summary>Columns that are done at once: a few rows of them stay in the first-level cache.</summary>
    public const int Columns = 256;

    public static Lanes Of(Shape shape, int axis)
    {
        int at = axis < 0 ? axis + shape.Rank : axis, outer = 1, inner = 1;
        for (int i = 0; i < at; i++) outer *= shape.Size(i);
        for (int i = at + 1; i < shape.Rank; i++) inner *= shape.Size(i);
        return new(outer, shape.Size(at), inner);
    }

    /// <summary>How many outer positions are worth a part of their own.</summary>
    public int Grain => Math.Max(1, Unary.Block * 4 / Math.Max(1, Size * Inner));
}

/// <summary>A few integers, without an array.</summary>
[System.Runtime.CompilerServices.InlineArray(Most)]
internal struct Dims
{
    /// <summary>How many fit.</summary>
    public const int Most = 12;

    private int _first;
}
