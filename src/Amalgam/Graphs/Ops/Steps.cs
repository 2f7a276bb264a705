using System.Numerics;
using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>A function that is constant in pieces: its gradient is zero, and nothing flows back through it.</summary>
public abstract record Step : Unary
{
    public sealed override Node?[] Gradient(Node y, Node dy) => [null];
}

/// <summary>ONNX Sign: -1, 0 or 1; NaN stays.</summary>
public sealed record Sign : Step
{
    public override void Map(ReadOnlySpan<float> x, Span<float> y) => Numerics.Map.Apply<Expression>(x, y);

    private readonly struct Expression : IMap1
    {
        public static Vector<float> Invoke(Vector<float> x) =>
            Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero) | Vector.GreaterThan(x, Vector<float>.Zero), Vector.CopySign(Vector<float>.One, x), x);
    }
}

/// <summary>ONNX Floor.</summary>
public sealed record Floor : Step
{
    public override void Map(ReadOnlySpan<float> x, Span<float> y) => TensorPrimitives.Floor(x, y);
}

/// <summary>ONNX Ceil.</summary>
public sealed record Ceil : Step
{
    public override void Map(ReadOnlySpan<float> x, Span<float> y) => TensorPrimitives.Ceiling(x, y);
}

/// <summary>ONNX Round: to the nearest integer, halves to the even one.</summary>
public sealed record Round : Step
{
    public override void Map(ReadOnlySpan<float> x, Span<float> y) => TensorPrimitives.Round(x, y);
}

/// <summary>ONNX Not: 1 for 0, else 0.</summary>
public sealed record Not : Step
{
    public override DType TypeOf(ReadOnlySpan<Node> x) => DType.Bool;

    public override void Map(ReadOnlySpan<float> x, Span<float> y) => Numerics.Map.Apply<Expression>(x, y);

    private readonly struct Expression : IMap1
    {
        public static Vector<float> Invoke(Vector<float> x) => Special.Truth(Vector.Equals(x, Vector<float>.Zero));
    }
}

/// <summary>ONNX IsNaN.</summary>
public sealed record IsNaN : Step
{
    public override DType TypeOf(ReadOnlySpan<Node> x) => DType.Bool;

    public override void Map(ReadOnlySpan<float> x, Span<float> y) => Numerics.Map.Apply<Expression>(x, y);

    private readonly struct Expression : IMap1
    {
        public static Vector<float> Invoke(Vector<float> x) => Special.Truth(~Vector.Equals(x, x));
    }
}

/// <summary>ONNX IsInf.</summary>
/// <param name="Positive">Whether positive infinity counts.</param>
/// <param name="Negative">Whether negative infinity counts.</param>
public sealed record IsInf(bool Positive = true, bool Negative = true) : Step
{
    public override DType TypeOf(ReadOnlySpan<Node> x) => DType.Bool;

    public override void Map(ReadOnlySpan<float> x, Span<float> y)
    {
        float sign = Positive ? float.PositiveInfinity : float.NegativeInfinity;
        if (Positive && Negative) Numerics.Map.Apply<OfMagnitude>(x, sign, y);
        else if (Positive || Negative) Numerics.Map.Apply<Equal.Expression>(x, sign, y);
        else y.Clear();
    }

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("detect_positive", Positive ? 1L : 0L), ("detect_negative", Negative ? 1L : 0L));

    private readonly struct OfMagnitude : IMap2
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> infinity) => Special.Truth(Vector.Equals(Vector.Abs(x), infinity));
    }
}
