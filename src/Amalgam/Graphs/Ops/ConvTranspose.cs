using System.Collections.Immutable;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>
/// ONNX ConvTranspose: what a convolution's input gets from its output. Inputs: x [N,I,H,W] or [N,I,W], filters [I, O / Groups, kernel...] and perhaps a bias [O].
/// It is also the gradient of <see cref="Conv"/> by its input.
/// </summary>
/// <param name="Strides">Distance of windows in the result.</param>
/// <param name="Pads">Positions cut off before each spatial axis of the result, then after each.</param>
/// <param name="Dilations">Distance of a kernel's elements.</param>
/// <param name="Groups">Groups of channels.</param>
/// <param name="OutputPadding">Positions more at the end of each spatial axis, fewer than the stride.</param>
public sealed record ConvTranspose(
    ImmutableArray<int> Strides = default, ImmutableArray<int> Pads = default, ImmutableArray<int> Dilations = default, int Groups = 1, ImmutableArray<int> OutputPadding = default) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2, 3);
        Shape of = x[0].Shape, w = x[1].Shape;
        ConvolutionShape s = Sizes(of, w);
        if (x.Length > 2 && x[2].Shape != new Shape(s.Channels)) throw new GraphException($"the bias must be [{s.Channels}], one number for each channel, found {x[2].Shape}");
        return of.Rank == 3 ? new(s.Images, s.Channels, s.Width) : new(s.Images, s.Channels, s.Height, s.Width);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        ConvolutionShape s = Sizes(x[0].Shape, x[1].Shape);
        Convolution.InputGradient(s, x[0].Span, x[1].Span, y.Span);
        if (x.Length == 2) return;
        int plane = s.Height * s.Width;
        Cores.ForRange(s.Images * s.Channels, Math.Max(1, Cores.WorthSharing / plane), (Y: y, Bias: x[2], plane), static (t, from, to) =>
        {
            for (int i = from; i < to; i++)
            {
                Span<float> y = t.Y.Span.Slice(i * t.plane, t.plane);
                System.Numerics.Tensors.TensorPrimitives.Add(y, t.Bias.Span[i % t.Bias.Count], y);
            }
        });
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node x = y.Inputs[0], w = y.Inputs[1];
        Conv conv = new(Strides, Pads, Dilations, Groups);
        Node dx = dy.Graph.Add(conv, dy, w);
        Node dw = dy.Graph.Add(new ConvWeightGradient(conv, [.. w.Shape.Sizes[2..].ToArray().Select(size => (int)size)]), dy, x);
        return y.Inputs.Length == 2 ? [dx, dw] : [dx, dw, Conv.BiasGradient(dy)];
    }

    public override void Link(Node y, AxisLinks links)
    {
        Node x = y.Inputs[0], w = y.Inputs[1];
        links.Same(AxisLinks.Of(y, 0), AxisLinks.Of(x, 0));
        Conv.Windows(links, y, x, w, Sizes(x.Shape, w.Shape));
        if (y.Inputs.Length > 2) links.Same(AxisLinks.Of(y, 1), AxisLinks.Of(y.Inputs[2], 0));
        Axis into = AxisLinks.Of(x, 1), filters = AxisLinks.Of(w, 0), result = AxisLinks.Of(y, 1);
        // A channel that is a group of its own is not added to others: its kernels make, as those of a convolution by channel do.
        if (filters.Size == Groups && Groups > 1) links.Same(into, filters);
        else links.Contracted([into], [filters]);
        if (Groups == 1)
        {
            links.Same(result, AxisLinks.Of(w, 1));
            return;
        }

        Axis group = links.Digit(Groups);
        if (filters.Size == Groups) links.Same(group, filters);
        else links.Same([group, links.Digit(filters.Size / Groups)], [filters]);
        if (w.Shape[1] == 1) links.Same(result, group);
        else links.Same([result], [group, AxisLinks.Of(w, 1)]);
    }

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y,
        [.. Conv.Attributes(Strides, Pads, Dilations, Groups), ("output_padding", OutputPadding.IsDefaultOrEmpty ? null : OutputPadding.Select(i => (long)i).ToArray())]);

    public override long Work(Node y) => 2 * Sizes(y.Inputs[0].Shape, y.Inputs[1].Shape).Work;

    public bool Equals(ConvTranspose? other) => other is not null && Sequences.Same(Strides, other.Strides) && Sequences.Same(Pads, other.Pads)
        && Sequences.Same(Dilations, other.Dilations) && Groups == other.Groups && Sequences.Same(OutputPadding, other.OutputPadding);

    public override int GetHashCode() => HashCode.Combine(Sequences.Hash(Strides), Sequences.Hash(Pads), Sequences.Hash(Dilations), Groups, Sequences.Hash(OutputPadding));

    /// <summary>Sizes of the convolution that this is the transpose of: its output is our input.</summary>
    /// <exception cref="GraphException">The shapes do not fit each other or the attributes.</exception>
    private ConvolutionShape Sizes(Shape x, Shape w)
    {
        int axes = x.Rank - 2;
        if (axes is not (1 or 2)) throw new GraphException($"the input must be [images, channels, height, width] or [rows, channels, width], found {x}");
        if (w.Rank != x.Rank) throw new GraphException($"the filters must have as many axes as the input {x}, found {w}");
        if (x[1] != w[0]) throw new GraphException($"the input {x} has {x[1]} channels and the filters {w} are for {w[0]}");
        if (Groups < 1 || w[0] % Groups != 0) throw new GraphException($"{w[0]} channels cannot be divided into {Groups} groups");
        if (!OutputPadding.IsDefaultOrEmpty && OutputPadding.Length != axes) throw new GraphException($"output padding must be {axes} numbers, found {OutputPadding.Length}");
        ConvolutionShape s = Conv.Spatial(w, Strides, Pads, Dilations, Groups);
        int padHeight = OutputPadding.IsDefaultOrEmpty || axes == 1 ? 0 : OutputPadding[0], padWidth = OutputPadding.IsDefaultOrEmpty ? 0 : OutputPadding[^1];
        if (padHeight < 0 || padWidth < 0 || padHeight >= s.StrideHeight || padWidth >= s.StrideWidth)
        {
            throw new GraphException($"output padding must be less than the stride, found [{string.Join(',', OutputPadding)}] with strides [{s.StrideHeight},{s.StrideWidth}]");
        }

        int height = axes == 1 ? 1 : x.Size(2), width = x.Size(^1);
        s = s with
        {
            Images = x.Size(0),
            Height = checked((height - 1) * s.StrideHeight + Conv.Extent(s.KernelHeight, s.DilationHeight) - s.PadTop - s.PadBottom + padHeight),
            Width = checked((width - 1) * s.StrideWidth + Conv.Extent(s.KernelWidth, s.DilationWidth) - s.PadLeft - s.PadRight + padWidth),
        };
        if (s.Height < 1 || s.Width < 1 || height < 1 || width < 1) throw new GraphException($"nothing is left of the result for an input {x}, filters {w} and pads [{string.Join(',', Pads)}]");
        s.Check();
        return s;
    }
}
