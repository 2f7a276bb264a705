using Amalgam.Numerics;

namespace Amalgam.Alignment.Layers;

/// <summary>
/// What a layer gives for some samples, as linear CKA needs it: the inner products of every two samples, or where there are fewer features than samples the features themselves, which
/// takes no more memory. All is centred over samples.
/// </summary>
internal sealed class SampleProducts
{
    /// <summary>Below this share of the uncentred squares, what is left after centring is rounding: the layer gives the same for every sample.</summary>
    private const double Rounding = 1e-12;

    private readonly int _samples;
    private readonly int _features;
    private readonly float[]? _values;
    private readonly float[]? _products;
    private double _squares, _centred;

    /// <param name="samples">Number of samples.</param>
    /// <param name="features">Numbers that the layer gives for a sample.</param>
    public SampleProducts(int samples, int features)
    {
        (_samples, _features) = (samples, features);
        if (IsSmall) _values = new float[(long)samples * features];
        else _products = new float[(long)samples * samples];
    }

    /// <summary>Whether all that was added were finite numbers.</summary>
    public bool IsFinite => double.IsFinite(_squares);

    /// <summary>Whether the features are kept.</summary>
    private bool IsSmall => _features <= _samples;

    /// <summary>The squared norm of the centred products with themselves, zero for a layer that gives the same for every sample.</summary>
    private double Norm => _centred <= Rounding * _squares ? 0 : field > 0 ? field : field = Shared(this);

    /// <summary>Adds some of the features of all samples.</summary>
    /// <param name="values">[samples, count], row by row; it is centred in place.</param>
    /// <param name="first">Index of the first of them.</param>
    /// <param name="count">How many.</param>
    public void Add(Span<float> values, int first, int count)
    {
        _squares += Sums.SumOfSquares(values);
        Centre(values, count);
        _centred += Sums.SumOfSquares(values);
        if (_values is not null)
        {
            for (int sample = 0; sample < _samples; sample++) values.Slice(sample * count, count).CopyTo(_values.AsSpan((sample * _features) + first, count));
            return;
        }

        Gemm.Multiply(_samples, _samples, count, values, false, values, true, _products, add: true);
    }

    /// <summary>Linear CKA of two layers over the same samples, in [0, 1]; 0 where one gives the same for every sample (specification: a zero denominator).</summary>
    public double Cka(SampleProducts other)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(other._samples, _samples);
        double norms = Math.Sqrt(Norm) * Math.Sqrt(other.Norm);
        return norms > 0 ? Math.Clamp(Shared(other) / norms, 0, 1) : 0;
    }

    /// <summary>The sum over pairs of samples of the product of both layers' inner products: of features, the squared norm of their products across layers.</summary>
    private double Shared(SampleProducts other)
    {
        if (_values is null || other._values is null)
        {
            return Sums.Dot(_products ?? Products(), other._products ?? other.Products());
        }

        float[] across = new float[_features * other._features];
        Gemm.Multiply(_features, other._features, _samples, _values, true, other._values, false, across);
        return Sums.SumOfSquares(across);
    }

    private float[] Products()
    {
        float[] products = new float[_samples * _samples];
        Gemm.Multiply(_samples, _samples, _features, _values!, false, _values!, true, products);
        return products;
    }

    /// <summary>Subtracts each feature's mean over the samples.</summary>
    private void Centre(Span<float> values, int count)
    {
        double[] means = new double[count];
        for (int sample = 0; sample < _samples; sample++)
        {
            ReadOnlySpan<float> row = values.Slice(sample * count, count);
            for (int i = 0; i < count; i++) means[i] += row[i];
        }

        float[] mean = [.. means.Select(sum => (float)(sum / _samples))];
        for (int sample = 0; sample < _samples; sample++)
        {
            Span<float> row = values.Slice(sample * count, count);
            System.Numerics.Tensors.TensorPrimitives.Subtract(row, mean, row);
        }
    }
}
