using System.Numerics;
using System.Runtime.InteropServices;

namespace Amalgam.Numerics;

/// <summary>
/// The search of <see cref="Assignment"/>, for at most as many rows as columns and smallest sum of sign * cost. Columns have prices; a row wants the column where cost - price is
/// least. Rows first take what they want and raise its price (Jonker and Volgenant's start), what is left is placed along shortest paths.
/// </summary>
internal readonly ref struct AssignmentSearch
{
    private readonly ReadOnlySpan<double> _cost;
    private readonly double _sign;
    private readonly int _rows, _columns;
    private readonly double[] _distance;
    private readonly long[] _from;

    public AssignmentSearch(ReadOnlySpan<double> cost, int rows, int columns, double sign)
    {
        _cost = cost;
        (_rows, _columns, _sign) = (rows, columns, sign);
        (ColumnOf, RowOf, ColumnPrices) = (new int[rows], new int[columns], new double[columns]);
        (_distance, _from) = (new double[columns], new long[columns]);
        Array.Fill(ColumnOf, -1);
        Array.Fill(RowOf, -1);
    }

    /// <summary>Column of each row.</summary>
    public int[] ColumnOf { get; }

    /// <summary>Row of each column, -1 where it has none.</summary>
    public int[] RowOf { get; }

    /// <summary>Price of each column: the dual variables.</summary>
    public double[] ColumnPrices { get; }

    /// <summary>Price of each row: what is left of its pair's cost.</summary>
    public double[] RowPrices()
    {
        double[] prices = new double[_rows];
        for (int row = 0; row < prices.Length; row++) prices[row] = Cost(row, ColumnOf[row]) - ColumnPrices[ColumnOf[row]];
        return prices;
    }

    public void Run()
    {
        // A column that stays alone must keep the price 0, so its least cost can be its price only where no column stays alone.
        if (_rows == _columns && _rows > 0) TakeColumns();
        int[] free = [.. Enumerable.Range(0, _rows)];
        int count = 0;
        for (int row = 0; row < _rows; row++)
        {
            if (ColumnOf[row] < 0) free[count++] = row;
        }

        for (int pass = 0; pass < 2 && _columns > 1; pass++) count = TakeRows(free, count);
        List<(int Column, double Distance, double Price)> settled = [];
        for (int i = 0; i < count; i++) Augment(free[i], settled);
    }

    private double Cost(int row, int column) => _sign * _cost[row * _columns + column];

    private ReadOnlySpan<double> Row(int row) => _cost.Slice(row * _columns, _columns);

    /// <summary>Column reduction: each column's price is its least cost, and the first column of which a row is the cheapest is the row's.</summary>
    private void TakeColumns()
    {
        Span<long> cheapest = _from;
        Row(0).CopyTo(ColumnPrices);
        for (int column = 0; column < _columns; column++) ColumnPrices[column] *= _sign;
        var prices = MemoryMarshal.Cast<double, Vector<double>>(ColumnPrices.AsSpan());
        var rows = MemoryMarshal.Cast<long, Vector<long>>(cheapest);
        Vector<double> sign = new(_sign);
        for (int row = 1; row < _rows; row++)
        {
            ReadOnlySpan<double> of = Row(row);
            var costs = MemoryMarshal.Cast<double, Vector<double>>(of);
            Vector<long> number = new(row);
            for (int i = 0; i < costs.Length; i++)
            {
                Vector<double> cost = costs[i] * sign, price = prices[i];
                rows[i] = Vector.ConditionalSelect(Vector.LessThan(cost, price), number, rows[i]);
                prices[i] = Vector.MinNative(cost, price);
            }

            for (int column = costs.Length * Vector<double>.Count; column < of.Length; column++)
            {
                if (_sign * of[column] >= ColumnPrices[column]) continue;
                (ColumnPrices[column], cheapest[column]) = (_sign * of[column], row);
            }
        }

        for (int column = 0; column < _columns; column++)
        {
            int row = (int)cheapest[column];
            if (ColumnOf[row] >= 0) continue;
            (ColumnOf[row], RowOf[column]) = (column, row);
        }
    }

    /// <summary>Augmenting row reduction: each free row takes the column it wants most and lowers its price as far as it still wants it; who had the column is free.</summary>
    /// <returns>Number of rows that stay free, first in the list.</returns>
    private int TakeRows(int[] free, int count)
    {
        int next = 0, left = 0;
        long budget = 8L * _rows;
        while (next < count)
        {
            int row = free[next++];
            (double least, int column, double second) = TwoLeast(row);
            double price = ColumnPrices[column] - (second - least);
            bool lowers = price < ColumnPrices[column];
            if (lowers) ColumnPrices[column] = price;
            else if (RowOf[column] >= 0) column = Next(row, column, least);

            int before = RowOf[column];
            (ColumnOf[row], RowOf[column]) = (column, row);
            if (before < 0) continue;
            ColumnOf[before] = -1;
            if (lowers && budget-- > 0) free[--next] = before;
            else free[left++] = before;
        }

        return left;
    }

    /// <summary>The least reduced cost of a row, its first column, and the least of the others.</summary>
    private (double Least, int Column, double Second) TwoLeast(int row)
    {
        ReadOnlySpan<double> of = Row(row);
        var costs = MemoryMarshal.Cast<double, Vector<double>>(of);
        var prices = MemoryMarshal.Cast<double, Vector<double>>(ColumnPrices.AsSpan());
        Vector<double> sign = new(_sign), least = new(double.PositiveInfinity), second = least, at = default, index = Vector<double>.Indices, step = new(Vector<double>.Count);
        for (int i = 0; i < costs.Length; i++)
        {
            Vector<double> reduced = costs[i] * sign - prices[i];
            at = Vector.ConditionalSelect(Vector.LessThan(reduced, least), index, at);
            second = Vector.MinNative(second, Vector.MaxNative(least, reduced));
            least = Vector.MinNative(least, reduced);
            index += step;
        }

        (double Least, int Column, double Second) found = (double.PositiveInfinity, 0, double.PositiveInfinity);
        for (int lane = 0; lane < Vector<double>.Count; lane++)
        {
            found = Merge(found, least[lane], (int)at[lane]);
            found.Second = Math.Min(found.Second, second[lane]);
        }

        for (int column = costs.Length * Vector<double>.Count; column < of.Length; column++) found = Merge(found, _sign * of[column] - ColumnPrices[column], column);
        return found;
    }

    private static (double Least, int Column, double Second) Merge((double Least, int Column, double Second) found, double reduced, int column)
    {
        bool first = reduced < found.Least || (reduced == found.Least && column < found.Column);
        return first ? (reduced, column, found.Least) : (found.Least, found.Column, Math.Min(found.Second, reduced));
    }

    /// <summary>The column after the first one that a row wants as much, one that no row has if there is.</summary>
    private int Next(int row, int first, double least)
    {
        ReadOnlySpan<double> of = Row(row);
        int next = first;
        for (int column = first + 1; column < of.Length; column++)
        {
            if (_sign * of[column] - ColumnPrices[column] != least) continue;
            if (RowOf[column] < 0) return column;
            if (next == first) next = column;
        }

        return next;
    }

    /// <summary>Gives a free row a column along the shortest path of reduced costs to a column that no row has (Dijkstra), and adapts the prices of the columns that it came by.</summary>
    private void Augment(int free, List<(int Column, double Distance, double Price)> settled)
    {
        Array.Fill(_distance, double.PositiveInfinity);
        settled.Clear();
        double distance = Relax(free, 0);
        int column = Nearest(distance);
        while (RowOf[column] >= 0)
        {
            int row = RowOf[column];
            double price = ColumnPrices[column];
            settled.Add((column, distance, price));

            // So that no path leads to the column again, whatever the costs.
            ColumnPrices[column] = double.NegativeInfinity;
            _distance[column] = double.PositiveInfinity;
            distance = Relax(row, Cost(row, column) - price - distance);
            column = Nearest(distance);
        }

        foreach (var (at, reached, price) in settled) ColumnPrices[at] = price + (reached - distance);
        for (int row = -1; row != free;)
        {
            row = (int)_from[column];
            RowOf[column] = row;
            (column, ColumnOf[row]) = (ColumnOf[row], column);
        }
    }

    /// <summary>Shortens the paths to all columns by those through a row; the least distance.</summary>
    private double Relax(int row, double height)
    {
        ReadOnlySpan<double> of = Row(row);
        var costs = MemoryMarshal.Cast<double, Vector<double>>(of);
        var prices = MemoryMarshal.Cast<double, Vector<double>>(ColumnPrices.AsSpan());
        var distances = MemoryMarshal.Cast<double, Vector<double>>(_distance.AsSpan());
        var from = MemoryMarshal.Cast<long, Vector<long>>(_from.AsSpan());
        Vector<double> sign = new(_sign), below = new(height), least = new(double.PositiveInfinity);
        Vector<long> number = new(row);
        for (int i = 0; i < costs.Length; i++)
        {
            Vector<double> through = costs[i] * sign - (prices[i] + below), distance = distances[i];
            Vector<long> shorter = Vector.LessThan(through, distance);
            if (shorter != Vector<long>.Zero)
            {
                from[i] = Vector.ConditionalSelect(shorter, number, from[i]);
                distances[i] = distance = Vector.MinNative(through, distance);
            }

            least = Vector.MinNative(least, distance);
        }

        double nearest = double.PositiveInfinity;
        for (int lane = 0; lane < Vector<double>.Count; lane++) nearest = Math.Min(nearest, least[lane]);
        for (int column = costs.Length * Vector<double>.Count; column < of.Length; column++)
        {
            double through = _sign * of[column] - (ColumnPrices[column] + height);
            if (through < _distance[column]) (_distance[column], _from[column]) = (through, row);
            nearest = Math.Min(nearest, _distance[column]);
        }

        return nearest;
    }

    /// <summary>The first column at a distance that no row has, or else the first one.</summary>
    private int Nearest(double distance)
    {
        var distances = MemoryMarshal.Cast<double, Vector<double>>(_distance.AsSpan());
        Vector<double> sought = new(distance);
        int first = -1;
        for (int i = 0; i < distances.Length; i++)
        {
            if (Vector.EqualsAny(distances[i], sought) && IsFree(i * Vector<double>.Count, (i + 1) * Vector<double>.Count, distance, ref first, out int column)) return column;
        }

        return IsFree(distances.Length * Vector<double>.Count, _columns, distance, ref first, out int last) ? last : first;
    }

    /// <summary>Whether a column in a range is at a distance and no row has it.</summary>
    private bool IsFree(int begin, int end, double distance, ref int first, out int column)
    {
        for (column = begin; column < end; column++)
        {
            if (_distance[column] != distance) continue;
            if (RowOf[column] < 0) return true;
            if (first < 0) first = column;
        }

        return false;
    }
}
