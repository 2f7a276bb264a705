using System.Numerics;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>ONNX Elu: x where x is positive, else alpha (exp(x) - 1).</summary>
public sealed record Elu(float Alpha = 1) : Unary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new EluGradient(1, Alpha, 1), y.Inputs[0], dy)];

    public override void Map(ReadOnlySpan<float> x, Span<float> y) => Numerics.Map.Apply<Expression>(x, x, Alpha, 1, y);

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("alpha", Alpha));

    /// <summary>x where x is positive, else alpha (exp(rate x) - 1).</summary>
    internal readonly struct Expression : IMap4
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> same, Vector<float> alpha, Vector<float> rate) =>
            Vector.ConditionalSelect(Vector.GreaterThan(x, Vector<float>.Zero), same, alpha * Special.ExpM1(rate * x));
    }
}

/// <summary>ONNX Celu: x where x is positive, else alpha (exp(x / alpha) - 1).</summary>
public sealed record Celu(float Alpha = 1) : Unary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new EluGradient(1, 1, 1 / Alpha), y.Inputs[0], dy)];

    public override void Map(ReadOnlySpan<float> x, Span<float> y) => Numerics.Map.Apply<Elu.Expression>(x, x, Alpha, 1 / Alpha, y);

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("alpha", Alpha));
}

/// <summary>ONNX Selu: gamma x where x is positive, else gamma alpha (exp(x) - 1). The constants are those of Klambauer et al., Self-Normalizing Neural Networks, 2017.</summary>
public sealed record Selu(float Alpha = 1.67326319217681884765625f, float Gamma = 1.05070102214813232421875f) : Unary
{
    public override Node?[] Gradient(Node y, Node dy) => [dy.Graph.Add(new EluGradient(Gamma, Gamma * Alpha, 1), y.Inputs[0], dy)];

    public override void Map(ReadOnlySpan<float> x, Span<float> y) => Numerics.Map.Apply<Expression>(x, x, Alpha, Gamma, y);

    public override string Export(Node y, OnnxExport to) => to.Emit(Name, y, ("alpha", Alpha), ("gamma", Gamma));

    private readonly struct Expression : IMap4
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> same, Vector<float> alpha, Vector<float> gamma) =>
            gamma * Vector.ConditionalSelect(Vector.GreaterThan(x, Vector<float>.Zero), same, alpha * Special.ExpM1(x));
    }
}

/// <summary>above dy where x is positive, else below exp(rate x) dy: the gradient of Elu and its kin.</summary>
/// <param name="Above">Slope on the positive side.</param>
/// <param name="Below">Slope just below zero.</param>
/// <param name="Rate">How fast the slope falls below zero.</param>
public sealed record EluGradient(float Above, float Below, float Rate) : UnaryGradient
{
    public override void Map(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> y)
    {
        Numerics.Map.Apply<Expression>(x, dy, Below / Above, Rate, y);
        if (Above != 1) System.Numerics.Tensors.TensorPrimitives.Multiply(y, Above, y);
    }

    private readonly struct Expression : IMap4
    {
        public static Vector<float> Invoke(Vector<float> x, Vector<float> dy, Vector<float> below, Vector<float> rate) =>
            dy * Vector.ConditionalSelect(Vector.GreaterThan(x, Vector<float>.Zero), Vector<float>.One, below * Special.Exp(rate * x));
    }
}
