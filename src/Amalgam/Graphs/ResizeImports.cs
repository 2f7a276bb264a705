using Amalgam.Graphs.Ops;

namespace Amalgam.Graphs;

/// <summary>
/// ONNX Resize and Upsample as nodes. Interpolation is separable, and every tap of it is a Gather of known positions times known weights, one axis after the
/// other: so the gradient, and which axes are touched, follow from operations that are there.
/// </summary>
internal static class ResizeImports
{
    /// <summary>One of the input's positions for each of the result's, and how much it counts.</summary>
    private readonly record struct Tap(long[] Positions, float[] Weights);

    private sealed record Rule(string Mode, string Coordinates, string Nearest, double Cubic, bool ExcludeOutside);

    /// <summary>Upsample up to opset 9: positions are divided by the scale, and the nearest is the one before.</summary>
    public static Node Upsample(OnnxCall c)
    {
        double[] scales = c.Inputs > 1 ? Numbers(c[1]) : [.. (c.Floats("scales") ?? throw new GraphException("Upsample needs scales")).Select(s => (double)s)];
        return Resize(c[0], new(Mode(c), "asymmetric", "floor", 0, false), Sizes(c[0].Shape, scales), scales);
    }

    public static Node Resize(OnnxCall c)
    {
        if (c.Inputs == 2 && c.Opset == 10)
        {
            double[] old = Numbers(c[1]);
            return Resize(c[0], new(Mode(c), "asymmetric", "floor", 0, false), Sizes(c[0].Shape, old), old);
        }

        if (c.Int("antialias", 0) != 0) throw new GraphException("Resize with antialias is not computed");
        c.Ignore("extrapolation_value");
        Rule rule = new(Mode(c), c.Text("coordinate_transformation_mode", "half_pixel"), c.Text("nearest_mode", "round_prefer_floor"),
            c.Float("cubic_coeff_a", -0.75f), c.Int("exclude_outside", 0) != 0);
        Shape of = c[0].Shape;
        int[] axes = Arguments.Axes(c.Ints("axes") ?? [.. Enumerable.Range(0, of.Rank).Select(axis => (long)axis)], of.Rank);
        double[] scales = Enumerable.Repeat(1.0, of.Rank).ToArray();
        string policy = c.Text("keep_aspect_ratio_policy", "stretch");
        if (c.Optional(3) is { } asked && asked.Shape.Count > 0)
        {
            long[] sizes = of.Sizes.ToArray(), given = asked.Integers("sizes");
            if (given.Length != axes.Length) throw new GraphException($"{given.Length} sizes for {axes.Length} axes");
            double[] own = [.. axes.Select((axis, i) => given[i] / (double)of[axis])];
            double? one = policy switch
            {
                "stretch" => null,
                "not_larger" => own.Min(),
                "not_smaller" => own.Max(),
                _ => throw new GraphException($"keep_aspect_ratio_policy '{policy}' is unknown"),
            };
            for (int i = 0; i < axes.Length; i++)
            {
                sizes[axes[i]] = one is null ? given[i] : (long)Math.Round(one.Value * of[axes[i]], MidpointRounding.AwayFromZero);
                scales[axes[i]] = one ?? own[i];
            }

            return Resize(c[0], rule, sizes, scales);
        }

        double[] factors = Numbers(c.Optional(2) ?? throw new GraphException("Resize needs scales or sizes"));
        if (factors.Length != axes.Length) throw new GraphException($"{factors.Length} scales for {axes.Length} axes");
        for (int i = 0; i < axes.Length; i++) scales[axes[i]] = factors[i];
        return Resize(c[0], rule, Sizes(of, scales), scales);
    }

    private static Node Resize(Node x, Rule rule, long[] sizes, double[] scales)
    {
        for (int axis = 0; axis < sizes.Length; axis++)
        {
            int size = x.Shape.Size(axis);
            if (sizes[axis] == size && scales[axis] == 1) continue;
            if (size == 0 || sizes[axis] < 0) throw new GraphException($"axis {axis} of {x.Shape} cannot be resized to {sizes[axis]}");
            Node? sum = null;
            foreach (Tap tap in Taps(rule, size, checked((int)sizes[axis]), scales[axis]))
            {
                Node taken = x.Gather(x.Graph.Constant(tap.Positions), axis);
                if (rule.Mode != "nearest")
                {
                    long[] along = new long[x.Shape.Rank - axis];
                    Array.Fill(along, 1);
                    along[0] = sizes[axis];
                    taken *= x.Graph.Constant(new Tensor(new(along), tap.Weights));
                }

                sum = sum is null ? taken : sum + taken;
            }

            x = sum!;
        }

        return x;
    }

    private static Tap[] Taps(Rule rule, int size, int result, double scale)
    {
        int count = rule.Mode switch { "nearest" => 1, "linear" => 2, _ => 4 };
        Tap[] taps = [.. Enumerable.Range(0, count).Select(_ => new Tap(new long[result], new float[result]))];
        double[] weights = new double[count];
        for (int i = 0; i < result; i++)
        {
            double at = Place(rule.Coordinates, i, size, result, scale);
            if (count == 1)
            {
                taps[0].Positions[i] = (long)Math.Clamp(Nearest(rule.Nearest, at), 0, size - 1);
                continue;
            }

            double first = Math.Floor(at) - (count / 2 - 1), part = at - Math.Floor(at), sum = 0;
            for (int k = 0; k < count; k++)
            {
                bool isOutside = first + k < 0 || first + k >= size;
                weights[k] = rule.ExcludeOutside && isOutside ? 0 : count == 2 ? (k == 0 ? 1 - part : part) : Cubic(rule.Cubic, k - 1 - part);
                sum += weights[k];
            }

            for (int k = 0; k < count; k++)
            {
                taps[k].Positions[i] = (long)Math.Clamp(first + k, 0, size - 1);
                taps[k].Weights[i] = (float)(rule.ExcludeOutside ? weights[k] / sum : weights[k]);
            }
        }

        return taps;
    }

    /// <summary>Where position <paramref name="i"/> of the result lies in the input.</summary>
    private static double Place(string mode, int i, int size, int result, double scale) => mode switch
    {
        "half_pixel" => (i + 0.5) / scale - 0.5,
        "pytorch_half_pixel" => result > 1 ? (i + 0.5) / scale - 0.5 : 0,
        "half_pixel_symmetric" => size / 2.0 * (1 - result / (scale * size)) + (i + 0.5) / scale - 0.5,
        "align_corners" => result == 1 ? 0 : i * (size - 1.0) / (result - 1),
        "asymmetric" => i / scale,
        "tf_half_pixel_for_nn" => (i + 0.5) / scale,
        _ => throw new GraphException($"coordinate_transformation_mode '{mode}' is not computed"),
    };

    private static double Nearest(string mode, double at) => mode switch
    {
        "round_prefer_floor" => Math.Ceiling(at - 0.5),
        "round_prefer_ceil" => Math.Floor(at + 0.5),
        "floor" => Math.Floor(at),
        "ceil" => Math.Ceiling(at),
        _ => throw new GraphException($"nearest_mode '{mode}' is unknown"),
    };

    /// <summary>The kernel of Keys, Cubic convolution interpolation for digital image processing (1981).</summary>
    private static double Cubic(double a, double x)
    {
        x = Math.Abs(x);
        return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
    }

    private static string Mode(OnnxCall c) => c.Text("mode", "nearest") switch
    {
        "nearest" => "nearest",
        "linear" or "bilinear" => "linear",
        "cubic" => "cubic",
        var other => throw new GraphException($"the mode '{other}' is unknown; expected nearest, linear or cubic"),
    };

    private static double[] Numbers(Node x) =>
        x.Known is { } known ? [.. known.Span.ToArray().Select(v => (double)v)] : throw new GraphException($"scales must be known when the graph is built, but {x} depends on inputs or parameters");

    private static long[] Sizes(Shape of, double[] scales) =>
        scales.Length == of.Rank ? [.. scales.Select((scale, axis) => (long)Math.Floor(scale * of[axis]))] : throw new GraphException($"{scales.Length} scales for the {of.Rank} axes of {of}");
}
