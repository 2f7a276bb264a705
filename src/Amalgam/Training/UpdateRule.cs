using System.Collections.Immutable;

namespace Amalgam.Training;

/// <summary>How a parameter follows from its gradient: a record whose properties are the rule's constants. State (momentum, moments) is kept by <see cref="Optimizer"/>.</summary>
/// <param name="WeightDecay">Multiple of the parameter that counts as part of its gradient, or is subtracted apart from it, as the rule says.</param>
public abstract record UpdateRule(double WeightDecay)
{
    /// <summary>Elements that <see cref="Apply"/> gets at most: what a rule needs beside them stays in the first-level cache.</summary>
    public const int Block = 2048;

    /// <summary>Multiple of the parameter, zero or more.</summary>
    public double WeightDecay { get; init; } = WeightDecay is >= 0 and < double.PositiveInfinity ? WeightDecay
        : throw new ArgumentOutOfRangeException(nameof(WeightDecay), WeightDecay, "weight decay must be 0 or more");

    /// <summary>The name in run descriptions.</summary>
    public abstract string Name { get; }

    /// <summary>Names of the tensors that are kept for each parameter, in its shape and zero at first; two at most.</summary>
    public abstract ImmutableArray<string> Slots { get; }

    /// <summary>Takes one step with a block of a parameter. Element i depends on elements i alone.</summary>
    /// <param name="step">Its number and sizes.</param>
    /// <param name="w">The parameter, changed in place.</param>
    /// <param name="dw">The gradient, to be multiplied by <see cref="UpdateStep.GradientScale"/>.</param>
    /// <param name="first">The first slot; empty when there is none.</param>
    /// <param name="second">The second slot; empty when there is none.</param>
    public abstract void Apply(UpdateStep step, Span<float> w, ReadOnlySpan<float> dw, Span<float> first, Span<float> second);

    /// <summary>A constant that must lie in [0, 1).</summary>
    private protected static double Share(double value, string name) =>
        value is >= 0 and < 1 ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} must be in [0, 1)");
}

/// <summary>One step of an <see cref="UpdateRule"/>.</summary>
/// <param name="Number">From 1 on.</param>
/// <param name="Rate">The learning rate.</param>
/// <param name="WeightDecay">The weight decay of this parameter.</param>
/// <param name="GradientScale">What gradients are multiplied by, so that clipping needs no pass of its own.</param>
public readonly record struct UpdateStep(long Number, double Rate, double WeightDecay, double GradientScale = 1);
