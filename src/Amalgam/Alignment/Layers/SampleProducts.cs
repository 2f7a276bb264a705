using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Alignment.Layers;

/// <summary>
/// What a layer gives for some samples, as linear CKA needs it: the inner products of every two samples, or where there are fewer features than samples the features themselves, which
/// takes no more memory. All is centred over samples.
/// </summary>
internal sealed class SampleProducts
{
    /// <summary>Below this share of the uncentred squares, what is left after centring is rounding: the layer gives the same for every sample.</summary>
    private const double Rounding = 1e-10;

    /// <summary>The products are symmetric: by so many bands of rows, each from its diagonal on, five eighths of them are computed.</summary>
    private const int Bands = 4;

    private readonly int _samples, _features;
    private readonly float[]? _values, _products;
    private double _squaresOfMeans;
    private bool _isMirrored;

    /// <param name="samples">Number of samples.</param>
    /// <param name="features">Numbers that the layer gives for a sample.</param>
    public SampleProducts(int samples, int features)
    {
        (_samples, _features) = (samples, features);
        if (features <= samples) _values = new float[(long)samples * features];
        else _products = new float[(long)samples * samples];
    }

    /// <summary>Whether all that was added were finite numbers.</summary>
    public bool IsFinite => double.IsFinite(_squaresOfMeans + Squares);

    /// <summary>Sum of the squares of all centred values.</summary>
    private double Squares => _values is not null ? Sums.SumOfSquares(_values) : Enumerable.Range(0, _samples).Sum(sample => (double)_products![sample * (_samples + 1)]);

    /// <summary>The squared norm of the centred products with themselves, zero for a layer that gives the same for every sample.</summary>
    private double Norm => field > 0 ? field : field = Squares is var squares && squares <= Rounding * (squares + _squaresOfMeans) ? 0 : Shared(this);

    /// <summary>Adds some of the features of all samples.</summary>
    /// <param name="values">[samples, count], row by row; it is centred in place.</param>
    /// <param name="first">Index of the first of them.</param>
    /// <param name="count">How many.</param>
    public void Add(Span<float> values, int first, int count)
    {
        Centre(values, count);
        if (_values is not null)
        {
            for (int sample = 0; sample < _samples; sample++) values.Slice(sample * count, count).CopyTo(_values.AsSpan(sample * _features + first, count));
            return;
        }

        int band = (_samples + Bands - 1) / Bands;
        float[] room = new float[band * _samples];
        for (int from = 0; from < _samples; from += band)
        {
            int rows = Math.Min(band, _samples - from), columns = _samples - from;
            Span<float> products = room.AsSpan(0, rows * columns);
            Gemm.Multiply(rows, columns, count, values.Slice(from * count, rows * count), false, values[(from * count)..], true, products);
            for (int row = 0; row < rows; row++)
            {
                Span<float> sums = _products.AsSpan(((from + row) * _samples) + from, columns);
                TensorPrimitives.Add(sums, products.Slice(row * columns, columns), sums);
            }
        }
    }

    /// <summary>Linear CKA of two layers over the same samples, in [0, 1]; 0 where one gives the same for every sample.</summary>
    public double Cka(SampleProducts other)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(other._samples, _samples);
        double norms = Math.Sqrt(Norm) * Math.Sqrt(other.Norm);
        return norms > 0 ? Math.Clamp(Shared(other) / norms, 0, 1) : 0;
    }

    /// <summary>The sum over pairs of samples of the product of both layers' inner products: of features, the squared norm of their products across layers.</summary>
    private double Shared(SampleProducts other)
    {
        if (_values is null || other._values is null) return Sums.Dot(Products(), other.Products());
        float[] across = new float[_features * other._features];
        Gemm.Multiply(_features, other._features, _samples, _values, true, other._values, false, across);
        return Sums.SumOfSquares(across);
    }

    private float[] Products()
    {
        if (_values is not null)
        {
            float[] products = new float[_samples * _samples];
            Gemm.Multiply(_samples, _samples, _features, _values, false, _values, true, products);
            return products;
        }

        for (int row = 1; row < _samples && !_isMirrored; row++)
        {
            for (int column = 0; column < row; column++) _products![row * _samples + column] = _products[column * _samples + row];
        }

        _isMirrored = true;
        return _products!;
    }

    /// <summary>Subtracts each feature's mean over the samples. What rounding leaves of a mean is to it as a float's last digits are, and counts by its square.</summary>
    private void Centre(Span<float> values, int count)
    {
        float[] means = new float[count];
        for (int sample = 0; sample < _samples; sample++) TensorPrimitives.Add(means, values.Slice(sample * count, count), means);
        TensorPrimitives.Divide(means, _samples, means);
        _squaresOfMeans += _samples * Sums.SumOfSquares(means);
        for (int sample = 0; sample < _samples; sample++)
        {
            Span<float> row = values.Slice(sample * count, count);
            TensorPrimitives.Subtract(row, means, row);
        }
    }
}
