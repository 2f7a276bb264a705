using System.Numerics.Tensors;

namespace Amalgam.Numerics;

/// <summary>The search for values that are not numbers.</summary>
public static class NonFinite
{
    private const int Block = 4096;

    /// <summary>Index of the first NaN or infinity, -1 when there is none.</summary>
    public static int IndexOf(ReadOnlySpan<float> x)
    {
        for (int start = 0; start < x.Length; start += Block)
        {
            var block = x.Slice(start, Math.Min(Block, x.Length - start));
            if (TensorPrimitives.IsFiniteAll(block)) continue;
            int i = 0;
            while (float.IsFinite(block[i])) i++;
            return start + i;
        }

        return -1;
    }
}
