using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Gather: x at the positions of an axis that the indices say; negative ones count from the end. With a table as x, an embedding.</summary>
/// <param name="Axis">The axis of x.</param>
public sealed record Gather(int Axis = 0) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        Shape of = x[0].Shape;
        int axis = Arguments.Axis(Axis, of.Rank);
        if (x[1].Known is { } known) Check(known.Span, of[axis]);
        return new([.. of.Sizes[..axis], .. x[1].Shape.Sizes, .. of.Sizes[(axis + 1)..]]);
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        Shape of = x[0].Shape;
        int axis = Arguments.Axis(Axis, of.Rank);
        Check(x[1].Span, of[axis]);
        int row = Arguments.Step(of, axis), size = (int)of[axis], count = x[1].Count;
        if (y.Count == 0) return;
        Cores.ForRange(y.Count / row, Math.Max(1, Cores.WorthSharing / row), (X: x[0], Indices: x[1], Y: y, row, size, count), static (s, from, to) =>
        {
            ReadOnlySpan<float> x = s.X.Span, indices = s.Indices.Span;
            Span<float> y = s.Y.Span;
            for (int r = from, outer = from / s.count, i = from % s.count; r < to; r++)
            {
                int at = outer * s.size + Position(indices[i], s.size);
                if (s.row == 1) y[r] = x[at];
                else x.Slice(at * s.row, s.row).CopyTo(y.Slice(r * s.row, s.row));
                if (++i == s.count) (i, outer) = (0, outer + 1);
            }
        });
    }

    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new ScatterAdd(Arguments.Axis(Axis, y.Inputs[0].Shape.Rank), y.Inputs[0].Shape), dy, y.Inputs[1]), null];

    /// <summary>By positions known beforehand, they are taken; by others the axis has an order. Other axes follow.</summary>
    public override void Link(Node y, AxisLinks links)
    {
        Node x = y.Inputs[0], indices = y.Inputs[1];
        int axis = Arguments.Axis(Axis, x.Shape.Rank), added = indices.Shape.Rank;
        for (int i = 0; i < x.Shape.Rank; i++)
        {
            if (i != axis) links.Same(AxisLinks.Of(y, i < axis ? i : i + added - 1), AxisLinks.Of(x, i));
        }

        if (indices.Known is { } known && added <= 1)
        {
            int size = x.Shape.Size(axis);
            int[] positions = [.. known.Span.ToArray().Select(index => Position(index, size))];
            Axis part = added == 0 ? links.Digit(1) : AxisLinks.Of(y, axis);
            if (positions.SequenceEqual(Enumerable.Range(0, size))) links.Same(part, AxisLinks.Of(x, axis));
            else links.Taken(part, AxisLinks.Of(x, axis), [.. positions]);
            return;
        }

        links.Fix(AxisLinks.Of(x, axis), "looked up by index");
        for (int i = 0; i < added; i++) links.Same(AxisLinks.Of(y, axis + i), AxisLinks.Of(indices, i));
    }

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, [to[y.Inputs[0]], Indices(y.Inputs[1], to)], ("axis", (long)Axis));

    /// <summary>Indices in ONNX are integers, whatever type they have here.</summary>
    internal static string Indices(Node indices, OnnxExport to) =>
        indices.Type == DType.I64 || indices.Type == DType.I32 ? to[indices] : to.Emit("Cast", [to[indices]], ("to", Cast.OnnxType(DType.I64)));

    /// <summary>A position from 0 on.</summary>
    internal static int Position(float index, int size) => index < 0 ? (int)index + size : (int)index;

    /// <summary>Refuses what is not a position.</summary>
    internal static void Check(ReadOnlySpan<float> indices, long size)
    {
        if (indices.IsEmpty || (TensorPrimitives.Min(indices) >= -size && TensorPrimitives.Max(indices) < size)) return;
        foreach (float index in indices)
        {
            if (!(index >= -size && index < size)) throw new GraphException($"index {index} is not in [{-size}, {size - 1}]");
        }
    }
}

/// <summary>
/// The gradient of <see cref="Gather"/> by its first input: zeros, to which each row of dy is added where it was taken from. Inputs: dy and the indices. A row
/// that was taken several times gets their gradients in the order of the indices.
/// </summary>
/// <param name="Axis">The axis that was gathered, from 0 on.</param>
/// <param name="Of">Shape of what was gathered from.</param>
public sealed record ScatterAdd(int Axis, Shape Of) : Op
{
    /// <summary>Rows of the result that one part does: it looks through all indices for them.</summary>
    private const int Parts = 8;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        Shape expected = new([.. Of.Sizes[..Axis], .. x[1].Shape.Sizes, .. Of.Sizes[(Axis + 1)..]]);
        return x[0].Shape == expected ? Of : throw new GraphException($"the gradient of rows of {Of} by indices {x[1].Shape} has shape {x[0].Shape}, expected {expected}");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        int row = Arguments.Step(Of, Axis), size = (int)Of[Axis], count = x[1].Count;
        if (y.Count == 0) return;
        Gather.Check(x[1].Span, size);
        int rows = y.Count / row, grain = Math.Max(Math.Max(1, Cores.WorthSharing / row), (rows + Parts - 1) / Parts);
        Cores.ForRange(rows, grain, (Dy: x[0], Indices: x[1], Y: y, row, size, count), static (s, from, to) =>
        {
            Span<float> y = s.Y.Span;
            ReadOnlySpan<float> dy = s.Dy.Span, indices = s.Indices.Span;
            y[(from * s.row)..(to * s.row)].Clear();
            for (int outer = from / s.size; outer * s.size < to; outer++)
            {
                for (int i = 0; i < indices.Length; i++)
                {
                    int at = outer * s.size + Gather.Position(indices[i], s.size);
                    if (at < from || at >= to) continue;
                    if (s.row == 1)
                    {
                        y[at] += dy[outer * s.count + i];
                        continue;
                    }

                    Span<float> target = y.Slice(at * s.row, s.row);
                    TensorPrimitives.Add(target, dy.Slice((outer * s.count + i) * s.row, s.row), target);
                }
            }
        });
    }

    public override Node?[] Gradient(Node y, Node dy) => [dy.Gather(y.Inputs[1], Axis), null];
}
