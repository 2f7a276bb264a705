using System.Collections.Immutable;
using System.Numerics.Tensors;

namespace Amalgam.Training;

/// <summary>
/// Gradient descent with momentum, as PyTorch's SGD with dampening 0: g = dw + decay w; m = momentum m + g; w -= rate m, or with Nesterov's momentum
/// w -= rate (g + momentum m).
/// </summary>
/// <param name="Momentum">Share of the step before that is kept, in [0, 1); 0 for none.</param>
/// <param name="Nesterov">Whether the step looks ahead (Sutskever, Martens, Dahl and Hinton, On the importance of initialization and momentum in deep learning, 2013).</param>
/// <param name="WeightDecay">Multiple of the parameter that is added to its gradient.</param>
public sealed record Sgd(double Momentum = 0, bool Nesterov = false, double WeightDecay = 0) : UpdateRule(WeightDecay)
{
    /// <summary>Share of the step before that is kept.</summary>
    public double Momentum { get; init; } = Share(Momentum, nameof(Momentum));

    /// <summary>Whether the step looks ahead.</summary>
    public bool Nesterov { get; init; } = !Nesterov || Momentum > 0 ? Nesterov : throw new ArgumentException("Nesterov's momentum needs a momentum above 0", nameof(Nesterov));

    public override string Name => "sgd";

    public override ImmutableArray<string> Slots => Momentum == 0 ? [] : ["momentum"];

    public override void Apply(UpdateStep step, Span<float> w, ReadOnlySpan<float> dw, Span<float> first, Span<float> second)
    {
        Span<float> g = stackalloc float[Block];
        g = g[..w.Length];
        TensorPrimitives.Multiply(dw, (float)step.GradientScale, g);
        if (step.WeightDecay != 0) TensorPrimitives.MultiplyAdd(w, (float)step.WeightDecay, g, g);
        if (Momentum != 0)
        {
            TensorPrimitives.MultiplyAdd(first, (float)Momentum, g, first);
            if (Nesterov) TensorPrimitives.MultiplyAdd(first, (float)Momentum, g, g);
            else first.CopyTo(g);
        }

        TensorPrimitives.MultiplyAdd(g, (float)-step.Rate, w, w);
    }
}
