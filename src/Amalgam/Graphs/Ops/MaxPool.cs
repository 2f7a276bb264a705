using System.Collections.Immutable;
using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX MaxPool: the greatest element of each window; padding is not looked at.</summary>
/// <param name="Kernel">Size of the windows along each spatial axis.</param>
/// <param name="Strides">Steps between windows; none for 1.</param>
/// <param name="Pads">Padding before each axis and then behind each; none for 0.</param>
/// <param name="Dilations">Steps within a window; none for 1.</param>
/// <param name="Ceil">Whether windows may reach over the end.</param>
public sealed record MaxPool(ImmutableArray<int> Kernel, ImmutableArray<int> Strides = default, ImmutableArray<int> Pads = default, ImmutableArray<int> Dilations = default, bool Ceil = false)
    : Pooling(Kernel, Strides, Pads, Ceil, Dilations)
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new MaxPoolGradient(this), y.Inputs[0], dy)];

    private protected override void Plane(in Windows windows, ReadOnlySpan<float> x, Span<float> y) => Fold<Greatest>(windows, x, y);

    private readonly struct Greatest : IFold
    {
        public static float Start => float.NegativeInfinity;

        public static float Fold(float x, float sum) => MathF.Max(x, sum);

        public static void Fold(ReadOnlySpan<float> x, Span<float> sum) => TensorPrimitives.Max(x, sum, sum);
    }
}

/// <summary>Gives each window's gradient to its greatest element, the first of equal ones. Inputs x, dy.</summary>
public sealed record MaxPoolGradient(MaxPool Of) : GradientOp
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        return x[1].Shape == Of.WindowsOf(x[0].Shape).Result(x[0].Shape) ? x[0].Shape : throw new GraphException("dy must have the shape of the pooled values");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Windows windows = Of.WindowsOf(y.Shape);
        Cores.ForRange(windows.Planes, windows.Grain, (X: x[0], Dy: x[1], Y: y, windows), static (s, from, to) =>
        {
            int size = s.windows.InPlane, results = s.windows.OutPlane;
            for (int plane = from; plane < to; plane++) Plane(s.windows, s.X.Span.Slice(plane * size, size), s.Dy.Span.Slice(plane * results, results), s.Y.Span.Slice(plane * size, size));
        });
    }

    public override long Work(Node y) => 2 * y.Shape.Count;

    private static void Plane(in Windows windows, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx)
    {
        Window depth = windows.Depth, height = windows.Height, width = windows.Width;
        (int from, int to) = width.Whole;
        dx.Clear();
        int at = 0;
        for (int d = 0; d < depth.Out; d++)
        {
            for (int h = 0; h < height.Out; h++)
            {
                Box box = new(depth.Start(d), depth.First(d), depth.Last(d), height.Start(h), height.First(h), height.Last(h));
                for (int w = 0; w < width.Out; w++, at++)
                {
                    int best = w >= from && w < to ? Greatest(windows, box, x, width.Start(w), 0, width.Kernel) : Greatest(windows, box, x, width.Start(w), width.First(w), width.Last(w));
                    if (best >= 0) dx[best] += dy[at];
                }
            }
        }
    }

    /// <summary>Position of the first greatest element of a window; -1 when it covers nothing but padding.</summary>
    private static int Greatest(in Windows windows, in Box box, ReadOnlySpan<float> x, int start, int first, int last)
    {
        int best = -1, held = 0;
        for (int i = box.DepthFirst; i < box.DepthLast; i++)
        {
            int plane = (box.Depth + i * windows.Depth.Dilation) * windows.Height.In;
            for (int j = box.HeightFirst; j < box.HeightLast; j++)
            {
                int row = (plane + box.Height + j * windows.Height.Dilation) * windows.Width.In + start;
                for (int k = first; k < last; k++)
                {
                    int here = row + k * windows.Width.Dilation;

                    // Which element is the greatest is a matter of chance, so a mask takes the place of a branch.
                    int value = BitConverter.SingleToInt32Bits(x[here]);
                    int mask = -(x[here] > BitConverter.Int32BitsToSingle(held) ? 1 : 0) | (best >> 31);
                    best ^= (best ^ here) & mask;
                    held ^= (held ^ value) & mask;
                }
            }
        }

        return best;
    }

    /// <summary>The rows that a row of windows covers.</summary>
    private readonly record struct Box(int Depth, int DepthFirst, int DepthLast, int Height, int HeightFirst, int HeightLast);
}
