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

/// <summary>
/// Loops over a result that its inputs broadcast to. The result is split into rows: the longest run of inner axes over which each input either goes along or
/// stands still. Rows are found by counting through the outer axes.
/// </summary>
internal static class Broadcasting
{
    private const int Grain = Unary.Block * 4;

    /// <summary>Runs a binary operation over two tensors that broadcast.</summary>
    public static void Run(Binary op, Tensor a, Tensor b, Tensor y)
    {
        int row = Row(y.Shape, a.Shape, b.Shape, b.Shape, out int axes, out int along);
        Rows(y, row, (op, a, b, y, axes, row, along), static (s, r, from, to) =>
        {
            int ofA = Offset(s.a.Shape, s.y.Shape, s.axes, r), ofB = Offset(s.b.Shape, s.y.Shape, s.axes, r);
            Span<float> y = s.y.Span.Slice(r * s.row + from, to - from);
            if ((s.along & 1) == 0) s.op.Map(s.a.Span[ofA], s.b.Span.Slice(ofB + from, y.Length), y);
            else if ((s.along & 2) == 0) s.op.Map(s.a.Span.Slice(ofA + from, y.Length), s.b.Span[ofB], y);
            else s.op.Map(s.a.Span.Slice(ofA + from, y.Length), s.b.Span.Slice(ofB + from, y.Length), y);
        });
    }

    /// <summary>The length of a row.</summary>
    /// <param name="y">Shape of the result.</param>
    /// <param name="a">Shape of an input.</param>
    /// <param name="b">Shape of an input.</param>
    /// <param name="c">Shape of an input.</param>
    /// <param name="axes">How many axes are outside the rows.</param>
    /// <param name="along">Bit i is set when input i goes along a row.</param>
    public static int Row(Shape y, Shape a, Shape b, Shape c, out int axes, out int along)
    {
        (int row, along) = (1, -1);
        for (axes = y.Rank; axes > 0; axes--)
        {
            int size = y.Size(axes - 1);
            if (size == 1) continue;
            int here = (SizeOf(a, y.Rank, axes - 1) == size ? 1 : 0) | (SizeOf(b, y.Rank, axes - 1) == size ? 2 : 0) | (SizeOf(c, y.Rank, axes - 1) == size ? 4 : 0);
            if (along >= 0 && along != here) break;
            (row, along) = (row * size, here);
        }

        if (along < 0) along = 7;
        return row;
    }

    /// <summary>Calls for every row, or for parts of rows where rows are long: the row's number, start and end within the row.</summary>
    public static void Rows<TState>(Tensor y, int row, TState state, Action<TState, int, int, int> body)
    {
        if (y.Count == 0) return;
        if (row > Grain)
        {
            int parts = (row + Grain - 1) / Grain;
            Cores.For(y.Count / row * parts, (row, parts, state, body), static (s, part) =>
            {
                int from = part % s.parts * Grain;
                s.body(s.state, part / s.parts, from, Math.Min(s.row, from + Grain));
            });
        }
        else
        {
            Cores.ForRange(y.Count / row, Grain / row, (row, state, body), static (s, from, to) =>
            {
                for (int r = from; r < to; r++) s.body(s.state, r, 0, s.row);
            });
        }
    }

    /// <summary>Where row number <paramref name="row"/> of the result, counted over its axes before <paramref name="axes"/>, begins in an input.</summary>
    public static int Offset(Shape x, Shape y, int axes, int row)
    {
        if (axes == 0) return 0;
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

    private static long SizeOf(Shape shape, int rank, int axis) => axis - rank + shape.Rank is var own && own >= 0 ? shape[own] : 1;
}
