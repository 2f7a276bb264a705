using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.InteropServices;
using Amalgam.Checkpoints;
using Amalgam.Numerics;

namespace Amalgam.Merging;

/// <summary>Which entries of a task vector stay; the others become zero.</summary>
internal abstract record Pruning
{
    /// <summary>Elements that must lie in one block.</summary>
    public virtual long Grain(Shape shape) => 1;

    /// <summary>Bytes that a worker needs beside the blocks.</summary>
    public virtual long Scratch(Shape shape, int models) => 0;

    /// <summary>Refuses what cannot be done to a tensor, before anything is read.</summary>
    public virtual void Check(TensorSpec tensor)
    {
    }

    /// <summary>Reads what the masks depend on: a mask for each model, null where nothing is pruned.</summary>
    public abstract Mask?[] Measure(TensorMerge t);
}

/// <summary>The entries of one model's task vector that stay.</summary>
internal abstract class Mask
{
    /// <summary>Sets the entries of a block that do not stay to zero.</summary>
    /// <param name="first">Row-major index of the first.</param>
    /// <param name="delta">The entries.</param>
    public abstract void Apply(long first, Span<float> delta);
}

/// <summary>Keeps the largest magnitudes: the floor of density times the number of entries.</summary>
internal sealed record MagnitudePruning(string Method, ImmutableArray<double> Density) : Pruning
{
    public override long Scratch(Shape shape, int models) => Selection.Scratch(models, models);

    public override void Check(TensorSpec tensor)
    {
        foreach (double density in Density)
        {
            if (Kept(tensor.Shape.Count, density) > 0 || tensor.Shape.Count == 0) continue;
            throw new MergeException(
                $"{Method}: a density of {density} keeps none of the {tensor.Shape.Count} entries of '{tensor.Name}'; raise it for this tensor with a filter, or leave the tensor out with exclude");
        }
    }

    public override Mask?[] Measure(TensorMerge t)
    {
        long[] kept = [.. Density.Select(d => Kept(t.Shape.Count, d))];
        if (kept.All(k => k == t.Shape.Count)) return new Mask?[t.Models];
        Cut[] cuts = Selection.Largest(t, [.. kept.Select((k, i) => (i, k))], x => TaskVectors.Subtract(x, t.Models));
        return [.. cuts.Select((cut, i) => kept[i] == t.Shape.Count ? null : new LargestMask(cut))];
    }

    private static long Kept(long count, double density) => density >= 1 ? count : (long)(density * count);

    private sealed class LargestMask(Cut cut) : Mask
    {
        public override void Apply(long first, Span<float> delta) => cut.KeepAbove(first, delta);
    }
}

/// <summary>Drops the largest magnitudes (a share gamma of all) and the smallest, so that a share density stays (Davari and Belilovsky 2023, Model Breadcrumbs).</summary>
internal sealed record OutlierPruning(ImmutableArray<double> Density, ImmutableArray<double> Gamma) : Pruning
{
    public override long Scratch(Shape shape, int models) => Selection.Scratch(models, 2 * models);

    public override Mask?[] Measure(TensorMerge t)
    {
        long n = t.Shape.Count;
        (long Top, long Kept)[] counts = [.. Density.Select((density, i) => Counts(n, density, Gamma[i]))];
        if (counts.All(c => c.Kept == n)) return new Mask?[t.Models];

        // The entries that stay are the largest (top + kept) without the largest (top).
        var wanted = counts.Select((c, i) => (i, c.Top + c.Kept)).Concat(counts.Select((c, i) => (i, c.Top)));
        Cut[] cuts = Selection.Largest(t, [.. wanted], x => TaskVectors.Subtract(x, t.Models));
        return [.. counts.Select((c, i) => c.Kept == n ? null : new BandMask(cuts[i], cuts[t.Models + i]))];
    }

    private static (long Top, long Kept) Counts(long n, double density, double gamma)
    {
        if (density >= 1) return (0, n);
        long kept = (long)(density * n), top = (long)(gamma * n);
        return (Math.Min(top, n - kept), kept);
    }

    private sealed class BandMask(Cut outer, Cut inner) : Mask
    {
        public override void Apply(long first, Span<float> delta)
        {
            inner.KeepNotAbove(first, delta);
            outer.KeepAbove(first, delta);
        }
    }
}

/// <summary>Keeps each entry with probability density, independently (Yu et al. 2024, DARE).</summary>
internal sealed record RandomPruning(ImmutableArray<double> Density) : Pruning
{
    public override Mask?[] Measure(TensorMerge t) =>
        [.. Density.Select((density, i) => density >= 1 ? null : new RandomMask(Philox.Key(t.Seed, t.Name, t.NumberOf(i)), Math.Max(0, density)))];

    private sealed class RandomMask(ulong key, double density) : Mask
    {
        /// <summary>A draw below this keeps its entry.</summary>
        private readonly uint _limit = (uint)Math.Min(uint.MaxValue, Math.Round(density * 4294967296.0));

        public override void Apply(long first, Span<float> delta)
        {
            const int Run = 1024;
            Span<uint> draws = stackalloc uint[Run];
            for (int at = 0; at < delta.Length; at += Run)
            {
                Span<float> part = delta.Slice(at, Math.Min(Run, delta.Length - at));
                Philox.Fill(key, first + at, draws[..part.Length]);
                Map.Apply<Kept>(part, MemoryMarshal.Cast<uint, float>(draws[..part.Length]), BitConverter.UInt32BitsToSingle(_limit), part);
            }
        }

        /// <summary>The first where the bits of the second are below those of the third, else 0.</summary>
        private readonly struct Kept : IMap3
        {
            public static Vector<float> Invoke(Vector<float> a, Vector<float> b, Vector<float> c) =>
                Vector.ConditionalSelect(Vector.AsVectorSingle(Vector.LessThan(Vector.AsVectorUInt32(b), Vector.AsVectorUInt32(c))), a, Vector<float>.Zero);
        }
    }
}

/// <summary>
/// Keeps each entry with a probability that grows with its rank by magnitude within its row, from density - epsilon to density + epsilon (Deep et al. 2024,
/// DELLA). A row runs along the second axis; a vector is one row.
/// </summary>
internal sealed record RankPruning(string Method, ImmutableArray<double> Density, ImmutableArray<double> Epsilon) : Pruning
{
    /// <summary>Refuses probabilities outside (0, 1).</summary>
    public override void Check(TensorSpec tensor)
    {
        foreach (var (density, epsilon) in Density.Zip(Epsilon))
        {
            if (density is <= 0 or >= 1 || (density - epsilon > 0 && density + epsilon < 1)) continue;
            throw new MergeException($"{Method}: density ± epsilon must lie inside (0, 1), got {density} ± {epsilon}; choose a smaller epsilon");
        }
    }

    public override long Grain(Shape shape) => shape.Rank < 2 ? Math.Max(1, shape.Count) : Math.Max(1, shape.Count / Math.Max(1, shape[0]));

    public override long Scratch(Shape shape, int models) => Grain(shape) * sizeof(uint) + Math.Max(1, shape.Rank < 2 ? shape.Count : shape[1]) * sizeof(ulong);

    public override Mask?[] Measure(TensorMerge t)
    {
        int slab = checked((int)Grain(t.Shape)), length = t.Shape.Rank < 2 ? slab : checked((int)t.Shape[1]);
        return [.. Density.Select((density, i) => density >= 1 ? null : Create(t, i, density, Epsilon[i], slab, length))];
    }

    private static Mask Create(TensorMerge t, int model, double density, double epsilon, int slab, int length) =>
        density <= 0 ? new NothingMask() : new RankMask(Philox.Key(t.Seed, t.Name, t.NumberOf(model)), density, epsilon, slab, length);

    private sealed class NothingMask : Mask
    {
        public override void Apply(long first, Span<float> delta) => delta.Clear();
    }

    private sealed class RankMask(ulong key, double density, double epsilon, int slab, int length) : Mask
    {
        public override void Apply(long first, Span<float> delta)
        {
            int step = slab / length;
            ulong[] order = new ulong[length];
            uint[] draws = new uint[slab];
            for (int start = 0; start < delta.Length; start += slab)
            {
                Philox.Fill(key, first + start, draws);
                for (int row = 0; row < step; row++) Prune(delta.Slice(start, slab), draws, order, row, step);
            }
        }

        /// <summary>Sorts a row by magnitude, equal ones by position, and draws for each entry.</summary>
        private void Prune(Span<float> values, ReadOnlySpan<uint> draws, Span<ulong> order, int row, int step)
        {
            for (int i = 0; i < length; i++)
                order[i] = ((ulong)BitConverter.SingleToUInt32Bits(MathF.Abs(values[row + i * step])) << 32) | (uint)i;
            order.Sort();
            for (int rank = 0; rank < length; rank++)
            {
                int at = row + (int)(uint)order[rank] * step;
                double share = length == 1 ? 0.5 : rank / (length - 1.0);
                double probability = density - epsilon + 2 * epsilon * share;
                if (draws[at] >= probability * 4294967296.0) values[at] = 0;
            }
        }
    }
}
