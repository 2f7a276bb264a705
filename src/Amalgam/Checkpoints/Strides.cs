using System.Collections.Immutable;

namespace Amalgam.Checkpoints;

/// <summary>Tensors by their distances between neighbours, as files state them.</summary>
internal static class Strides
{
    /// <summary>An entry that is dense where the strides are those of a dense tensor; those of axes of size 1 and of empty tensors do not matter.</summary>
    public static TensorEntry Entry(string name, DType dtype, Shape shape, Storage storage, long offset, ReadOnlySpan<long> strides)
    {
        ImmutableArray<long> dense = TensorEntry.DenseStrides(shape);
        long[] kept = strides.ToArray();
        for (int axis = 0; axis < kept.Length; axis++)
            if (shape[axis] == 1 || shape.Count == 0) kept[axis] = dense[axis];
        return new(name, dtype, shape, storage, offset, kept.AsSpan().SequenceEqual(dense.AsSpan()) ? default : [.. kept]);
    }

    /// <summary>The byte after the last element.</summary>
    public static long End(TensorEntry tensor)
    {
        if (tensor.IsDense) return tensor.Offset + tensor.ByteCount;
        long last = 0;
        for (int axis = 0; axis < tensor.Shape.Rank; axis++) last += (tensor.Shape[axis] - 1) * tensor.Strides[axis];
        return tensor.Offset + (last + 1) * (tensor.DType.Bits / 8);
    }
}
