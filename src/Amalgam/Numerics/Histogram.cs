using System.Numerics;
using System.Runtime.InteropServices;

namespace Amalgam.Numerics;

/// <summary>
/// Histograms of equal bins. The bin of x is floor((x - min) / ((max - min) / bins)) in double precision, the largest value in the last bin. Counting compares
/// with the bins' edges instead, which are chosen such that it gives the same bins, bit for bit.
/// </summary>
public static class Histogram
{
    /// <summary>The most bins of which an entropy is taken at once.</summary>
    public const int MostBins = 4096;

    private const int Block = 4096;

    /// <summary>Up to here comparing vectors with every edge beats a search per element.</summary>
    private const int ComparedEdges = 256;

    /// <summary>The smallest and the largest value; those of no values are infinity and minus infinity, which any other range absorbs.</summary>
    /// <param name="x">The elements, none of them NaN.</param>
    public static (float Min, float Max) Range(ReadOnlySpan<float> x)
    {
        var vx = MemoryMarshal.Cast<float, Vector<float>>(x);
        var (mins, maxes) = (new Vector<float>(float.PositiveInfinity), new Vector<float>(float.NegativeInfinity));
        foreach (var values in vx) (mins, maxes) = (Vector.MinNative(mins, values), Vector.MaxNative(maxes, values));

        var (min, max) = (float.PositiveInfinity, float.NegativeInfinity);
        for (int i = 0; i < Vector<float>.Count; i++) (min, max) = (Math.Min(min, mins[i]), Math.Max(max, maxes[i]));
        foreach (float value in x[(vx.Length * Vector<float>.Count)..]) (min, max) = (Math.Min(min, value), Math.Max(max, value));
        return (min, max);
    }

    /// <summary>The lower ends of all bins but the first: the smallest float that the formula puts into bin t or above. A range without width has one bin, the first.</summary>
    /// <param name="min">The smallest value.</param>
    /// <param name="max">The largest value.</param>
    /// <param name="bins">Number of bins.</param>
    public static float[] Edges(float min, float max, int bins)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 1);
        float[] edges = new float[bins - 1];
        Edges(min, max, edges);
        return edges;
    }

    /// <summary>The same into memory that is there.</summary>
    /// <param name="min">The smallest value.</param>
    /// <param name="max">The largest value.</param>
    /// <param name="edges">Receives the edges, one less than there are bins.</param>
    public static void Edges(float min, float max, Span<float> edges)
    {
        edges.Fill(float.PositiveInfinity);
        if (!(min < max)) return;

        int bins = edges.Length + 1;
        double width = ((double)max - min) / bins;
        int low = Order(min);
        for (int t = 1; t < bins; t++)
        {
            // The formula never falls as x grows, and reaches the last bin at max.
            int high = Order(max);
            while (low < high)
            {
                int middle = (int)(((long)low + high) >> 1);
                if (Math.Floor((FromOrder(middle) - (double)min) / width) >= t) high = middle;
                else low = middle + 1;
            }

            edges[t - 1] = FromOrder(low);
        }
    }

    /// <summary>Adds to each bin's count the number of elements that lie in it.</summary>
    /// <param name="x">The elements, none of them NaN.</param>
    /// <param name="edges">The bins' lower ends, ascending.</param>
    /// <param name="counts">The counts, one more than there are edges.</param>
    public static void Count(ReadOnlySpan<float> x, ReadOnlySpan<float> edges, Span<long> counts)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(counts.Length, edges.Length + 1);
        if (edges.Length > ComparedEdges)
        {
            foreach (float value in x) counts[BinOf(value, edges)]++;
            return;
        }

        for (; !x.IsEmpty; x = x[Math.Min(Block, x.Length)..])
        {
            var block = x[..Math.Min(Block, x.Length)];
            long below = block.Length;
            for (int t = 0; t < edges.Length; t++)
            {
                long atLeast = CountAtLeast(block, edges[t]);
                counts[t] += below - atLeast;
                below = atLeast;
            }

            counts[edges.Length] += below;
        }
    }

    /// <summary>The entropy of the counts' distribution, in nats; 0 when nothing was counted.</summary>
    public static double Entropy(ReadOnlySpan<long> counts)
    {
        double total = 0, entropy = 0;
        foreach (long count in counts) total += count;
        foreach (long count in counts)
            if (count > 0) entropy -= count / total * Math.Log(count / total);
        return entropy;
    }

    /// <summary>The entropy of the histogram of some elements, in nats; 0 when they are all equal, or none.</summary>
    /// <param name="x">The elements, none of them NaN.</param>
    /// <param name="bins">Number of bins between the smallest and the largest, at most <see cref="MostBins"/>.</param>
    public static double EntropyOf(ReadOnlySpan<float> x, int bins)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bins, MostBins);
        var (min, max) = Range(x);
        if (!(min < max)) return 0;
        Span<float> edges = stackalloc float[bins - 1];
        Span<long> counts = stackalloc long[bins];
        counts.Clear();
        Edges(min, max, edges);
        Count(x, edges, counts);
        return Entropy(counts);
    }

    private static int BinOf(float x, ReadOnlySpan<float> edges)
    {
        int low = 0;
        for (int count = edges.Length; count > 0;)
        {
            int half = (count + 1) >> 1;
            low += (x >= edges[low + half - 1] ? 1 : 0) * half;
            count -= half;
        }

        return low;
    }

    /// <summary>How many elements of a block, at most <see cref="Block"/>, are no less than an edge.</summary>
    private static int CountAtLeast(ReadOnlySpan<float> x, float edge)
    {
        var vx = MemoryMarshal.Cast<float, Vector<float>>(x);
        var bound = new Vector<float>(edge);
        Vector<int> a = default, b = default;
        int i = 0;
        for (; i < vx.Length - 1; i += 2)
        {
            a -= Vector.GreaterThanOrEqual(vx[i], bound);
            b -= Vector.GreaterThanOrEqual(vx[i + 1], bound);
        }

        int count = Vector.Sum(a + b);
        for (i *= Vector<float>.Count; i < x.Length; i++) count += x[i] >= edge ? 1 : 0;
        return count;
    }

    /// <summary>The place of a float among all floats in ascending order; both zeros are 0.</summary>
    private static int Order(float x)
    {
        int bits = BitConverter.SingleToInt32Bits(x);
        return bits >= 0 ? bits : int.MinValue - bits;
    }

    private static float FromOrder(int order) => BitConverter.Int32BitsToSingle(order >= 0 ? order : int.MinValue - order);
}
