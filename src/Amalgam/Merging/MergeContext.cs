using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Amalgam.Merging;

/// <summary>What all tensors of one run share: parallelism and cancellation, the seed, the buffers.</summary>
internal sealed class MergeContext(ParallelOptions parallel, long seed, int windowBlocks = 8, bool allowNonFinite = false)
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

    /// <summary>Sentences about inputs that are not finite, where that is allowed.</summary>
    public ConcurrentQueue<string> Notes { get; } = [];

    /// <summary>Called with the number of output bytes after each write.</summary>
    public Action<long>? Written { get; init; }

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
