using System.Numerics;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Gelu: x Phi(x), Phi being the normal distribution (D. Hendrycks and K. Gimpel, Gaussian Error Linear Units, 2016).</summary>
/// <param name="Tanh">The approximation 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).</param>
public sealed record Gelu(bool Tanh = false) : Unary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new GeluGradient(Tanh), y.Inputs[0], dy)];

    public override void Map(ReadOnlySpan<float> x, Span<float> y)
    {
        if (Tanh) Numerics.Map.Apply<ByTanh>(x, y);
        else Numerics.Map.Apply<ByErf>(x, y);
    }

    public override string Export(Node y, OnnxExport to)
    {
        string x = to[y.Inputs[0]];
        string Number(float value) => to.Constant(Tensor.Scalar(value), y.Type);
        string half = to.Emit("Mul", [x, Number(0.5f)]);
        if (!Tanh) return to.Emit("Mul", [half, to.Emit("Add", [to.Emit("Erf", [to.Emit("Div", [x, Number(MathF.Sqrt(2))])]), Number(1)])]);
        string cube = to.Emit("Mul", [to.Emit("Pow", [x, Number(3)]), Number(0.044715f)]);
        string tanh = to.Emit("Tanh", [to.Emit("Mul", [to.Emit("Add", [x, cube]), Number(MathF.Sqrt(2 / MathF.PI))])]);
        return to.Emit("Mul", [half, to.Emit("Add", [tanh, Number(1)])]);
    }

    public override long Work(Node y) => 20 * y.Shape.Count;

    private readonly struct ByErf : IMap1
    {
        public static Vector<float> Invoke(Vector<float> x) => x * Special.Normal(x, Special.Exp(-0.5f * x * x));
    }

    private readonly struct ByTanh : IMap1
    {
        // (1 + tanh u) / 2 = sigmoid(2 u)
        public static Vector<float> Invoke(Vector<float> x) => x * Special.Sigmoid(1.5957691f * x * (Vector<float>.One + 0.044715f * x * x));
    }
}

/// <summary>dy (Phi(x) + x phi(x)), or the derivative of the tanh approximation.</summary>
public sealed record GeluGradient(bool Tanh = false) : UnaryGradient
{
    public override void Map(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> y)
    {
        if (Tanh) Numerics.Map.Apply<ByTanh>(x, dy, y);
        else Numerics.Map.Apply<ByErf>(x, dy, y);
    }

    public override long Work(Node y) => 20 * y.Shape.Count;

    private readonly struct ByErf : IMap2
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> dy)
        {
            Vector<float> exponential = Special.Exp(-0.5f * x * x);
            return dy * (Special.Normal(x, exponential) + 0.39894228f * x * exponential);
        }
    }

    private readonly struct ByTanh : IMap2
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> dy)
        {
            Vector<float> square = x * x;
            Vector<float> s = Special.Sigmoid(1.5957691f * x * (Vector<float>.One + 0.044715f * square));
            return dy * (s + x * s * (Vector<float>.One - s) * 1.5957691f * (Vector<float>.One + 0.134145f * square));
        }
    }
}

/// <summary>ONNX Erf: the error function.</summary>
public sealed record Erf : Mapped1<Erf.Expression>
{
    public override Node?[] Gradient(Node y, Node dy) => [dy * (-(y.Inputs[0] * y.Inputs[0])).Exp() * (2 / MathF.Sqrt(MathF.PI))];

    public readonly struct Expression : IMap1
    {
        public static Vector<float> Invoke(Vector<float> x) => Special.Erf(x);
    }
}
