namespace Amalgam.Numerics;

/// <summary>
/// Transport of the masses of rows to those of columns at the least sum of cost times mass (Kantorovich's problem; Peyre and Cuturi, "Computational optimal transport", 2019, chapters 3 and 4).
/// </summary>
/// <remarks>
/// Costs are row-major, a row for each row's mass, finite and below 1e300. The same costs and masses give the same plan. Best plans need not be unique: where several are, one of them comes
/// out: between equal sizes and equal masses the one that leaves all in place, if that is a best one; where all columns cost a row the same, the one that fills columns in order. Rows and columns of mass 0 get nothing. The masses of columns must sum to those of the
/// rows but for rounding (a part in a million) and are scaled to them.
/// </remarks>
public static class OptimalTransport
{
    /// <summary>The exact plan between masses of 1 / rows and 1 / columns: an assignment where both are equal, else flows of whole units by the network simplex.</summary>
    /// <returns>A plan with at most rows + columns - 1 entries that prices of rows and columns have proved to be a best one.</returns>
    /// <exception cref="ArgumentException">A cost is NaN, infinite or too large: the first such row and column are named.</exception>
    /// <exception cref="InvalidOperationException">The proof failed.</exception>
    public static TransportPlan Exact(ReadOnlySpan<double> cost, int rows, int columns, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        double[] rowMass = new double[rows], columnMass = new double[columns];
        Array.Fill(rowMass, 1.0 / rows);
        Array.Fill(columnMass, 1.0 / columns);
        return Exact(cost, rowMass, columnMass, cancel);
    }

    /// <summary>The exact plan between given masses: where all rows have the same and all columns have, that between uniform ones.</summary>
    /// <returns>A plan with at most rows + columns - 1 entries that prices of rows and columns have proved to be a best one.</returns>
    /// <exception cref="ArgumentException">A cost is NaN, infinite or too large, or a mass is no finite number of at least 0, or the sums differ.</exception>
    /// <exception cref="InvalidOperationException">The proof failed.</exception>
    public static TransportPlan Exact(ReadOnlySpan<double> cost, ReadOnlySpan<double> rowMass, ReadOnlySpan<double> columnMass, CancellationToken cancel = default)
    {
        TransportProblem problem = new(cost, rowMass, columnMass);
        if (ForbiddenPairs.Cap(problem.Cost, out double most) is { } capped)
        {
            TransportPlan plan = Best(problem with { Cost = capped }, cancel);
            bool allowed = true;
            for (int i = 0; i < plan.Mass.Length; i++) allowed &= cost[plan.RowOf[i] * plan.Columns + plan.ColumnOf[i]] < most;
            if (allowed) return plan;
        }

        return Best(problem, cancel);
    }

    /// <summary>
    /// The plan of least cost minus regularisation times entropy (Cuturi, "Sinkhorn distances", 2013), in time O(rows * columns) for each round. <see cref="TransportPlan.Converged"/> says whether
    /// the tolerance was met. Scalings are kept as logarithms, so that a small regularisation does not underflow.
    /// </summary>
    /// <exception cref="ArgumentException">As of the exact plan, or the regularisation is not above 0.</exception>
    public static TransportPlan Sinkhorn(ReadOnlySpan<double> cost, ReadOnlySpan<double> rowMass, ReadOnlySpan<double> columnMass, SinkhornOptions? options = null, CancellationToken cancel = default)
    {
        options ??= new();
        TransportProblem problem = new(cost, rowMass, columnMass);
        SinkhornIteration iteration = new(problem, options.Regularization);
        bool converged = iteration.Run(problem.Rows, options.Tolerance * problem.Rows.Sum(), options.MaxIterations, cancel);

        double[] masses = iteration.Masses();
        int count = masses.Length - masses.AsSpan().Count(0.0), columns = problem.Columns.Length;
        (int[] rowOf, int[] columnOf, double[] entries) = (new int[count], new int[count], new double[count]);
        for (int i = 0, at = 0; i < masses.Length; i++)
        {
            if (masses[i] > 0) (rowOf[at], columnOf[at], entries[at++]) = (i / columns, i % columns, masses[i]);
        }

        return problem.Plan(rowOf, columnOf, entries, iteration.Rounds, converged);
    }

    private static TransportPlan Best(in TransportProblem problem, CancellationToken cancel)
    {
        bool uniform = !problem.Rows.AsSpan().ContainsAnyExcept(problem.Rows[0]) && !problem.Columns.AsSpan().ContainsAnyExcept(problem.Columns[0]);
        if (uniform && problem.Rows.Length == problem.Columns.Length) return Assigned(problem);
        return Flowing(problem, uniform ? TransportMasses.Uniform(problem.Rows.Length, problem.Columns.Length) : TransportMasses.Of(problem.Rows, problem.Columns), cancel);
    }

    private static TransportPlan Assigned(in TransportProblem problem)
    {
        int n = problem.Rows.Length;
        (int[] columnOf, double[] rowPrices, double[] columnPrices) = Assignment.Solve(problem.Cost, n, n, 1);
        int[] rowOf = [.. Enumerable.Range(0, n)];
        TransportCertificate.Check(problem, rowOf, columnOf, problem.Rows, rowPrices, columnPrices);
        return problem.Plan(rowOf, columnOf, problem.Rows, 0, true);
    }

    internal static TransportPlan Flowing(in TransportProblem problem, TransportMasses masses, CancellationToken cancel)
    {
        TransportSimplex simplex = TransportSimplex.Solve(problem.Cost, masses, cancel);
        List<(int Row, int Column, long Units)> flows = simplex.Flows;
        int[] rowOf = [.. flows.Select(flow => flow.Row)], columnOf = [.. flows.Select(flow => flow.Column)];
        double[] mass = new double[flows.Count], columns = problem.Columns;
        for (int i = 0; i < mass.Length; i++) mass[i] = flows[i].Units * (columns[columnOf[i]] / masses.Columns[columnOf[i]]);
        TransportCertificate.Check(problem, rowOf, columnOf, mass, simplex.RowPrices, simplex.ColumnPrices);
        return problem.Plan(rowOf, columnOf, mass, simplex.Pivots, true);
    }
}
