using System.Numerics;
using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Clip: min(max(x, Min), Max), Max where the two are the wrong way round. Relu6 is <c>Clip(0, 6)</c>.</summary>
public sealed record Clip(float Min = float.NegativeInfinity, float Max = float.PositiveInfinity) : Unary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new ClipGradient(Min, Max), y.Inputs[0], dy)];

    public override void Map(ReadOnlySpan<float> x, Span<float> y)
    {
        TensorPrimitives.Max(x, Min, y);
        TensorPrimitives.Min(y, Max, y);
    }

    public override string Export(Node y, OnnxExport to)
    {
        string Bound(float value) => float.IsInfinity(value) ? "" : to.Constant(Tensor.Scalar(value), y.Type);
        return to.Emit(Name, [to[y.Inputs[0]], Bound(Min), Bound(Max)]);
    }
}

/// <summary>dy where x lies between the bounds, else 0.</summary>
public sealed record ClipGradient(float Min, float Max) : UnaryGradient
{
    public override void Map(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> y) => Numerics.Map.Apply<Expression>(x, dy, Min, Max, y);

    private readonly struct Expression : IMap4
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> dy, Vector<float> min, Vector<float> max) =>
            Vector.ConditionalSelect(Vector.GreaterThanOrEqual(x, min) & Vector.LessThanOrEqual(x, max), dy, Vector<float>.Zero);
    }
}
