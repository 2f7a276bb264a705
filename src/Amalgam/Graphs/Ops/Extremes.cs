using System.Numerics.Tensors;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Min of two; NaN where either is. Equal inputs share the gradient.</summary>
public sealed record Min : Binary
{
    public override Node?[] Gradient(Node y, Node dy) => Share(y.Inputs[0], y.Inputs[1], dy);

    public override void Map(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Min(a, b, y);

    public override void Map(ReadOnlySpan<float> a, float b, Span<float> y) => TensorPrimitives.Min(a, b, y);

    public override void Map(float a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Min(b, a, y);

    /// <summary>Gives the gradient to the lesser of two, and half of it to each where they are equal.</summary>
    internal static Node[] Share(Node a, Node b, Node dy)
    {
        Node ofA = (dy.Graph.Add(new Less(), a, b) + dy.Graph.Add(new LessOrEqual(), a, b)) * 0.5f;
        return [dy * ofA, dy * (1 - ofA)];
    }
}

/// <summary>ONNX Max of two; NaN where either is. Equal inputs share the gradient.</summary>
public sealed record Max : Binary
{
    public override Node?[] Gradient(Node y, Node dy) => [.. Min.Share(y.Inputs[1], y.Inputs[0], dy).Reverse()];

    public override void Map(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Max(a, b, y);

    public override void Map(ReadOnlySpan<float> a, float b, Span<float> y) => TensorPrimitives.Max(a, b, y);

    public override void Map(float a, ReadOnlySpan<float> b, Span<float> y) => TensorPrimitives.Max(b, a, y);
}
