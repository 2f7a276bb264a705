using System.Numerics;
using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>An operation along one axis that keeps the shape: rows where the axis is the innermost, else columns side by side.</summary>
public abstract record AlongAxis(int Axis) : Op
{
    public override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 1);
        AxisSet.At(Axis, x[0].Shape.Rank);
        return x[0].Shape;
    }

    public override void Run(ReadOnlySpan<Tensor> x, Tensor y)
    {
        if (y.Count == 0) return;
        Lanes lanes = Lanes.Of(y.Shape, Axis);
        int parts = (lanes.Inner + Lanes.Columns - 1) / Lanes.Columns;
        Cores.ForRange(lanes.Outer * parts, lanes.Inner == 1 ? lanes.Grain : 1, (Op: this, A: x[0], B: x[^1], Y: y, lanes, parts), static (s, from, to) =>
        {
            for (int i = from; i < to; i++)
            {
                int column = i % s.parts * Lanes.Columns, columns = Math.Min(Lanes.Columns, s.lanes.Inner - column);
                int start = i / s.parts * s.lanes.Size * s.lanes.Inner + column, length = (s.lanes.Size - 1) * s.lanes.Inner + columns;
                ReadOnlySpan<float> a = s.A.Span.Slice(start, length), b = s.B.Span.Slice(start, length);
                if (s.lanes.Inner == 1) s.Op.Row(a, b, s.Y.Span.Slice(start, length));
                else s.Op.Columns(a, b, s.Y.Span.Slice(start, length), s.lanes.Inner, columns);
            }
        });
    }

    public override void Link(Node y, AxisLinks links)
    {
        links.Elementwise(y);
        links.Mixed(AxisLinks.Of(y, AxisSet.At(Axis, y.Shape.Rank)));
    }

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("axis", (long)Axis));

    public override long Work(Node y) => 10 * y.Shape.Count;

    /// <summary>The operation on a row.</summary>
    /// <param name="a">First input.</param>
    /// <param name="b">Second input, or the first where there is one.</param>
    /// <param name="y">The result.</param>
    private protected abstract void Row(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y);

    /// <summary>The operation on some columns, whose elements lie <paramref name="stride"/> apart.</summary>
    private protected abstract void Columns(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y, int stride, int columns);
}

/// <summary>ONNX Softmax: exp(x) over its sum along an axis.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
public sealed record Softmax(int Axis = -1) : AlongAxis(Axis)
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new SoftmaxGradient(Axis), y, dy)];

    private protected override void Row(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y)
    {
        Special.Exp(a, TensorPrimitives.Max(a), y);
        TensorPrimitives.Multiply(y, 1 / TensorPrimitives.Sum(y), y);
    }

    private protected override void Columns(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y, int stride, int columns)
    {
        Span<float> greatest = stackalloc float[columns], sum = stackalloc float[columns];
        greatest.Fill(float.NegativeInfinity);
        sum.Clear();
        for (int at = 0; at < a.Length; at += stride) TensorPrimitives.Max(a.Slice(at, columns), greatest, greatest);
        for (int at = 0; at < a.Length; at += stride)
        {
            Span<float> row = y.Slice(at, columns);
            Special.Exp(a.Slice(at, columns), greatest, row);
            TensorPrimitives.Add(sum, row, sum);
        }

        for (int at = 0; at < a.Length; at += stride) TensorPrimitives.Divide(y.Slice(at, columns), sum, y.Slice(at, columns));
    }
}

/// <summary>y (dy - sum of y dy along the axis).</summary>
public sealed record SoftmaxGradient(int Axis = -1) : AlongAxisGradient(Axis)
{
    private protected override void Row(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y) => Map.Apply<Expression>(a, b, TensorPrimitives.Dot(a, b), y);

    private protected override void Columns(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y, int stride, int columns)
    {
        Span<float> sum = stackalloc float[columns];
        sum.Clear();
        for (int at = 0; at < a.Length; at += stride) TensorPrimitives.MultiplyAdd(a.Slice(at, columns), b.Slice(at, columns), sum, sum);
        for (int at = 0; at < a.Length; at += stride) Map.Apply<Expression>(a.Slice(at, columns), b.Slice(at, columns), sum, y.Slice(at, columns));
    }

    private readonly struct Expression : IMap3
    {
        public static Vector<float> Invoke(Vector<float> y, Vector<float> dy, Vector<float> sum) => y * (dy - sum);
    }
}

/// <summary>ONNX LogSoftmax: the logarithm of Softmax.</summary>
/// <param name="Axis">The axis; negative counts from the end.</param>
public sealed record LogSoftmax(int Axis = -1) : AlongAxis(Axis)
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new LogSoftmaxGradient(Axis), y, dy)];

    private protected override void Row(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y)
    {
        TensorPrimitives.Subtract(a, TensorPrimitives.Max(a), y);
        TensorPrimitives.Subtract(y, MathF.Log(Exponentials.Sum(y)), y);
    }

    private protected override void Columns(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y, int stride, int columns)
    {
        Span<float> greatest = stackalloc float[columns], sum = stackalloc float[columns], buffer = stackalloc float[columns];
        greatest.Fill(float.NegativeInfinity);
        sum.Clear();
        for (int at = 0; at < a.Length; at += stride) TensorPrimitives.Max(a.Slice(at, columns), greatest, greatest);
        for (int at = 0; at < a.Length; at += stride)
        {
            Span<float> row = y.Slice(at, columns);
            TensorPrimitives.Subtract(a.Slice(at, columns), greatest, row);
            Special.Exp(row, 0, buffer);
            TensorPrimitives.Add(sum, buffer, sum);
        }

        TensorPrimitives.Log(sum, sum);
        for (int at = 0; at < a.Length; at += stride) TensorPrimitives.Subtract(y.Slice(at, columns), sum, y.Slice(at, columns));
    }
}

/// <summary>dy - exp(y) times the sum of dy along the axis.</summary>
public sealed record LogSoftmaxGradient(int Axis = -1) : AlongAxisGradient(Axis)
{
    private protected override void Row(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y) => Map.Apply<Expression>(a, b, TensorPrimitives.Sum(b), y);

    private protected override void Columns(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y, int stride, int columns)
    {
        Span<float> sum = stackalloc float[columns];
        sum.Clear();
        for (int at = 0; at < a.Length; at += stride) TensorPrimitives.Add(b.Slice(at, columns), sum, sum);
        for (int at = 0; at < a.Length; at += stride) Map.Apply<Expression>(a.Slice(at, columns), b.Slice(at, columns), sum, y.Slice(at, columns));
    }

    private readonly struct Expression : IMap3
    {
        public static Vector<float> Invoke(Vector<float> y, Vector<float> dy, Vector<float> sum) => dy - Special.Exp(y) * sum;
    }
}

/// <summary>The gradient of an operation along one axis, of its result and the gradient by it.</summary>
public abstract record AlongAxisGradient(int Axis) : AlongAxis(Axis)
{
    public sealed override Shape Infer(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        return x[0].Shape == x[1].Shape ? x[0].Shape : throw new GraphException("both inputs must have one shape");
    }

    public sealed override Node?[] Gradient(Node y, Node dy) => throw new GraphException($"{Name} has no second-order gradient");

    public sealed override string Export(Node y, OnnxExport to) => throw new GraphException($"{Name} has no ONNX form");
}

/// <summary>Sums of exponentials over rows.</summary>
internal static class Exponentials
{
    /// <summary>The sum of exp(x).</summary>
    public static float Sum(ReadOnlySpan<float> x)
    {
        Span<float> buffer = stackalloc float[1024];
        double sum = 0;
        for (; !x.IsEmpty; x = x[Math.Min(x.Length, buffer.Length)..])
        {
            Span<float> part = buffer[..Math.Min(x.Length, buffer.Length)];
            Special.Exp(x[..part.Length], 0, part);
            sum += TensorPrimitives.Sum(part);
        }

        return (float)sum;
    }
}
