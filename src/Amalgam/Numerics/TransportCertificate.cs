using System.Numerics.Tensors;

namespace Amalgam.Numerics;

/// <summary>The proof that a plan is one of least cost: its masses are those asked for, and prices of rows and columns that nowhere exceed the cost sum up to the plan's cost (linear duality).</summary>
internal static class TransportCertificate
{
    private const double OfPrices = 1e-9, OfMasses = 1e-12;

    /// <summary>Throws where the proof fails.</summary>
    /// <param name="problem">What was to be solved.</param>
    /// <param name="rowOf">Row of each entry.</param>
    /// <param name="columnOf">Column of each entry.</param>
    /// <param name="mass">Mass of each entry.</param>
    /// <param name="rowPrices">Prices of rows: the dual variables.</param>
    /// <param name="columnPrices">Prices of columns.</param>
    /// <exception cref="InvalidOperationException">The plan is not proved best.</exception>
    public static void Check(in TransportProblem problem, int[] rowOf, int[] columnOf, double[] mass, ReadOnlySpan<double> rowPrices, ReadOnlySpan<double> columnPrices)
    {
        double total = TensorPrimitives.Sum<double>(problem.Rows), scale = Largest(rowPrices) + Largest(columnPrices);
        double excess = Excess(problem.Cost, rowPrices, columnPrices);
        double worth = TensorPrimitives.Dot(problem.Rows, rowPrices) + TensorPrimitives.Dot(problem.Columns, columnPrices);

        double[] rows = [.. problem.Rows], columns = [.. problem.Columns];
        for (int i = 0; i < mass.Length; i++)
        {
            worth -= problem.Cost[rowOf[i] * columns.Length + columnOf[i]] * mass[i];
            rows[rowOf[i]] -= mass[i];
            columns[columnOf[i]] -= mass[i];
        }

        double off = Math.Max(Largest(rows), Largest(columns));
        string? fault = !(excess <= OfPrices * scale) ? $"prices exceed a cost by {excess}"
            : !(Math.Abs(worth) <= OfPrices * scale * total) ? $"prices and costs differ by {worth}"
            : !(off <= OfMasses * total) ? $"a row or column is off by {off} of {total}"
            : mass.Length >= rows.Length + columns.Length ? $"there are {mass.Length} entries"
            : mass.Any(entry => !(entry > 0)) ? "an entry is not above 0"
            : null;
        if (fault is not null) throw new InvalidOperationException($"a plan of {rows.Length} x {columns.Length} is not proved to be the best: {fault}");
    }

    /// <summary>By how much the prices of a row and a column together exceed their cost at most.</summary>
    private static double Excess(ReadOnlySpan<double> cost, ReadOnlySpan<double> rowPrices, ReadOnlySpan<double> columnPrices)
    {
        double[] reduced = new double[columnPrices.Length];
        double excess = 0;
        for (int row = 0; row < rowPrices.Length; row++)
        {
            TensorPrimitives.Subtract(cost.Slice(row * reduced.Length, reduced.Length), columnPrices, reduced);
            excess = Math.Max(excess, rowPrices[row] - TensorPrimitives.Min<double>(reduced));
        }

        return excess;
    }

    private static double Largest(ReadOnlySpan<double> values) => Math.Abs(TensorPrimitives.MaxMagnitude(values));
}
