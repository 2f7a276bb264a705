using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Amalgam.Checkpoints;
using Amalgam.Numerics;

namespace Amalgam.Merging;

/// <summary>What all tensors of one run share: parallelism and cancellation, the seed, the buffers.</summary>
internal sealed class MergeContext(ParallelOptions parallel, long seed, int windowBlocks = 32, bool allowNonFinite = false)
{
    private readonly ConcurrentBag<BlockBuffers> _buffers = [];

    /// <summary>Degree of parallelism and the token.</summary>
    public ParallelOptions Parallel { get; } = parallel;

    /// <summary>Seed of the methods that draw random numbers.</summary>
    public long Seed { get; } = seed;

    /// <summary>Blocks that are read or written by one call to the operating system.</summary>
    public int WindowBlocks { get; } = windowBlocks;

    /// <summary>NaN and infinity in an input do not stop the run.</summary>
    public bool AllowNonFinite { get; } = allowNonFinite;

    /// <summary>The first value of each tensor that is not finite, where that is allowed.</summary>
    public ConcurrentDictionary<TensorEntry, string> NonFinites { get; } = new(ReferenceEqualityComparer.Instance);

    /// <summary>Called with the number of output bytes after each write.</summary>
    public Action<long>? Written { get; init; }

    /// <summary>Refuses, or notes, NaN and infinity among a tensor's values, and doubles that are too large for a float.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="first">Row-major index of the first value.</param>
    /// <param name="values">The values.</param>
    /// <param name="stored">The same values as they are stored.</param>
    /// <exception cref="MergeException">There is one, and the run does not allow it.</exception>
    public void CheckFinite(TensorEntry tensor, long first, ReadOnlySpan<float> values, ReadOnlySpan<byte> stored)
    {
        int bad = NonFinite.IndexOf(values);
        if (bad < 0) return;
        double value = tensor.DType == DType.F64 ? MemoryMarshal.Cast<byte, double>(stored)[bad] : values[bad];
        Report(tensor, first + bad, double.IsFinite(value) ? $"{value:R}, too large for the float32 that merging computes with," : Describe(values[bad]));
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
        NonFinites.TryAdd(tensor, found);
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
