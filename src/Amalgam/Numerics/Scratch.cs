namespace Amalgam.Numerics;

/// <summary>What a kernel's scratch is for; a thread has one buffer for each, and a kernel never calls one that uses the same.</summary>
internal enum ScratchUse
{
    /// <summary>Left factor in panels of the tile's height, shared by the parts of a product.</summary>
    LeftPanels,

    /// <summary>Right factor in panels of the tile's width, one part's own.</summary>
    RightPanels,

    /// <summary>A vector made contiguous.</summary>
    Vector,

    /// <summary>Weights of a convolution in panels, shared by its parts.</summary>
    Weights,

    /// <summary>A part's piece of an image, unrolled.</summary>
    Image,

    /// <summary>Which pixels of a row a kernel's column sees.</summary>
    Masks,

    /// <summary>Where the taps of a convolution lie in an unrolled image.</summary>
    Offsets,

    /// <summary>A part's pixels in another order than the image has them.</summary>
    Staging,

    /// <summary>Partial sums, shared by the parts of a convolution.</summary>
    Partials,
}

/// <summary>Buffers that a thread keeps between calls: they only grow, lie on cache line boundaries and do not move.</summary>
internal static unsafe class Scratch
{
    private const int Line = 64;

    [ThreadStatic]
    private static float[]?[]? _buffers;

    /// <summary>Room for <paramref name="count"/> floats with unspecified content, until this thread asks again for the same use.</summary>
    public static float* Floats(ScratchUse use, long count)
    {
        _buffers ??= new float[(int)ScratchUse.Partials + 1][];
        ref float[]? buffer = ref _buffers[(int)use];
        long length = count + Line / sizeof(float);
        if (buffer is null || buffer.Length < length) buffer = GC.AllocateUninitializedArray<float>(checked((int)length), pinned: true);
        fixed (float* start = buffer) return (float*)(((nint)start + Line - 1) & -Line);
    }
}
