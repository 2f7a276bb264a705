namespace Amalgam.Tests;

public class DTypeTests
{
    public static TheoryData<string> SmallFloats => ["BF16", "F16", "F8_E5M2", "F8_E4M3"];

    [Theory, MemberData(nameof(SmallFloats))]
    public void Every_pattern_widens_to_its_value(string name)
    {
        FloatFormat format = FloatFormat.Of(name);
        uint[] patterns = [.. Enumerable.Range(0, format.Patterns).Select(p => (uint)p)];

        float[] y = new float[patterns.Length];
        format.Type.Widen(format.Bytes(patterns), y);

        for (int p = 0; p < y.Length; p++) Assert.True(Same(format.Decode((uint)p), y[p]), $"{p:X} widens to {y[p]}, expected {format.Decode((uint)p)}");
    }

    [Theory, MemberData(nameof(SmallFloats))]
    public void Around_every_value_and_every_midpoint_narrows_to_the_nearest_even(string name)
    {
        FloatFormat format = FloatFormat.Of(name);
        List<float> x = [];
        for (int p = 0; p <= format.LargestFinite; p++)
        {
            double low = format.Decode((uint)p), middle = (low + format.DecodeFinite((uint)p + 1)) / 2;
            foreach (float at in (float[])[(float)low, (float)middle])
                x.AddRange([MathF.BitDecrement(at), at, MathF.BitIncrement(at), -MathF.BitDecrement(at), -at, -MathF.BitIncrement(at)]);
        }

        CheckNarrowing(format, [.. x]);
    }

    [Theory, MemberData(nameof(SmallFloats))]
    public void Random_floats_narrow_to_the_nearest_even(string name)
    {
        FloatFormat format = FloatFormat.Of(name);
        Random random = new(7);
        float[] any = [.. Enumerable.Range(0, 100_000).Select(_ => BitConverter.Int32BitsToSingle((int)random.NextInt64(1L << 32)))];
        float[] near = [.. Enumerable.Range(0, 100_000).Select(_ => (float)((random.NextDouble() - 0.5) * Math.Pow(2, random.Next(-30, 18))))];

        CheckNarrowing(format, [.. any, .. near]);
    }

    [Theory, MemberData(nameof(SmallFloats))]
    public void What_is_no_number_narrows_to_what_the_format_has_for_it(string name)
    {
        FloatFormat format = FloatFormat.Of(name);
        float[] nans = [float.NaN, -float.NaN, BitConverter.UInt32BitsToSingle(0x7F80_0001), BitConverter.UInt32BitsToSingle(0xFFFF_FFFF), BitConverter.UInt32BitsToSingle(0xFF80_8000)];

        CheckNarrowing(format, [.. nans, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, -float.MaxValue, float.Epsilon, -float.Epsilon, 0, -0f]);
    }

    [Theory, MemberData(nameof(SmallFloats))]
    public void Largest_is_the_largest_finite_value(string name)
    {
        FloatFormat format = FloatFormat.Of(name);
        Assert.Equal(format.Decode(format.LargestFinite), format.Type.Largest, format.Type.Largest * 1e-7);
    }

    [Fact]
    public void Tails_of_every_length_are_read_and_written_like_the_rest()
    {
        foreach (DType type in DType.All.Where(t => t.IsReadable))
        {
            byte[] x = new byte[200 * type.Bits / 8];
            new Random(3).NextBytes(x);
            int width = type.Bits / 8;
            for (int count = 0; count <= 140; count++)
            {
                float[] y = new float[count], one = new float[1];
                byte[] z = new byte[count * width], oneZ = new byte[width];
                type.Widen(x.AsSpan(0, z.Length), y);
                if (type.IsFloat) type.Narrow(y, z);
                for (int i = 0; i < count; i++)
                {
                    type.Widen(x.AsSpan(i * width, width), one);
                    Assert.True(Same(one[0], y[i]), $"{type}: element {i} of {count} is {y[i]}, alone {one[0]}");
                    if (!type.IsFloat) continue;
                    type.Narrow(one, oneZ);
                    Assert.Equal(oneZ, z[(i * width)..((i + 1) * width)]);
                }
            }
        }
    }

    [Fact]
    public void Integers_widen_to_the_nearest_float() => Property.Holds(gen =>
    {
        long bits = gen.Random.NextInt64(long.MinValue, long.MaxValue) >> gen.Random.Next(64);
        if (gen.Random.Next(3) == 0) bits = (bits & ~0xFFFFL) | 0x8000;
        if (gen.Random.Next(9) == 0) bits = gen.Random.Next(2) - 1;
        foreach (DType type in DType.All.Where(t => t.IsReadable && !t.IsFloat))
        {
            Int128 value = type.Name switch
            {
                "U64" => (ulong)bits,
                "I64" => bits,
                "U32" => (uint)bits,
                "I32" => (int)bits,
                "U16" => (ushort)bits,
                "I16" => (short)bits,
                "I8" => (sbyte)bits,
                _ => (byte)bits,
            };
            float[] y = new float[33];
            type.Widen([.. Enumerable.Repeat(BitConverter.GetBytes(bits)[..(type.Bits / 8)], y.Length).SelectMany(b => b)], y);

            foreach (float v in y)
            {
                Int128 error = Int128.Abs((Int128)v - value);
                foreach (float other in (float[])[MathF.BitDecrement(v), MathF.BitIncrement(v)])
                    Assert.True(Math.Abs(v) < 1 << 24 ? error == 0 : error <= Int128.Abs((Int128)other - value), $"{type} {value} widens to {v:R}, {other:R} is nearer");
            }
        }
    }, runs: 500);

    [Fact]
    public void Doubles_round_to_floats_and_floats_come_back()
    {
        double[] x = [0, -0.0, 1e300, -1e300, double.Epsilon, 1 + 5e-8, 1 + 6e-8, 1e-45, 7e-46, double.NaN, double.PositiveInfinity, 3.4028235e38, 3.4028236e38];
        float[] y = new float[x.Length];
        DType.F64.Widen([.. x.SelectMany(BitConverter.GetBytes)], y);
        for (int i = 0; i < x.Length; i++) Assert.True(Same((float)x[i], y[i]));

        byte[] z = new byte[8 * y.Length];
        DType.F64.Narrow(y, z);
        for (int i = 0; i < y.Length; i++) Assert.True(Same(y[i], BitConverter.ToDouble(z, 8 * i)));
    }

    [Fact]
    public void Is_found_by_every_name_that_people_write()
    {
        foreach (DType type in DType.All)
            foreach (string name in (string[])[type.Name, type.LongName, $"torch.{type.LongName}"]) Assert.Same(type, DType.Find(name));
        Assert.Null(DType.Find("float17"));
    }

    [Fact]
    public void Packed_elements_must_fill_bytes()
    {
        Assert.Equal(3, DType.F4.BytesOf(6));
        Assert.Equal(3, DType.F6E2M3.BytesOf(4));
        Assert.Throws<ArgumentException>(() => DType.F4.BytesOf(3));
        Assert.Throws<OverflowException>(() => DType.F64.BytesOf(long.MaxValue / 4));
    }

    [Fact]
    public void Refuses_lengths_that_do_not_fit_and_types_that_are_not_numbers()
    {
        foreach (DType type in DType.All.Where(t => t.IsReadable)) Assert.Throws<ArgumentOutOfRangeException>(() => type.Widen(new byte[type.Bits / 8 * 3], new float[2]));
        foreach (DType type in DType.All.Where(t => t.IsFloat)) Assert.Throws<ArgumentOutOfRangeException>(() => type.Narrow(new float[2], new byte[type.Bits / 8 * 3]));
        Assert.Throws<NotSupportedException>(() => DType.C64.Widen(new byte[8], new float[1]));
        Assert.Throws<NotSupportedException>(() => DType.I64.Narrow(new float[1], new byte[8]));
    }

    private static void CheckNarrowing(FloatFormat format, float[] x)
    {
        byte[] y = new byte[format.Type.BytesOf(x.Length)];
        format.Type.Narrow(x, y);
        uint[] patterns = format.Read(y);
        for (int i = 0; i < x.Length; i++)
        {
            if (float.IsNaN(x[i])) Assert.True(double.IsNaN(format.Decode(patterns[i])), $"{x[i]} narrows to {patterns[i]:X}, expected a NaN");
            else Assert.True(format.Nearest(x[i]) == patterns[i], $"{x[i]:R} narrows to {patterns[i]:X}, expected {format.Nearest(x[i]):X}");
        }
    }

    private static bool Same(double expected, double actual) =>
        double.IsNaN(expected) ? double.IsNaN(actual) : expected == actual && double.IsNegative(expected) == double.IsNegative(actual);

    /// <summary>A small float by its definition: fields, bias, and what the largest exponent means.</summary>
    private sealed record FloatFormat(DType Type, int ExponentBits, int MantissaBits, bool HasInfinity)
    {
        public static FloatFormat Of(string name) => name switch
        {
            "BF16" => new(DType.BF16, 8, 7, true),
            "F16" => new(DType.F16, 5, 10, true),
            "F8_E5M2" => new(DType.F8E5M2, 5, 2, true),
            _ => new(DType.F8E4M3, 4, 3, false),
        };

        public int Patterns => 1 << Type.Bits;

        private uint Sign => 1u << (Type.Bits - 1);

        /// <summary>Without infinities, only the pattern of all ones is not a number.</summary>
        public uint LargestFinite => HasInfinity ? (((1u << ExponentBits) - 1) << MantissaBits) - 1 : Sign - 2;

        public double Decode(uint pattern)
        {
            uint magnitude = pattern & (Sign - 1);
            double value = magnitude <= LargestFinite ? DecodeFinite(magnitude)
                : HasInfinity && magnitude == LargestFinite + 1 ? double.PositiveInfinity
                : double.NaN;
            return pattern < Sign ? value : -value;
        }

        /// <summary>The value of a magnitude pattern as if the format went on without infinities and NaN.</summary>
        public double DecodeFinite(uint magnitude)
        {
            int exponent = (int)(magnitude >> MantissaBits), bias = (1 << (ExponentBits - 1)) - 1;
            double fraction = (magnitude & ((1u << MantissaBits) - 1)) / (double)(1 << MantissaBits);
            return exponent == 0 ? fraction * Math.Pow(2, 1 - bias) : (1 + fraction) * Math.Pow(2, exponent - bias);
        }

        /// <summary>Nearest value, the even pattern of two that are equally near; above the largest, the first pattern that is not finite.</summary>
        public uint Nearest(double x)
        {
            uint sign = double.IsNegative(x) ? Sign : 0;
            x = Math.Abs(x);
            uint low = 0, high = LargestFinite + 1;
            if (x >= DecodeFinite(high)) return sign | high;
            while (high - low > 1)
            {
                uint middle = (low + high) / 2;
                if (DecodeFinite(middle) <= x) low = middle;
                else high = middle;
            }

            double below = x - DecodeFinite(low), above = DecodeFinite(high) - x;
            return sign | (below < above || (below == above && low % 2 == 0) ? low : high);
        }

        public byte[] Bytes(uint[] patterns) =>
            Type.Bits == 8 ? [.. patterns.Select(p => (byte)p)] : [.. patterns.SelectMany(p => BitConverter.GetBytes((ushort)p))];

        public uint[] Read(byte[] bytes) =>
            Type.Bits == 8 ? [.. bytes.Select(b => (uint)b)] : [.. Enumerable.Range(0, bytes.Length / 2).Select(i => (uint)BitConverter.ToUInt16(bytes, 2 * i))];
    }
}
