using System.Numerics;
using System.Runtime.InteropServices;

namespace Amalgam.Numerics;

/// <summary>What tells the 8-bit floating-point formats apart (Micikevicius et al., FP8 Formats for Deep Learning, 2022, table 1).</summary>
public interface IFloat8
{
    /// <summary>Bits of the mantissa.</summary>
    static abstract int MantissaBits { get; }

    /// <summary>Bias of the exponent.</summary>
    static abstract int Bias { get; }

    /// <summary>The largest magnitude pattern that is a finite number.</summary>
    static abstract uint LargestFinite { get; }

    /// <summary>The magnitude pattern of a value that is too large: infinity where the format has one, else NaN.</summary>
    static abstract uint Overflow { get; }
}

/// <summary>Float8 with 4 exponent bits and no infinity (e4m3fn): largest value 448, a larger one becomes NaN.</summary>
public readonly struct E4M3 : IFloat8
{
    public static int MantissaBits => 3;
    public static int Bias => 7;
    public static uint LargestFinite => 0x7E;
    public static uint Overflow => 0x7F;
}

/// <summary>Float8 with 5 exponent bits and infinities: largest value 57344.</summary>
public readonly struct E5M2 : IFloat8
{
    public static int MantissaBits => 2;
    public static int Bias => 15;
    public static uint LargestFinite => 0x7B;
    public static uint Overflow => 0x7C;
}

/// <summary>Widening and narrowing of 8-bit floats.</summary>
public static class Float8
{
    private const uint Nan = 0x7F;
    private const uint FloatInfinity = 0x7F80_0000;
    private const uint FloatNan = 0x7FC0_0000;

    /// <summary>Widens 8-bit patterns; exact.</summary>
    public static void Widen<TFormat>(ReadOnlySpan<byte> x, Span<float> y) where TFormat : struct, IFloat8
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Length, y.Length);
        int width = Vector<byte>.Count;
        Span<byte> padX = stackalloc byte[width];
        Span<float> padY = stackalloc float[width];
        for (int i = 0; i < x.Length; i += width)
        {
            if (x.Length - i >= width)
            {
                Widen<TFormat>(new Vector<byte>(x[i..]), MemoryMarshal.Cast<float, Vector<uint>>(y.Slice(i, width)));
                continue;
            }

            x[i..].CopyTo(padX);
            Widen<TFormat>(new Vector<byte>(padX), MemoryMarshal.Cast<float, Vector<uint>>(padY));
            padY[..(x.Length - i)].CopyTo(y[i..]);
        }
    }

    /// <summary>Narrows to 8-bit patterns, round to nearest even; too large a value becomes infinity where the format has one, else NaN.</summary>
    public static void Narrow<TFormat>(ReadOnlySpan<float> x, Span<byte> y) where TFormat : struct, IFloat8
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Length, y.Length);
        int width = Vector<byte>.Count;
        Span<byte> padY = stackalloc byte[width];
        Span<float> padX = stackalloc float[width];
        for (int i = 0; i < x.Length; i += width)
        {
            if (x.Length - i >= width)
            {
                Narrow<TFormat>(MemoryMarshal.Cast<float, Vector<uint>>(x.Slice(i, width))).CopyTo(y[i..]);
                continue;
            }

            x[i..].CopyTo(padX);
            Narrow<TFormat>(MemoryMarshal.Cast<float, Vector<uint>>(padX)).CopyTo(padY);
            padY[..(x.Length - i)].CopyTo(y[i..]);
        }
    }

    private static void Widen<TFormat>(Vector<byte> x, Span<Vector<uint>> y) where TFormat : struct, IFloat8
    {
        Vector.Widen(x, out Vector<ushort> low, out Vector<ushort> high);
        Vector.Widen(low, out Vector<uint> a, out Vector<uint> b);
        Vector.Widen(high, out Vector<uint> c, out Vector<uint> d);
        y[0] = Widen<TFormat>(a);
        y[1] = Widen<TFormat>(b);
        y[2] = Widen<TFormat>(c);
        y[3] = Widen<TFormat>(d);
    }

    /// <summary>Puts the pattern at the top of a float's fields and scales by a power of two, which is exact for subnormals too.</summary>
    private static Vector<uint> Widen<TFormat>(Vector<uint> x) where TFormat : struct, IFloat8
    {
        var magnitude = x & new Vector<uint>(0x7F);
        var scale = new Vector<float>(MathF.ScaleB(1, 127 - TFormat.Bias));
        var value = Vector.AsVectorUInt32(Vector.AsVectorSingle(magnitude << (23 - TFormat.MantissaBits)) * scale);
        value = Vector.ConditionalSelect(Vector.GreaterThan(magnitude, new Vector<uint>(TFormat.LargestFinite)), new Vector<uint>(FloatNan), value);
        if (TFormat.Overflow != Nan)
            value = Vector.ConditionalSelect(Vector.Equals(magnitude, new Vector<uint>(TFormat.Overflow)), new Vector<uint>(FloatInfinity), value);
        return value | ((x & new Vector<uint>(0x80)) << 24);
    }

    private static Vector<byte> Narrow<TFormat>(ReadOnlySpan<Vector<uint>> x) where TFormat : struct, IFloat8 =>
        Vector.Narrow(
            Vector.Narrow(Narrow<TFormat>(x[0]), Narrow<TFormat>(x[1])),
            Vector.Narrow(Narrow<TFormat>(x[2]), Narrow<TFormat>(x[3])));

    private static Vector<uint> Narrow<TFormat>(Vector<uint> bits) where TFormat : struct, IFloat8
    {
        int dropped = 23 - TFormat.MantissaBits;
        var magnitude = bits & new Vector<uint>(0x7FFF_FFFF);

        // Normal numbers: add half a unit in the last kept place (less one where that place is even), then re-bias.
        var rounded = magnitude + new Vector<uint>((1u << (dropped - 1)) - 1) + ((magnitude >> dropped) & Vector<uint>.One);
        var normal = (rounded >> dropped) - new Vector<uint>((uint)(127 - TFormat.Bias) << TFormat.MantissaBits);

        // Subnormal ones: adding a power of two whose unit in the last place is the format's smallest step lets the adder round.
        var magic = new Vector<float>(MathF.ScaleB(1, 1 - TFormat.Bias + dropped));
        var subnormal = Vector.AsVectorUInt32(Vector.AsVectorSingle(magnitude) + magic) - Vector.AsVectorUInt32(magic);

        var smallestNormal = new Vector<uint>((uint)(128 - TFormat.Bias) << 23);
        var value = Vector.ConditionalSelect(Vector.LessThan(magnitude, smallestNormal), subnormal, normal);
        var tooLarge = Vector.GreaterThan(value, new Vector<uint>(TFormat.LargestFinite)) | Vector.GreaterThanOrEqual(magnitude, new Vector<uint>(FloatInfinity));
        value = Vector.ConditionalSelect(tooLarge, new Vector<uint>(TFormat.Overflow), value);
        value = Vector.ConditionalSelect(Vector.GreaterThan(magnitude, new Vector<uint>(FloatInfinity)), new Vector<uint>(Nan), value);
        return value | ((bits >> 24) & new Vector<uint>(0x80));
    }
}
