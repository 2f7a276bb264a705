namespace Amalgam.Numerics;

/// <summary>
/// How much of each row's mass goes to each column: the entries that are not zero, by row and then by column. An exact plan has at most <c>Rows + Columns - 1</c> of them.
/// </summary>
public sealed class TransportPlan
{
    private readonly int[] _rowOf, _columnOf, _begin;
    private readonly double[] _mass;

    /// <summary>Makes a plan of entries that stand in order, by row and then by column.</summary>
    internal TransportPlan(int rows, int columns, int[] rowOf, int[] columnOf, double[] mass, double cost)
    {
        (Rows, Columns, _rowOf, _columnOf, _mass, Cost) = (rows, columns, rowOf, columnOf, mass, cost);
        _begin = new int[rows + 1];
        foreach (int row in rowOf) _begin[row + 1]++;
        for (int row = 0; row < rows; row++) _begin[row + 1] += _begin[row];
    }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Row of each entry, ascending.</summary>
    public ReadOnlySpan<int> RowOf => _rowOf;

    /// <summary>Column of each entry, ascending within a row.</summary>
    public ReadOnlySpan<int> ColumnOf => _columnOf;

    /// <summary>Mass of each entry, above 0.</summary>
    public ReadOnlySpan<double> Mass => _mass;

    /// <summary>Sum of cost times mass, without an entropy where there is one.</summary>
    public double Cost { get; }

    /// <summary>Pivots of the simplex or rounds of Sinkhorn's iteration that it took; 0 for an assignment.</summary>
    public int Iterations { get; init; }

    /// <summary>True for exact plans, and for Sinkhorn's where the masses of the rows came within the tolerance.</summary>
    public bool Converged { get; init; } = true;

    /// <summary>Mass that goes from a row to a column.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row or column.</exception>
    public double this[int row, int column]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)column, (uint)Columns, nameof(column));
            int at = Array.BinarySearch(_columnOf, _begin[row], _begin[row + 1] - _begin[row], column);
            return at < 0 ? 0 : _mass[at];
        }
    }

    /// <summary>All entries, row-major.</summary>
    public double[] ToDense()
    {
        double[] dense = new double[checked(Rows * Columns)];
        for (int i = 0; i < _mass.Length; i++) dense[_rowOf[i] * Columns + _columnOf[i]] = _mass[i];
        return dense;
    }
}
