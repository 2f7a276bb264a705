using Amalgam.Graphs.Ops;

namespace Amalgam.Graphs;

/// <summary>ONNX operators that move elements and change shapes, in every form from opset 6 on, as nodes.</summary>
internal static class LayoutImports
{
    public static Node Reshape(OnnxCall c) =>
        c.Inputs > 1 ? c.Add(new Reshape(c.Int("allowzero", 0) != 0), c[0], c[1]) : c[0].Reshape(c.Ints("shape") ?? throw new GraphException("Reshape needs a shape"));

    public static Node Flatten(OnnxCall c) => c[0].Flatten((int)c.Int("axis", 1));

    public static Node Squeeze(OnnxCall c) => c[0].Squeeze(Axes(c.Integers(1, "axes") ?? []));

    public static Node Unsqueeze(OnnxCall c) => c[0].Unsqueeze(Axes(c.Integers(1, "axes") ?? throw new GraphException("Unsqueeze needs axes")));

    public static Node Transpose(OnnxCall c) => c[0].Transpose(Axes(c.Ints("perm") ?? []));

    public static Node Concat(OnnxCall c) => c.Add(new Concat(Axis(c, c.Int("axis"))), c.All());

    public static Node Gather(OnnxCall c) => c.Add(new Gather(Axis(c, c.Int("axis", 0))), c[0], c[1]);

    public static Node GatherElements(OnnxCall c) => c.Add(new GatherElements(Axis(c, c.Int("axis", 0))), c[0], c[1]);

    public static Node GatherND(OnnxCall c) => c.Add(new GatherND((int)c.Int("batch_dims", 0)), c[0], c[1]);

    public static Node ScatterElements(OnnxCall c) => c.Add(new ScatterElements(Axis(c, c.Int("axis", 0)), Elements.Reduction(c.Text("reduction", "none"))), c[0], c[1], c[2]);

    public static Node ScatterND(OnnxCall c) => c.Add(new ScatterND(Elements.Reduction(c.Text("reduction", "none"))), c[0], c[1], c[2]);

    public static Node Trilu(OnnxCall c) => c.Add(new Trilu(c.Int("upper", 1) != 0), c.All());

    public static Node OneHot(OnnxCall c) => c.Add(new OneHot((int)c.Int("axis", -1)), c[0], c[1], c[2]);

    public static Node EyeLike(OnnxCall c) => c.Add(new EyeLike((int)c.Int("k", 0), c.Has("dtype") ? Ops.Cast.TypeOf(c.Int("dtype")) : null), c[0]);

    public static Node Shape(OnnxCall c) => c.Add(new ShapeOf(Clamped(c.Int("start", 0)), Clamped(c.Int("end", int.MaxValue))), c[0]);

    public static Node ConstantOfShape(OnnxCall c)
    {
        Node? value = c.Tensor("value");
        if (value is not null && value.Shape.Count != 1) throw new GraphException($"the value must be one number, found {value.Shape}");
        return c.Add(new ConstantOfShape(value?.Known!.Span[0] ?? 0, value?.Type), c[0]);
    }

    public static Node Cast(OnnxCall c)
    {
        c.Ignore("saturate", "round_mode");
        return c[0].Cast(Ops.Cast.TypeOf(c.Int("to")));
    }

    public static Node CastLike(OnnxCall c)
    {
        c.Ignore("saturate", "round_mode");
        return c[0].Cast(c[1].Type);
    }

    public static Node Tile(OnnxCall c) => c.Add(new Tile(), c[0], c[1]);

    /// <summary>Sizes of the parts as an attribute, as an input, or as many equal ones as there are results (from opset 18 on as an attribute says, the last one smaller if need be).</summary>
    public static Node[] Split(OnnxCall c)
    {
        int axis = Arguments.Axis(c.Int("axis", 0), c[0].Shape.Rank);
        long size = c[0].Shape[axis], count = c.Int("num_outputs", c.Outputs);
        if (c.Integers(1, "split") is { } sizes) return c[0].Split(axis, sizes);
        if (count < 1) throw new GraphException($"Split into {count} parts");
        if (!c.Has("num_outputs") && size % count != 0) throw new GraphException($"axis {axis} of {c[0].Shape} is not split into {count} equal parts");
        long part = (size + count - 1) / count;
        return c[0].Split(axis, [.. Enumerable.Range(0, (int)count).Select(i => Math.Clamp(size - i * part, 0, part))]);
    }

    public static Node Slice(OnnxCall c)
    {
        if (c.Inputs == 1)
        {
            long[] starts = c.Ints("starts") ?? throw new GraphException("Slice needs starts"), ends = c.Ints("ends") ?? throw new GraphException("Slice needs ends");
            long[] axes = c.Ints("axes") ?? [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)];
            return c.Add(new Slice(), c[0], c.Graph.Constant(starts), c.Graph.Constant(ends), c.Graph.Constant(axes));
        }

        List<Node> inputs = [c[0], c[1], c[2]];
        Node? ofAxes = c.Optional(3), steps = c.Optional(4);
        if (ofAxes is not null) inputs.Add(ofAxes);
        else if (steps is not null) inputs.Add(c.Graph.Constant([.. Enumerable.Range(0, (int)c[1].Shape.Count).Select(i => (long)i)]));
        if (steps is not null) inputs.Add(steps);
        return c.Add(new Slice(), inputs.ToArray());
    }

    public static Node Pad(OnnxCall c)
    {
        PadMode mode = c.Text("mode", "constant") switch
        {
            "constant" => PadMode.Constant,
            "reflect" => PadMode.Reflect,
            "edge" => PadMode.Edge,
            "wrap" => PadMode.Wrap,
            var other => throw new GraphException($"the mode '{other}' is unknown; expected constant, reflect, edge or wrap"),
        };
        if (c.Inputs == 1)
        {
            long[] pads = c.Ints("pads") ?? c.Ints("paddings") ?? throw new GraphException("Pad needs pads");
            return c.Add(new Pad(mode), c[0], c.Graph.Constant(pads), c.Graph.Constant(c.Float("value", 0)));
        }

        List<Node> inputs = [c[0], c[1], c.Optional(2) ?? c.Graph.Constant(0)];
        if (c.Optional(3) is { } axes) inputs.Add(axes);
        return c.Add(new Pad(mode), inputs.ToArray());
    }

    /// <summary>In a network that runs, and is not trained, the input itself, with a mask of ones.</summary>
    public static Node[] Dropout(OnnxCall c)
    {
        c.Ignore("seed", "is_test");
        float ratio = c.Float("ratio", 0.5f);
        if (c.Optional(1) is { } given) ratio = Number(given, "the ratio");
        if (c.Optional(2) is { } training && ratio != 0 && Number(training, "training_mode") != 0)
        {
            throw new GraphException("Dropout in training mode draws at random; export the model for inference");
        }

        Node y = c[0].Dropout(ratio);
        return c.Outputs < 2 ? [y] : [y, c.Add(new ConstantOfShape(1, DType.Bool), c.Add(new ShapeOf(), c[0]))];
    }

    public static Node[] TopK(OnnxCall c)
    {
        c.Ignore("sorted");
        int axis = (int)c.Int("axis", -1);
        bool largest = c.Int("largest", 1) != 0;
        Node k = c.Optional(1) ?? c.Graph.Constant([c.Int("k")]);
        Node values = c.Add(new TopKValues(axis, largest), c[0], k);
        return c.Outputs < 2 ? [values] : [values, c.Add(new TopKIndices(axis, largest), c[0], k)];
    }

    public static Node DepthToSpace(OnnxCall c) => c[0].DepthToSpace((int)c.Int("blocksize"), c.Text("mode", "DCR") switch
    {
        "DCR" => false,
        "CRD" => true,
        var other => throw new GraphException($"the mode '{other}' is unknown; expected DCR or CRD"),
    });

    public static Node SpaceToDepth(OnnxCall c) => c[0].SpaceToDepth((int)c.Int("blocksize"));

    private static float Number(Node x, string what)
    {
        if (x.Shape.Count != 1) throw new GraphException($"{what} must be one number, found {x.Shape}");
        return x.Known?.Span[0] ?? throw new GraphException($"{what} must be known when the graph is built, but {x} depends on inputs or parameters");
    }

    private static int Axis(OnnxCall c, long axis) => Arguments.Axis(axis, c[0].Shape.Rank) is var from0 && axis < 0 ? (int)axis : from0;

    private static int[] Axes(long[] axes) => [.. axes.Select(Clamped)];

    private static int Clamped(long value) => (int)Math.Clamp(value, int.MinValue, int.MaxValue);
}
