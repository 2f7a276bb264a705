using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Amalgam.Checkpoints;

/// <summary>Stored elements as doubles, for figures about a tensor: exact for every type but 64-bit integers, which round to nearest.</summary>
internal static class Doubles
{
    private const int Block = 1024;

    /// <summary>Reads elements.</summary>
    /// <param name="type">Their type, a readable one.</param>
    /// <param name="x">Stored bytes, little-endian.</param>
    /// <param name="y">The values.</param>
    public static void Widen(DType type, ReadOnlySpan<byte> x, Span<double> y)
    {
        if (type == DType.F64) MemoryMarshal.Cast<byte, double>(x).CopyTo(y);
        else if (type == DType.I64) TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, long>(x), y);
        else if (type == DType.U64) TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, ulong>(x), y);
        else if (type == DType.I32) TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, int>(x), y);
        else if (type == DType.U32) TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, uint>(x), y);
        else ThroughFloats(type, x, y);
    }

    /// <summary>How many elements are 0, either sign.</summary>
    public static long CountZeros(ReadOnlySpan<double> x)
    {
        var vx = MemoryMarshal.Cast<double, Vector<double>>(x);
        var counts = Vector<long>.Zero;
        foreach (var values in vx) counts -= Vector.Equals(values, Vector<double>.Zero);
        long count = Vector.Sum(counts);
        foreach (double value in x[(vx.Length * Vector<double>.Count)..]) count += value == 0 ? 1 : 0;
        return count;
    }

    /// <summary>How many pairs have the same sign, 0 being a sign of its own.</summary>
    public static long CountEqualSigns(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        var vx = MemoryMarshal.Cast<double, Vector<double>>(x);
        var vy = MemoryMarshal.Cast<double, Vector<double>>(y)[..vx.Length];
        var (zero, counts) = (Vector<double>.Zero, Vector<long>.Zero);
        for (int i = 0; i < vx.Length; i++)
        {
            var positive = Vector.GreaterThan(vx[i], zero) & Vector.GreaterThan(vy[i], zero);
            var negative = Vector.LessThan(vx[i], zero) & Vector.LessThan(vy[i], zero);
            counts -= positive | negative | (Vector.Equals(vx[i], zero) & Vector.Equals(vy[i], zero));
        }

        long count = Vector.Sum(counts);
        for (int i = vx.Length * Vector<double>.Count; i < x.Length; i++)
            count += (x[i] > 0 && y[i] > 0) || (x[i] < 0 && y[i] < 0) || (x[i] == 0 && y[i] == 0) ? 1 : 0;
        return count;
    }

    private static void ThroughFloats(DType type, ReadOnlySpan<byte> x, Span<double> y)
    {
        Span<float> floats = stackalloc float[Block];
        int width = type.Bits / 8;
        while (!y.IsEmpty)
        {
            int count = Math.Min(Block, y.Length);
            type.Widen(x[..(count * width)], floats[..count]);
            TensorPrimitives.ConvertTruncating<float, double>(floats[..count], y[..count]);
            x = x[(count * width)..];
            y = y[count..];
        }
    }
}
