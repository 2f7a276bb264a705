using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>
/// ONNX LRN: x over (bias + alpha / size times the sum of squares over neighbouring channels) to the power beta (A. Krizhevsky, I. Sutskever and G. E. Hinton,
/// ImageNet Classification with Deep Convolutional Neural Networks, 2012). The neighbours of channel c are those from c - (size - 1) / 2 to c + size / 2.
/// </summary>
public sealed record LRN(int Size, float Alpha = 0.0001f, float Beta = 0.75f, float Bias = 1) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        Channels.Check(x, 0);
        return Size >= 1 ? x[0].Shape : throw new GraphException($"the number of neighbours must be positive, found {Size}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Channels channels = Channels.Of(y.Shape);
        Cores.ForRange(channels.Samples * channels.Count, 1, (Op: this, X: x[0], Y: y, channels), static (s, from, to) =>
        {
            for (int row = from; row < to; row++)
            {
                for (int position = 0; position < s.channels.Positions; position++)
                {
                    int at = row * s.channels.Positions + position;
                    s.Y.Span[at] = (float)(s.X.Span[at] * Math.Pow(s.Op.Base(s.X.Span, s.channels, row, position), -s.Op.Beta));
                }
            }
        });
    }

    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new LRNGradient(this), y.Inputs[0], dy)];

    public override void Link(Node y, AxisLinks links)
    {
        links.Elementwise(y);
        links.Fix(AxisLinks.Of(y, 1), "neighbouring channels are added up");
        links.Mixed(AxisLinks.Of(y, 1));
    }

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("size", (long)Size), ("alpha", Alpha), ("beta", Beta), ("bias", Bias));

    public override long Work(Node y) => (2 * Size + 10) * y.Shape.Count;

    /// <summary>What is raised to a power, for one position of row number <paramref name="row"/> of samples and channels.</summary>
    internal double Base(ReadOnlySpan<float> x, in Channels channels, int row, int position)
    {
        int channel = row % channels.Count;
        double sum = 0;
        for (int c = Math.Max(0, channel - (Size - 1) / 2); c <= Math.Min(channels.Count - 1, channel + Size / 2); c++)
        {
            double value = x[(row - channel + c) * channels.Positions + position];
            sum += value * value;
        }

        return Bias + (double)Alpha / Size * sum;
    }
}

/// <summary>Gradient of LRN. Inputs x, dy.</summary>
public sealed record LRNGradient(LRN Of) : GradientOp
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        return x[0].Shape == x[1].Shape ? x[0].Shape : throw new GraphException("both inputs must have one shape");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Channels channels = Channels.Of(y.Shape);
        Cores.ForRange(channels.Samples * channels.Count, 1, (Of, X: x[0], Dy: x[1], Y: y, channels), static (s, from, to) =>
        {
            for (int row = from; row < to; row++)
            {
                for (int position = 0; position < s.channels.Positions; position++) s.Y.Span[row * s.channels.Positions + position] = At(s.Of, s.X.Span, s.Dy.Span, s.channels, row, position);
            }
        });
    }

    public override long Work(Node y) => Of.Size * Of.Work(y);

    private static float At(LRN of, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, in Channels channels, int row, int position)
    {
        int channel = row % channels.Count, at = row * channels.Positions + position;
        double sum = 0;
        // The channels whose neighbours this one is among.
        for (int c = Math.Max(0, channel - of.Size / 2); c <= Math.Min(channels.Count - 1, channel + (of.Size - 1) / 2); c++)
        {
            int other = row - channel + c, there = other * channels.Positions + position;
            sum += dy[there] * (double)x[there] * Math.Pow(of.Base(x, channels, other, position), -of.Beta - 1);
        }

        return (float)(dy[at] * Math.Pow(of.Base(x, channels, row, position), -of.Beta) - 2.0 * of.Alpha * of.Beta / of.Size * x[at] * sum);
    }
}
