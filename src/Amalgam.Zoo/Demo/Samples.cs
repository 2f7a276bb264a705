namespace Amalgam.Zoo.Demo;

/// <summary>Labelled points.</summary>
/// <param name="Inputs">One point after the other, <see cref="Problem.Inputs"/> numbers each.</param>
/// <param name="Labels">The class of each point, from 0.</param>
public sealed record Samples(double[] Inputs, int[] Labels)
{
    /// <summary>Number of points.</summary>
    public int Count => Labels.Length;

    /// <summary>The numbers of one point.</summary>
    public ReadOnlySpan<double> this[int i] => Inputs.AsSpan(i * Problem.Inputs, Problem.Inputs);
}
