using System.Runtime.CompilerServices;

namespace Amalgam.Numerics;

/// <summary>Memory for numbers that does not move and begins where cache lines do.</summary>
internal static class AlignedBuffer
{
    /// <summary>Elements of a cache line.</summary>
    public const int Line = 16;

    /// <summary>An array of zeros in which <paramref name="count"/> elements from <paramref name="offset"/> on begin at a cache line.</summary>
    public static unsafe float[] Allocate(int count, out int offset)
    {
        float[] buffer = GC.AllocateArray<float>(checked(count + Line), pinned: true);
        nuint address = (nuint)Unsafe.AsPointer(ref buffer[0]);
        offset = (int)((Line * sizeof(float) - address % (Line * sizeof(float))) % (Line * sizeof(float)) / sizeof(float));
        return buffer;
    }
}
