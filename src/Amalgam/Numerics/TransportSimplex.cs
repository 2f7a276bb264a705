using System.Numerics;
using System.Runtime.InteropServices;

namespace Amalgam.Numerics;

/// <summary>
/// Transport at least cost between whole masses: the primal network simplex on a complete bipartite graph. A pivot brings in the arc of the least reduced cost in a block of rows, and the
/// next one goes on after that block (block search as in LEMON; Bonneel, van de Panne, Paris and Heidrich, "Displacement interpolation using Lagrangian mass transport", 2011, use it
/// for transport). A pivot takes time O(rows + columns) and a search at worst O(rows * columns); the number of pivots grows little faster than rows + columns in practice.
/// </summary>
/// <remarks>
/// Masses that sum up alike in parts make trees with empty arcs, on which a simplex can go round for ever; with equal masses that is the rule. So each row is solved with one unit more of a
/// mass scaled by rows + 1 (Orden's perturbation): then no arc of any tree is empty and each pivot lowers the cost, which is what a strongly feasible tree does (Cunningham, "A network simplex
/// method", Mathematical Programming 11, 1976). The tree that is best for these masses is best for those asked for too, and they flow through it in whole units.
/// </remarks>
internal sealed class TransportSimplex
{
    private const int Lanes = 4, Refusal = 1_000;

    private readonly TransportMasses _masses;
    private readonly int _rows, _columns, _stride;
    private readonly double[] _cost, _rowPrices, _columnPrices;
    private readonly TransportTree _tree;
    private double _slack;

    private TransportSimplex(ReadOnlySpan<double> cost, TransportMasses masses)
    {
        (_masses, _rows, _columns) = (masses, masses.Rows.Length, masses.Columns.Length);
        int block = Lanes * Vector<double>.Count;
        _stride = (_columns + block - 1) / block * block;
        _cost = new double[checked(_rows * _stride)];
        (_rowPrices, _columnPrices) = (new double[_rows], new double[_stride]);
        for (int row = 0; row < _rows; row++)
        {
            cost.Slice(row * _columns, _columns).CopyTo(_cost.AsSpan(row * _stride));
            _cost.AsSpan(row * _stride + _columns, _stride - _columns).Fill(double.PositiveInfinity);
        }

        long scale = _rows + 1;
        TransportMasses perturbed = new([.. masses.Rows.Select(mass => scale * mass + 1)], [.. masses.Columns.Select(mass => scale * mass)]);
        perturbed.Columns[^1] += _rows;
        _tree = new(_rows, _columns, TransportStart.Arcs(cost, perturbed));
    }

    /// <summary>Pivots that were made.</summary>
    public int Pivots { get; private set; }

    /// <summary>Prices of rows: the dual variables.</summary>
    public ReadOnlySpan<double> RowPrices => _rowPrices;

    /// <summary>Prices of columns.</summary>
    public ReadOnlySpan<double> ColumnPrices => _columnPrices.AsSpan(0, _columns);

    /// <summary>Row, column and units of each entry of the plan, by row and then by column.</summary>
    public List<(int Row, int Column, long Flow)> Flows => _tree.Flows(_masses);

    /// <summary>The best tree and its prices.</summary>
    /// <param name="cost">Row-major, finite.</param>
    /// <param name="masses">As many units in rows as in columns, none of them 0; those of the rows times (rows + 1) must be below 2^62.</param>
    /// <param name="cancel">Ends the search.</param>
    public static TransportSimplex Solve(ReadOnlySpan<double> cost, TransportMasses masses, CancellationToken cancel = default)
    {
        TransportSimplex simplex = new(cost, masses);
        simplex.Run(cancel);
        return simplex;
    }

    private void Run(CancellationToken cancel)
    {
        int next = 0;
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            Price();
            int pivots = Pivots;
            while (Pivots - pivots < _tree.Count && Enter(ref next, out int row, out int column, out double reduced))
            {
                _tree.Pivot(row, column, reduced, _rowPrices, _columnPrices);
                Pivots++;
            }

            if (Pivots == pivots) return;
            if (Pivots > (long)Refusal * _tree.Count) throw new InvalidOperationException($"no best plan of {_rows} x {_columns} was found in {Pivots} pivots");
        }
    }

    /// <summary>Prices from the tree, and how far below 0 a reduced cost may be by their rounding.</summary>
    private void Price()
    {
        _tree.Price(_cost, _stride, _rowPrices, _columnPrices);
        double largest = 0;
        foreach (double price in _rowPrices) largest = Math.Max(largest, Math.Abs(price));
        foreach (double price in _columnPrices) largest = Math.Max(largest, Math.Abs(price));
        _slack = -1e-13 * largest;
    }

    /// <summary>The arc of least reduced cost in the first block of rows, from a row on, that has one below 0.</summary>
    private bool Enter(ref int next, out int row, out int column, out double reduced)
    {
        (row, column, reduced) = (-1, -1, _slack);
        int block = Math.Max(1, Math.Min(_rows, 256 / _stride));
        for (int scanned = 0; scanned < _rows; scanned++)
        {
            if (scanned % block == 0 && row >= 0) break;
            double least = Least(next) - _rowPrices[next];
            if (least < reduced) (row, reduced) = (next, least);
            next = next + 1 == _rows ? 0 : next + 1;
        }

        if (row < 0) return false;
        column = Place(row);
        reduced = _cost[row * _stride + column] - _columnPrices[column] - _rowPrices[row];
        return true;
    }

    /// <summary>The least cost of a row less the column's price.</summary>
    private double Least(int row)
    {
        var costs = MemoryMarshal.Cast<double, Vector<double>>(_cost.AsSpan(row * _stride, _stride));
        var prices = MemoryMarshal.Cast<double, Vector<double>>(_columnPrices.AsSpan(0, _stride));
        Vector<double> a = new(double.PositiveInfinity), b = a, c = a, d = a;
        for (int i = 0; i + Lanes <= costs.Length && i + Lanes <= prices.Length; i += Lanes)
        {
            a = Vector.MinNative(a, costs[i] - prices[i]);
            b = Vector.MinNative(b, costs[i + 1] - prices[i + 1]);
            c = Vector.MinNative(c, costs[i + 2] - prices[i + 2]);
            d = Vector.MinNative(d, costs[i + 3] - prices[i + 3]);
        }

        a = Vector.MinNative(Vector.MinNative(a, b), Vector.MinNative(c, d));
        double least = a[0];
        for (int lane = 1; lane < Vector<double>.Count; lane++) least = Math.Min(least, a[lane]);
        return least;
    }

    /// <summary>The first column whose cost less its price is the least.</summary>
    private int Place(int row)
    {
        ReadOnlySpan<double> costs = _cost.AsSpan(row * _stride, _columns), prices = _columnPrices;
        int place = 0;
        for (int column = 1; column < costs.Length; column++)
        {
            if (costs[column] - prices[column] < costs[place] - prices[place]) place = column;
        }

        return place;
    }
}
