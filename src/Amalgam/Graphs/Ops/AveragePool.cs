using System.Buffers;
using System.Collections.Immutable;
using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX AveragePool: the mean of each window.</summary>
/// <param name="Kernel">Size of the windows along each spatial axis.</param>
/// <param name="Strides">Steps between windows; none for 1.</param>
/// <param name="Pads">Padding before each axis and then behind each; none for 0.</param>
/// <param name="Ceil">Whether windows may reach over the end.</param>
/// <param name="CountPads">Whether padding counts as zeros; else a mean is that of the elements in the input.</param>
/// <param name="Dilations">Steps within a window; none for 1.</param>
public sealed record AveragePool(
    ImmutableArray<int> Kernel, ImmutableArray<int> Strides = default, ImmutableArray<int> Pads = default, bool Ceil = false, bool CountPads = false, ImmutableArray<int> Dilations = default)
    : Pooling(Kernel, Strides, Pads, Ceil, Dilations)
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new AveragePoolGradient(this, y.Inputs[0].Shape), dy)];

    /// <summary>With dilations, which ONNX has from opset 19 on, as a convolution of each channel with ones, and a division by the number of elements.</summary>
    public override string Export(Node y, OnnxExport to)
    {
        if (Dilations.IsDefaultOrEmpty || Dilations.All(d => d == 1)) return base.Export(y, to);
        if (Kernel.Length == 3) throw new GraphException("AveragePool over three axes with dilations needs ONNX opset 19; export is for 17");
        Shape x = y.Inputs[0].Shape;
        Windows windows = WindowsOf(x);
        Window[] axes = new[] { windows.Depth, windows.Height, windows.Width }[^Kernel.Length..];
        Tensor ones = new(new Shape([1, 1, .. Kernel.Select(k => (long)k)])), counts = new(new Shape([1, 1, .. y.Shape.Sizes[2..]]));
        ones.Span.Fill(1);
        for (int i = 0; i < counts.Count; i++)
        {
            (int rest, int count) = (i, 1);
            for (int axis = axes.Length - 1; axis >= 0; axis--)
            {
                count *= axes[axis].Count(rest % axes[axis].Out, CountPads);
                rest /= axes[axis].Out;
            }

            counts.Span[i] = count;
        }

        long[] behind = [.. axes.Select(a => (long)Math.Max(0, (a.Out - 1) * a.Stride + (a.Kernel - 1) * a.Dilation + 1 - a.In - a.Begin))];
        string planes = to.Emit("Reshape", [to[y.Inputs[0]], to.Integers([-1, 1, .. x.Sizes[2..]])]);
        string sums = to.Emit("Conv", [planes, to.Constant(ones, y.Type)], ("strides", axes.Select(a => (long)a.Stride).ToArray()),
            ("dilations", axes.Select(a => (long)a.Dilation).ToArray()), ("pads", axes.Select(a => (long)a.Begin).Concat(behind).ToArray()));
        return to.Emit("Reshape", [to.Emit("Div", [sums, to.Constant(counts, y.Type)]), to.Integers([-1, .. y.Shape.Sizes[1..]])]);
    }

    private protected override IEnumerable<(string Name, object? Value)> Attributes() => base.Attributes().Append(("count_include_pad", CountPads ? 1L : 0L));

    private protected override void Plane(in Windows windows, ReadOnlySpan<float> x, Span<float> y)
    {
        Fold<Sum>(windows, x, y);
        for (int d = 0; d < windows.Depth.Out; d++)
        {
            for (int h = 0; h < windows.Height.Out; h++)
            {
                Span<float> row = y.Slice((d * windows.Height.Out + h) * windows.Width.Out, windows.Width.Out);
                Divide(row, windows.Width, windows.Depth.Count(d, CountPads) * windows.Height.Count(h, CountPads), CountPads);
            }
        }
    }

    /// <summary>Divides each element of a row by the number of elements of its window.</summary>
    /// <param name="y">A row of the result.</param>
    /// <param name="width">Windows along the row.</param>
    /// <param name="rows">How many rows of the input the windows cover.</param>
    /// <param name="pads">Whether padding counts.</param>
    internal static void Divide(Span<float> y, in Window width, int rows, bool pads)
    {
        (int from, int to) = width.Whole;
        TensorPrimitives.Divide(y[from..to], (float)(rows * width.Kernel), y[from..to]);
        for (int w = 0; w < from; w++) y[w] /= rows * width.Count(w, pads);
        for (int w = to; w < y.Length; w++) y[w] /= rows * width.Count(w, pads);
    }

    private readonly struct Sum : IFold
    {
        public static float Start => 0;

        public static float Fold(float x, float sum) => sum + x;

        public static void Fold(ReadOnlySpan<float> x, Span<float> sum) => TensorPrimitives.Add(x, sum, sum);
    }
}

/// <summary>Spreads each window's gradient evenly over its elements. Input dy.</summary>
/// <param name="Of">The pooling.</param>
/// <param name="Target">Shape of what was pooled.</param>
public sealed record AveragePoolGradient(AveragePool Of, Shape Target) : GradientOp
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        return x[0].Shape == Of.WindowsOf(Target).Result(Target) ? Target : throw new GraphException("dy must have the shape of the pooled values");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Windows windows = Of.WindowsOf(y.Shape);
        Cores.ForRange(windows.Planes, windows.Grain, (Of.CountPads, Dy: x[0], Y: y, windows), static (s, from, to) =>
        {
            int size = s.windows.InPlane, results = s.windows.OutPlane;
            for (int plane = from; plane < to; plane++) Plane(s.windows, s.CountPads, s.Dy.Span.Slice(plane * results, results), s.Y.Span.Slice(plane * size, size));
        });
    }

    public override long Work(Node y) => 2 * y.Shape.Count;

    private static void Plane(in Windows windows, bool pads, ReadOnlySpan<float> dy, Span<float> dx)
    {
        Window depth = windows.Depth, height = windows.Height, width = windows.Width;
        dx.Clear();
        float[] rented = ArrayPool<float>.Shared.Rent(width.In + width.Out);
        Span<float> shares = rented.AsSpan(0, width.Out), spread = rented.AsSpan(width.Out, width.In);
        for (int d = 0; d < depth.Out; d++)
        {
            for (int h = 0; h < height.Out; h++)
            {
                dy.Slice((d * height.Out + h) * width.Out, width.Out).CopyTo(shares);
                AveragePool.Divide(shares, width, depth.Count(d, pads) * height.Count(h, pads), pads);
                Spread(width, shares, spread);
                for (int i = depth.First(d); i < depth.Last(d); i++)
                {
                    int plane = (depth.Start(d) + i * depth.Dilation) * height.In;
                    for (int j = height.First(h); j < height.Last(h); j++)
                    {
                        Span<float> row = dx.Slice((plane + height.Start(h) + j * height.Dilation) * width.In, width.In);
                        TensorPrimitives.Add(row, spread, row);
                    }
                }
            }
        }

        ArrayPool<float>.Shared.Return(rented);
    }

    /// <summary>Gives each window's share to the elements of a row that it covers.</summary>
    private static void Spread(in Window width, ReadOnlySpan<float> shares, Span<float> row)
    {
        row.Clear();
        (int from, int to) = width.Whole;
        for (int w = 0; w < shares.Length; w++)
        {
            if (w == from) w = to;
            if (w == shares.Length) break;
            for (int k = width.First(w); k < width.Last(w); k++) row[width.Start(w) + k * width.Dilation] += shares[w];
        }

        for (int k = 0; k < width.Kernel && from < to; k++)
        {
            Span<float> taken = row[(width.Start(from) + k * width.Dilation)..];
            for (int w = from, at = 0; w < to && at < taken.Length; w++, at += width.Stride) taken[at] += shares[w];
        }
    }
}
