using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Alignment.Fusion;

/// <summary>
/// Distances between the units of two networks, from vectors that arrive in panels of columns. Squares of differences are summed, in float within a panel of at most
/// <see cref="MostColumns"/> columns and in double over panels, so that units that are the same are at distance 0.
/// </summary>
internal sealed class GroundDistances
{
    /// <summary>Most columns of a panel: sums in single precision stay short.</summary>
    public const int MostColumns = 1024;

    private readonly int _rows, _columns;
    private readonly GroundMetric _metric;
    private readonly double[] _sums, _rowSquares, _columnSquares;

    /// <param name="rows">Units of the one network.</param>
    /// <param name="columns">Units of the other.</param>
    /// <param name="metric">What makes them far apart.</param>
    public GroundDistances(int rows, int columns, GroundMetric metric)
    {
        (_rows, _columns, _metric) = (rows, columns, metric);
        (_sums, _rowSquares, _columnSquares) = (new double[checked(rows * columns)], new double[rows], new double[columns]);
    }

    /// <summary>Adds columns.</summary>
    /// <param name="x">[units of the one, width].</param>
    /// <param name="y">[units of the other, width].</param>
    /// <param name="width">Number of columns, at most <see cref="MostColumns"/>.</param>
    public void Add(ReadOnlyMemory<float> x, ReadOnlyMemory<float> y, int width)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, MostColumns);
        Cores.ForRange(_rows, Math.Max(1, Cores.WorthSharing / Math.Max(1, _columns * width)), (Sums: this, x, y, width), static (s, first, end) =>
        {
            for (int row = first; row < end; row++) s.Sums.Add(row, s.x.Span.Slice(row * s.width, s.width), s.y.Span);
        });
        if (_metric != GroundMetric.Cosine) return;
        for (int row = 0; row < _rows; row++) _rowSquares[row] += TensorPrimitives.SumOfSquares(x.Span.Slice(row * width, width));
        for (int column = 0; column < _columns; column++) _columnSquares[column] += TensorPrimitives.SumOfSquares(y.Span.Slice(column * width, width));
    }

    /// <summary>The distances, [units of the one, units of the other].</summary>
    /// <param name="squared">Whether Euclidean ones are squared.</param>
    public double[] Values(bool squared)
    {
        double[] values = new double[_sums.Length];
        for (int row = 0, i = 0; row < _rows; row++)
        {
            for (int column = 0; column < _columns; column++, i++)
            {
                values[i] = _metric == GroundMetric.Euclidean ? (squared ? _sums[i] : Math.Sqrt(_sums[i])) : Cosine(_sums[i], _rowSquares[row], _columnSquares[column]);
            }
        }

        return values;
    }

    private void Add(int row, ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        for (int column = 0; column < _columns; column++)
        {
            ReadOnlySpan<float> other = y.Slice(column * x.Length, x.Length);
            if (_metric == GroundMetric.Cosine)
            {
                _sums[row * _columns + column] += TensorPrimitives.Dot(x, other);
                continue;
            }

            double distance = TensorPrimitives.Distance(x, other);
            _sums[row * _columns + column] += distance * distance;
        }
    }

    /// <summary>A unit that does nothing is at right angles to all that do something.</summary>
    private static double Cosine(double product, double x, double y) => x == 0 || y == 0 ? (x == y ? 0 : 1) : Math.Max(0, 1 - product / Math.Sqrt(x * y));
}
