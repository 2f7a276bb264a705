namespace Amalgam.Numerics;

/// <summary>How units are zipped.</summary>
/// <param name="Alpha">Factor on the similarities of a merged unit, at most 1: below 1 it becomes less attractive with each merge. 0 and less: it never meets a model again that it holds a unit of.</param>
/// <param name="Beta">Share of a model's fair quota of merges that may be within it, 0 or more; every model may do one.</param>
/// <param name="Capped">No merged unit has more members than there are models (MuDSC, equation 1), so each has just as many; units then join one at a time.</param>
public sealed record ZipOptions(double Alpha = 0.5, double Beta = 1, bool Capped = false)
{
    /// <summary>Factor on the similarities of a merged unit.</summary>
    public double Alpha { get; init; } = Alpha <= 1 ? Alpha : throw new ArgumentOutOfRangeException(nameof(Alpha), $"zip: alpha must be at most 1, got {Alpha}");

    /// <summary>Share of a model's quota of merges that may be within it.</summary>
    public double Beta { get; init; } = Beta is >= 0 and <= 1e6 ? Beta : throw new ArgumentOutOfRangeException(nameof(Beta), $"zip: beta must be 0 or more, got {Beta}");
}

/// <summary>What was zipped.</summary>
/// <param name="Cluster">The merged unit, from 0 to units - 1, of each unit, model * units + unit. Merged units are in the order of their first members.</param>
/// <param name="Score">Mean similarity of what was merged, each at its merge, after alpha; 0 for a single model.</param>
/// <param name="Within">Number of merges that count as within a model: a merged unit counts as its first member's model.</param>
public sealed record ZipResult(int[] Cluster, double Score, int Within);

/// <summary>
/// Merges the units of several models into as many as one model has, the most similar first, also units of one model (Stoica et al., "ZipIt! Merging models from different tasks
/// without training", section 4.2 and appendix, with the budgets of its code).
/// </summary>
/// <remarks>
/// The pair with the largest similarity is merged, of equal ones the first; the similarity of the merged unit to any other is the least of its members' (complete linkage), times alpha.
/// When a model's budget of merges within it is spent, no two units that hold its units then may be merged any more. Where nothing may be merged though merged units are still too many
/// (three models and more), first the budgets and then what alpha &lt;= 0 forbids are lifted. Time O(n^2) in most runs and O(n^3) at worst, n = models * units.
/// </remarks>
public static class GreedyZip
{
    /// <summary>Zips.</summary>
    /// <param name="similarity">[n, n], symmetric and finite; what is above the diagonal is read, and overwritten.</param>
    /// <param name="models">Number of models, 1 to 64.</param>
    /// <param name="units">Units of each model.</param>
    /// <param name="options">How.</param>
    /// <param name="cancel">Observed at every merge.</param>
    /// <exception cref="ArgumentException">A similarity is not finite: its units are named.</exception>
    public static ZipResult Run(double[] similarity, int models, int units, ZipOptions options, CancellationToken cancel = default) =>
        Run(similarity, models, units, options, Budgets(models, units, options.Beta), int.MaxValue, cancel);

    /// <summary>Merges within each model until its budget is spent: of units that are more than their merged ones by units * (models - 1).</summary>
    internal static int[] Budgets(int models, int units, double beta)
    {
        int[] budgets = new int[models];
        Array.Fill(budgets, Math.Max(1, (int)Math.Floor(units * (models - 1) / models * beta + 1e-4)));
        return budgets;
    }

    /// <summary>Zips units of blocks that were paired: the models' budgets hold for all blocks together, the block's for this one.</summary>
    /// <param name="similarity">As for a whole class.</param>
    /// <param name="models">Number of models.</param>
    /// <param name="units">Units of a block.</param>
    /// <param name="options">How.</param>
    /// <param name="budgets">What each model has left, 0 where it is spent; lowered.</param>
    /// <param name="budget">What each model has in this block, at least 1.</param>
    /// <param name="cancel">Observed at every merge.</param>
    internal static ZipResult Run(double[] similarity, int models, int units, ZipOptions options, int[] budgets, int budget, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(models, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(models, 64);
        ArgumentOutOfRangeException.ThrowIfNegative(units);
        int n = checked(models * units);
        ArgumentOutOfRangeException.ThrowIfNotEqual(similarity.LongLength, (long)n * n, nameof(similarity));
        Check(similarity, n, units);

        ZipClusters clusters = new(similarity, models, units, options, budgets);
        int[] left = new int[models];
        Array.Fill(left, budget);
        double sum = 0;
        int within = 0;
        while (clusters.Count > units)
        {
            cancel.ThrowIfCancellationRequested();
            var (first, second, value) = clusters.MostSimilar();
            sum += value;
            int model = clusters.Origin(first);
            bool inside = clusters.Origin(second) == model;
            clusters.Merge(first, second);
            if (!inside) continue;
            within++;
            if (--budgets[model] <= 0 | --left[model] <= 0) clusters.Spend(model);
        }

        return new(clusters.Numbers(), n > units ? sum / (n - units) : 0, within);
    }

    private static void Check(double[] similarity, int n, int units)
    {
        for (int i = 0; i < n; i++)
        {
            for (int j = i + 1; j < n; j++)
            {
                if (!double.IsFinite(similarity[(long)i * n + j]))
                {
                    throw new ArgumentException($"the similarity of unit {i % units} of model {i / units} and unit {j % units} of model {j / units} is {similarity[(long)i * n + j]}: similarities to zip by must be finite", nameof(similarity));
                }
            }
        }
    }
}
