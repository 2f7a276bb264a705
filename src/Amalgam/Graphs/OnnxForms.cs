using System.Collections.Immutable;
using Amalgam.Graphs.Ops;

namespace Amalgam.Graphs;

/// <summary>Forms of ONNX operators that are not the canonical one: of older operator sets, of any number of inputs, or with attributes that another operator expresses.</summary>
internal static class OnnxForms
{
    /// <summary>Two inputs that broadcast; up to operator set 6 the second is aligned at an axis.</summary>
    public static Node Binary(OnnxCall c, Op op)
    {
        Node a = c[0], b = c[1];
        if (c.Opset >= 7) return c.Add(op, a, b);
        c.Ignore("broadcast", "consumed_inputs");
        if (!c.Has("axis")) return c.Add(op, a, b);
        long axis = c.Int("axis");
        for (long behind = a.Shape.Rank - axis - b.Shape.Rank; behind > 0; behind--) b = b.Unsqueeze(b.Shape.Rank);
        return c.Add(op, a, b);
    }

    /// <summary>The slopes are broadcast, or before operator set 7 one for each channel.</summary>
    public static Node PRelu(OnnxCall c)
    {
        Node slope = c[1];
        if (c.Opset < 7 && slope.Shape is { Rank: 1, Count: > 1 } && c[0].Shape.Rank > 2) slope = slope.Unsqueeze([.. Enumerable.Range(1, c[0].Shape.Rank - 2)]);
        return c.Add(new PRelu(), c[0], slope);
    }

    /// <summary>Division, of integers without a fraction.</summary>
    public static Node Div(OnnxCall c) => Binary(c, c[0].Type.IsFloat ? new Div() : new IntegerDiv());

    /// <summary>Any number of inputs, two at a time.</summary>
    public static Node Fold(OnnxCall c, Op op) => c.All().Skip(1).Aggregate(c[0], (a, b) => c.Add(op, a, b));

    /// <summary>Bounds as attributes, or from operator set 11 as inputs.</summary>
    public static Node Clip(OnnxCall c)
    {
        if (c.Opset < 11) return c.Add(new Clip(c.Float("min", float.NegativeInfinity), c.Float("max", float.PositiveInfinity)), c[0]);
        Node? min = c.Optional(1), max = c.Optional(2);
        if ((min is null || min.Known is { Count: 1 }) && (max is null || max.Known is { Count: 1 }))
        {
            return c.Add(new Clip(min?.Known!.Span[0] ?? float.NegativeInfinity, max?.Known!.Span[0] ?? float.PositiveInfinity), c[0]);
        }

        Node above = min is null ? c[0] : c.Add(new Max(), c[0], min);
        return max is null ? above : c.Add(new Min(), above, max);
    }

    /// <summary>A reduction with axes as an attribute or an input.</summary>
    public static Node Reduce(OnnxCall c, Func<ImmutableArray<int>, bool, Op> make)
    {
        ImmutableArray<int> axes = List(c.Integers(1, "axes"));
        bool keepDims = c.Int("keepdims", 1) != 0;
        return c.Int("noop_with_empty_axes", 0) != 0 && axes.IsEmpty ? Nothing(c) : c.Add(make(axes, keepDims), c[0]);

        // A reduction over no axis still squares, takes magnitudes or a logarithm.
        Node Nothing(OnnxCall call) => make([0], true) is Summation and not (ReduceSum or ReduceMean)
            ? call.Add(make([0], false), call[0].Unsqueeze(0)) : call[0];
    }

    /// <summary>Softmax and its logarithm: up to operator set 12 over all axes from one on.</summary>
    public static Node Softmax(OnnxCall c, Func<int, Op> make)
    {
        Node x = c[0];
        if (c.Opset >= 13) return c.Add(make((int)c.Int("axis", -1)), x);
        int axis = AxisSet.At((int)c.Int("axis", 1), x.Shape.Rank);
        return axis == x.Shape.Rank - 1 ? c.Add(make(-1), x) : c.Add(make(-1), x.Flatten(axis)).Reshape(x.Shape.Sizes);
    }

    /// <summary>Batch normalisation, with the batch's statistics where the file asks for training.</summary>
    public static Node[] BatchNormalization(OnnxCall c)
    {
        float epsilon = c.Float("epsilon", 1e-5f), momentum = c.Float("momentum", 0.9f);
        c.Ignore("is_test", "consumed_inputs");
        if (c.Int("spatial", 1) == 0) throw new GraphException("BatchNormalization of each position apart (spatial 0) is not supported");
        if (c.Int("training_mode", 0) == 0)
        {
            return c.Outputs <= 1
                ? [c.Add(new BatchNormalization(epsilon, momentum), c[0], c[1], c[2], c[3], c[4])]
                : throw new GraphException("BatchNormalization gives running statistics only where training_mode is 1");
        }

        Node statistics = c.Add(new BatchStatistics(), c[0]), mean = c.Add(new ChannelRow(0), statistics), variance = c.Add(new ChannelRow(1), statistics);
        return
        [
            c.Add(new BatchNormalizationTraining(epsilon), c[0], c[1], c[2], mean, variance),
            c[3] * momentum + mean * (1 - momentum), c[4] * momentum + variance * (1 - momentum),
        ];
    }

    /// <summary>Layer normalisation, with mean and inverse deviation where someone uses them.</summary>
    public static Node[] LayerNormalization(OnnxCall c)
    {
        int axis = (int)c.Int("axis", -1);
        float epsilon = c.Float("epsilon", 1e-5f);
        c.Ignore("stash_type");
        Node x = c[0];
        LayerNormalization op = new(axis, epsilon);
        Node y = c.Optional(2) is { } bias ? c.Add(op, x, Row(x, c[1], axis), Row(x, bias, axis)) : c.Add(op, x, Row(x, c[1], axis));
        if (c.Outputs <= 1) return [y];
        int first = AxisSet.At(axis, x.Shape.Rank);
        ImmutableArray<int> axes = [.. Enumerable.Range(first, x.Shape.Rank - first)];
        Node mean = c.Add(new ReduceMean(axes), x), centred = x - mean;
        return [y, mean, (c.Add(new ReduceMean(axes), centred * centred) + epsilon).Sqrt().Reciprocal()];
    }

    /// <summary>Normalisation by the root of the mean square.</summary>
    public static Node RMSNormalization(OnnxCall c)
    {
        int axis = (int)c.Int("axis", -1);
        c.Ignore("stash_type");
        return c.Add(new RMSNormalization(axis, c.Float("epsilon", 1e-5f)), c[0], Row(c[0], c[1], axis));
    }

    /// <summary>Group normalisation; up to operator set 20 scale and bias have a number for each group.</summary>
    public static Node GroupNormalization(OnnxCall c)
    {
        int groups = (int)c.Int("num_groups");
        c.Ignore("stash_type");
        Node Each(Node vector)
        {
            long channels = c[0].Shape[1];
            return c.Opset >= 21 || vector.Shape[0] == channels ? vector : vector.Unsqueeze(1).Expand(groups, channels / groups).Reshape(channels);
        }

        return c.Add(new GroupNormalization(groups, c.Float("epsilon", 1e-5f)), c[0], Each(c[1]), Each(c[2]));
    }

    /// <summary>(x - mean) / (deviation + 1e-9), as ONNX defines it.</summary>
    public static Node MeanVarianceNormalization(OnnxCall c)
    {
        ImmutableArray<int> axes = c.Ints("axes") is { } given ? List(given) : [0, 2, 3];
        Node centred = c[0] - c.Add(new ReduceMean(axes), c[0]);
        return centred / (c.Add(new ReduceMean(axes), centred * centred).Sqrt() + 1e-9f);
    }

    /// <summary>x sigmoid(alpha x).</summary>
    public static Node Swish(OnnxCall c) => c.Float("alpha", 1) is var alpha && alpha == 1 ? c[0].Silu() : c[0] * (c[0] * alpha).Sigmoid();

    /// <summary>Pooling by the greatest element.</summary>
    public static Node MaxPool(OnnxCall c)
    {
        c.Ignore("storage_order");
        if (c.Outputs > 1) throw new GraphException("MaxPool's second result, the positions of the greatest elements, is not supported");
        bool ceil = c.Int("ceil_mode", 0) != 0;
        var (kernel, strides, pads, dilations) = Windows(c);
        return c.Add(new MaxPool(kernel, strides, pads, dilations, ceil), c[0]);
    }

    /// <summary>Pooling by the mean.</summary>
    public static Node AveragePool(OnnxCall c)
    {
        bool ceil = c.Int("ceil_mode", 0) != 0, countPads = c.Int("count_include_pad", 0) != 0;
        var (kernel, strides, pads, dilations) = Windows(c);
        return c.Add(new AveragePool(kernel, strides, pads, ceil, countPads, dilations), c[0]);
    }

    /// <summary>A list of integers; empty where there is none.</summary>
    public static ImmutableArray<int> List(long[]? values) => values is null ? [] : [.. values.Select(v => (int)Math.Clamp(v, int.MinValue, int.MaxValue))];

    private static (ImmutableArray<int> Kernel, ImmutableArray<int> Strides, ImmutableArray<int> Pads, ImmutableArray<int> Dilations) Windows(OnnxCall c)
    {
        ImmutableArray<int> kernel = List(c.Ints("kernel_shape")), strides = List(c.Ints("strides")), pads = List(c.Ints("pads")), dilations = List(c.Ints("dilations"));
        string padding = c.Text("auto_pad", "NOTSET");
        if (padding is "NOTSET" or "VALID") return (kernel, strides, padding == "VALID" ? [] : pads, dilations);
        if (padding is not ("SAME_UPPER" or "SAME_LOWER")) throw new GraphException($"auto_pad is NOTSET, VALID, SAME_UPPER or SAME_LOWER, found '{padding}'");
        if (c[0].Shape.Rank != kernel.Length + 2) throw new GraphException($"the input must be [samples, channels] and {kernel.Length} axes of the windows, found {c[0].Shape}");
        int[] same = new int[2 * kernel.Length];
        for (int i = 0; i < kernel.Length; i++)
        {
            int size = c[0].Shape.Size(i + 2), stride = strides.IsEmpty ? 1 : strides[i], extent = (kernel[i] - 1) * (dilations.IsEmpty ? 1 : dilations[i]) + 1;
            int all = Math.Max(0, ((size + stride - 1) / stride - 1) * stride + extent - size), small = all / 2;
            (same[i], same[kernel.Length + i]) = padding == "SAME_UPPER" ? (small, all - small) : (all - small, small);
        }

        return (kernel, strides, [.. same], dilations);
    }

    private static Node Row(Node x, Node vector, int axis)
    {
        Shape row = new(x.Shape.Sizes[AxisSet.At(axis, x.Shape.Rank)..]);
        return vector.Shape == row ? vector : vector.Expand(row.Sizes);
    }
}
