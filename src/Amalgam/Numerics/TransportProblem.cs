using System.Numerics.Tensors;

namespace Amalgam.Numerics;

/// <summary>Costs and masses that were checked, without the rows and columns that have no mass, and with columns that weigh as much as the rows.</summary>
internal readonly ref struct TransportProblem
{
    private const double Limit = 1e300, Difference = 1e-6;

    private readonly int _rows, _columns;
    private readonly int[] _rowOf, _columnOf;

    /// <exception cref="ArgumentException">A cost or mass is no number to compute with, or the sums differ.</exception>
    public TransportProblem(ReadOnlySpan<double> cost, ReadOnlySpan<double> rowMass, ReadOnlySpan<double> columnMass)
    {
        (_rows, _columns) = (rowMass.Length, columnMass.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(cost.Length, checked(_rows * _columns), nameof(cost));
        CheckCost(cost, _columns);
        double sum = Sum(rowMass, "row"), sumOfColumns = Sum(columnMass, "column");
        if (Math.Abs(sum - sumOfColumns) > Difference * sum) throw new ArgumentException($"the masses of rows sum to {sum}, those of columns to {sumOfColumns}: they must be alike", nameof(columnMass));

        (_rowOf, _columnOf) = (Places(rowMass), Places(columnMass));
        (Rows, Columns) = (Chosen(rowMass, _rowOf), Chosen(columnMass, _columnOf));
        TensorPrimitives.Multiply(Columns, sum / sumOfColumns, Columns);
        Cost = Rows.Length == _rows && Columns.Length == _columns ? cost : Chosen(cost, _columns, _rowOf, _columnOf);
    }

    /// <summary>Row-major.</summary>
    public ReadOnlySpan<double> Cost { get; init; }

    /// <summary>Masses of rows, above 0.</summary>
    public double[] Rows { get; }

    /// <summary>Masses of columns, above 0.</summary>
    public double[] Columns { get; }

    /// <summary>The plan of these rows and columns among all.</summary>
    public TransportPlan Plan(int[] rowOf, int[] columnOf, double[] mass, int iterations, bool converged)
    {
        double cost = 0;
        for (int i = 0; i < mass.Length; i++)
        {
            cost += Cost[rowOf[i] * Columns.Length + columnOf[i]] * mass[i];
            (rowOf[i], columnOf[i]) = (_rowOf[rowOf[i]], _columnOf[columnOf[i]]);
        }

        return new(_rows, _columns, rowOf, columnOf, mass, cost) { Iterations = iterations, Converged = converged };
    }

    private static void CheckCost(ReadOnlySpan<double> cost, int columns)
    {
        // NaN is passed on by both, and is neither above nor below.
        if (cost.IsEmpty || (TensorPrimitives.Min(cost) > -Limit && TensorPrimitives.Max(cost) < Limit)) return;
        int at = 0;
        while (Math.Abs(cost[at]) < Limit) at++;
        throw new ArgumentException($"row {at / columns}, column {at % columns} is {cost[at]}: costs to transport by must be finite and below 1e300", nameof(cost));
    }

    private static double Sum(ReadOnlySpan<double> mass, string side)
    {
        double sum = 0;
        for (int i = 0; i < mass.Length; i++)
        {
            if (!(mass[i] >= 0 && mass[i] < Limit)) throw new ArgumentException($"{side} {i} has mass {mass[i]}: masses must be finite and at least 0", $"{side}Mass");
            sum += mass[i];
        }

        return sum > 0 && sum < Limit ? sum : throw new ArgumentException($"the masses of {side}s sum to {sum}: there is nothing to transport", $"{side}Mass");
    }

    private static int[] Places(ReadOnlySpan<double> mass)
    {
        List<int> places = new(mass.Length);
        for (int i = 0; i < mass.Length; i++)
        {
            if (mass[i] > 0) places.Add(i);
        }

        return [.. places];
    }

    private static double[] Chosen(ReadOnlySpan<double> mass, int[] places)
    {
        double[] chosen = new double[places.Length];
        for (int i = 0; i < chosen.Length; i++) chosen[i] = mass[places[i]];
        return chosen;
    }

    private static double[] Chosen(ReadOnlySpan<double> cost, int columns, int[] rowOf, int[] columnOf)
    {
        double[] chosen = new double[rowOf.Length * columnOf.Length];
        for (int row = 0; row < rowOf.Length; row++)
        {
            Chosen(cost.Slice(rowOf[row] * columns, columns), columnOf).CopyTo(chosen, row * columnOf.Length);
        }

        return chosen;
    }
}
