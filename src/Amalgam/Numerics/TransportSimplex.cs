using System.Numerics;
using System.Numerics.Tensors;
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
    private const int Lanes = 4, ArcsPerNode = 2, MostPivotsPerNode = 1_000;

    private readonly TransportMasses _masses;
    private readonly int _rows, _columns, _stride;
    private readonly double[] _cost, _potentials;
    private readonly TransportTree _tree;
    private readonly double _least;
    private double _slack;

    private TransportSimplex(ReadOnlySpan<double> cost, TransportMasses masses)
    {
        (_masses, _rows, _columns) = (masses, masses.Rows.Length, masses.Columns.Length);
        int block = Lanes * Vector<double>.Count;
        _stride = (_columns + block - 1) / block * block;
        _cost = new double[checked(_rows * _stride)];
        _potentials = new double[Math.Max(_rows + _columns, _stride)];
        _least = TensorPrimitives.Min(cost);
        for (int row = 0; row < _rows; row++)
        {
            TensorPrimitives.Subtract(cost.Slice(row * _columns, _columns), _least, _cost.AsSpan(row * _stride));
            _cost.AsSpan(row * _stride + _columns, _stride - _columns).Fill(double.PositiveInfinity);
        }

        long scale = _rows + 1;
        TransportMasses perturbed = new([.. masses.Rows.Select(mass => scale * mass + 1)], [.. masses.Columns.Select(mass => scale * mass)]);
        perturbed.Columns[0] += _rows;
        _tree = new(_columns, _rows, TransportStart.Arcs(cost, perturbed));
    }

    /// <summary>Pivots that were made.</summary>
    public int Pivots { get; private set; }

    /// <summary>Prices of rows: the dual variables.</summary>
    public double[] RowPrices => [.. _potentials.Skip(_columns).Take(_rows).Select(potential => potential + _least)];

    /// <summary>Prices of columns.</summary>
    public double[] ColumnPrices => [.. _potentials.Take(_columns).Select(potential => -potential)];

    /// <summary>Row, column and units of each entry of the plan, by row and then by column.</summary>
    public List<(int Row, int Column, long Units)> Flows => _tree.Flows(_masses);

    /// <summary>Finds the best tree.</summary>
    /// <param name="cost">Row-major, finite.</param>
    /// <param name="masses">As many units in rows as in columns, none of them 0; those of the rows times (rows + 1) must be below 2^62.</param>
    /// <param name="cancel">Ends the search.</param>
    public static TransportSimplex Solve(ReadOnlySpan<double> cost, TransportMasses masses, CancellationToken cancel)
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
            Fit();
            int pivots = Pivots;
            while (Pivots - pivots < _tree.Count && Enter(ref next, out int row, out int column, out double reduced))
            {
                _tree.Pivot(row, column, reduced, _potentials);
                Pivots++;
            }

            if (Pivots == pivots) return;
            if (Pivots > (long)MostPivotsPerNode * _tree.Count) throw new InvalidOperationException($"no best plan of {_rows} x {_columns} was found in {Pivots} pivots");
        }
    }

    /// <summary>Potentials from the tree, and how far below 0 their rounding may bring a reduced cost.</summary>
    private void Fit()
    {
        _tree.Fit(_cost, _stride, _potentials);
        _slack = -1e-13 * Math.Abs(TensorPrimitives.MaxMagnitude<double>(_potentials));
    }

    /// <summary>The arc of least reduced cost in the first block of rows, from a row on, that has one below 0.</summary>
    private bool Enter(ref int next, out int row, out int column, out double reduced)
    {
        int block = Math.Clamp(ArcsPerNode * _tree.Count / _stride, 1, _rows);
        double least = 0;
        (row, column, reduced) = (-1, -1, _slack);
        for (int scanned = 0; scanned < _rows && (row < 0 || scanned % block != 0); scanned++)
        {
            double ofRow = Least(next);
            if (ofRow - _potentials[_columns + next] < reduced) (row, reduced, least) = (next, ofRow - _potentials[_columns + next], ofRow);
            next = next + 1 == _rows ? 0 : next + 1;
        }

        if (row >= 0) column = Place(row, least);
        return row >= 0;
    }

    /// <summary>The least sum of a row's cost and the column's potential.</summary>
    private double Least(int row)
    {
        var costs = MemoryMarshal.Cast<double, Vector<double>>(_cost.AsSpan(row * _stride, _stride));
        var potentials = MemoryMarshal.Cast<double, Vector<double>>(_potentials.AsSpan(0, _stride));
        Vector<double> a = new(double.PositiveInfinity), b = a, c = a, d = a;
        for (int i = 0; i + Lanes <= costs.Length && i + Lanes <= potentials.Length; i += Lanes)
        {
            a = Vector.MinNative(a, costs[i] + potentials[i]);
            b = Vector.MinNative(b, costs[i + 1] + potentials[i + 1]);
            c = Vector.MinNative(c, costs[i + 2] + potentials[i + 2]);
            d = Vector.MinNative(d, costs[i + 3] + potentials[i + 3]);
        }

        a = Vector.MinNative(Vector.MinNative(a, b), Vector.MinNative(c, d));
        double least = a[0];
        for (int lane = 1; lane < Vector<double>.Count; lane++) least = Math.Min(least, a[lane]);
        return least;
    }

    /// <summary>The first column where that sum is the least.</summary>
    private int Place(int row, double least)
    {
        var costs = MemoryMarshal.Cast<double, Vector<double>>(_cost.AsSpan(row * _stride, _stride));
        var potentials = MemoryMarshal.Cast<double, Vector<double>>(_potentials.AsSpan(0, _stride));
        Vector<double> sought = new(least);
        int i = 0;
        while (!Vector.EqualsAny(costs[i] + potentials[i], sought)) i++;
        int column = i * Vector<double>.Count;
        while (_cost[row * _stride + column] + _potentials[column] != least) column++;
        return column;
    }
}
