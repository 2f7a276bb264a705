using System.Collections.Immutable;
using Amalgam.Transfer;

namespace Amalgam.Zoo.Runs;

/// <summary>What became of one spliced weight, in numbers.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Global">Of CKI, each model's global term, where it is made for each sample the mean; empty for coefficients.</param>
/// <param name="Shares">What is taken of each model: of coefficients the coefficient.</param>
public sealed record SplicedSummary(string Name, Shape Shape, ImmutableArray<double> Global, ImmutableArray<ShareSummary> Shares)
{
    /// <summary>Sums up a weight.</summary>
    public static SplicedSummary Of(SplicedWeight weight) =>
        new(weight.Name, IsOfSamples(weight) ? new(weight.Shape.Sizes[1..]) : weight.Shape, [.. weight.Global.Select(g => Mean(g.Span))], [.. weight.Shares.Select(s => ShareSummary.Of(s.Span))]);

    /// <summary>Whether the weight is made for each sample.</summary>
    internal static bool IsOfSamples(SplicedWeight weight) => !weight.Global.IsEmpty && weight.Global[0].Count > 1;

    internal static double Mean(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values) sum += value;
        return sum / Math.Max(1, values.Length);
    }
}

/// <summary>How shares of one model are spread over a weight's positions.</summary>
/// <param name="Mean">Their mean.</param>
/// <param name="Low">Their 5 % quantile.</param>
/// <param name="High">Their 95 % quantile.</param>
public sealed record ShareSummary(double Mean, double Low, double High)
{
    internal static ShareSummary Of(ReadOnlySpan<float> shares)
    {
        float[] sorted = shares.ToArray();
        Array.Sort(sorted);
        return new(SplicedSummary.Mean(shares), Quantile(sorted, 0.05), Quantile(sorted, 0.95));
    }

    /// <summary>The quantile between the two nearest values, as NumPy's default is.</summary>
    private static double Quantile(float[] sorted, double share)
    {
        if (sorted.Length == 0) return double.NaN;
        double at = share * (sorted.Length - 1);
        int below = (int)at, above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + (at - below) * ((double)sorted[above] - sorted[below]);
    }
}
