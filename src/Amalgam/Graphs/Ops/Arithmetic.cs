using System.Numerics.Tensors;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Add: a + b.</summary>
public sealed record Add : Binary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy, dy];

    public override void Map(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Add(a, b, y);

    public override void Map(ReadOnlySpan<float> a, float b, Span<float> y) => TensorPrimitives.Add(a, b, y);

    public override void Map(float a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Add(b, a, y);
}

/// <summary>ONNX Sub: a - b.</summary>
public sealed record Sub : Binary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy, -dy];

    public override void Map(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Subtract(a, b, y);

    public override void Map(ReadOnlySpan<float> a, float b, Span<float> y) => TensorPrimitives.Subtract(a, b, y);

    public override void Map(float a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Subtract(a, b, y);
}

/// <summary>ONNX Mul: a b.</summary>
public sealed record Mul : Binary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy * y.Inputs[1], dy * y.Inputs[0]];

    public override void Map(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Multiply(a, b, y);

    public override void Map(ReadOnlySpan<float> a, float b, Span<float> y) => TensorPrimitives.Multiply(a, b, y);

    public override void Map(float a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Multiply(b, a, y);
}

/// <summary>ONNX Div of floating-point numbers: a / b.</summary>
public sealed record Div : Binary
{
    public override Node?[] Gradient(Node y, Node dy)
    {
        Node da = dy / y.Inputs[1];
        return [da, -(da * y)];
    }

    public override void Map(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Divide(a, b, y);

    public override void Map(ReadOnlySpan<float> a, float b, Span<float> y) => TensorPrimitives.Divide(a, b, y);

    public override void Map(float a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Divide(a, b, y);
}

/// <summary>ONNX Neg: -x.</summary>
public sealed record Neg : Unary
{
    public override Node?[] Gradient(Node y, Node dy) => [-dy];

    public override void Map(ReadOnlySpan<float> x, Span<float> y) => TensorPrimitives.Negate(x, y);
}
