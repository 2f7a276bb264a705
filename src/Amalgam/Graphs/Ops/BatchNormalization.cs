using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>
/// ONNX BatchNormalization with given statistics: scale (x - mean) / sqrt(var + epsilon) + bias in each channel. Inputs x [N,C,...] and scale, bias, mean, var [C]
/// (S. Ioffe and C. Szegedy, Batch Normalization, 2015).
/// </summary>
/// <param name="Epsilon">Added to the variance.</param>
/// <param name="Momentum">Share of the running statistics that a training step keeps.</param>
public sealed record BatchNormalization(float Epsilon = 1e-5f, float Momentum = 0.9f) : Op
{
    public override Reuse Reuse => Reuse.InPlace;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 5);
        Channels.Check(x, 4);
        return x[0].Shape;
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => Apply(x, Epsilon, y);

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node x = y.Inputs[0], scale = y.Inputs[1], mean = y.Inputs[3], variance = y.Inputs[4], zeros = y.Graph.Constant(new Tensor(mean.Shape));
        Node sums = y.Graph.Add(new BatchNormalizationSums(Epsilon), x, mean, variance, dy);
        Node ofDy = y.Graph.Add(new ChannelRow(0), sums), ofProducts = y.Graph.Add(new ChannelRow(1), sums), shifted = variance + Epsilon;
        return
        [
            y.Graph.Add(this, dy, scale, zeros, zeros, variance), ofProducts, ofDy,
            -(scale * ofDy / shifted.Sqrt()), scale * ofProducts * -0.5f / shifted,
        ];
    }

    public override void Link(Node y, AxisLinks links) => Channels.Link(y, 4, links);

    /// <summary>
    /// Takes the batch's statistics, and moves the running ones where they are parameters: the variance without bias, as PyTorch does. With scale and bias frozen
    /// it stays as it is: a frozen part of a network does not change.
    /// </summary>
    public override Node? ForTraining(ReadOnlySpan<Node> x, TrainingForm form)
    {
        if (IsFrozen(x[1]) && IsFrozen(x[2])) return null;
        Graph graph = form.Graph;
        Node statistics = graph.Add(new BatchStatistics(), x[0]), mean = graph.Add(new ChannelRow(0), statistics), variance = graph.Add(new ChannelRow(1), statistics);
        float share = Channels.Of(x[0].Shape).Share;
        if (Leaf(x[3]) is { } runningMean) graph.Update(runningMean, runningMean * Momentum + mean * (1 - Momentum));
        if (Leaf(x[4]) is { } runningVariance) graph.Update(runningVariance, runningVariance * Momentum + variance * ((1 - Momentum) * share / Math.Max(share - 1, 1)));
        return graph.Add(new BatchNormalizationTraining(Epsilon), x[0], x[1], x[2], mean, variance);
    }

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("epsilon", Epsilon), ("momentum", Momentum));

    public override long Work(Node y) => 2 * y.Shape.Count;

    private static bool IsFrozen(Node x) => x.Op is Parameter && !x.Trainable;

    /// <summary>The parameter that a running statistic is, by itself or through an Identity as exporters write it.</summary>
    private static Node? Leaf(Node x)
    {
        while (x.Op is Identity) x = x.Inputs[0];
        return x.Op is Parameter ? x : null;
    }

    internal static void Apply(ReadOnlySpan<Tensor> x, float epsilon, Tensor y)
    {
        Channels channels = Channels.Of(y.Shape);
        var state = (X: x[0], Scale: x[1], Bias: x[2], Mean: x[3], Var: x[4], Y: y, epsilon, channels);
        if (channels.Positions == 1)
        {
            int parts = (channels.Count + Lanes.Columns - 1) / Lanes.Columns, rows = Math.Max(1, Unary.Block * 4 / Lanes.Columns);
            Cores.For((channels.Samples + rows - 1) / rows * parts, (state, parts, rows), static (s, part) =>
            {
                int first = part / s.parts * s.rows, column = part % s.parts * Lanes.Columns, count = Math.Min(Lanes.Columns, s.state.channels.Count - column);
                Span<float> a = stackalloc float[count], b = stackalloc float[count];
                for (int i = 0; i < count; i++) (a[i], b[i]) = Line(s.state.Scale.Span, s.state.Bias.Span, s.state.Mean.Span, s.state.Var.Span, s.state.epsilon, column + i);
                for (int sample = first; sample < Math.Min(first + s.rows, s.state.channels.Samples); sample++)
                {
                    int at = sample * s.state.channels.Count + column;
                    TensorPrimitives.MultiplyAdd(s.state.X.Span.Slice(at, count), a, b, s.state.Y.Span.Slice(at, count));
                }
            });
            return;
        }

        Cores.ForRange(channels.Samples * channels.Count, Math.Max(1, Unary.Block * 4 / Math.Max(1, channels.Positions)), state, static (s, from, to) =>
        {
            int positions = s.channels.Positions;
            for (int row = from; row < to; row++)
            {
                (float a, float b) = Line(s.Scale.Span, s.Bias.Span, s.Mean.Span, s.Var.Span, s.epsilon, row % s.channels.Count);
                Moments.Affine(s.X.Span.Slice(row * positions, positions), a, b, s.Y.Span.Slice(row * positions, positions));
            }
        });

        static (float A, float B) Line(ReadOnlySpan<float> scale, ReadOnlySpan<float> bias, ReadOnlySpan<float> mean, ReadOnlySpan<float> variance, float epsilon, int channel)
        {
            float a = (float)(scale[channel] / Math.Sqrt((double)variance[channel] + epsilon));
            return (a, bias[channel] - mean[channel] * a);
        }
    }
}

/// <summary>
/// BatchNormalization by the statistics of its own input: mean and var must be those rows of <see cref="BatchStatistics"/> of x. The gradient by x follows both
/// ways, and none goes through mean and var.
/// </summary>
/// <param name="Epsilon">Added to the variance.</param>
public sealed record BatchNormalizationTraining(float Epsilon = 1e-5f) : Op
{
    public override Reuse Reuse => Reuse.InPlace;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 5);
        Channels.Check(x, 4);
        return x[0].Shape;
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => BatchNormalization.Apply(x, Epsilon, y);

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node x = y.Inputs[0], scale = y.Inputs[1], mean = y.Inputs[3], variance = y.Inputs[4];
        Node sums = y.Graph.Add(new BatchNormalizationSums(Epsilon), x, mean, variance, dy);
        Node ofBias = y.Graph.Add(new ChannelRow(0), sums), ofScale = y.Graph.Add(new ChannelRow(1), sums);
        return [y.Graph.Add(new BatchNormalizationGradient(Epsilon), x, scale, mean, variance, dy, ofBias, ofScale), ofScale, ofBias, null, null];
    }

    public override void Link(Node y, AxisLinks links) => Channels.Link(y, 4, links);

    public override long Work(Node y) => 2 * y.Shape.Count;
}
