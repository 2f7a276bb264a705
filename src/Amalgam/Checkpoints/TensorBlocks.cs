namespace Amalgam.Checkpoints;

/// <summary>Walks over a tensor's elements in row-major order, in blocks of bounded size.</summary>
internal static class TensorBlocks
{
    /// <summary>Elements of a block: enough that reading is fast, few enough that a block stays in the second-level cache. A multiple of 8, for packed types.</summary>
    public const int Count = 65536;

    /// <summary>Elements of the largest block of a tensor.</summary>
    public static int LargestOf(Shape shape) => (int)Math.Min(Count, shape.Count);

    /// <summary>The index of the first element and the length of each block.</summary>
    public static IEnumerable<(long First, int Count)> Of(Shape shape)
    {
        for (long first = 0; first < shape.Count; first += Count) yield return (first, (int)Math.Min(Count, shape.Count - first));
    }
}
