using System.Numerics;
using System.Runtime.InteropServices;

namespace Amalgam.Numerics;

/// <summary>The first tree of the transport simplex: rows in turn send what they have to the cheapest columns that still take something, costs being counted above each column's least.</summary>
internal static class TransportStart
{
    /// <summary>Arcs that span all rows and columns, with flows above 0. Time O((rows + columns) * columns).</summary>
    /// <param name="cost">Row-major.</param>
    /// <param name="masses">Masses of which no part of the rows has as much as a part of the columns but all of them: so each arc ends either a row or a column, the last one both.</param>
    public static List<(int Row, int Column, long Flow)> Arcs(ReadOnlySpan<double> cost, TransportMasses masses)
    {
        int rows = masses.Rows.Length, columns = masses.Columns.Length;
        double[] least = Least(cost, rows, columns);
        long[] open = [.. masses.Columns];
        List<(int Row, int Column, long Flow)> arcs = new(rows + columns - 1);
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<double> of = cost.Slice(row * columns, columns);
            for (long left = masses.Rows[row]; left > 0;)
            {
                int column = Cheapest(of, least);
                long flow = Math.Min(left, open[column]);
                arcs.Add((row, column, flow));
                left -= flow;
                open[column] -= flow;
                if (open[column] == 0) least[column] = double.NegativeInfinity;
            }
        }

        return arcs;
    }

    private static double[] Least(ReadOnlySpan<double> cost, int rows, int columns)
    {
        double[] least = cost[..columns].ToArray();
        var of = MemoryMarshal.Cast<double, Vector<double>>(least.AsSpan());
        for (int row = 1; row < rows; row++)
        {
            ReadOnlySpan<double> costs = cost.Slice(row * columns, columns);
            var vectors = MemoryMarshal.Cast<double, Vector<double>>(costs);
            for (int i = 0; i < of.Length; i++) of[i] = Vector.MinNative(of[i], vectors[i]);
            for (int i = of.Length * Vector<double>.Count; i < columns; i++) least[i] = Math.Min(least[i], costs[i]);
        }

        return least;
    }

    /// <summary>The first column where cost less price is least.</summary>
    private static int Cheapest(ReadOnlySpan<double> cost, ReadOnlySpan<double> price)
    {
        int cheapest = 0;
        for (int column = 1; column < cost.Length; column++)
        {
            if (cost[column] - price[column] < cost[cheapest] - price[cheapest]) cheapest = column;
        }

        return cheapest;
    }
}
