using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>What stands around a padded tensor.</summary>
public enum PadMode
{
    /// <summary>One value.</summary>
    Constant,

    /// <summary>The inside mirrored, without repeating its edge.</summary>
    Reflect,

    /// <summary>The nearest inside element.</summary>
    Edge,

    /// <summary>The inside again, from its other end.</summary>
    Wrap,
}

/// <summary>
/// ONNX Pad: x and, known, the numbers of positions before each axis followed by those after each (negative ones take positions away); then perhaps the value
/// around it (zero if there is none) and, known, the axes that the numbers are for.
/// </summary>
/// <param name="Mode">What stands around it.</param>
public sealed record Pad(PadMode Mode = PadMode.Constant) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2, 4);
        Shape of = x[0].Shape;
        long[] pads = x[1].Integers("pads");
        long[]? axes = x.Length > 3 ? x[3].Integers("axes") : null;
        int count = axes?.Length ?? of.Rank;
        if (pads.Length != 2 * count) throw new GraphException($"{count} axes need {2 * count} pads, found {pads.Length}");
        if (x.Length > 2 && x[2].Shape.Count != 1) throw new GraphException($"the value must be one number, found {x[2].Shape}");
        int[] at = axes is null ? [] : Arguments.Axes(axes, of.Rank);
        long[] sizes = of.Sizes.ToArray();
        for (int i = 0; i < count; i++)
        {
            int axis = axes is null ? i : at[i];
            long before = pads[i], after = pads[count + i];
            long most = Mode switch { PadMode.Reflect => of[axis] - 1, PadMode.Wrap => of[axis], PadMode.Edge when of[axis] == 0 => 0, _ => long.MaxValue };
            sizes[axis] = checked(of[axis] + before + after);
            if (Math.Max(before, after) > Math.Max(most, 0)) throw new GraphException($"axis {axis} of {of} has too few positions for {Mode} pads of {before} and {after}");
            if (sizes[axis] < 0 || -before > of[axis] || -after > of[axis]) throw new GraphException($"pads of {before} and {after} take more than axis {axis} of {of} has");
        }

        return new(sizes);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        if (Mode == PadMode.Constant) Around(x, y);
        else if (y.Count > 0) Mirror(x, y);
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node?[] dx = new Node?[y.Inputs.Length];
        Graph g = dy.Graph;
        if (Mode != PadMode.Constant)
        {
            dx[0] = g.Add(new PadGradient(Mode, y.Inputs[0].Shape), [dy, .. y.Inputs[1..]]);
            return dx;
        }

        Node inverse = g.Constant(y.Inputs[1].Integers("pads").Select(pad => -pad).ToArray());
        dx[0] = y.Inputs.Length > 3 ? g.Add(new Pad(), dy, inverse, g.Constant(0), y.Inputs[3]) : g.Add(new Pad(), dy, inverse);
        if (y.Inputs.Length > 2 && y.Inputs[2].Known is null)
        {
            Node sum = g.Add(new SumTo(default), dy) - g.Add(new SumTo(default), dx[0]!);
            dx[2] = sum.ReshapeTo(y.Inputs[2].Shape);
        }

        return dx;
    }

    /// <summary>An axis without pads is the same; one with a constant around is joined of it and new positions; a mirrored one has an order.</summary>
    public override void Link(Node y, AxisLinks links)
    {
        Node x = y.Inputs[0];
        Span<int> before = stackalloc int[y.Shape.Rank];
        Before(y.Inputs[1].Known!, y.Inputs.Length > 3 ? y.Inputs[3].Known : null, before);
        for (int i = 0; i < before.Length; i++)
        {
            Axis whole = AxisLinks.Of(y, i), inside = AxisLinks.Of(x, i);
            long after = whole.Size - inside.Size - before[i];
            if (before[i] == 0 && after == 0)
            {
                links.Same(whole, inside);
            }
            else if (Mode == PadMode.Constant && before[i] >= 0 && after >= 0)
            {
                List<Axis> parts = [inside];
                if (before[i] > 0) parts.Insert(0, links.Digit(before[i]));
                if (after > 0) parts.Add(links.Digit(after));
                links.Joined(whole, parts.ToArray());
            }
            else
            {
                links.Fix(whole, "padded");
                links.Fix(inside, "padded");
            }
        }
    }

    public override string Export(Node y, OnnxExport to)
    {
        if (Mode == PadMode.Wrap) throw new GraphException("Pad that wraps around needs ONNX opset 19; export is for 17");
        int rank = y.Shape.Rank;
        int[] before = new int[rank];
        Before(y.Inputs[1].Known!, y.Inputs.Length > 3 ? y.Inputs[3].Known : null, before);
        long[] pads = [.. before, .. before.Select((b, i) => y.Shape[i] - y.Inputs[0].Shape[i] - b)];
        List<string> inputs = [to[y.Inputs[0]], to.Integers(pads)];
        if (Mode == PadMode.Constant && y.Inputs.Length > 2) inputs.Add(y.Inputs[2].Known is { } value ? to.Constant(Tensor.Scalar(value.Span[0]), y.Type) : to[y.Inputs[2]]);
        return to.Emit(Name, inputs.ToArray(), ("mode", Mode switch { PadMode.Reflect => "reflect", PadMode.Edge => "edge", _ => "constant" }));
    }

    /// <summary>The pad before each axis.</summary>
    internal static void Before(Tensor pads, Tensor? axes, Span<int> before)
    {
        before.Clear();
        int count = pads.Count / 2;
        for (int i = 0; i < count; i++)
        {
            int axis = axes is null ? i : (int)axes.Span[i];
            before[axis < 0 ? axis + before.Length : axis] = (int)pads.Span[i];
        }
    }

    /// <summary>Which position of an axis of x stands at position <paramref name="i"/> (counted from its first) around it.</summary>
    internal static int Source(PadMode mode, int i, int size)
    {
        if (i >= 0 && i < size) return i;
        return mode switch
        {
            PadMode.Edge => Math.Clamp(i, 0, size - 1),
            PadMode.Wrap => (i % size + size) % size,
            _ => i < 0 ? -i : 2 * (size - 1) - i,
        };
    }

    private static void Around(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Span<int> before = stackalloc int[y.Shape.Rank];
        Before(x[1], x.Length > 3 ? x[3] : null, before);
        StridedCopy copy = default;
        int first = 0, firstTo = 0;
        for (int i = 0; i < before.Length; i++)
        {
            int own = (int)x[0].Shape[i], stepX = Arguments.Step(x[0].Shape, i), stepY = Arguments.Step(y.Shape, i);
            int from = Math.Max(0, -before[i]), to = Math.Max(0, before[i]);
            copy.Add(Math.Max(0, Math.Min(own - from, (int)y.Shape[i] - to)), stepX, stepY);
            first += from * stepX;
            firstTo += to * stepY;
        }

        Arguments.Fill(y, x.Length > 2 ? x[2].Span[0] : 0);
        copy.Run(x[0].Memory, first, y.Memory, firstTo);
    }

    private void Mirror(ReadOnlySpan<Tensor> x, Tensor y)
    {
        int rank = y.Shape.Rank, row = rank == 0 ? 1 : (int)y.Shape[^1];
        Cores.ForRange(y.Count / row, Math.Max(1, Cores.WorthSharing / row), (Mode, X: x[0], Pads: x[1], Axes: x.Length > 3 ? x[3] : null, Y: y, row), static (s, from, to) =>
        {
            Shape of = s.X.Shape;
            Span<int> before = stackalloc int[of.Rank];
            Before(s.Pads, s.Axes, before);
            for (int r = from; r < to; r++)
            {
                int at = SourceRow(s.Mode, of, s.Y.Shape, before, r), size = of.Rank == 0 ? 1 : (int)of[^1], pad = of.Rank == 0 ? 0 : before[^1];
                Span<float> y = s.Y.Span.Slice(r * s.row, s.row), x = s.X.Span.Slice(at, size);
                for (int i = 0; i < y.Length; i++) y[i] = x[Source(s.Mode, i - pad, size)];
            }
        });
    }

    /// <summary>Where in x the row of x begins that stands in a row of y.</summary>
    internal static int SourceRow(PadMode mode, Shape x, Shape y, ReadOnlySpan<int> before, int row)
    {
        int at = 0, step = x.Rank == 0 ? 1 : (int)x[^1];
        for (int axis = x.Rank - 2; axis >= 0; axis--)
        {
            int size = (int)y[axis];
            at += Source(mode, row % size - before[axis], (int)x[axis]) * step;
            row /= size;
            step *= (int)x[axis];
        }

        return at;
    }
}

/// <summary>The gradient of a mirroring <see cref="Pad"/> by its first input: every element's share in the result. Inputs: dy, and those of the pad after its first.</summary>
/// <param name="Mode">The pad's mode.</param>
/// <param name="Of">Shape of what was padded.</param>
public sealed record PadGradient(PadMode Mode, Shape Of) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2, 4);
        return Of;
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        y.Span.Clear();
        Shape padded = x[0].Shape;
        if (x[0].Count == 0) return;
        int rank = Of.Rank, row = rank == 0 ? 1 : (int)padded[^1], size = rank == 0 ? 1 : (int)Of[^1];
        Span<int> before = stackalloc int[rank];
        Pad.Before(x[1], x.Length > 3 ? x[3] : null, before);
        int pad = rank == 0 ? 0 : before[^1];
        for (int r = 0; r < x[0].Count / row; r++)
        {
            Span<float> dy = x[0].Span.Slice(r * row, row), dx = y.Span.Slice(Pad.SourceRow(Mode, Of, padded, before, r), size);
            for (int i = 0; i < row; i++) dx[Pad.Source(Mode, i - pad, size)] += dy[i];
        }
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node?[] dx = new Node?[y.Inputs.Length];
        dx[0] = dy.Graph.Add(new Pad(Mode), [dy, .. y.Inputs[1..]]);
        return dx;
    }
}
