using System.Collections.Immutable;
using Amalgam.Graphs.Ops;

namespace Amalgam.Graphs;

/// <summary>Nodes for ONNX's matrix products and convolutions.</summary>
internal static class ProductImports
{
    /// <summary>alpha op(A) op(B) + beta C.</summary>
    public static Node Gemm(OnnxCall c)
    {
        // Before opset 7; broadcasting is now always allowed.
        c.Ignore("broadcast");
        float alpha = c.Float("alpha", 1), beta = c.Float("beta", 1);
        if (c.Opset < 7) c.Ignore("broadcast");
        if (c[0].Shape.Rank != 2 || c[1].Shape.Rank != 2) throw new GraphException($"Gemm takes matrices, found {c[0].Shape} and {c[1].Shape}");
        Node y = c[0].MatMul(c[1], c.Int("transA", 0) != 0, c.Int("transB", 0) != 0);
        if (alpha != 1) y *= alpha;
        return c.Optional(2) is not { } bias || beta == 0 ? y : y + (beta == 1 ? bias : bias * beta);
    }

    public static Node Conv(OnnxCall c)
    {
        ImmutableArray<int> strides = List(c, "strides"), dilations = List(c, "dilations"), pads = List(c, "pads"), kernel = Kernel(c);
        string auto = c.Text("auto_pad", "NOTSET");
        if (auto != "NOTSET") pads = Sides(auto, kernel.Length, axis =>
        {
            int stride = At(strides, axis), size = c[0].Shape.Size(axis + 2);
            return Math.Max(0, ((size + stride - 1) / stride - 1) * stride + Ops.Conv.Extent(kernel[axis], At(dilations, axis)) - size);
        });
        Conv conv = new(strides, pads, dilations, (int)c.Int("group", 1));
        return c.Optional(2) is { } bias ? c.Add(conv, c[0], c[1], bias) : c.Add(conv, c[0], c[1]);
    }

    public static Node ConvTranspose(OnnxCall c)
    {
        ImmutableArray<int> strides = List(c, "strides"), dilations = List(c, "dilations"), pads = List(c, "pads"), kernel = Kernel(c), extra = List(c, "output_padding");
        string auto = c.Text("auto_pad", "NOTSET");
        long[]? shape = c.Ints("output_shape");
        if (shape is not null && shape.Length != kernel.Length) shape = shape[^kernel.Length..];
        if (auto is "SAME_UPPER" or "SAME_LOWER" && shape is null) shape = [.. kernel.Select((_, axis) => c[0].Shape[axis + 2] * At(strides, axis))];
        if (auto == "VALID") pads = default;
        if (shape is not null)
        {
            int[] total = [.. kernel.Select((size, axis) => checked((int)(
                At(strides, axis) * (c[0].Shape[axis + 2] - 1) + (extra.IsDefaultOrEmpty ? 0 : extra[axis]) + Ops.Conv.Extent(size, At(dilations, axis)) - shape[axis])))];
            if (total.Any(t => t < 0)) extra = [.. total.Select((t, axis) => (extra.IsDefaultOrEmpty ? 0 : extra[axis]) + Math.Max(0, -t))];
            // Contrary to a convolution's, the odd one goes to the front unless the upper side is asked for.
            pads = Sides(auto == "SAME_UPPER" ? "SAME_UPPER" : "SAME_LOWER", kernel.Length, axis => Math.Max(0, total[axis]));
        }

        ConvTranspose op = new(strides, pads, dilations, (int)c.Int("group", 1), extra);
        return c.Optional(2) is { } bias ? c.Add(op, c[0], c[1], bias) : c.Add(op, c[0], c[1]);
    }

    /// <summary>Pads of which the larger half is at the end, or for SAME_LOWER at the front; none for VALID.</summary>
    private static ImmutableArray<int> Sides(string auto, int axes, Func<int, int> total)
    {
        if (auto == "VALID") return default;
        if (auto is not ("SAME_UPPER" or "SAME_LOWER")) throw new GraphException($"auto_pad '{auto}' is none of NOTSET, VALID, SAME_UPPER and SAME_LOWER");
        int[] sides = new int[2 * axes];
        for (int axis = 0; axis < axes; axis++)
        {
            int sum = total(axis), front = auto == "SAME_UPPER" ? sum / 2 : sum - sum / 2;
            (sides[axis], sides[axes + axis]) = (front, sum - front);
        }

        return [.. sides];
    }

    /// <summary>Sizes of the kernel: the filters' spatial axes, which the attribute may only repeat.</summary>
    private static ImmutableArray<int> Kernel(OnnxCall c)
    {
        Shape x = c[0].Shape, w = c[1].Shape;
        if (x.Rank is not (3 or 4) || w.Rank != x.Rank) throw new GraphException($"{c.Type} is supported over one or two spatial axes, found an input {x} and filters {w}");
        ImmutableArray<int> given = List(c, "kernel_shape"), kernel = [.. w.Sizes[2..].ToArray().Select(size => checked((int)size))];
        return given.IsDefaultOrEmpty || given.SequenceEqual(kernel) ? kernel : throw new GraphException($"{c.Type} has a kernel_shape of [{string.Join(',', given)}] and filters {w}");
    }

    private static ImmutableArray<int> List(OnnxCall c, string attribute) => c.Ints(attribute) is { } values ? [.. values.Select(v => checked((int)v))] : default;

    private static int At(ImmutableArray<int> list, int axis) => list.IsDefaultOrEmpty ? 1 : axis < list.Length ? list[axis] : throw new GraphException("strides and dilations must have a number for each spatial axis");
}
