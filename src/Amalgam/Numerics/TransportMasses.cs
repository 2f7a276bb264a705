using System.Numerics;

namespace Amalgam.Numerics;

/// <summary>
/// The masses of a transport problem in whole units, so that flows are exact, rows and columns balance exactly and equal masses are equal. Every mass is at least one unit.
/// </summary>
/// <param name="Rows">Units that leave each row.</param>
/// <param name="Columns">Units that come to each column, as many in all.</param>
internal sealed record TransportMasses(long[] Rows, long[] Columns)
{
    /// <summary>1 / rows and 1 / columns, in the least number of units.</summary>
    public static TransportMasses Uniform(int rows, int columns)
    {
        long common = (long)BigInteger.GreatestCommonDivisor(rows, columns);
        long[] ofRows = new long[rows], ofColumns = new long[columns];
        Array.Fill(ofRows, columns / common);
        Array.Fill(ofColumns, rows / common);
        return new(ofRows, ofColumns);
    }

    /// <summary>Masses above 0, rounded to units of about 2^(log2(rows + 1) - 60) of their sum; what rounding leaves goes to the largest, to none more than about 2^-42 of the sum.</summary>
    public static TransportMasses Of(ReadOnlySpan<double> rows, ReadOnlySpan<double> columns)
    {
        long units = 1L << (59 - BitOperations.Log2((uint)rows.Length + 1));
        return new(Units(rows, units), Units(columns, units));
    }

    private static long[] Units(ReadOnlySpan<double> masses, long units)
    {
        double sum = 0;
        foreach (double mass in masses) sum += mass;
        long[] rounded = new long[masses.Length];
        for (int i = 0; i < rounded.Length; i++) rounded[i] = Math.Max(1, (long)Math.Round(masses[i] / sum * units));

        // Many equal masses are rounded the same way, and what that leaves is too much for one of them.
        long left = units - rounded.Sum(), most = Math.Max(1, units >> 42);
        int[] largestFirst = [.. Enumerable.Range(0, rounded.Length).OrderByDescending(i => rounded[i])];
        foreach (int i in largestFirst)
        {
            long some = Math.Clamp(left, -Math.Min(most, rounded[i] - 1), most);
            rounded[i] += some;
            left -= some;
            if (left == 0) break;
        }

        rounded[largestFirst[0]] += left;
        return rounded;
    }
}
