using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>y = f(a, b), element by element with broadcasting as in NumPy. A subclass gives f on blocks of two vectors, and of a vector and a number on either side.</summary>
public abstract record Binary : Op
{
    public override Reuse Reuse => Reuse.InPlace;

    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        return Shape.Broadcast(x[0].Shape, x[1].Shape) ?? throw new GraphException("the shapes do not broadcast: sizes must be equal or 1, counted from the last axis");
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y) => Broadcasting.Run(this, x[0], x[1], y);

    public override void Link(Node y, AxisLinks links) => links.Elementwise(y);

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y);

    public override long Work(Node y) => y.Shape.Count;

    /// <summary>f on blocks of one length; <paramref name="y"/> may be one of the inputs.</summary>
    public abstract void Map(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y);

    /// <summary>f with one second number.</summary>
    public abstract void Map(ReadOnlySpan<float> a, float b, Span<float> y);

    /// <summary>f with one first number.</summary>
    public abstract void Map(float a, ReadOnlySpan<float> b, Span<float> y);
}

/// <summary>Runs a binary operation over two tensors that broadcast.</summary>
internal static class Broadcasting
{
    /// <summary>
    /// Splits the result into rows: the longest run of inner axes over which each input either goes along or stands still. Rows are found by counting through the
    /// outer axes.
    /// </summary>
    public static void Run(Binary op, Tensor a, Tensor b, Tensor y)
    {
        if (a.Count == y.Count && b.Count == y.Count)
        {
            Cores.ForRange(y.Count, Unary.Block * 4, (op, a, b, y), static (s, from, to) => s.op.Map(s.a.Span[from..to], s.b.Span[from..to], s.y.Span[from..to]));
            return;
        }

        int rank = y.Shape.Rank;
        int axis = rank;
        bool? alongA = null, alongB = null;
        while (axis > 0)
        {
            long size = y.Shape[axis - 1];
            bool ofA = SizeOf(a.Shape, rank, axis - 1) == size, ofB = SizeOf(b.Shape, rank, axis - 1) == size;
            if (size != 1)
            {
                if ((alongA ?? ofA) != ofA || (alongB ?? ofB) != ofB) break;
                (alongA, alongB) = (ofA, ofB);
            }

            axis--;
        }

        int row = 1;
        for (int i = axis; i < rank; i++) row *= y.Shape.Size(i);
        int rows = row == 0 ? 0 : y.Count / row;
        int grain = Math.Max(1, Unary.Block * 4 / Math.Max(row, 1));
        Cores.ForRange(rows, grain, (op, a, b, y, axis, row, alongA: alongA ?? true, alongB: alongB ?? true), static (s, from, to) =>
        {
            for (int r = from; r < to; r++)
            {
                int ofA = Offset(s.a.Shape, s.y.Shape, s.axis, r), ofB = Offset(s.b.Shape, s.y.Shape, s.axis, r);
                Span<float> y = s.y.Span.Slice(r * s.row, s.row);
                if (!s.alongA) s.op.Map(s.a.Span[ofA], s.b.Span.Slice(ofB, s.row), y);
                else if (!s.alongB) s.op.Map(s.a.Span.Slice(ofA, s.row), s.b.Span[ofB], y);
                else s.op.Map(s.a.Span.Slice(ofA, s.row), s.b.Span.Slice(ofB, s.row), y);
            }
        });
    }

    private static long SizeOf(Shape shape, int rank, int axis) => axis - rank + shape.Rank is var own && own >= 0 ? shape[own] : 1;

    /// <summary>Where row number <paramref name="row"/> of the result, counted over its axes before <paramref name="axes"/>, begins in an input.</summary>
    private static int Offset(Shape x, Shape y, int axes, int row)
    {
        int stride = 1;
        for (int axis = y.Rank - 1; axis >= axes; axis--) stride *= (int)SizeOf(x, y.Rank, axis);
        int offset = 0;
        for (int axis = axes - 1; axis >= 0; axis--)
        {
            int size = (int)y[axis], own = (int)SizeOf(x, y.Rank, axis);
            if (own != 1) offset += row % size * stride;
            row /= size;
            stride *= own;
        }

        return offset;
    }
}
