using System.Numerics.Tensors;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Min of two; NaN where either is. Equal inputs share the gradient.</summary>
public sealed record Min : Binary
{
    public override Node?[] Gradient(Node y, Node dy) => Share(y.Inputs[0], y.Inputs[1], dy);

    public override void Map(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Min(a, b, y);

    public override void Map(ReadOnlySpan<float> a, float b, Span<float> y) => TensorPrimitives.Min(a, b, y);

    public override void Map(float a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Min(b, a, y);

    /// <summary>Splits the gradient: the first part where the first number is the lesser, the second elsewhere, and halves where they are equal.</summary>
    internal static Node[] Share(Node a, Node b, Node dy)
    {
        Node first = (dy.Graph.Add(new Less(), a, b) + dy.Graph.Add(new LessOrEqual(), a, b)) * 0.5f;
        return [dy * first, dy * (1 - first)];
    }
}

/// <summary>ONNX Max of two; NaN where either is. Equal inputs share the gradient.</summary>
public sealed record Max : Binary
{
    public override Node?[] Gradient(Node y, Node dy) => Min.Share(y.Inputs[1], y.Inputs[0], dy);

    public override void Map(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Max(a, b, y);

    public override void Map(ReadOnlySpan<float> a, float b, Span<float> y) => TensorPrimitives.Max(a, b, y);

    public override void Map(float a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Max(b, a, y);
}
