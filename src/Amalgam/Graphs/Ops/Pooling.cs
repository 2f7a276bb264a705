using System.Collections.Immutable;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>An operation over windows of neighbouring positions in each channel of x [N,C,...].</summary>
public abstract record Pooling(ImmutableArray<int> Kernel, ImmutableArray<int> Strides, ImmutableArray<int> Pads, bool Ceil, ImmutableArray<int> Dilations) : Op
{
    /// <summary>Why the order of positions matters.</summary>
    internal const string Reason = "windows over neighbouring positions";

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        return WindowsOf(x[0].Shape).Result(x[0].Shape);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Windows windows = WindowsOf(x[0].Shape);
        Cores.ForRange(windows.Planes, windows.Grain, (Op: this, X: x[0], Y: y, windows), static (s, from, to) =>
        {
            for (int plane = from; plane < to; plane++)
            {
                s.Op.Plane(s.windows, s.X.Span.Slice(plane * s.windows.InPlane, s.windows.InPlane), s.Y.Span.Slice(plane * s.windows.OutPlane, s.windows.OutPlane));
            }
        });
    }

    /// <summary>Channels follow. So do positions that are windows of their own; those that all lie in the one window there is may be in any order.</summary>
    public override void Link(Node y, AxisLinks links)
    {
        Node x = y.Inputs[0];
        links.Same(AxisLinks.Of(y, 0), AxisLinks.Of(x, 0));
        links.Same(AxisLinks.Of(y, 1), AxisLinks.Of(x, 1));
        Windows windows = WindowsOf(x.Shape);
        for (int axis = 2; axis < y.Shape.Rank; axis++)
        {
            Window window = axis == y.Shape.Rank - 1 ? windows.Width : axis == y.Shape.Rank - 2 ? windows.Height : windows.Depth;
            if (window.IsPosition)
            {
                links.Same(AxisLinks.Of(y, axis), AxisLinks.Of(x, axis));
            }
            else if (!window.IsAll)
            {
                links.Fix(AxisLinks.Of(x, axis), Reason);
                links.Fix(AxisLinks.Of(y, axis), Reason);
            }
        }
    }

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, [.. Attributes()]);

    public override long Work(Node y) => y.Shape.Count * Kernel.Aggregate(1L, (product, size) => product * size);

    internal Windows WindowsOf(Shape x) => Windows.Of(x, Kernel, Strides, Pads, Dilations, Ceil);

    /// <summary>Attributes of the ONNX operator.</summary>
    private protected virtual IEnumerable<(string Name, object? Value)> Attributes()
    {
        static object? List(ImmutableArray<int> list) => list.IsDefaultOrEmpty ? null : list.Select(i => (long)i).ToArray();
        yield return ("kernel_shape", List(Kernel));
        yield return ("strides", List(Strides));
        yield return ("pads", List(Pads));
        if (!Dilations.IsDefaultOrEmpty && Dilations.Any(d => d != 1)) yield return ("dilations", List(Dilations));
        if (Ceil) yield return ("ceil_mode", 1L);
    }

    /// <summary>The windows of one channel of one sample.</summary>
    private protected abstract void Plane(in Windows windows, ReadOnlySpan<float> x, Span<float> y);

    /// <summary>Folds the rows that each row of windows covers, element by element, and then the columns.</summary>
    private protected static void Fold<TFold>(in Windows windows, ReadOnlySpan<float> x, Span<float> y) where TFold : struct, IFold
    {
        Window depth = windows.Depth, height = windows.Height, width = windows.Width;
        Span<float> buffer = stackalloc float[Lanes.Columns];
        float[]? rented = width.In > buffer.Length ? System.Buffers.ArrayPool<float>.Shared.Rent(width.In) : null;
        Span<float> rows = (rented ?? buffer)[..width.In];
        int at = 0;
        for (int d = 0; d < depth.Out; d++)
        {
            for (int h = 0; h < height.Out; h++)
            {
                rows.Fill(TFold.Start);
                for (int i = depth.First(d); i < depth.Last(d); i++)
                {
                    int plane = (depth.Start(d) + i * depth.Dilation) * height.In;
                    for (int j = height.First(h); j < height.Last(h); j++) TFold.Fold(x.Slice((plane + height.Start(h) + j * height.Dilation) * width.In, width.In), rows);
                }

                Columns<TFold>(width, rows, y.Slice(at, width.Out));
                at += width.Out;
            }
        }

        if (rented is not null) System.Buffers.ArrayPool<float>.Shared.Return(rented);
    }

    private static void Columns<TFold>(in Window width, ReadOnlySpan<float> rows, Span<float> y) where TFold : struct, IFold
    {
        (int from, int to) = width.Whole;
        for (int i = 0; i < y.Length - (to - from); i++)
        {
            int w = i < from ? i : i + to - from;
            float sum = TFold.Start;
            int start = width.Start(w), last = width.Last(w);
            for (int k = width.First(w); k < last; k++) sum = TFold.Fold(rows[start + k * width.Dilation], sum);
            y[w] = sum;
        }

        if (from == to) return;
        Span<float> whole = y[from..to];
        whole.Fill(TFold.Start);
        for (int k = 0; k < width.Kernel; k++)
        {
            ReadOnlySpan<float> taken = rows[(width.Start(from) + k * width.Dilation)..];
            if (width.Stride == 1)
            {
                TFold.Fold(taken[..whole.Length], whole);
                continue;
            }

            for (int w = 0, at = 0; w < whole.Length && at < taken.Length; w++, at += width.Stride) whole[w] = TFold.Fold(taken[at], whole[w]);
        }
    }

    /// <summary>How windows are folded.</summary>
    private protected interface IFold
    {
        static abstract float Start { get; }

        static abstract float Fold(float x, float sum);

        static abstract void Fold(ReadOnlySpan<float> x, Span<float> sum);
    }

    public virtual bool Equals(Pooling? other) => other is not null && EqualityContract == other.EqualityContract && Sequences.Same(Kernel, other.Kernel) && Sequences.Same(Strides, other.Strides) && Sequences.Same(Pads, other.Pads) && Ceil == other.Ceil && Sequences.Same(Dilations, other.Dilations);

    public override int GetHashCode() => HashCode.Combine(EqualityContract, Sequences.Hash(Kernel), Sequences.Hash(Strides), Sequences.Hash(Pads), Ceil, Sequences.Hash(Dilations));
}
