using System.Numerics;
using System.Runtime.InteropServices;

namespace Amalgam.Numerics;

/// <summary>bfloat16, the upper half of a float: 8 exponent bits, 7 mantissa bits.</summary>
public static class BFloat16
{
    /// <summary>Widens bfloat16 bit patterns; exact.</summary>
    public static void Widen(ReadOnlySpan<ushort> x, Span<float> y)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Length, y.Length);
        var vx = MemoryMarshal.Cast<ushort, Vector<ushort>>(x);
        var vy = MemoryMarshal.Cast<float, Vector<uint>>(y[..(vx.Length * Vector<ushort>.Count)]);
        for (int i = 0; i < vx.Length; i++)
        {
            Vector.Widen(vx[i], out Vector<uint> low, out Vector<uint> high);
            vy[2 * i] = low << 16;
            vy[2 * i + 1] = high << 16;
        }

        for (int i = vx.Length * Vector<ushort>.Count; i < x.Length; i++) y[i] = BitConverter.UInt32BitsToSingle((uint)x[i] << 16);
    }

    /// <summary>Narrows to bfloat16 bit patterns, round to nearest even; a NaN stays a (quiet) NaN.</summary>
    public static void Narrow(ReadOnlySpan<float> x, Span<ushort> y)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Length, y.Length);
        var vy = MemoryMarshal.Cast<ushort, Vector<ushort>>(y);
        var vx = MemoryMarshal.Cast<float, Vector<uint>>(x[..(vy.Length * Vector<ushort>.Count)]);
        for (int i = 0; i < vy.Length; i++) vy[i] = Vector.Narrow(Round(vx[2 * i]), Round(vx[2 * i + 1]));

        for (int i = vy.Length * Vector<ushort>.Count; i < x.Length; i++)
            y[i] = (ushort)Round(new Vector<uint>(BitConverter.SingleToUInt32Bits(x[i])))[0];
    }

    private static Vector<uint> Round(Vector<uint> bits)
    {
        var rounded = (bits + new Vector<uint>(0x7FFF) + ((bits >> 16) & Vector<uint>.One)) >> 16;
        var nan = Vector.GreaterThan(bits & new Vector<uint>(0x7FFF_FFFF), new Vector<uint>(0x7F80_0000));
        return Vector.ConditionalSelect(nan, (bits >> 16) | new Vector<uint>(0x40), rounded);
    }
}
