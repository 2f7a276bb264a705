using System.Numerics;
using System.Runtime.InteropServices;

namespace Amalgam.Numerics;

/// <summary>
/// Linear assignment: rows and columns paired so that the sum of the pairs' scores is as large, or of their costs as small, as can be. Exact: shortest augmenting paths after
/// Jonker and Volgenant, "A shortest augmenting path algorithm for dense and sparse linear assignment problems", Computing 38 (1987). Time at worst O(rows^2 * columns).
/// </summary>
/// <remarks>
/// The same matrix gives the same pairs. Where pairing each row with the column of its own number is as good as the best that was found, that is the answer: what has nothing to
/// choose by stays in its place.
/// </remarks>
public static class Assignment
{
    /// <summary>Scores at and beyond this are refused, so that no difference of two overflows.</summary>
    private const double Limit = 1e300;

    /// <summary>The column of each row so that the sum of scores is largest.</summary>
    /// <param name="score">Row-major, finite.</param>
    /// <param name="rows">Number of rows, may be 0.</param>
    /// <param name="columns">Number of columns, may be 0 or differ from that of rows.</param>
    /// <returns>A column for each row, none twice; -1 for the rows that are left over where there are more rows than columns.</returns>
    /// <exception cref="ArgumentException">A score is NaN, infinite or at least 1e300 in magnitude: the first such row and column are named.</exception>
    public static int[] Maximize(ReadOnlySpan<double> score, int rows, int columns) => Solve(score, rows, columns, -1).Columns;

    /// <summary>The column of each row so that the sum of costs is smallest.</summary>
    /// <inheritdoc cref="Maximize"/>
    /// <param name="cost">Row-major, finite: a pair that must not be is one of great cost.</param>
    /// <param name="rows">Number of rows, may be 0.</param>
    /// <param name="columns">Number of columns, may be 0 or differ from that of rows.</param>
    public static int[] Minimize(ReadOnlySpan<double> cost, int rows, int columns) => Solve(cost, rows, columns, 1).Columns;

    /// <summary>
    /// The columns, and the prices of rows and columns that prove them best for sign * cost: sign * cost - row's price - column's price is nowhere below 0 and 0 at the pairs;
    /// of the longer side no price is above 0 and what is left over has 0.
    /// </summary>
    internal static (int[] Columns, double[] RowPrices, double[] ColumnPrices) Solve(ReadOnlySpan<double> cost, int rows, int columns, double sign)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        ArgumentOutOfRangeException.ThrowIfNotEqual(cost.Length, checked(rows * columns), nameof(cost));
        Check(cost, columns);
        AssignmentSearch search = rows <= columns ? new(cost, rows, columns, sign) : new(Transposed(cost, rows, columns), columns, rows, sign);
        search.Run();

        int[] found = rows <= columns ? search.ColumnOf : search.RowOf;
        double[] prices = search.RowPrices();
        if (PrefersPlaces(cost, columns, found, sign)) KeepPlaces(found, columns);
        return rows <= columns ? (found, prices, search.ColumnPrices) : (found, search.ColumnPrices, prices);
    }

    private static void Check(ReadOnlySpan<double> cost, int columns)
    {
        var vectors = MemoryMarshal.Cast<double, Vector<double>>(cost);
        Vector<double> limit = new(Limit);
        int checkedTo = 0;
        while (checkedTo < vectors.Length && Vector.LessThanAll(Vector.Abs(vectors[checkedTo]), limit)) checkedTo++;
        for (int i = checkedTo * Vector<double>.Count; i < cost.Length; i++)
        {
            if (!(Math.Abs(cost[i]) < Limit)) throw new ArgumentException($"row {i / columns}, column {i % columns} is {cost[i]}: scores to assign by must be finite and below 1e300", nameof(cost));
        }
    }

    private static double[] Transposed(ReadOnlySpan<double> cost, int rows, int columns)
    {
        double[] transposed = new double[cost.Length];
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<double> of = cost.Slice(row * columns, columns);
            for (int column = 0; column < of.Length; column++) transposed[column * rows + row] = of[column];
        }

        return transposed;
    }

    private static bool PrefersPlaces(ReadOnlySpan<double> cost, int columns, int[] found, double sign)
    {
        double inPlace = 0, sum = 0;
        for (int row = 0; row < found.Length; row++)
        {
            if (row < columns) inPlace += sign * cost[row * columns + row];
            if (found[row] >= 0) sum += sign * cost[row * columns + found[row]];
        }

        return inPlace <= sum;
    }

    private static void KeepPlaces(int[] found, int columns)
    {
        for (int row = 0; row < found.Length; row++) found[row] = row < columns ? row : -1;
    }
}
