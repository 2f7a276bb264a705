using System.Buffers;
using System.Runtime.InteropServices;
using Amalgam.Graphs;

namespace Amalgam.Checkpoints;

/// <summary>Elements as a graph's floats, and back.</summary>
internal static class OnnxValues
{
    private const int Chunk = 1 << 18;
    private const long ExactLimit = 1 << 24, EndLimit = int.MaxValue;

    /// <summary>Reads a tensor. Doubles round; integers must be exact, or so large that they stand for "to the end".</summary>
    /// <exception cref="GraphException">The elements are no numbers, an integer has no float, or there are more than memory can hold.</exception>
    public static Tensor Read(TensorEntry tensor)
    {
        if (!tensor.DType.IsReadable) throw new GraphException($"tensor {tensor} has elements that are no numbers");
        if (tensor.Shape.Count > Array.MaxLength) throw new GraphException($"tensor {tensor} has {tensor.Shape.Count} elements, a graph's tensor holds at most {Array.MaxLength}");
        Tensor values = new(tensor.Shape);
        int width = tensor.DType.Bits / 8;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Chunk * width);
        for (int first = 0; first < values.Count; first += Chunk)
        {
            Span<float> to = values.Span[first..Math.Min(values.Count, first + Chunk)];
            Span<byte> bytes = tensor.DType == DType.F32 ? MemoryMarshal.AsBytes(to) : buffer.AsSpan(0, to.Length * width);
            tensor.Read(first, bytes);
            if (tensor.DType != DType.F32) tensor.DType.Widen(bytes, to);
            if (tensor.DType == DType.Bool) Truth(to);
            if (tensor.DType == DType.I64) CheckExact(MemoryMarshal.Cast<byte, long>(bytes), tensor.ToString());
            if (tensor.DType == DType.I32) CheckExact(MemoryMarshal.Cast<byte, int>(bytes), tensor.ToString());
            if (tensor.DType == DType.U64) CheckExact(MemoryMarshal.Cast<byte, ulong>(bytes), tensor.ToString());
            if (tensor.DType == DType.U32) CheckExact(MemoryMarshal.Cast<byte, uint>(bytes), tensor.ToString());
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return values;
    }

    /// <summary>Integers as floats.</summary>
    /// <exception cref="GraphException">One has no float.</exception>
    public static Tensor Integers(Shape shape, long[] values, string what)
    {
        CheckExact<long>(values, what);
        return new(shape, [.. values.Select(v => (float)v)]);
    }

    /// <summary>The stored bytes of a graph's tensor: floats round to nearest even, integers are cut at their type's limits.</summary>
    /// <exception cref="GraphException">The type stores no numbers.</exception>
    public static byte[] Bytes(ReadOnlySpan<float> values, DType type)
    {
        byte[] bytes = new byte[type.BytesOf(values.Length)];
        if (type.IsFloat) type.Narrow(values, bytes);
        else if (type == DType.I64) Convert<long>(values, bytes);
        else if (type == DType.I32) Convert<int>(values, bytes);
        else if (type == DType.I16) Convert<short>(values, bytes);
        else if (type == DType.I8) Convert<sbyte>(values, bytes);
        else if (type == DType.U64) Convert<ulong>(values, bytes);
        else if (type == DType.U32) Convert<uint>(values, bytes);
        else if (type == DType.U16) Convert<ushort>(values, bytes);
        else if (type == DType.U8) Convert<byte>(values, bytes);
        else if (type == DType.Bool) for (int i = 0; i < values.Length; i++) bytes[i] = values[i] != 0 ? (byte)1 : (byte)0;
        else throw new GraphException($"numbers are not stored as {type}");
        return bytes;
    }

    private static void Convert<T>(ReadOnlySpan<float> values, Span<byte> bytes) where T : unmanaged, System.Numerics.INumberBase<T> =>
        System.Numerics.Tensors.TensorPrimitives.ConvertSaturating(values, MemoryMarshal.Cast<byte, T>(bytes));

    private static void Truth(Span<float> values)
    {
        foreach (ref float value in values) value = value != 0 ? 1 : 0;
    }

    private static void CheckExact<T>(ReadOnlySpan<T> values, string what) where T : unmanaged, System.Numerics.IBinaryInteger<T>
    {
        foreach (T value in values)
        {
            double exact = double.CreateSaturating(value);
            if (Math.Abs(exact) is > ExactLimit and < EndLimit && (float)exact != exact)
                throw new GraphException($"{what} holds {value}; Amalgam computes with floats, in which that integer does not exist");
        }
    }
}
