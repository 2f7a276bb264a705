using System.Numerics;
using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Relu: max(x, 0).</summary>
public sealed record Relu : Unary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new ReluGradient(), y, dy)];

    public override void Map(ReadOnlySpan<float> x, Span<float> y) => TensorPrimitives.Max(x, 0f, y);
}

/// <summary>dy where y is positive, else 0.</summary>
public sealed record ReluGradient : UnaryGradient
{
    public override void Map(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> y) => Numerics.Map.Apply<Expression>(x, dy, y);

    private readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> y, Vector<float> dy) => Vector.ConditionalSelect(Vector.GreaterThan(y, Vector<float>.Zero), dy, Vector<float>.Zero);
    }
}

/// <summary>ONNX LeakyRelu: x where x is not negative, else alpha x.</summary>
/// <param name="Alpha">Slope on the negative side.</param>
public sealed record LeakyRelu(float Alpha = 0.01f) : Unary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new LeakyReluGradient(Alpha), y.Inputs[0], dy)];

    public override void Map(ReadOnlySpan<float> x, Span<float> y) => Numerics.Map.Apply<Expression>(x, Alpha, y);

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("alpha", Alpha));

    private readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> alpha) => Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), alpha * x, x);
    }
}

/// <summary>dy where x is not negative, else alpha dy.</summary>
public sealed record LeakyReluGradient(float Alpha) : UnaryGradient
{
    public override void Map(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> y) => Numerics.Map.Apply<Expression>(x, dy, Alpha, y);

    private readonly struct Expression : IMap3
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> dy, Vector<float> alpha) =>
            Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), alpha * dy, dy);
    }
}

/// <summary>ONNX ThresholdedRelu: x where x is above alpha, else 0.</summary>
public sealed record ThresholdedRelu(float Alpha = 1) : Unary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new ThresholdedReluGradient(Alpha), y.Inputs[0], dy)];

    public override void Map(ReadOnlySpan<float> x, Span<float> y) => Numerics.Map.Apply<Expression>(x, x, Alpha, y);

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("alpha", Alpha));

    internal readonly struct Expression : IMap3
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> taken, Vector<float> alpha) =>
            Vector.ConditionalSelect(Vector.GreaterThan(x, alpha), taken, Vector<float>.Zero);
    }
}

/// <summary>dy where x is above alpha, else 0.</summary>
public sealed record ThresholdedReluGradient(float Alpha) : UnaryGradient
{
    public override void Map(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> y) => Numerics.Map.Apply<ThresholdedRelu.Expression>(x, dy, Alpha, y);
}

/// <summary>ONNX PRelu: x where x is not negative, else slope x; the slope broadcasts.</summary>
public sealed record PRelu : Mapped2<PRelu.Expression>
{
    public override Node?[] Gradient(Node y, Node dy)
    {
        Node x = y.Inputs[0], slope = y.Inputs[1], zero = y.Graph.Constant(0);
        return [y.Graph.Add(new Where(), y.Graph.Add(new Less(), x, zero), dy * slope, dy), dy * y.Graph.Add(new Min(), x, zero)];
    }

    public readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => Vector.ConditionalSelect(Vector.LessThan(a, Vector<float>.Zero), a * b, a);
    }
}
