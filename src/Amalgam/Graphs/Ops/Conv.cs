using System.Collections.Immutable;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Conv over images [N,C,H,W] or rows [N,C,W]: inputs x, filters [O, C / Groups, kernel...] and perhaps a bias [O]. Empty lists stand for ones, and pads of zero.</summary>
/// <param name="Strides">Distance of windows along each spatial axis.</param>
/// <param name="Pads">Zeros before each spatial axis, then after each.</param>
/// <param name="Dilations">Distance of a kernel's elements along each spatial axis.</param>
/// <param name="Groups">Groups of channels, each with filters of its own.</param>
public sealed record Conv(ImmutableArray<int> Strides = default, ImmutableArray<int> Pads = default, ImmutableArray<int> Dilations = default, int Groups = 1) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2, 3);
        Shape of = x[0].Shape, w = x[1].Shape;
        ConvolutionShape s = Sizes(of, w);
        if (x.Length > 2 && x[2].Shape != new Shape(w[0])) throw new GraphException($"the bias must be [{w[0]}], one number for each filter, found {x[2].Shape}");
        return of.Rank == 3 ? new(of[0], w[0], s.OutWidth) : new(of[0], w[0], s.OutHeight, s.OutWidth);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) =>
        Convolution.Forward(Sizes(x[0].Shape, x[1].Shape), x[0].Span, x[1].Span, x.Length > 2 ? x[2].Span : [], y.Span);

    /// <summary>By the input it is the transposed convolution.</summary>
    public override Node?[] Gradient(Node y, Node dy)
    {
        Node x = y.Inputs[0], w = y.Inputs[1];
        ConvolutionShape s = Sizes(x.Shape, w.Shape);
        int height = s.Height - (s.OutHeight - 1) * s.StrideHeight - Extent(s.KernelHeight, s.DilationHeight) + s.PadTop + s.PadBottom;
        int width = s.Width - (s.OutWidth - 1) * s.StrideWidth - Extent(s.KernelWidth, s.DilationWidth) + s.PadLeft + s.PadRight;
        Node dx = dy.Graph.Add(new ConvTranspose(Strides, Pads, Dilations, Groups, x.Shape.Rank == 3 ? [width] : [height, width]), dy, w);
        Node dw = dy.Graph.Add(new ConvWeightGradient(this, [.. w.Shape.Sizes[2..].ToArray().Select(size => (int)size)]), x, dy);
        return y.Inputs.Length == 2 ? [dx, dw] : [dx, dw, BiasGradient(dy)];
    }

    public override void Link(Node y, AxisLinks links)
    {
        Node x = y.Inputs[0], w = y.Inputs[1];
        links.Same(AxisLinks.Of(y, 0), AxisLinks.Of(x, 0));
        Windows(links, y, x, w, Sizes(x.Shape, w.Shape));
        if (y.Inputs.Length > 2) links.Same(AxisLinks.Of(y, 1), AxisLinks.Of(y.Inputs[2], 0));
        Axis into = AxisLinks.Of(x, 1), filters = AxisLinks.Of(w, 0), result = AxisLinks.Of(y, 1);
        if (Groups == 1)
        {
            links.Contracted([into], [AxisLinks.Of(w, 1)]);
            links.Same(result, filters);
            return;
        }

        Axis group = links.Digit(Groups);
        if (w.Shape[1] == 1) links.Same(into, group);
        else links.Contracted([into], [group, AxisLinks.Of(w, 1)]);
        if (filters.Size == Groups) links.Same(group, filters);
        else links.Same([group, links.Digit(filters.Size / Groups)], [filters]);
        links.Same(result, filters);
    }

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, [.. Attributes(Strides, Pads, Dilations, Groups)]);

    public override long Work(Node y) => 2 * Sizes(y.Inputs[0].Shape, y.Inputs[1].Shape).Work;

    public bool Equals(Conv? other) => other is not null && Sequences.Same(Strides, other.Strides) && Sequences.Same(Pads, other.Pads)
        && Sequences.Same(Dilations, other.Dilations) && Groups == other.Groups;

    public override int GetHashCode() => HashCode.Combine(Sequences.Hash(Strides), Sequences.Hash(Pads), Sequences.Hash(Dilations), Groups);

    /// <summary>The sizes for the kernels; rows are images of height 1.</summary>
    /// <exception cref="GraphException">The shapes do not fit each other or the attributes.</exception>
    internal ConvolutionShape Sizes(Shape x, Shape w)
    {
        int axes = x.Rank - 2;
        if (axes is not (1 or 2)) throw new GraphException($"the input must be [images, channels, height, width] or [rows, channels, width], found {x}");
        if (w.Rank != x.Rank) throw new GraphException($"the filters must have as many axes as the input {x}, found {w}");
        if (Groups < 1 || x[1] != w[1] * Groups) throw new GraphException($"the input {x} has {x[1]} channels, but the filters {w} take {w[1]} in each of {Groups} groups");
        if (w[0] % Groups != 0 || w[0] == 0) throw new GraphException($"{w[0]} filters cannot be divided into {Groups} groups");
        ConvolutionShape s = Spatial(w, Strides, Pads, Dilations, Groups) with { Images = x.Size(0), Height = axes == 1 ? 1 : x.Size(2), Width = x.Size(^1) };
        s.Check();
        if (s.OutHeight < 1 || s.OutWidth < 1) throw new GraphException($"the kernel of {w} is larger than the padded input {x}");
        return s;
    }

    /// <summary>What filters [filters, channels of a group, kernel...] and attributes say: all sizes but those of the input.</summary>
    internal static ConvolutionShape Spatial(Shape w, ImmutableArray<int> strides, ImmutableArray<int> pads, ImmutableArray<int> dilations, int groups)
    {
        int axes = w.Rank - 2;
        Check(strides, axes, 1, "strides");
        Check(dilations, axes, 1, "dilations");
        Check(pads, 2 * axes, 0, "pads");
        for (int axis = 2; axis < w.Rank; axis++)
        {
            if (w[axis] < 1) throw new GraphException($"a kernel must have a positive size, found {w}");
        }

        int Of(ImmutableArray<int> list, int at, int fallback) => list.IsDefaultOrEmpty || at < 0 ? fallback : list[at];
        return new(0, checked(w.Size(1) * groups), 1, 1, w.Size(0), axes == 1 ? 1 : w.Size(2), w.Size(^1), axes == 1 ? 1 : Of(strides, 0, 1), Of(strides, axes - 1, 1),
            axes == 1 ? 0 : Of(pads, 0, 0), Of(pads, axes - 1, 0), axes == 1 ? 0 : Of(pads, 2, 0), Of(pads, 2 * axes - 1, 0),
            axes == 1 ? 1 : Of(dilations, 0, 1), Of(dilations, axes - 1, 1), groups);
    }

    /// <summary>Elements that a kernel spans along an axis.</summary>
    internal static int Extent(int kernel, int dilation) => checked((kernel - 1) * dilation + 1);

    /// <summary>The sum of dy over all but the channels.</summary>
    internal static Node BiasGradient(Node dy) => dy.Sum(false, [0, .. Enumerable.Range(2, dy.Shape.Rank - 2)]);

    /// <summary>The order of positions and of a kernel's elements matters, but along an axis where each position is a window of its own.</summary>
    internal static void Windows(AxisLinks links, Node y, Node x, Node w, in ConvolutionShape s)
    {
        for (int axis = 2; axis < y.Shape.Rank; axis++)
        {
            bool isHeight = axis == y.Shape.Rank - 2;
            int stride = isHeight ? s.StrideHeight : s.StrideWidth, pads = isHeight ? s.PadTop + s.PadBottom : s.PadLeft + s.PadRight;
            if (w.Shape[axis] == 1 && stride == 1 && pads == 0 && x.Shape[axis] == y.Shape[axis])
            {
                links.Same(AxisLinks.Of(y, axis), AxisLinks.Of(x, axis));
                continue;
            }

            foreach (Node node in (ReadOnlySpan<Node>)[y, x, w]) links.Fix(AxisLinks.Of(node, axis), Pooling.Reason);
        }
    }

    /// <summary>Attributes of the ONNX operator.</summary>
    internal static IEnumerable<(string Name, object? Value)> Attributes(ImmutableArray<int> strides, ImmutableArray<int> pads, ImmutableArray<int> dilations, int groups)
    {
        static object? List(ImmutableArray<int> list) => list.IsDefaultOrEmpty ? null : list.Select(i => (long)i).ToArray();
        return [("strides", List(strides)), ("pads", List(pads)), ("dilations", List(dilations)), ("group", (long)groups)];
    }

    private static void Check(ImmutableArray<int> list, int count, int least, string what)
    {
        if (list.IsDefaultOrEmpty) return;
        bool fits = list.Length == count;
        foreach (int i in list) fits &= i >= least;
        if (!fits) throw new GraphException($"{what} must be {count} numbers from {least} on, found [{string.Join(',', list)}]");
    }
}

/// <summary>The gradient of a convolution by its filters. Inputs: x and dy.</summary>
/// <param name="Of">The convolution.</param>
/// <param name="Kernel">Sizes of the filters' spatial axes.</param>
public sealed record ConvWeightGradient(Conv Of, ImmutableArray<int> Kernel) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        Shape w = Filters(x[0].Shape, x[1].Shape);
        ConvolutionShape s = Of.Sizes(x[0].Shape, w);
        Shape dy = x[0].Shape.Rank == 3 ? new(s.Images, s.Filters, s.OutWidth) : new(s.Images, s.Filters, s.OutHeight, s.OutWidth);
        return x[1].Shape == dy ? w : throw new GraphException($"the gradient must be {dy} like the convolution's result, found {x[1].Shape}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => Convolution.WeightGradient(Of.Sizes(x[0].Shape, y.Shape), x[0].Span, x[1].Span, y.Span);

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node x = y.Inputs[0], g = y.Inputs[1];
        Node convolution = dy.Graph.Add(Of, x, dy);
        return [Of.Gradient(convolution, g)[0], convolution];
    }

    public override void Link(Node y, AxisLinks links)
    {
        Node x = y.Inputs[0], dy = y.Inputs[1];
        links.Same(AxisLinks.Of(x, 0), AxisLinks.Of(dy, 0));
        foreach (Node node in (ReadOnlySpan<Node>)[y, x, dy])
        {
            for (int axis = 2; axis < y.Shape.Rank; axis++) links.Fix(AxisLinks.Of(node, axis), Pooling.Reason);
        }

        links.Same(AxisLinks.Of(y, 0), AxisLinks.Of(dy, 1));
        if (Of.Groups == 1)
        {
            links.Same(AxisLinks.Of(y, 1), AxisLinks.Of(x, 1));
            return;
        }

        foreach (Node node in (ReadOnlySpan<Node>)[y, x, dy])
        {
            links.Fix(AxisLinks.Of(node, 0), "filters in groups");
            links.Fix(AxisLinks.Of(node, 1), "filters in groups");
        }
    }

    public override long Work(Node y) => 2 * Of.Sizes(y.Inputs[0].Shape, y.Shape).Work;

    public bool Equals(ConvWeightGradient? other) => other is not null && Of == other.Of && Sequences.Same(Kernel, other.Kernel);

    public override int GetHashCode() => HashCode.Combine(Of, Sequences.Hash(Kernel));

    private Shape Filters(Shape x, Shape dy)
    {
        if (x.Rank < 3 || dy.Rank != x.Rank || Kernel.Length != x.Rank - 2) throw new GraphException($"needs an input and a gradient with {Kernel.Length} spatial axes, found {x} and {dy}");
        return new([dy[1], x[1] / Of.Groups, .. Kernel.Select(size => (long)size)]);
    }
}
