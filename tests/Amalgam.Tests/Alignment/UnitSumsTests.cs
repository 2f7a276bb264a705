using Amalgam.Alignment;

namespace Amalgam.Tests.Alignment;

public class UnitSumsTests
{
    /// <summary>
    /// A panel's sum of at most 1024 products is taken in float, from values that were shifted by about their mean: each product is off by 2^-24 of itself, the partial sums by as much of
    /// theirs, and these errors are independent, so that 1e-6 of the product of deviations is many times what is seen (1e-7).
    /// </summary>
    [Fact]
    public void Equals_two_passes_in_double() => Property.Holds(gen => Compare(gen, 2 + gen.Random.Next(2), gen.Size(20), 1 + gen.Random.Next(4), UnitSums.MostColumns), 30);

    /// <summary>More rows than are multiplied at once.</summary>
    [Fact]
    public void Equals_two_passes_in_double_where_rows_are_many() => Compare(new(0), 2, 150, 2, 40);

    private static void Compare(Generator gen, int models, int units, int count, int columns)
    {
        int rows = models * units;
        float[][] panels = [.. Enumerable.Range(0, count).Select(_ => Panel(gen, rows, 1 + gen.Random.Next(columns)))];
        (double[] mean, double[,] covariance) = TwoPasses(panels, rows);
        foreach (bool full in new[] { true, false })
        {
            UnitSums sums = Sum(panels, models, units, full);
            for (int i = 0; i < rows; i++)
            {
                Assert.Equal(mean[i], sums.Mean(i), 1e-7 * (Math.Abs(mean[i]) + 1));
                Assert.Equal(covariance[i, i], sums.Variance(i), 2e-7 * covariance[i, i] + 1e-13 * (1 + mean[i] * mean[i]));
                for (int j = full ? i : units; j < (full || i < units ? rows : 0); j++)
                    Assert.Equal(covariance[i, j], sums.Covariance(i, j), 1e-6 * Math.Sqrt(covariance[i, i] * covariance[j, j]) + 1e-13 * (1 + mean[i] * mean[i]));
            }
        }
    }

    [Fact]
    public void A_constant_has_no_variance_however_large_it_is() => Property.Holds(gen =>
    {
        float[] values = [(float)(gen.Random.NextDouble() * 1e6), -1.1f, 0, 1e-30f];
        UnitSums sums = new(2, 2, true);
        float[] c = new float[sums.Room];
        for (int panel = 0; panel < 3; panel++)
        {
            int columns = 1 + gen.Random.Next(1000);
            sums.Add([.. values.SelectMany(v => Enumerable.Repeat(v, columns))], columns, c);
        }

        for (int row = 0; row < 4; row++)
        {
            Assert.InRange(sums.Variance(row), 0, 1e-12);
            Assert.Equal(values[row], sums.Mean(row), 1e-6 * Math.Abs(values[row]));
        }
    });

    private static float[] Panel(Generator gen, int rows, int columns)
    {
        float[] common = gen.Floats(columns), panel = gen.Floats(rows * columns);
        for (int i = 0; i < panel.Length; i++)
        {
            int row = i / columns;
            panel[i] = (panel[i] + row % 3 * common[i % columns]) * (row % 4 == 1 ? 1e-3f : 1) + (row % 5 == 2 ? 50 : row % 2);
        }

        return panel;
    }

    private static UnitSums Sum(float[][] panels, int models, int units, bool full)
    {
        UnitSums sums = new(models, units, full);
        float[] c = new float[sums.Room];
        foreach (float[] panel in panels) sums.Add([.. panel], panel.Length / (models * units), c);
        return sums;
    }

    private static (double[] Mean, double[,] Covariance) TwoPasses(float[][] panels, int rows)
    {
        double[][] all = [.. Enumerable.Range(0, rows).Select(row => panels.SelectMany(p => p.Skip(row * (p.Length / rows)).Take(p.Length / rows)).Select(x => (double)x).ToArray())];
        double[] mean = [.. all.Select(row => row.Average())];
        double[,] covariance = new double[rows, rows];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < rows; j++)
            {
                for (int k = 0; k < all[i].Length; k++) covariance[i, j] += (all[i][k] - mean[i]) * (all[j][k] - mean[j]) / all[i].Length;
            }
        }

        return (mean, covariance);
    }
}
