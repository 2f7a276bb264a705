namespace Amalgam.Alignment.Layers;

/// <summary>Linear centred kernel alignment (Kornblith et al., Similarity of Neural Network Representations Revisited, 2019), centred over samples.</summary>
public static class LinearCka
{
    /// <summary>The alignment of two layers by what they give for the same samples, in [0, 1]: it does not change when a side is rotated or scaled.</summary>
    /// <param name="x">[samples, features], row by row.</param>
    /// <param name="y">[samples, features]; it may have another number of features.</param>
    /// <param name="samples">Number of samples.</param>
    /// <returns>0 where a side is the same for every sample.</returns>
    /// <exception cref="ArgumentException">The numbers do not make whole samples.</exception>
    public static double Of(ReadOnlySpan<float> x, ReadOnlySpan<float> y, int samples) => Products(x, samples).Cka(Products(y, samples));

    private static SampleProducts Products(ReadOnlySpan<float> values, int samples)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(samples);
        if (values.Length % samples != 0) throw new ArgumentException($"{values.Length} numbers are no {samples} samples", nameof(values));
        SampleProducts products = new(samples, values.Length / samples);
        products.Add([.. values], 0, values.Length / samples);
        return products;
    }
}
