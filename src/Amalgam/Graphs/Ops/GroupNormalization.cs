using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>
/// ONNX GroupNormalization: channels fall into groups, each group of each sample is normalised, and each channel is scaled and shifted. Inputs x [N,C,...] and scale,
/// bias [C] (Y. Wu and K. He, Group Normalization, 2018).
/// </summary>
/// <param name="Groups">Number of groups; it divides the channels.</param>
/// <param name="Epsilon">Added to the variance.</param>
public sealed record GroupNormalization(int Groups, float Epsilon = 1e-5f) : ChannelNormalization(Epsilon)
{
    internal override int GroupsOf(Shape x) => Groups;

    public override void Link(Node y, AxisLinks links)
    {
        Axis group = links.Digit(Groups), inner = links.Digit(y.Shape[1] / Groups);
        for (int axis = 0; axis < y.Shape.Rank; axis++)
        {
            if (axis != 1) links.Same(AxisLinks.Of(y, axis), AxisLinks.Of(y.Inputs[0], axis));
        }

        links.Same([AxisLinks.Of(y, 1)], [group, inner]);
        links.Same([AxisLinks.Of(y.Inputs[0], 1)], [group, inner]);
        links.Same([AxisLinks.Of(y.Inputs[1], 0)], [group, inner]);
        links.Same([AxisLinks.Of(y.Inputs[2], 0)], [group, inner]);
        links.Mixed([inner, .. Positions(y)]);
    }

    public override string Export(Node y, OnnxExport to)
    {
        long channels = y.Shape[1];
        long[] each = new long[y.Shape.Rank - 1];
        Array.Fill(each, 1);
        each[0] = channels;
        Tensor ones = new(new Shape(Groups)), zeros = new(new Shape(Groups));
        ones.Span.Fill(1);
        string rows = to.Emit("Reshape", [to[y.Inputs[0]], to.Integers(0, Groups, -1)]);
        string normal = to.Emit("InstanceNormalization", [rows, to.Constant(ones, y.Type), to.Constant(zeros, y.Type)], ("epsilon", Epsilon));
        string back = to.Emit("Reshape", [normal, to.Emit("Shape", [to[y.Inputs[0]]])]);
        string scaled = to.Emit("Mul", [back, to.Emit("Reshape", [to[y.Inputs[1]], to.Integers(each)])]);
        return to.Emit("Add", [scaled, to.Emit("Reshape", [to[y.Inputs[2]], to.Integers(each)])]);
    }
}

/// <summary>ONNX InstanceNormalization: each channel of each sample is normalised, scaled and shifted. Inputs x [N,C,...] and scale, bias [C].</summary>
/// <param name="Epsilon">Added to the variance.</param>
public sealed record InstanceNormalization(float Epsilon = 1e-5f) : ChannelNormalization(Epsilon)
{
    internal override int GroupsOf(Shape x) => x.Size(1);

    public override void Link(Node y, AxisLinks links)
    {
        Channels.Link(y, 2, links);
        links.Mixed([.. Positions(y)]);
    }

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("epsilon", Epsilon));
}

/// <summary>A normalisation of groups of channels within each sample.</summary>
public abstract record ChannelNormalization(float Epsilon) : Op
{
    internal abstract int GroupsOf(Shape x);

    /// <summary>The axes after the channels.</summary>
    private protected static IEnumerable<Axis> Positions(Node y) => Enumerable.Range(2, y.Shape.Rank - 2).Select(axis => AxisLinks.Of(y, axis));

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 3);
        Channels.Check(x, 2);
        int groups = GroupsOf(x[0].Shape);
        return groups >= 1 && x[0].Shape[1] % groups == 0 ? x[0].Shape : throw new GraphException($"{x[0].Shape[1]} channels do not fall into {groups} groups");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        if (y.Count == 0) return;
        Channels channels = Channels.Of(y.Shape);
        int groups = GroupsOf(y.Shape), row = y.Count / (channels.Samples * groups);
        var state = (X: x[0], Scale: x[1], Bias: x[2], Y: y, channels, groups, row, Epsilon);
        Cores.ForRange(channels.Samples * groups, Math.Max(1, Unary.Block * 2 / row), state, static (s, from, to) =>
        {
            int positions = s.channels.Positions, inGroup = s.channels.Count / s.groups;
            for (int r = from; r < to; r++)
            {
                (float mean, float inverse) = RowStatistics.Of(s.X.Span.Slice(r * s.row, s.row), s.Epsilon, true);
                for (int i = 0; i < inGroup; i++)
                {
                    int channel = r % s.groups * inGroup + i, at = r * s.row + i * positions;
                    float a = s.Scale.Span[channel] * inverse;
                    Moments.Affine(s.X.Span.Slice(at, positions), a, s.Bias.Span[channel] - mean * a, s.Y.Span.Slice(at, positions));
                }
            }
        });
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node x = y.Inputs[0], scale = y.Inputs[1];
        Node statistics = y.Graph.Add(new RowStatistics(1, GroupsOf(x.Shape), Epsilon, true), x);
        return
        [
            y.Graph.Add(new ChannelNormalizationGradient(), x, scale, statistics, dy),
            y.Graph.Add(new ChannelNormalizationScaleGradient(), x, statistics, dy),
            y.Graph.Add(new ReduceSum([.. Enumerable.Range(0, x.Shape.Rank).Where(axis => axis != 1)], false), dy),
        ];
    }

    public override long Work(Node y) => 6 * y.Shape.Count;
}

/// <summary>Gradient by the input of a normalisation of groups of channels. Inputs x, scale, statistics [samples times groups, 2], dy.</summary>
public sealed record ChannelNormalizationGradient : GradientOp
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 4);
        Channels.Check(x, 1);
        return x[0].Shape == x[3].Shape ? x[0].Shape : throw new GraphException("x and dy must have one shape");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        if (y.Count == 0) return;
        Channels channels = Channels.Of(y.Shape);
        int rows = x[2].Count / 2, row = y.Count / rows;
        Cores.ForRange(rows, Math.Max(1, Unary.Block * 2 / row), (X: x[0], Scale: x[1], Statistics: x[2], Dy: x[3], Y: y, channels, row), static (s, from, to) =>
        {
            int positions = s.channels.Positions, inGroup = s.row / positions, groups = s.channels.Count / inGroup;
            for (int r = from; r < to; r++)
            {
                float mean = s.Statistics.Span[2 * r], inverse = s.Statistics.Span[2 * r + 1];
                int first = r % groups * inGroup;
                double sum = 0, products = 0;
                for (int i = 0; i < inGroup; i++)
                {
                    (double d, double p) = Moments.Along(s.X.Span.Slice(r * s.row + i * positions, positions), mean, s.Dy.Span.Slice(r * s.row + i * positions, positions));
                    (sum, products) = (sum + s.Scale.Span[first + i] * d, products + s.Scale.Span[first + i] * p);
                }

                double a = inverse, b = -a * a * a * products / s.row, c = -a * sum / s.row;
                for (int i = 0; i < inGroup; i++)
                {
                    int at = r * s.row + i * positions;
                    Moments.Affine(s.Dy.Span.Slice(at, positions), s.Scale.Span[first + i] * inverse, s.X.Span.Slice(at, positions), mean, (float)b, (float)c, s.Y.Span.Slice(at, positions));
                }
            }
        });
    }

    public override long Work(Node y) => 9 * y.Shape.Count;
}

/// <summary>Gradient by the scale of a normalisation of groups of channels: [C]. Inputs x, statistics [samples times groups, 2], dy.</summary>
public sealed record ChannelNormalizationScaleGradient : GradientOp
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 3);
        Channels.Check(x, 0);
        return x[0].Shape == x[2].Shape ? new(x[0].Shape[1]) : throw new GraphException("x and dy must have one shape");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Channels channels = Channels.Of(x[0].Shape);
        int grain = Math.Max(1, Unary.Block * 2 / Math.Max(1, channels.Share));
        Cores.ForRange(channels.Count, grain, (X: x[0], Statistics: x[1], Dy: x[2], Y: y, channels), static (s, from, to) =>
        {
            int groups = s.Statistics.Count / 2 / Math.Max(1, s.channels.Samples), inGroup = s.channels.Count / Math.Max(1, groups);
            for (int channel = from; channel < to; channel++)
            {
                double sum = 0;
                for (int sample = 0; sample < s.channels.Samples; sample++)
                {
                    int at = s.channels.Start(sample, channel), row = sample * groups + channel / inGroup;
                    (_, double products) = Moments.Along(s.X.Span.Slice(at, s.channels.Positions), s.Statistics.Span[2 * row], s.Dy.Span.Slice(at, s.channels.Positions));
                    sum += products * s.Statistics.Span[2 * row + 1];
                }

                s.Y.Span[channel] = (float)sum;
            }
        });
    }

    public override long Work(Node y) => 4 * y.Inputs[0].Shape.Count;
}
