using System.Numerics;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>Silu or Swish: x sigmoid(x).</summary>
public sealed record Silu : Mapped1<Silu.Expression>
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new SiluGradient(), y.Inputs[0], dy)];

    public override string Export(Node y, OnnxExport to) => to.Emit("Mul", [to[y.Inputs[0]], to.Emit("Sigmoid", y)]);

    public readonly struct Expression : IMap1
    {
        public static Vector<float> Invoke(Vector<float> x) => x * Special.Sigmoid(x);
    }
}

/// <summary>dy s (1 + x (1 - s)) with s = sigmoid(x).</summary>
public sealed record SiluGradient : UnaryGradient
{
    public override void Map(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> y) => Numerics.Map.Apply<Expression>(x, dy, y);

    private readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> dy)
        {
            Vector<float> s = Special.Sigmoid(x);
            return dy * s * (Vector<float>.One + x * (Vector<float>.One - s));
        }
    }
}

/// <summary>ONNX Mish: x tanh(softplus(x)).</summary>
public sealed record Mish : Mapped1<Mish.Expression>
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new MishGradient(), y.Inputs[0], dy)];

    public override string Export(Node y, OnnxExport to) => to.Emit("Mul", [to[y.Inputs[0]], to.Emit("Tanh", [to.Emit("Softplus", y)])]);

    /// <summary>tanh(softplus(x)) = n / (n + 2) with n = e^x (e^x + 2); from 20 on it is 1.</summary>
    internal static Vector<float> Gate(Vector<float> x)
    {
        Vector<float> e = Special.Exp(Vector.Min(x, new(20))), n = e * (e + new Vector<float>(2));
        return n / (n + new Vector<float>(2));
    }

    public readonly struct Expression : IMap1
    {
        public static Vector<float> Invoke(Vector<float> x) => x * Gate(x);
    }
}

/// <summary>dy (w + x sigmoid(x) (1 - w^2)) with w = tanh(softplus(x)).</summary>
public sealed record MishGradient : UnaryGradient
{
    public override void Map(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> y) => Numerics.Map.Apply<Expression>(x, dy, y);

    private readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> dy)
        {
            Vector<float> w = Mish.Gate(x);
            return dy * (w + x * Special.Sigmoid(x) * (Vector<float>.One - w) * (Vector<float>.One + w));
        }
    }
}

/// <summary>ONNX HardSwish: x limit(x / 6 + 1/2, 0, 1).</summary>
public sealed record HardSwish : Mapped1<HardSwish.Expression>
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new HardSwishGradient(), y.Inputs[0], dy)];

    public readonly struct Expression : IMap1
    {
        public static Vector<float> Invoke(Vector<float> x) =>
            x * Vector.Min(Vector.Max(x * (1 / 6f) + new Vector<float>(0.5f), Vector<float>.Zero), Vector<float>.One);
    }
}

/// <summary>dy (x / 3 + 1/2) between -3 and 3, 0 below and dy above.</summary>
public sealed record HardSwishGradient : UnaryGradient
{
    public override void Map(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> y) => Numerics.Map.Apply<Expression>(x, dy, y);

    private readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> dy)
        {
            Vector<float> three = new(3), slope = x * (1 / 3f) + new Vector<float>(0.5f);
            slope = Vector.ConditionalSelect(Vector.LessThanOrEqual(x, -three), Vector<float>.Zero, slope);
            return dy * Vector.ConditionalSelect(Vector.GreaterThanOrEqual(x, three), Vector<float>.One, slope);
        }
    }
}

/// <summary>ONNX Softplus: log(1 + exp(x)).</summary>
public sealed record Softplus : Mapped1<Softplus.Expression>
{
    public override Node?[] Gradient(Node y, Node dy) => [dy * y.Inputs[0].Sigmoid()];

    public readonly struct Expression : IMap1
    {
        public static Vector<float> Invoke(Vector<float> x) => Special.Softplus(x);
    }
}

/// <summary>ONNX Softsign: x / (1 + |x|).</summary>
public sealed record Softsign : Mapped1<Softsign.Expression>
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new SoftsignGradient(), y.Inputs[0], dy)];

    public readonly struct Expression : IMap1
    {
        public static Vector<float> Invoke(Vector<float> x) => x / (Vector<float>.One + Vector.Abs(x));
    }
}

/// <summary>dy / (1 + |x|)^2.</summary>
public sealed record SoftsignGradient : UnaryGradient
{
    public override void Map(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> y) => Numerics.Map.Apply<Expression>(x, dy, y);

    private readonly struct Expression : IMap2
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> dy)
        {
            Vector<float> d = Vector<float>.One + Vector.Abs(x);
            return dy / d / d;
        }
    }
}
