using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Amalgam.Checkpoints;
using Amalgam.Numerics;

namespace Amalgam.Merging;

/// <summary>What all tensors of one run share: parallelism and cancellation, the seed, the buffers.</summary>
internal sealed class MergeContext(ParallelOptions parallel, long seed, int windowBlocks = 32, bool allowNonFinite = false)
{
    private readonly ConcurrentBag<BlockBuffers> _buffers = [];

    /// <summary>The first value of each tensor that is not finite, where that is allowed.</summary>
    private readonly ConcurrentDictionary<TensorEntry, (long Index, string Text)> _nonFinites = new(ReferenceEqualityComparer.Instance);

    /// <summary>Degree of parallelism and the token.</summary>
    public ParallelOptions Parallel { get; } = parallel;

    /// <summary>Seed of the methods that draw random numbers.</summary>
    public long Seed { get; } = seed;

    /// <summary>Blocks that are read or written by one call to the operating system.</summary>
    public int WindowBlocks { get; } = windowBlocks;

    /// <summary>NaN and infinity in an input do not stop the run.</summary>
    public bool AllowNonFinite { get; } = allowNonFinite;

    /// <summary>A value that is not finite was met.</summary>
    public bool HasNonFinites => !_nonFinites.IsEmpty;

    /// <summary>The first value of each tensor that is not finite, in words.</summary>
    public IEnumerable<string> Findings => _nonFinites.Values.Select(f => f.Text).Order(StringComparer.Ordinal);

    /// <summary>Called with the number of output bytes after each write.</summary>
    public Action<long>? Written { get; init; }

    /// <summary>Refuses, or notes, NaN and infinity among a tensor's values, and doubles that are too large for a float.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="first">Row-major index of the first value.</param>
    /// <param name="values">The values.</param>
    /// <param name="stored">The same values as they are stored.</param>
    /// <returns>All are finite.</returns>
    /// <exception cref="MergeException">There is one, and the run does not allow it.</exception>
    public bool CheckFinite(TensorEntry tensor, long first, ReadOnlySpan<float> values, ReadOnlySpan<byte> stored)
    {
        int bad = NonFinite.IndexOf(values);
        if (bad < 0) return true;
        double value = tensor.DType == DType.F64 ? MemoryMarshal.Cast<byte, double>(stored)[bad] : values[bad];
        Report(tensor, first + bad, double.IsFinite(value) ? $"{value:R}, too large for the float32 that merging computes with," : Describe(values[bad]));
        return false;
    }

    /// <summary>Refuses, or notes, NaN and infinity among doubles that are copied.</summary>
    public void CheckFinite(TensorEntry tensor, long first, ReadOnlySpan<double> values)
    {
        int bad = values.IndexOfAnyExceptInRange(double.MinValue, double.MaxValue);
        if (bad >= 0) Report(tensor, first + bad, Describe((float)values[bad]));
    }

    private void Report(TensorEntry tensor, long index, string value)
    {
        string found = $"{tensor.Storage.Path}: tensor '{tensor.Name}' has {value} at index {Position(tensor.Shape, index)}";
        if (!AllowNonFinite) throw new MergeException($"{found}; no output was written. Mend the checkpoint, or let it pass with --allow-nonfinite");
        _nonFinites.AddOrUpdate(tensor, (index, found), (_, before) => before.Index <= index ? before : (index, found));
    }

    /// <summary>Does something for each number below a count, side by side. Of several refusals that of the smallest number is thrown, however the work was shared out.</summary>
    public void ForEach(long count, Action<long> body)
    {
        Lock gate = new();
        (long Number, ExceptionDispatchInfo? Error) first = (long.MaxValue, null);
        System.Threading.Tasks.Parallel.For(0, count, Parallel, (number, state) =>
        {
            try
            {
                body(number);
            }
            catch (MergeException e)
            {
                lock (gate) if (number < first.Number) first = (number, ExceptionDispatchInfo.Capture(e));
                state.Break();
            }
        });
        first.Error?.Throw();
    }

    /// <summary>A value that is not finite, in words.</summary>
    public static string Describe(float value) => float.IsNaN(value) ? "NaN" : float.IsPositiveInfinity(value) ? "infinity" : float.IsNegativeInfinity(value) ? "-infinity" : $"{value}";

    /// <summary>The index of an element along each axis, for messages.</summary>
    public static string Position(Shape shape, long index)
    {
        long[] position = new long[shape.Rank];
        for (int axis = shape.Rank - 1; axis >= 0; axis--) (index, position[axis]) = Math.DivRem(index, shape[axis]);
        return $"[{string.Join(',', position)}]";
    }

    /// <summary>Buffers that no other worker uses; give them back.</summary>
    public BlockBuffers Rent() => _buffers.TryTake(out BlockBuffers? buffers) ? buffers : new();

    public void Return(BlockBuffers buffers)
    {
        buffers.OutputCount = 0;
        _buffers.Add(buffers);
    }
}

/// <summary>One worker's buffers; they grow to the largest block seen and are reused.</summary>
internal sealed class BlockBuffers
{
    public float[][] Values = [];
    public float[] Base = [];
    public float[] Merged = [];
    public byte[]?[] Raw = [];
    public byte[] Output = [];

    /// <summary>Bytes in <see cref="Output"/> that are not written yet.</summary>
    public int OutputCount;

    /// <summary>The block that was read last has inputs that are not finite; known in a tensor's first pass only.</summary>
    public bool IsSpoiled;

    /// <summary>Row-major index of the element with which <see cref="Output"/> begins.</summary>
    public long OutputFirst;

    /// <summary>Makes room for a number of inputs and the elements of a block.</summary>
    public void Fit(int models, int blockElements)
    {
        if (Values.Length < models) Array.Resize(ref Values, models);
        if (Raw.Length < models + 1) Array.Resize(ref Raw, models + 1);
        for (int i = 0; i < models; i++) Grow(ref Values[i]!, blockElements);
        Grow(ref Base!, blockElements);
        Grow(ref Merged!, blockElements);
    }

    public static void Grow<T>([NotNull] ref T[]? buffer, long length)
    {
        if (buffer is null || buffer.Length < length) buffer = GC.AllocateUninitializedArray<T>(checked((int)length));
    }
}
