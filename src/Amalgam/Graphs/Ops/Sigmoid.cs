using System.Numerics;
using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Sigmoid: 1 / (1 + exp(-x)).</summary>
public sealed record Sigmoid : Mapped1<Sigmoid.Expression>
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new SigmoidGradient(), y, dy)];

    public readonly struct Expression : IMap1
    {
        public static Vector<float> Invoke(Vector<float> x) => Special.Sigmoid(x);
    }
}

/// <summary>dy y (1 - y).</summary>
public sealed record SigmoidGradient : UnaryGradient
{
    public override void Map(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> y) => Numerics.Map.Apply<Expression>(x, dy, y);

    private readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> y, Vector<float> dy) => dy * y * (Vector<float>.One - y);
    }
}

/// <summary>ONNX Tanh.</summary>
public sealed record Tanh : Mapped1<Tanh.Expression>
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new TanhGradient(), y, dy)];

    public readonly struct Expression : IMap1
    {
        public static Vector<float> Invoke(Vector<float> x) => Special.Tanh(x);
    }
}

/// <summary>dy (1 - y^2).</summary>
public sealed record TanhGradient : UnaryGradient
{
    public override void Map(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> y) => Numerics.Map.Apply<Expression>(x, dy, y);

    private readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> y, Vector<float> dy) => dy * (Vector<float>.One - y) * (Vector<float>.One + y);
    }
}

/// <summary>ONNX HardSigmoid: alpha x + beta, limited to [0, 1].</summary>
public sealed record HardSigmoid(float Alpha = 0.2f, float Beta = 0.5f) : Unary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new HardSigmoidGradient(Alpha), y, dy)];

    public override void Map(ReadOnlySpan<float> x, Span<float> y)
    {
        TensorPrimitives.Multiply(x, Alpha, y);
        TensorPrimitives.Add(y, Beta, y);
        TensorPrimitives.Max(y, 0f, y);
        TensorPrimitives.Min(y, 1f, y);
    }

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("alpha", Alpha), ("beta", Beta));
}

/// <summary>alpha dy where y lies between 0 and 1, else 0.</summary>
public sealed record HardSigmoidGradient(float Alpha) : UnaryGradient
{
    public override void Map(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> y) => Numerics.Map.Apply<Expression>(x, dy, Alpha, y);

    private readonly struct Expression : IMap3
    {
        public static Vector<float> Invoke(Vector<float> y, Vector<float> dy, Vector<float> alpha) =>
            Vector.ConditionalSelect(Vector.GreaterThan(y, Vector<float>.Zero) & Vector.LessThan(y, Vector<float>.One), alpha * dy, Vector<float>.Zero);
    }
}
