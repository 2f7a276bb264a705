using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Alignment;

/// <summary>
/// Means and sums of squares of rows that arrive some columns at a time, so that the whole matrix is never held: each part is centred by itself, and the parts are put together by
/// their means (Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for computing sample variances, 1979).
/// </summary>
/// <param name="rows">Number of rows.</param>
/// <param name="centred">Whether squares are those of deviations from the mean.</param>
internal sealed class RowMoments(int rows, bool centred)
{
    private readonly double[] _means = new double[rows], _squares = new double[rows], _shifts = new double[rows];

    /// <summary>Columns so far.</summary>
    public long Columns { get; private set; }

    /// <summary>Whether squares are those of deviations from the mean.</summary>
    public bool Centred => centred;

    /// <summary>Sums of squares, of deviations from the mean or plain.</summary>
    public ReadOnlySpan<double> Squares => _squares;

    /// <summary>Takes more columns.</summary>
    /// <param name="part">[rows, columns], which becomes the deviations from the part's own means where that is what counts.</param>
    /// <param name="columns">Their number.</param>
    /// <returns>What the products of rows of different parts lack: element i times element j is added to the product of rows i and j of this part.</returns>
    public double[] Add(float[] part, int columns)
    {
        double share = Columns / (double)(Columns + columns);
        double root = Math.Sqrt(share * columns);
        Cores.ForRange(rows, Math.Max(1, Cores.WorthSharing / columns), (This: this, part, columns, share, root), static (s, from, to) =>
        {
            for (int row = from; row < to; row++) s.This.Add(row, s.part.AsSpan(row * s.columns, s.columns), s.share, s.root);
        });
        Columns += columns;
        return _shifts;
    }

    private void Add(int row, Span<float> x, double share, double root)
    {
        if (centred)
        {
            double mean = Sums.Sum(x) / x.Length, shift = mean - _means[row];
            TensorPrimitives.Subtract(x, (float)mean, x);
            _means[row] += shift * (1 - share);
            _shifts[row] = shift * root;
        }

        _squares[row] += Sums.SumOfSquares(x) + _shifts[row] * _shifts[row];
    }
}
