using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>Mean and (biased) variance of each channel over samples and positions: [2, C] of x [N,C,...], summed in double from the first row's mean.</summary>
public sealed record BatchStatistics : GradientOp
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        Channels.Check(x, 0);
        return new(2, x[0].Shape[1]);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Channels channels = Channels.Of(x[0].Shape);
        if (channels.Positions == 1)
        {
            Cores.ForRange(channels.Count, Lanes.Columns, (X: x[0], Y: y, channels), static (s, from, to) => OfColumns(s.X, s.Y, s.channels, from, to));
            return;
        }

        Cores.ForRange(channels.Count, Math.Max(1, Unary.Block * 4 / Math.Max(1, channels.Share)), (X: x[0], Y: y, channels), static (s, from, to) =>
        {
            for (int channel = from; channel < to; channel++) OfRows(s.X, s.Y, s.channels, channel);
        });
    }

    public override void Link(Node y, AxisLinks links)
    {
        links.Same(AxisLinks.Of(y, 1), AxisLinks.Of(y.Inputs[0], 1));
        links.Fix(AxisLinks.Of(y, 0), "a mean is not a variance");
    }

    public override long Work(Node y) => 4 * y.Inputs[0].Shape.Count;

    private static void OfRows(Tensor x, Tensor y, in Channels channels, int channel)
    {
        float shift = channels.Share == 0 ? 0 : (float)Moments.Mean(x.Span.Slice(channels.Start(0, channel), channels.Positions));
        double sum = 0, squares = 0;
        for (int sample = 0; sample < channels.Samples; sample++)
        {
            (double s, double q) = Moments.About(x.Span.Slice(channels.Start(sample, channel), channels.Positions), shift);
            (sum, squares) = (sum + s, squares + q);
        }

        double mean = sum / channels.Share;
        y.Span[channel] = (float)(shift + mean);
        y.Span[channels.Count + channel] = (float)Math.Max(0, squares / channels.Share - mean * mean);
    }

    private static void OfColumns(Tensor x, Tensor y, in Channels channels, int from, int to)
    {
        int count = to - from;
        Span<float> mean = y.Span[from..to], variance = y.Span.Slice(channels.Count + from, count), d = stackalloc float[count], part = stackalloc float[count];
        mean.Clear();
        variance.Clear();
        for (int pass = 0; pass < 2; pass++)
        {
            Span<float> sum = pass == 0 ? mean : variance;
            for (int sample = 0; sample < channels.Samples;)
            {
                part.Clear();
                for (int end = Math.Min(channels.Samples, sample + 32); sample < end; sample++)
                {
                    ReadOnlySpan<float> row = x.Span.Slice(sample * channels.Count + from, count);
                    if (pass == 0)
                    {
                        TensorPrimitives.Add(row, part, part);
                        continue;
                    }

                    TensorPrimitives.Subtract(row, mean, d);
                    TensorPrimitives.MultiplyAdd(d, d, part, part);
                }

                TensorPrimitives.Add(part, sum, sum);
            }

            TensorPrimitives.Divide(sum, (float)channels.Samples, sum);
        }
    }
}

/// <summary>One row of a [2, C] pair of vectors.</summary>
/// <param name="Index">0 or 1.</param>
public sealed record ChannelRow(int Index) : GradientOp
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        return x[0].Shape is { Rank: 2 } shape && shape[0] == 2 && Index is 0 or 1 ? new(x[0].Shape[1]) : throw new GraphException($"takes row {Index} of a pair of vectors");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => x[0].Span.Slice(Index * y.Count, y.Count).CopyTo(y.Span);

    public override void Link(Node y, AxisLinks links)
    {
        links.Same(AxisLinks.Of(y, 0), AxisLinks.Of(y.Inputs[0], 1));
        links.Fix(AxisLinks.Of(y.Inputs[0], 0), "one of two vectors is taken");
    }
}

/// <summary>Sums over samples and positions of dy and of dy (x - mean) / sqrt(var + epsilon): [2, C], the gradients by bias and scale. Inputs x, mean, var, dy.</summary>
public sealed record BatchNormalizationSums(float Epsilon) : GradientOp
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 4);
        Channels.Check(x, 2);
        return new(2, x[0].Shape[1]);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Channels channels = Channels.Of(x[0].Shape);
        if (channels.Positions == 1)
        {
            Cores.ForRange(channels.Count, Lanes.Columns, (X: x[0], Mean: x[1], Var: x[2], Dy: x[3], Y: y, channels, Epsilon), static (s, from, to) =>
                OfColumns(s.X, s.Mean, s.Var, s.Dy, s.Y, s.channels, s.Epsilon, from, to));
            return;
        }

        int grain = Math.Max(1, Unary.Block * 4 / Math.Max(1, channels.Share));
        Cores.ForRange(channels.Count, grain, (X: x[0], Mean: x[1], Var: x[2], Dy: x[3], Y: y, channels, Epsilon), static (s, from, to) =>
        {
            for (int channel = from; channel < to; channel++)
            {
                double sum = 0, products = 0;
                for (int sample = 0; sample < s.channels.Samples; sample++)
                {
                    int at = s.channels.Start(sample, channel);
                    (double d, double p) = Moments.Along(s.X.Span.Slice(at, s.channels.Positions), s.Mean.Span[channel], s.Dy.Span.Slice(at, s.channels.Positions));
                    (sum, products) = (sum + d, products + p);
                }

                s.Y.Span[channel] = (float)sum;
                s.Y.Span[s.channels.Count + channel] = (float)(products / Math.Sqrt((double)s.Var.Span[channel] + s.Epsilon));
            }
        });
    }

    public override long Work(Node y) => 4 * y.Inputs[0].Shape.Count;

    private static void OfColumns(Tensor x, Tensor mean, Tensor variance, Tensor dy, Tensor y, in Channels channels, float epsilon, int from, int to)
    {
        int count = to - from;
        Span<float> sum = y.Span[from..to], products = y.Span.Slice(channels.Count + from, count);
        Span<float> d = stackalloc float[count], partSum = stackalloc float[count], partProducts = stackalloc float[count];
        sum.Clear();
        products.Clear();
        for (int sample = 0; sample < channels.Samples;)
        {
            partSum.Clear();
            partProducts.Clear();
            for (int end = Math.Min(channels.Samples, sample + 32); sample < end; sample++)
            {
                ReadOnlySpan<float> row = dy.Span.Slice(sample * channels.Count + from, count);
                TensorPrimitives.Add(row, partSum, partSum);
                TensorPrimitives.Subtract(x.Span.Slice(sample * channels.Count + from, count), mean.Span[from..to], d);
                TensorPrimitives.MultiplyAdd(row, d, partProducts, partProducts);
            }

            TensorPrimitives.Add(partSum, sum, sum);
            TensorPrimitives.Add(partProducts, products, products);
        }

        for (int i = 0; i < count; i++) products[i] = (float)(products[i] / Math.Sqrt((double)variance.Span[from + i] + epsilon));
    }
}

/// <summary>
/// Gradient by the input of a normalisation by the batch's own statistics: scale / sqrt(var + epsilon) (dy - mean of dy - x^ mean of dy x^), x^ being the normalised
/// input. Inputs x, scale, mean, var, dy, and the gradients by bias and scale.
/// </summary>
public sealed record BatchNormalizationGradient(float Epsilon) : GradientOp
{
    public override Reuse Reuse => Reuse.InPlace;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 7);
        Channels.Check(x, 3);
        return x[4].Shape == x[0].Shape && x[5].Shape == x[1].Shape && x[6].Shape == x[1].Shape
            ? x[0].Shape : throw new GraphException("dy must have the shape of x, and the gradients by bias and scale that of scale");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Channels channels = Channels.Of(y.Shape);
        var state = (X: x[0], Scale: x[1], Mean: x[2], Var: x[3], Dy: x[4], OfBias: x[5], OfScale: x[6], Y: y, channels, Epsilon);
        if (channels.Positions == 1)
        {
            int parts = (channels.Count + Lanes.Columns - 1) / Lanes.Columns, rows = Math.Max(1, Unary.Block * 4 / Lanes.Columns);
            Cores.For((channels.Samples + rows - 1) / rows * parts, (state, parts, rows), static (s, part) =>
            {
                int first = part / s.parts * s.rows, column = part % s.parts * Lanes.Columns, count = Math.Min(Lanes.Columns, s.state.channels.Count - column);
                Span<float> a = stackalloc float[count], b = stackalloc float[count], c = stackalloc float[count], d = stackalloc float[count];
                ReadOnlySpan<float> mean = s.state.Mean.Span.Slice(column, count);
                for (int i = 0; i < count; i++)
                {
                    (a[i], b[i], c[i]) = Line(s.state.Scale.Span, s.state.Var.Span, s.state.OfBias.Span, s.state.OfScale.Span, s.state.channels.Share, s.state.Epsilon, column + i);
                }

                for (int sample = first; sample < Math.Min(first + s.rows, s.state.channels.Samples); sample++)
                {
                    int at = sample * s.state.channels.Count + column;
                    TensorPrimitives.Subtract(s.state.X.Span.Slice(at, count), mean, d);
                    TensorPrimitives.MultiplyAdd(d, b, c, d);
                    TensorPrimitives.MultiplyAdd(s.state.Dy.Span.Slice(at, count), a, d, s.state.Y.Span.Slice(at, count));
                }
            });
            return;
        }

        Cores.ForRange(channels.Samples * channels.Count, Math.Max(1, Unary.Block * 4 / Math.Max(1, channels.Positions)), state, static (s, from, to) =>
        {
            int positions = s.channels.Positions;
            for (int row = from; row < to; row++)
            {
                int channel = row % s.channels.Count, at = row * positions;
                (float a, float b, float c) = Line(s.Scale.Span, s.Var.Span, s.OfBias.Span, s.OfScale.Span, s.channels.Share, s.Epsilon, channel);
                Moments.Affine(s.Dy.Span.Slice(at, positions), a, s.X.Span.Slice(at, positions), s.Mean.Span[channel], b, c, s.Y.Span.Slice(at, positions));
            }
        });

        // dx = a dy + b (x - mean) + c
        static (float A, float B, float C) Line(ReadOnlySpan<float> scale, ReadOnlySpan<float> variance, ReadOnlySpan<float> ofBias, ReadOnlySpan<float> ofScale, int share, float epsilon, int channel)
        {
            double inverse = 1 / Math.Sqrt((double)variance[channel] + epsilon), a = scale[channel] * inverse;
            return ((float)a, (float)(-a * inverse * ofScale[channel] / share), (float)(-a * ofBias[channel] / share));
        }
    }

    public override long Work(Node y) => 5 * y.Shape.Count;
}
