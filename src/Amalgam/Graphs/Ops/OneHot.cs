namespace Amalgam.Graphs.Ops;

/// <summary>ONNX OneHot: a new axis with the "on" value at the index and the "off" value elsewhere. Inputs: indices, depth (known), [off, on].</summary>
/// <param name="Axis">Where the new axis is in the result.</param>
public sealed record OneHot(int Axis = -1) : Op
{
    public override DType TypeOf(ReadOnlySpan<Node> x) => x[2].Type;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 3);
        if (x[2].Shape.Count != 2) throw new GraphException($"expected two values, off and on, found {x[2].Shape}");
        int axis = Arguments.Axis(Axis, x[0].Shape.Rank + 1);
        long depth = Arguments.Integer(x[1], "the depth");
        if (depth < 1) throw new GraphException($"the depth must be at least 1, found {depth}");
        return new([.. x[0].Shape.Sizes[..axis], depth, .. x[0].Shape.Sizes[axis..]]);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        int axis = Arguments.Axis(Axis, y.Shape.Rank), depth = (int)y.Shape[axis], inner = Arguments.Step(y.Shape, axis);
        float off = x[2].Span[0], on = x[2].Span[1];
        Arguments.Fill(y, off);
        Span<float> indices = x[0].Span;
        for (int i = 0; i < indices.Length; i++)
        {
            float index = indices[i] < 0 ? indices[i] + depth : indices[i];
            if (index >= 0 && index < depth) y.Span[(i / inner * depth + (int)index) * inner + i % inner] = on;
        }
    }

    public override Node?[] Gradient(Node y, Node dy) =>
        y.Inputs[2].Known is null ? throw new GraphException("OneHot has no gradient by its values; make them constants") : [null, null, null];

    /// <summary>The new axis has an order; others follow the indices.</summary>
    public override void Link(Node y, AxisLinks links)
    {
        int axis = Arguments.Axis(Axis, y.Shape.Rank);
        for (int i = 0; i < y.Inputs[0].Shape.Rank; i++) links.Same(AxisLinks.Of(y, i < axis ? i : i + 1), AxisLinks.Of(y.Inputs[0], i));
        links.Fix(AxisLinks.Of(y, axis), "indices are positions along it");
        links.FixAll(y.Inputs[2], "off is not on");
    }

    public override string Export(Node y, OnnxExport to) =>
        to.Emit(Name, [Gather.Indices(y.Inputs[0], to), to.Integers(y.Inputs[1]), to[y.Inputs[2]]], ("axis", (long)Axis));
}

/// <summary>ONNX Trilu: the upper or lower triangle of matrices (the last two axes), zeros elsewhere. Inputs: x and perhaps, known, which diagonal it ends with.</summary>
/// <param name="Upper">What stays is above the diagonal, and not below.</param>
public sealed record Trilu(bool Upper = true) : Op
{
    public override Reuse Reuse => Reuse.InPlace;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1, 2);
        if (x.Length > 1) Arguments.Integer(x[1], "the diagonal");
        return x[0].Shape.Rank >= 2 ? x[0].Shape : throw new GraphException($"expected matrices, found {x[0].Shape}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        int rows = (int)y.Shape[^2], columns = (int)y.Shape[^1];
        long diagonal = x.Length > 1 ? Arguments.Clamped(x[1].Span[0]) : 0;
        if (y.Count == 0) return;
        for (int r = 0; r < y.Count / columns; r++)
        {
            Span<float> from = x[0].Span.Slice(r * columns, columns), to = y.Span.Slice(r * columns, columns);
            int split = (int)Math.Clamp(r % rows + diagonal + (Upper ? 0 : 1), 0, columns);
            from.CopyTo(to);
            if (Upper) to[..split].Clear();
            else to[split..].Clear();
        }
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node dx = dy.Graph.Add(this, [dy, .. y.Inputs[1..]]);
        return y.Inputs.Length == 1 ? [dx] : [dx, null];
    }

    /// <summary>Rows and columns have an order; other axes follow.</summary>
    public override void Link(Node y, AxisLinks links)
    {
        for (int i = 0; i < y.Shape.Rank; i++)
        {
            links.Same(AxisLinks.Of(y, i), AxisLinks.Of(y.Inputs[0], i));
            if (i >= y.Shape.Rank - 2) links.Fix(AxisLinks.Of(y, i), "cut at a diagonal");
        }
    }

    public override string Export(Node y, OnnxExport to) =>
        to.Emit(Name, y.Inputs.Length == 1 ? [to[y.Inputs[0]]] : [to[y.Inputs[0]], to.Integers(Arguments.Integer(y.Inputs[1], "the diagonal"))], ("upper", Upper ? 1L : 0L));
}
