using System.Numerics;
using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Exp.</summary>
public sealed record Exp : Mapped1<Exp.Expression>
{
    public override Node?[] Gradient(Node y, Node dy) => [dy * y];

    public readonly struct Expression : IMap1
    {
        public static Vector<float> Invoke(Vector<float> x) => Special.Exp(x);
    }
}

/// <summary>ONNX Log, the natural one.</summary>
public sealed record Log : Unary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy / y.Inputs[0]];

    public override void Map(ReadOnlySpan<float> x, Span<float> y) => TensorPrimitives.Log(x, y);
}

/// <summary>ONNX Sqrt.</summary>
public sealed record Sqrt : Unary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy * 0.5f / y];

    public override void Map(ReadOnlySpan<float> x, Span<float> y) => TensorPrimitives.Sqrt(x, y);
}

/// <summary>ONNX Reciprocal: 1 / x.</summary>
public sealed record Reciprocal : Unary
{
    public override Node?[] Gradient(Node y, Node dy) => [-(dy * y * y)];

    public override void Map(ReadOnlySpan<float> x, Span<float> y) => TensorPrimitives.Divide(1f, x, y);
}

/// <summary>ONNX Abs.</summary>
public sealed record Abs : Unary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy * y.Inputs[0].Sign()];

    public override void Map(ReadOnlySpan<float> x, Span<float> y) => TensorPrimitives.Abs(x, y);
}

/// <summary>ONNX Sin.</summary>
public sealed record Sin : Unary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy * y.Inputs[0].Cos()];

    public override void Map(ReadOnlySpan<float> x, Span<float> y) => TensorPrimitives.Sin(x, y);
}

/// <summary>ONNX Cos.</summary>
public sealed record Cos : Unary
{
    public override Node?[] Gradient(Node y, Node dy) => [-(dy * y.Inputs[0].Sin())];

    public override void Map(ReadOnlySpan<float> x, Span<float> y) => TensorPrimitives.Cos(x, y);
}

/// <summary>ONNX Atan: the angle in (-pi/2, pi/2) whose tangent is x.</summary>
public sealed record Atan : Unary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy / (y.Inputs[0] * y.Inputs[0] + 1)];

    public override void Map(ReadOnlySpan<float> x, Span<float> y) => TensorPrimitives.Atan(x, y);
}

/// <summary>ONNX Pow: a^b.</summary>
public sealed record Pow : Binary
{
    public override Node?[] Gradient(Node y, Node dy)
    {
        Node a = y.Inputs[0], b = y.Inputs[1];
        Node da = dy * b * y.Graph.Add(new Pow(), a, b - 1);
        if (b.Known is not null) return [da, null];
        Node zero = y.Graph.Constant(0);
        return [da, dy * y.Graph.Add(new Where(), y.Graph.Add(new Greater(), a, zero), y * a.Log(), zero)];
    }

    public override void Map(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Pow(a, b, y);

    public override void Map(ReadOnlySpan<float> a, float b, Span<float> y)
    {
        if (b == 2) TensorPrimitives.Multiply(a, a, y);
        else if (b == 3) Numerics.Map.Apply<Cube>(a, y);
        else if (b == 1) a.CopyTo(y);
        else TensorPrimitives.Pow(a, b, y);
    }

    public override void Map(float a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Pow(a, b, y);

    private readonly struct Cube : IMap1
    {
        public static Vector<float> Invoke(Vector<float> x) => x * x * x;
    }
}
