namespace Amalgam.Alignment;

/// <summary>How alike units are by what they do.</summary>
internal static class ActivationSimilarity
{
    /// <summary>Products of deviations below this count as this (ZipIt!'s code), so that units that hardly vary are like nothing.</summary>
    private const double LeastProduct = 1e-7;

    /// <summary>The similarities of a class, as <see cref="UnitSimilarity.Values"/>.</summary>
    /// <param name="sums">What the units do.</param>
    /// <param name="models">Number of models.</param>
    /// <param name="units">The class.</param>
    /// <param name="measure">What makes them alike.</param>
    /// <param name="pairDead">Units that do not vary are paired with one another.</param>
    public static double[] Of(UnitSums sums, int models, UnitClass units, SimilarityMeasure measure, bool pairDead)
    {
        int all = sums.Rows, rows = sums.IsFull ? all : units.Units;
        double[] values = new double[rows * all], means = new double[all], scales = new double[all];
        for (int row = 0; row < all; row++)
        {
            double mean = sums.Mean(row), variance = sums.Variance(row);
            means[row] = measure == SimilarityMeasure.Pearson ? 0 : mean;
            scales[row] = measure switch
            {
                SimilarityMeasure.InnerProduct => 1,
                SimilarityMeasure.Cosine => Math.Sqrt(variance + mean * mean),
                _ => DeadUnits.IsDead(sums, row) ? 0 : Math.Sqrt(variance),
            };
        }

        for (int row = 0; row < rows; row++)
        {
            for (int column = sums.IsFull ? row : units.Units; column < all; column++)
            {
                double scale = scales[row] * scales[column];
                if (scale == 0) continue;
                double value = (sums.Covariance(row, column) + means[row] * means[column]) / Math.Max(scale, LeastProduct);
                if (measure != SimilarityMeasure.InnerProduct) value = Math.Clamp(value, -1, 1);
                values[row * all + column] = value;
                if (sums.IsFull) values[column * all + row] = value;
            }
        }

        if (pairDead) PairDead(values, sums, models, units, measure);
        return values;
    }

    private static void PairDead(double[] values, UnitSums sums, int models, UnitClass units, SimilarityMeasure measure)
    {
        double most = measure == SimilarityMeasure.InnerProduct ? Math.Max(0, values.Max()) : 1;
        for (int model = 0; model < (sums.IsFull ? models : 1); model++)
        {
            for (int other = model + 1; other < models; other++)
            {
                foreach (var (row, column) in DeadUnits.Pairs(sums, units, model, other))
                {
                    values[row * sums.Rows + column] = most;
                    if (sums.IsFull) values[column * sums.Rows + row] = most;
                }
            }
        }
    }
}
