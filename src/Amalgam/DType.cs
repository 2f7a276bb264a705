using System.Collections.Immutable;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Amalgam.Numerics;

namespace Amalgam;

/// <summary>
/// The type of a stored element. Names are those of safetensors. Amalgam computes in float: floating-point types widen when read and narrow, rounding to
/// nearest even, when written; every other type passes through byte for byte.
/// </summary>
public sealed class DType
{
    private delegate void WidenKernel(ReadOnlySpan<byte> x, Span<float> y);

    private delegate void NarrowKernel(ReadOnlySpan<float> x, Span<byte> y);

    /// <summary>Unsigned 64-bit integer.</summary>
    public static readonly DType U64 = Integer("U64", 64, "uint64", (x, y) => TensorPrimitives.ConvertTruncating(As<ulong>(x), y));

    /// <summary>Signed 64-bit integer.</summary>
    public static readonly DType I64 = Integer("I64", 64, "int64", (x, y) => TensorPrimitives.ConvertTruncating(As<long>(x), y));

    /// <summary>Double precision, IEEE 754 binary64.</summary>
    public static readonly DType F64 = Float("F64", 64, "float64", double.MaxValue,
        (x, y) => TensorPrimitives.ConvertTruncating(As<double>(x), y), (x, y) => TensorPrimitives.ConvertTruncating(x, As<double>(y)));

    /// <summary>Complex number of two single-precision floats; passes through.</summary>
    public static readonly DType C64 = new("C64", 64, "complex64");

    /// <summary>Single precision, IEEE 754 binary32.</summary>
    public static readonly DType F32 = Float("F32", 32, "float32", float.MaxValue, (x, y) => x.CopyTo(MemoryMarshal.AsBytes(y)), (x, y) => MemoryMarshal.AsBytes(x).CopyTo(y));

    /// <summary>Unsigned 32-bit integer.</summary>
    public static readonly DType U32 = Integer("U32", 32, "uint32", (x, y) => TensorPrimitives.ConvertTruncating(As<uint>(x), y));

    /// <summary>Signed 32-bit integer.</summary>
    public static readonly DType I32 = Integer("I32", 32, "int32", (x, y) => TensorPrimitives.ConvertTruncating(As<int>(x), y));

    /// <summary>bfloat16: the upper half of a single-precision float.</summary>
    public static readonly DType BF16 = Float("BF16", 16, "bfloat16", 3.3895314e38, (x, y) => BFloat16.Widen(As<ushort>(x), y), (x, y) => BFloat16.Narrow(x, As<ushort>(y)));

    /// <summary>Half precision, IEEE 754 binary16.</summary>
    public static readonly DType F16 = Float("F16", 16, "float16", 65504,
        (x, y) => TensorPrimitives.ConvertToSingle(As<Half>(x), y), (x, y) => TensorPrimitives.ConvertToHalf(x, As<Half>(y)));

    /// <summary>Unsigned 16-bit integer.</summary>
    public static readonly DType U16 = Integer("U16", 16, "uint16", (x, y) => TensorPrimitives.ConvertTruncating(As<ushort>(x), y));

    /// <summary>Signed 16-bit integer.</summary>
    public static readonly DType I16 = Integer("I16", 16, "int16", (x, y) => TensorPrimitives.ConvertTruncating(As<short>(x), y));

    /// <summary>Unsigned byte.</summary>
    public static readonly DType U8 = Integer("U8", 8, "uint8", (x, y) => TensorPrimitives.ConvertTruncating(x, y));

    /// <summary>Signed byte.</summary>
    public static readonly DType I8 = Integer("I8", 8, "int8", (x, y) => TensorPrimitives.ConvertTruncating(As<sbyte>(x), y));

    /// <summary>8-bit float with 5 exponent bits.</summary>
    public static readonly DType F8E5M2 = Float("F8_E5M2", 8, "float8_e5m2", 57344, Float8.Widen<E5M2>, Float8.Narrow<E5M2>);

    /// <summary>8-bit float with 4 exponent bits and no infinity.</summary>
    public static readonly DType F8E4M3 = Float("F8_E4M3", 8, "float8_e4m3fn", 448, Float8.Widen<E4M3>, Float8.Narrow<E4M3>);

    /// <summary>8-bit power of two, a scale; passes through.</summary>
    public static readonly DType F8E8M0 = new("F8_E8M0", 8, "float8_e8m0fnu");

    /// <summary>8-bit float with 4 exponent bits, no infinity and no negative zero; passes through.</summary>
    public static readonly DType F8E4M3Fnuz = new("F8_E4M3FNUZ", 8, "float8_e4m3fnuz");

    /// <summary>8-bit float with 5 exponent bits, no infinity and no negative zero; passes through.</summary>
    public static readonly DType F8E5M2Fnuz = new("F8_E5M2FNUZ", 8, "float8_e5m2fnuz");

    /// <summary>6-bit float with 2 exponent bits, packed; passes through.</summary>
    public static readonly DType F6E2M3 = new("F6_E2M3", 6, "float6_e2m3");

    /// <summary>6-bit float with 3 exponent bits, packed; passes through.</summary>
    public static readonly DType F6E3M2 = new("F6_E3M2", 6, "float6_e3m2");

    /// <summary>4-bit float, two in a byte; passes through.</summary>
    public static readonly DType F4 = new("F4", 4, "float4_e2m1");

    /// <summary>Truth value, one byte.</summary>
    public static readonly DType Bool = Integer("BOOL", 8, "bool", (x, y) => TensorPrimitives.ConvertTruncating(x, y));

    /// <summary>Every type, in the order in which a safetensors file stores them: wide ones first, so that each tensor is aligned.</summary>
    public static readonly ImmutableArray<DType> All =
    [
        U64, I64, F64, C64, F32, U32, I32, BF16, F16, U16, I16, U8, I8, F8E5M2, F8E4M3, F8E8M0, F8E4M3Fnuz, F8E5M2Fnuz, F6E2M3, F6E3M2, F4, Bool,
    ];

    private readonly WidenKernel? _widen;
    private readonly NarrowKernel? _narrow;

    private DType(string name, int bits, string longName, double largest = 0, WidenKernel? widen = null, NarrowKernel? narrow = null)
    {
        (Name, Bits, LongName, Largest) = (name, bits, longName, largest);
        (_widen, _narrow) = (widen, narrow);
    }

    /// <summary>The safetensors name, such as <c>BF16</c>.</summary>
    public string Name { get; }

    /// <summary>The name in PyTorch and in recipes, such as <c>bfloat16</c>.</summary>
    public string LongName { get; }

    /// <summary>Bits of one element; below 8 for packed types.</summary>
    public int Bits { get; }

    /// <summary>The largest finite value of a floating-point type.</summary>
    public double Largest { get; }

    /// <summary>Amalgam computes with this type: it widens to float and narrows back.</summary>
    public bool IsFloat => _narrow is not null;

    /// <summary>The values can be read as floats (floating-point types, integers and booleans), for statistics.</summary>
    public bool IsReadable => _widen is not null;

    /// <summary>The type of a safetensors name or a PyTorch name, with or without <c>torch.</c>; null when there is none.</summary>
    public static DType? Find(string name)
    {
        string bare = name.StartsWith("torch.", StringComparison.Ordinal) ? name[6..] : name;
        return All.FirstOrDefault(t => t.Name == bare || t.LongName == bare);
    }

    /// <summary>Bytes of <paramref name="count"/> elements.</summary>
    /// <exception cref="OverflowException">More than a 64-bit integer holds.</exception>
    /// <exception cref="ArgumentException">The elements of a packed type do not fill whole bytes.</exception>
    public long BytesOf(long count)
    {
        if (Bits % 8 == 0) return checked(count * (Bits / 8));
        long bits = checked(count * Bits);
        return bits % 8 == 0 ? bits / 8 : throw new ArgumentException($"{count} elements of {Name} do not fill whole bytes", nameof(count));
    }

    /// <summary>Reads elements as floats; exact but for F64 and wide integers, which round to nearest.</summary>
    /// <param name="x">Stored bytes, little-endian, as many elements as <paramref name="y"/> has.</param>
    /// <param name="y">The values.</param>
    public void Widen(ReadOnlySpan<byte> x, Span<float> y)
    {
        if (_widen is null) throw new NotSupportedException($"{Name} elements are not read as numbers");
        ArgumentOutOfRangeException.ThrowIfNotEqual(x.Length, y.Length * (Bits / 8));
        _widen(x, y);
    }

    /// <summary>Stores floats, rounding to nearest even.</summary>
    /// <param name="x">The values.</param>
    /// <param name="y">Their bytes, little-endian.</param>
    public void Narrow(ReadOnlySpan<float> x, Span<byte> y)
    {
        if (_narrow is null) throw new NotSupportedException($"numbers are not stored as {Name}");
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Length, x.Length * (Bits / 8));
        _narrow(x, y);
    }

    public override string ToString() => Name;

    private static DType Float(string name, int bits, string longName, double largest, WidenKernel widen, NarrowKernel narrow) => new(name, bits, longName, largest, widen, narrow);

    private static DType Integer(string name, int bits, string longName, WidenKernel widen) => new(name, bits, longName, widen: widen);

    private static ReadOnlySpan<T> As<T>(ReadOnlySpan<byte> x) where T : struct => MemoryMarshal.Cast<byte, T>(x);

    private static Span<T> As<T>(Span<byte> x) where T : struct => MemoryMarshal.Cast<byte, T>(x);
}
