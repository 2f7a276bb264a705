using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Alignment;

/// <summary>
/// Means, variances and products of rows of numbers that arrive in panels of columns. Each row is shifted by its mean over the first panel, so that products of single precision
/// do not cancel; the products of a panel are added in double. A float sum of n products of either sign is off by
/// about sqrt(n) 2^-24, so a covariance is within <see cref="Rounding"/> of two passes in double, 1e-7 being usual; the activations, which networks compute in float, are no more exact.
/// </summary>
internal sealed class UnitSums
{
    /// <summary>Most columns of a panel: sums in single precision stay short, and panels in the cache.</summary>
    public const int MostColumns = 1024;

    /// <summary>What rounding leaves of a panel's sum of products, as a share of the product of deviations.</summary>
    public static readonly double Rounding = Math.Sqrt(MostColumns) / (1 << 24);

    /// <summary>Rows whose products are taken at once.</summary>
    private const int RowsAtOnce = 128;

    private readonly float[] _shift;
    private readonly double[] _sum, _squares;
    private readonly double[][] _products;
    private readonly int _models, _units;

    /// <param name="models">Number of models.</param>
    /// <param name="units">Units of each; row model * units + unit.</param>
    /// <param name="full">Products of all rows with all; else only those of the first model's with the others'.</param>
    public UnitSums(int models, int units, bool full)
    {
        (_models, _units, IsFull) = (models, units, full);
        (_shift, _sum, _squares) = (new float[Rows], new double[Rows], new double[Rows]);
        _products = [.. Enumerable.Range(0, (Left + RowsAtOnce - 1) / RowsAtOnce).Select(block => new double[checked(Math.Min(RowsAtOnce, Left - block * RowsAtOnce) * (Rows - First(block)))])];
    }

    /// <summary>Number of rows.</summary>
    public int Rows => _models * _units;

    /// <summary>Whether there are products of all rows with all.</summary>
    public bool IsFull { get; }

    /// <summary>Number of columns so far.</summary>
    public long Count { get; private set; }

    /// <summary>Multiplications for each column.</summary>
    public long Work => IsFull ? (long)Rows * Rows / 2 : (long)_units * (Rows - _units);

    /// <summary>Rows that products are taken of.</summary>
    private int Left => IsFull ? Rows : _units;

    /// <summary>The first row by which the rows of a block are multiplied: products are symmetric, so none before their own.</summary>
    private int First(int block) => IsFull ? block * RowsAtOnce : _units;

    /// <summary>Adds columns.</summary>
    /// <param name="panel">[rows, columns]; it is shifted in place.</param>
    /// <param name="columns">At most <see cref="MostColumns"/>.</param>
    /// <param name="c">Room for products, of <see cref="Room"/> elements.</param>
    public void Add(Span<float> panel, int columns, Span<float> c)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(panel.Length, Rows * columns);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(columns, MostColumns);
        for (int row = 0; row < Rows; row++)
        {
            Span<float> x = panel.Slice(row * columns, columns);
            if (Count == 0) _shift[row] = (float)(Sums.Sum(x) / columns);
            TensorPrimitives.Subtract(x, _shift[row], x);
            _sum[row] += Sums.Sum(x);
            _squares[row] += Sums.SumOfSquares(x);
        }

        Count += columns;
        for (int block = 0; block < _products.Length; block++)
        {
            int from = block * RowsAtOnce, rows = Math.Min(RowsAtOnce, Left - from);
            Span<float> products = c[.._products[block].Length];
            Gemm.Multiply(rows, Rows - First(block), columns, panel.Slice(from * columns, rows * columns), false, panel[(First(block) * columns)..], true, products);
            AddTo(products, _products[block]);
        }
    }

    /// <summary>Room that <see cref="Add"/> needs.</summary>
    public int Room => _products.Max(block => block.Length);

    /// <summary>Mean of a row.</summary>
    public double Mean(int row) => _shift[row] + _sum[row] / Count;

    /// <summary>Population variance of a row.</summary>
    public double Variance(int row) => Math.Max(0, (_squares[row] - _sum[row] * _sum[row] / Count) / Count);

    /// <summary>Population covariance of a row and a later one: any, or one of the first model and one of another.</summary>
    public double Covariance(int row, int later)
    {
        if (row == later) return Variance(row);
        int block = row / RowsAtOnce, first = First(block);
        double product = _products[block][(row - block * RowsAtOnce) * (Rows - first) + later - first];
        return (product - _sum[row] * _sum[later] / Count) / Count;
    }

    private static void AddTo(ReadOnlySpan<float> x, Span<double> y)
    {
        for (int i = 0; i < x.Length; i++) y[i] += x[i];
    }
}
