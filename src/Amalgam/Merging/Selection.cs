using System.Numerics;
using Amalgam.Numerics;

namespace Amalgam.Merging;

/// <summary>Where the largest entries of a tensor end: those of a larger magnitude, and of the ones with exactly this magnitude those before an index.</summary>
/// <param name="Magnitude">The smallest magnitude that is among the largest.</param>
/// <param name="End">Entries with this magnitude are among the largest up to this row-major index, exclusive.</param>
internal readonly record struct Cut(float Magnitude, long End)
{
    /// <summary>Nothing is among the largest.</summary>
    public static readonly Cut None = new(float.PositiveInfinity, 0);

    /// <summary>Sets the entries that are not among the largest to zero.</summary>
    public void KeepAbove(long first, Span<float> x)
    {
        int equal = Split(first, x.Length);
        Map.Apply<Above>(x[..equal], MathF.BitDecrement(Magnitude), x[..equal]);
        Map.Apply<Above>(x[equal..], Magnitude, x[equal..]);
    }

    /// <summary>Sets the entries that are among the largest to zero.</summary>
    public void KeepNotAbove(long first, Span<float> x)
    {
        int equal = Split(first, x.Length);
        Map.Apply<NotAbove>(x[..equal], MathF.BitDecrement(Magnitude), x[..equal]);
        Map.Apply<NotAbove>(x[equal..], Magnitude, x[equal..]);
    }

    private int Split(long first, int count) => (int)Math.Clamp(End - first, 0, count);

    private readonly struct Above : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => Vector.ConditionalSelect(Vector.GreaterThan(Vector.Abs(a), b), a, Vector<float>.Zero);
    }

    private readonly struct NotAbove : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => Vector.ConditionalSelect(Vector.GreaterThan(Vector.Abs(a), b), Vector<float>.Zero, a);
    }
}

/// <summary>Finds the k largest entries by magnitude in streamed passes, by radix selection on the bits of the floats. Equal ones are taken in order of index.</summary>
internal static class Selection
{
    /// <summary>Bytes that a worker counts in.</summary>
    /// <param name="models">Number of models whose values are counted.</param>
    /// <param name="wanted">How many cuts are wanted.</param>
    public static long Scratch(int models, int wanted) => ((long)models * Magnitudes.HighBins + (long)wanted * Magnitudes.LowBins) * sizeof(long);

    /// <param name="t">The tensor.</param>
    /// <param name="wanted">How many are wanted, and of which model's values in a block.</param>
    /// <param name="prepare">Overwrites a block's values with the keys to select from.</param>
    public static Cut[] Largest(TensorMerge t, (int Model, long Count)[] wanted, BlockVisit prepare)
    {
        int models = wanted.Max(w => w.Model) + 1, highBins = Magnitudes.HighBins, lowBins = Magnitudes.LowBins;
        long[] high = t.Count(models * highBins, (x, counts) =>
        {
            prepare(x);
            for (int i = 0; i < models; i++) Magnitudes.CountHigh(x[i], counts.AsSpan(i * highBins, highBins));
        });

        (int Bin, long Rank)[] upper = [.. wanted.Select(w => w.Count == 0 ? (-1, 0) : Magnitudes.Find(high.AsSpan(w.Model * highBins, highBins), w.Count))];
        long[] low = t.Count(wanted.Length * lowBins, (x, counts) =>
        {
            prepare(x);
            for (int i = 0; i < wanted.Length; i++)
                if (upper[i].Bin >= 0) Magnitudes.CountLow(x[wanted[i].Model], upper[i].Bin, counts.AsSpan(i * lowBins, lowBins));
        });

        var cuts = new Cut[wanted.Length];
        long[] missing = new long[wanted.Length];
        for (int i = 0; i < wanted.Length; i++)
        {
            cuts[i] = Cut.None;
            if (upper[i].Bin < 0) continue;
            Span<long> counts = low.AsSpan(i * lowBins, lowBins);
            var (bin, rank) = Magnitudes.Find(counts, upper[i].Rank);
            cuts[i] = new(Magnitudes.FromBits(upper[i].Bin, bin), long.MaxValue);
            if (rank < counts[bin]) missing[i] = rank;
        }

        if (missing.Any(m => m > 0)) SettleTies(t, wanted, cuts, missing, prepare);
        return cuts;
    }

    /// <summary>Finds the index after which entries equal to the cut are no longer among the largest.</summary>
    private static void SettleTies(TensorMerge t, (int Model, long Count)[] wanted, Cut[] cuts, long[] missing, BlockVisit prepare)
    {
        long[,] equal = new long[cuts.Length, t.Blocks];
        t.Visit(x =>
        {
            prepare(x);
            for (int i = 0; i < cuts.Length; i++)
                if (missing[i] > 0) equal[i, t.BlockAt(x.First)] = CountOf(x[wanted[i].Model], cuts[i].Magnitude);
        });

        for (int i = 0; i < cuts.Length; i++)
        {
            if (missing[i] == 0) continue;
            long block = 0, left = missing[i];
            while (equal[i, block] < left) left -= equal[i, block++];
            int cut = i;
            t.VisitBlock(block, x =>
            {
                prepare(x);
                Span<float> values = x[wanted[cut].Model];
                int end = 0;
                for (; left > 0; end++) left -= HasMagnitude(values[end], cuts[cut].Magnitude) ? 1 : 0;
                cuts[cut] = cuts[cut] with { End = x.First + end };
            });
        }
    }

    private static long CountOf(ReadOnlySpan<float> x, float magnitude)
    {
        long count = 0;
        foreach (float value in x) count += HasMagnitude(value, magnitude) ? 1 : 0;
        return count;
    }

    /// <summary>Compares bits, as the selection does, so that a NaN that a run allows equals itself.</summary>
    private static bool HasMagnitude(float x, float magnitude) => BitConverter.SingleToInt32Bits(MathF.Abs(x)) == BitConverter.SingleToInt32Bits(magnitude);
}
