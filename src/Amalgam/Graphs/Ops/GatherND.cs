namespace Amalgam.Graphs.Ops;

/// <summary>ONNX GatherND: the last axis of the indices holds places in x, for which the slice of x at that place stands in the result.</summary>
/// <param name="BatchDims">Number of leading axes that x and the indices share.</param>
public sealed record GatherND(int BatchDims = 0) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        return Places.Result(x[0].Shape, x[1].Shape, BatchDims);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Places places = new(x[0].Shape, x[1].Shape, BatchDims);
        for (int i = 0; i < places.Count; i++) x[0].Span.Slice(places.At(x[1].Span, i), places.Row).CopyTo(y.Span[(i * places.Row)..]);
    }

    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new GatherNDGradient(BatchDims, y.Inputs[0].Shape), dy, y.Inputs[1]), null];

    /// <summary>Axes of x that places are in have an order; leading axes follow the indices, and the last ones x.</summary>
    public override void Link(Node y, AxisLinks links)
    {
        Node x = y.Inputs[0], indices = y.Inputs[1];
        int places = indices.Shape.Rank - 1, depth = (int)indices.Shape[^1];
        for (int i = 0; i < BatchDims; i++) links.Same(AxisLinks.Of(y, i), AxisLinks.Of(x, i));
        for (int i = 0; i < places; i++) links.Same(AxisLinks.Of(y, i), AxisLinks.Of(indices, i));
        for (int i = places; i < y.Shape.Rank; i++) links.Same(AxisLinks.Of(y, i), AxisLinks.Of(x, BatchDims + depth + i - places));
        Places.Fix(x, BatchDims, indices, links);
    }

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, [to[y.Inputs[0]], Gather.Indices(y.Inputs[1], to)], ("batch_dims", (long)BatchDims));
}

/// <summary>The gradient of <see cref="GatherND"/> by its first input: zeros, to which dy is added at its places. Inputs: dy and the indices.</summary>
public sealed record GatherNDGradient(int BatchDims, Shape Of) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        Shape expected = Places.Result(Of, x[1].Shape, BatchDims);
        return x[0].Shape == expected ? Of : throw new GraphException($"the gradient has shape {x[0].Shape}, expected {expected}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        y.Span.Clear();
        Places places = new(Of, x[1].Shape, BatchDims);
        for (int i = 0; i < places.Count; i++)
        {
            Span<float> target = y.Span.Slice(places.At(x[1].Span, i), places.Row);
            System.Numerics.Tensors.TensorPrimitives.Add(target, x[0].Span.Slice(i * places.Row, places.Row), target);
        }
    }

    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new GatherND(BatchDims), dy, y.Inputs[1]), null];
}

/// <summary>ONNX ScatterND: x, into which the updates are written at the places that the last axis of the indices holds. Inputs: x, indices, updates.</summary>
/// <param name="Reduction">What becomes of the element that is there.</param>
public sealed record ScatterND(ScatterReduction Reduction = ScatterReduction.None) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 3);
        Shape expected = Places.Result(x[0].Shape, x[1].Shape, 0);
        return x[2].Shape == expected ? x[0].Shape : throw new GraphException($"updates {x[2].Shape} do not fit indices {x[1].Shape} into {x[0].Shape}; expected {expected}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Arguments.Copy(x[0], y);
        Places places = new(y.Shape, x[1].Shape, 0);
        Span<float> updates = x[2].Span;
        for (int i = 0; i < places.Count; i++)
        {
            Span<float> target = y.Span.Slice(places.At(x[1].Span, i), places.Row);
            for (int k = 0; k < target.Length; k++) Elements.Write(ref target[k], updates[i * places.Row + k], Reduction);
        }
    }

    public override Node?[] Gradient(Node y, Node dy)
    {
        Node updates = dy.Graph.Add(new GatherND(), dy, y.Inputs[1]);
        return Reduction switch
        {
            ScatterReduction.Add => [dy, null, updates],
            ScatterReduction.None => [dy.Graph.Add(new ScatterND(), dy, y.Inputs[1], Arguments.Zeros(dy.Graph, y.Inputs[2].Shape)), null, updates],
            _ => throw new GraphException($"{Name} with {Reduction} has no gradient"),
        };
    }

    /// <summary>Axes that places are in have an order, and so do the places, as a later one may overwrite an earlier one; other axes follow.</summary>
    public override void Link(Node y, AxisLinks links)
    {
        Node x = y.Inputs[0], indices = y.Inputs[1], updates = y.Inputs[2];
        int places = indices.Shape.Rank - 1, depth = (int)indices.Shape[^1];
        for (int i = 0; i < y.Shape.Rank; i++) links.Same(AxisLinks.Of(y, i), AxisLinks.Of(x, i));
        for (int i = depth; i < y.Shape.Rank; i++) links.Same(AxisLinks.Of(y, i), AxisLinks.Of(updates, places + i - depth));
        for (int i = 0; i < places; i++)
        {
            links.Fix(AxisLinks.Of(indices, i), "written by index");
            links.Fix(AxisLinks.Of(updates, i), "written by index");
        }

        Places.Fix(x, 0, indices, links);
    }

    public override string Export(Node y, OnnxExport to) =>
        to.Emit(Name, [to[y.Inputs[0]], Gather.Indices(y.Inputs[1], to), to[y.Inputs[2]]], ("reduction", Elements.OnnxName(Reduction)));
}

/// <summary>Places in a tensor that the last axis of indices holds.</summary>
internal readonly struct Places
{
    private readonly Shape _x;
    private readonly int _batch, _depth, _perBatch;

    public Places(Shape x, Shape indices, int batch)
    {
        (_x, _batch, _depth) = (x, batch, (int)indices[^1]);
        Row = Arguments.Count(x, batch + _depth, x.Rank);
        Count = Arguments.Count(indices, 0, indices.Rank - 1);
        _perBatch = Arguments.Count(indices, batch, indices.Rank - 1);
    }

    /// <summary>Elements of a slice.</summary>
    public int Row { get; }

    /// <summary>Number of places.</summary>
    public int Count { get; }

    public static Shape Result(Shape x, Shape indices, int batch)
    {
        if (batch < 0 || indices.Rank <= batch || x.Rank <= batch || indices[^1] > x.Rank - batch || !indices.Sizes[..batch].SequenceEqual(x.Sizes[..batch]))
        {
            throw new GraphException($"indices {indices} do not hold places of {x} with {batch} shared leading axes");
        }

        return new([.. indices.Sizes[..^1], .. x.Sizes[(batch + (int)indices[^1])..]]);
    }

    /// <summary>The order matters along the axes that places are in, and along the one of the indices that holds a place.</summary>
    public static void Fix(Node x, int batch, Node indices, AxisLinks links)
    {
        for (int i = 0; i < indices.Shape[^1]; i++) links.Fix(AxisLinks.Of(x, batch + i), "looked up by index");
        links.Fix(AxisLinks.Of(indices, ^1), "holds a place");
    }

    /// <summary>Where place number <paramref name="i"/> is.</summary>
    public int At(ReadOnlySpan<float> indices, int i)
    {
        int at = 0;
        for (int k = 0; k < _depth; k++)
        {
            int size = (int)_x[_batch + k];
            float index = indices[i * _depth + k];
            if (!(index >= -size && index < size)) throw new GraphException($"index {index} is not in [{-size}, {size - 1}]");
            at = at * size + Gather.Position(index, size);
        }

        int batches = 1;
        for (int k = _batch; k < _batch + _depth; k++) batches *= (int)_x[k];
        return (i / Math.Max(1, _perBatch) * batches + at) * Row;
    }
}
