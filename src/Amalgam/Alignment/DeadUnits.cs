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
    /// Pairs of dead units of two models that have the same constant: each with each, as nothing that they do tells them apart. What else is compared, such as weights, may; and where
    /// nothing is, an assignment and a greedy zip take each unit once.
    /// </summary>
    /// <param name="sums">What the units do.</param>
    /// <param name="units">The class.</param>
    /// <param name="model">A model.</param>
    /// <param name="other">Another.</param>
    /// <returns>Rows of the sums.</returns>
    public static IEnumerable<(int Row, int Other)> Pairs(UnitSums sums, UnitClass units, int model, int other)
    {
        int[] candidates = Of(sums, units, other);
        return Of(sums, units, model).SelectMany(row => candidates.Where(candidate => IsSame(sums.Mean(row), sums.Mean(candidate))).Select(candidate => (row, candidate)));
    }

    private static bool IsSame(double a, double b) => Math.Abs(a - b) <= Tolerance * Math.Max(1, Math.Max(Math.Abs(a), Math.Abs(b)));

    private static int[] Of(UnitSums sums, UnitClass units, int model) => [.. Enumerable.Range(model * units.Units, units.Units).Where(row => IsDead(sums, row))];
}
