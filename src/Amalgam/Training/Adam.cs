using System.Collections.Immutable;
using System.Numerics.Tensors;

namespace Amalgam.Training;

/// <summary>
/// Adam (Kingma and Ba, Adam: a method for stochastic optimization, 2015, algorithm 1), with PyTorch's placing of epsilon: with moments m and v of the
/// gradient and t the step, w -= rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon). Weight decay is part of the gradient.
/// </summary>
/// <param name="Beta1">Decay of the first moment, in [0, 1).</param>
/// <param name="Beta2">Decay of the second moment, in [0, 1).</param>
/// <param name="Epsilon">Keeps the divisor from zero.</param>
/// <param name="WeightDecay">Multiple of the parameter that is added to its gradient.</param>
public record Adam(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double WeightDecay = 0) : UpdateRule(WeightDecay)
{
    /// <summary>Decay of the first moment.</summary>
    public double Beta1 { get; init; } = Share(Beta1, nameof(Beta1));

    /// <summary>Decay of the second moment.</summary>
    public double Beta2 { get; init; } = Share(Beta2, nameof(Beta2));

    /// <summary>Keeps the divisor from zero.</summary>
    public double Epsilon { get; init; } = Epsilon > 0 ? Epsilon : throw new ArgumentOutOfRangeException(nameof(Epsilon), Epsilon, "epsilon must be above 0");

    public override string Name => "adam";

    public override ImmutableArray<string> Slots => ["moment1", "moment2"];

    /// <summary>Whether weight decay is apart from the gradient.</summary>
    protected virtual bool DecaysApart => false;

    public override void Apply(UpdateStep step, Span<float> w, ReadOnlySpan<float> dw, Span<float> first, Span<float> second)
    {
        Span<float> g = stackalloc float[Block];
        g = g[..w.Length];
        TensorPrimitives.Multiply(dw, (float)step.GradientScale, g);
        if (step.WeightDecay != 0)
        {
            if (DecaysApart) TensorPrimitives.Multiply(w, (float)(1 - step.Rate * step.WeightDecay), w);
            else TensorPrimitives.MultiplyAdd(w, (float)step.WeightDecay, g, g);
        }

        TensorPrimitives.Multiply(first, (float)Beta1, first);
        TensorPrimitives.MultiplyAdd(g, (float)(1 - Beta1), first, first);
        TensorPrimitives.Multiply(g, g, g);
        TensorPrimitives.Multiply(second, (float)Beta2, second);
        TensorPrimitives.MultiplyAdd(g, (float)(1 - Beta2), second, second);

        TensorPrimitives.Sqrt(second, g);
        TensorPrimitives.Multiply(g, (float)(1 / Math.Sqrt(1 - Math.Pow(Beta2, step.Number))), g);
        TensorPrimitives.Add(g, (float)Epsilon, g);
        TensorPrimitives.Divide(first, g, g);
        TensorPrimitives.MultiplyAdd(g, (float)(-step.Rate / (1 - Math.Pow(Beta1, step.Number))), w, w);
    }
}

/// <summary>Adam whose weight decay is apart from the gradient: w -= rate decay w before the step (Loshchilov and Hutter, Decoupled weight decay regularization, 2019).</summary>
/// <param name="Beta1">Decay of the first moment, in [0, 1).</param>
/// <param name="Beta2">Decay of the second moment, in [0, 1).</param>
/// <param name="Epsilon">Keeps the divisor from zero.</param>
/// <param name="WeightDecay">Share of the parameter that goes at each step, times the rate.</param>
public sealed record AdamW(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double WeightDecay = 0.01) : Adam(Beta1, Beta2, Epsilon, WeightDecay)
{
    public override string Name => "adamw";

    protected override bool DecaysApart => true;
}
