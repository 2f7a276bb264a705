using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Amalgam.Numerics;

/// <summary>
/// Finds the k-th largest magnitude of a tensor that is streamed in parts, exactly, in two passes: magnitudes sort as their 31 bits do, so the first pass
/// counts the upper 16 bits, and the second counts the lower 15 bits of the elements in the bin that holds the k-th. Neither pass may meet a NaN.
/// </summary>
public static class Magnitudes
{
    private const int LowBits = 15;

    /// <summary>Counts of the first pass, by bits 30 to 15.</summary>
    public const int HighBins = 1 << (31 - LowBits);

    /// <summary>Counts of the second pass, by bits 14 to 0.</summary>
    public const int LowBins = 1 << LowBits;

    /// <summary>First pass: counts the elements by the upper bits of their magnitudes.</summary>
    /// <param name="x">Part of the elements.</param>
    /// <param name="counts">The <see cref="HighBins"/> counts to add to.</param>
    public static void CountHigh(ReadOnlySpan<float> x, Span<long> counts)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(counts.Length, HighBins);
        foreach (uint bits in MemoryMarshal.Cast<float, uint>(x)) counts[(int)((bits << 1) >> (LowBits + 1))]++;
    }

    /// <summary>Second pass: counts the elements of one bin of the first pass by the lower bits of their magnitudes.</summary>
    /// <param name="x">Part of the elements.</param>
    /// <param name="high">The bin.</param>
    /// <param name="counts">The <see cref="LowBins"/> counts to add to.</param>
    public static void CountLow(ReadOnlySpan<float> x, int high, Span<long> counts)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(counts.Length, LowBins);
        ArgumentOutOfRangeException.ThrowIfNegative(high);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(high, HighBins);
        var bits = MemoryMarshal.Cast<float, uint>(x);
        var vectors = MemoryMarshal.Cast<float, Vector256<uint>>(x);
        var mask = Vector256.Create((uint)(HighBins - 1) << LowBits);
        var wanted = Vector256.Create((uint)high << LowBits);
        for (int i = 0; i < vectors.Length; i++)
        {
            uint hits = Vector256.Equals(vectors[i] & mask, wanted).ExtractMostSignificantBits();
            for (; hits != 0; hits &= hits - 1) counts[(int)(bits[i * Vector256<uint>.Count + BitOperations.TrailingZeroCount(hits)] % LowBins)]++;
        }

        foreach (uint last in bits[(vectors.Length * Vector256<uint>.Count)..])
            if ((last << 1) >> (LowBits + 1) == high) counts[(int)(last % LowBins)]++;
    }

    /// <summary>The bin that holds the k-th largest element, and that element's rank inside the bin, from 1.</summary>
    /// <param name="counts">Counts of ascending bins.</param>
    /// <param name="k">From 1 to the sum of the counts.</param>
    public static (int Bin, long Rank) Find(ReadOnlySpan<long> counts, long k)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        long rank = k;
        for (int bin = counts.Length - 1; bin >= 0; bin--)
        {
            if (rank <= counts[bin]) return (bin, rank);
            rank -= counts[bin];
        }

        throw new ArgumentOutOfRangeException(nameof(k), k, $"only {k - rank} elements were counted");
    }

    /// <summary>The magnitude with these upper and lower bits.</summary>
    public static float FromBits(int high, int low) => BitConverter.Int32BitsToSingle((high << LowBits) | low);

    /// <summary>The k-th largest magnitude.</summary>
    /// <param name="x">The elements.</param>
    /// <param name="k">From 1 to the number of elements.</param>
    public static float KthLargest(ReadOnlySpan<float> x, long k)
    {
        long[] counts = new long[HighBins];
        CountHigh(x, counts);
        var (high, rank) = Find(counts, k);
        var low = counts.AsSpan(0, LowBins);
        low.Clear();
        CountLow(x, high, low);
        return FromBits(high, Find(low, rank).Bin);
    }
}
