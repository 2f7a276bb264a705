using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Alignment;

/// <summary>Products of rows that arrive some columns at a time: each part in single precision, their sum in double.</summary>
internal sealed class RowProducts
{
    private const int Panel = 128;

    private readonly int _rows, _first;
    private readonly RowMoments _moments;
    private readonly double[] _products;
    private float[] _panel = [];

    /// <param name="rows">Number of rows.</param>
    /// <param name="first">How many rows are compared with those after them; all of them where each is compared with each.</param>
    /// <param name="centred">Whether products are those of deviations from the rows' means.</param>
    public RowProducts(int rows, int first, bool centred) => (_rows, _first, _moments, _products) = (rows, first, new(rows, centred), new double[(long)first * rows]);

    private bool IsFull => _first == _rows;

    /// <summary>Takes more columns.</summary>
    /// <param name="part">[rows, columns]; it is used up.</param>
    /// <param name="columns">Their number.</param>
    public void Add(float[] part, int columns)
    {
        double[] shifts = _moments.Add(part, columns);
        // A centred column is zero: what it says is all in the means.
        bool plain = columns > 1 || !_moments.Centred;
        for (int from = 0; from < _first; from += Panel)
        {
            int count = Math.Min(Panel, _first - from), column = IsFull ? from : _first, width = _rows - column;
            if (plain)
            {
                if (_panel.Length < count * width) _panel = new float[count * width];
                Gemm.Multiply(count, width, columns, part.AsSpan(from * columns, count * columns), false, part.AsSpan(column * columns, width * columns), true, _panel.AsSpan(0, count * width));
            }

            Cores.ForRange(count, Math.Max(1, Cores.WorthSharing / width), (This: this, from, column, width, shifts, plain), static (s, start, end) =>
            {
                for (int row = start; row < end; row++) s.This.Accumulate(s.from + row, s.column, s.plain ? s.This._panel.AsSpan(row * s.width, s.width) : [], s.shifts);
            });
        }
    }

    private void Accumulate(int row, int column, ReadOnlySpan<float> products, double[] shifts)
    {
        Span<double> sums = _products.AsSpan(row * _rows + column, _rows - column);
        for (int i = 0; i < products.Length; i++) sums[i] += products[i];
        if (_moments.Centred && shifts[row] != 0) TensorPrimitives.MultiplyAdd(shifts.AsSpan(column), shifts[row], sums, sums);
    }

    /// <summary>Similarities of the rows, [first, rows]; where not each is compared with each, those of the first rows with one another stay zero. Uses the sums up.</summary>
    public double[] Similarity(SimilarityMeasure measure)
    {
        Divisor divisor = new(measure, _moments);
        for (int row = 0; row < _first; row++)
        {
            for (int column = IsFull ? row : _first; column < _rows; column++)
            {
                double similarity = _products[row * _rows + column] / divisor.Of(row, column);
                _products[row * _rows + column] = similarity;
                if (IsFull) _products[column * _rows + row] = similarity;
            }
        }

        return _products;
    }
}

/// <summary>What the product of two rows is divided by, so that it becomes their similarity.</summary>
/// <param name="measure">The similarity.</param>
/// <param name="moments">The rows' squares.</param>
internal sealed class Divisor(SimilarityMeasure measure, RowMoments moments)
{
    /// <summary>Least product of two deviations, or of two lengths: MuDSC's code.</summary>
    private const double Least = 1e-7;

    private readonly double[] _roots = [.. moments.Squares.ToArray().Select(Math.Sqrt)];
    private readonly double _least = measure == SimilarityMeasure.Pearson ? Least * moments.Columns : Least;

    /// <summary>Of the product of two rows.</summary>
    public double Of(int row, int other) => measure == SimilarityMeasure.InnerProduct ? 1 : Math.Max(_roots[row] * _roots[other], _least);
}
