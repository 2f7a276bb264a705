namespace Amalgam.Alignment;

/// <summary>
/// Units whose activations do not vary on the data, such as those of a Relu that never opens. They are like nothing by correlation, so that a greedy zip would leave them alone and
/// merge too many of the others instead; pairing them with one another costs nothing, as they say nothing.
/// </summary>
internal static class DeadUnits
{
    /// <summary>Units with less variance are dead.</summary>
    private const double Threshold = 1e-12;

    /// <summary>Constants that differ by less, relative to the larger or to 1, are the same.</summary>
    private const double Tolerance = 1e-6;

    /// <summary>Whether a row does not vary.</summary>
    public static bool IsDead(UnitSums sums, int row) => sums.Variance(row) < Threshold;

    /// <summary>
    /// Pairs of dead units of two models, for every pair of blocks, since which blocks belong together is not known yet: the first with the first that has the same constant, and so on.
    /// </summary>
    /// <param name="sums">What the units do.</param>
    /// <param name="units">The class.</param>
    /// <param name="model">A model.</param>
    /// <param name="other">Another.</param>
    /// <returns>Rows of the sums.</returns>
    public static IEnumerable<(int Row, int Other)> Pairs(UnitSums sums, UnitClass units, int model, int other)
    {
        int[][] ofModel = Blocks(sums, units, model), ofOther = Blocks(sums, units, other);
        foreach (int[] dead in ofModel)
        {
            foreach (int[] candidates in ofOther)
            {
                List<int> left = [.. candidates];
                foreach (int row in dead)
                {
                    int at = left.FindIndex(candidate => IsSame(sums.Mean(row), sums.Mean(candidate)));
                    if (at < 0) continue;
                    yield return (row, left[at]);
                    left.RemoveAt(at);
                }
            }
        }
    }

    private static bool IsSame(double a, double b) => Math.Abs(a - b) <= Tolerance * Math.Max(1, Math.Max(Math.Abs(a), Math.Abs(b)));

    private static int[][] Blocks(UnitSums sums, UnitClass units, int model) =>
        [.. Enumerable.Range(0, units.Blocks).Select(block => Enumerable.Range(model * units.Units + block * units.Size, units.Size).Where(row => IsDead(sums, row)).ToArray())];
}
