using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public unsafe class GemmTests
{
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 1, 1 }, { 1, 37, 19 }, { 1, 1000, 300 }, { 300, 1, 77 }, { 2, 3, 4 }, { 7, 31, 5 }, { 8, 32, 256 }, { 9, 33, 257 }, { 32, 64, 64 },
        { 64, 576, 100 }, { 130, 10, 300 }, { 97, 301, 600 }, { 400, 65, 33 }, { 17, 700, 20 }, { 32, 24, 9000 }, { 100, 40, 3001 },
    };

    [Theory, MemberData(nameof(Shapes))]
    public void A_product_is_what_a_double_loop_gives(int m, int n, int k)
    {
        Generator gen = new(m + n + k);
        for (int kind = 0; kind < 8; kind++) Check(gen, m, n, k, (kind & 1) > 0, (kind & 2) > 0, (kind & 4) > 0);
    }

    [Fact]
    public void So_it_is_for_any_sizes() => Property.Holds(gen =>
        Check(gen, gen.Size(80), gen.Size(150), gen.Size(), gen.Random.Next(2) > 0, gen.Random.Next(2) > 0, gen.Random.Next(2) > 0));

    [Fact]
    public void A_left_factor_too_large_to_be_packed_at_once_is_taken_in_pieces() => Check(new(2), 2900, 3, 3000, false, false, true);

    [Fact]
    public void Every_width_of_vectors_gives_it() => Property.Holds(gen =>
    {
        int m = gen.Size(50), n = gen.Size(100), k = gen.Size();
        bool ta = gen.Random.Next(2) > 0, tb = gen.Random.Next(2) > 0;
        float[] a = gen.Floats(m * k), b = gen.Floats(k * n), expected = Reference(m, n, k, a, ta, b, tb, new float[m * n]);
        fixed (float* pa = a, pb = b)
        {
            foreach (int width in (int[])[128, 256, 512])
            {
                float[] c = new float[m * n];
                fixed (float* pc = c)
                {
                    GemmProduct product = Gemm.Product(m, n, k, pa, ta, pb, tb, pc, false);
                    if (width == 128) Gemm.Run<Lanes128>(product);
                    else if (width == 256) Gemm.Run<Lanes256>(product);
                    else Gemm.Run<Lanes512>(product);
                }

                Near(expected, c, k);
            }
        }
    });

    [Theory]
    [InlineData(300, 500, 700)]
    [InlineData(1, 3000, 500)]
    [InlineData(3000, 1, 500)]
    [InlineData(2000, 40, 90)]
    [InlineData(128, 96, 6000)]
    public void Several_threads_give_the_bits_of_one(int m, int n, int k)
    {
        Generator gen = new(5);
        float[] a = gen.Floats(m * k), b = gen.Floats(k * n), c = new float[m * n];
        Assert.Equal(OnThreads.One(Product), OnThreads.Four(Product));

        float[] Product()
        {
            Gemm.Multiply(m, n, k, a, false, b, false, c);
            return [.. c];
        }
    }

    [Fact]
    public void No_terms_give_zeros_or_change_nothing()
    {
        float[] c = [1, 2];
        Gemm.Multiply(2, 1, 0, [], false, [], false, c, add: true);
        Assert.Equal([1, 2], c);
        Gemm.Multiply(2, 1, 0, [], false, [], false, c);
        Assert.Equal([0, 0], c);
        Gemm.Multiply(0, 3, 2, [], false, new float[6], false, []);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void What_is_not_a_number_reaches_its_row_and_no_other(float value)
    {
        foreach ((int m, int n, int k) in ((int, int, int)[])[(11, 45, 300), (100, 200, 40)])
        {
            float[] a = new float[m * k], b = new float[k * n], c = new float[m * n];
            a.AsSpan().Fill(1);
            b.AsSpan().Fill(1);
            a[3 * k + 7] = value;
            c.AsSpan().Fill(float.NaN);
            Gemm.Multiply(m, n, k, a, false, b, false, c);
            for (int i = 0; i < m * n; i++) Assert.Equal(i / n == 3 ? value : k, c[i]);
        }
    }

    [Fact]
    public void A_batch_broadcasts_by_strides_of_zero() => Property.Holds(gen =>
    {
        int m = gen.Size(20), n = gen.Size(40), k = gen.Size(40), outer = gen.Size(4), inner = gen.Size(5);
        bool ta = gen.Random.Next(2) > 0, tb = gen.Random.Next(2) > 0;
        float[] a = gen.Floats(outer * m * k), b = gen.Floats(inner * k * n), c = new float[outer * inner * m * n];
        Gemm.MultiplyBatch([outer, inner], m, n, k, a, [m * k, 0], ta, b, [0, k * n], tb, c);
        for (int i = 0; i < outer * inner; i++)
        {
            float[] expected = Reference(m, n, k, a.AsSpan(i / inner * m * k, m * k), ta, b.AsSpan(i % inner * k * n, k * n), tb, new float[m * n]);
            Near(expected, c.AsSpan(i * m * n, m * n), k);
        }
    });

    [Fact]
    public void A_warm_call_allocates_nothing()
    {
        float[] a = new float[200 * 300], b = new float[300 * 400], c = new float[200 * 400];
        Warm.AllocatesNothing(All);

        void All()
        {
            Gemm.Multiply(200, 400, 300, a, false, b, false, c);
            Gemm.Multiply(200, 400, 300, a, true, b, true, c, add: true);
            Gemm.Multiply(1, 400, 300, a.AsSpan(0, 300), false, b, false, c.AsSpan(0, 400));
            Gemm.MultiplyBatch([10], 20, 40, 300, a, [20 * 300], false, b, [0], false, c.AsSpan(0, 8000));
        }
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Gemm.Multiply(2, 2, 2, new float[3], false, new float[4], false, new float[4]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Gemm.Multiply(2, 2, 2, new float[4], false, new float[4], false, new float[5]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Gemm.Multiply(-1, 2, 2, [], false, new float[4], false, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => Gemm.MultiplyBatch([3], 2, 2, 2, new float[11], [4], false, new float[4], [0], false, new float[12]));
    }

    internal static float[] Reference(int m, int n, int k, ReadOnlySpan<float> a, bool transposeA, ReadOnlySpan<float> b, bool transposeB, ReadOnlySpan<float> c)
    {
        float[] y = new float[m * n];
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = c[i * n + j];
                for (int p = 0; p < k; p++) sum += (double)a[transposeA ? p * m + i : i * k + p] * b[transposeB ? j * k + p : p * n + j];
                y[i * n + j] = (float)sum;
            }
        }

        return y;
    }

    /// <summary>Equal but for the rounding of sums of <paramref name="terms"/> products of numbers about 1.</summary>
    internal static void Near(ReadOnlySpan<float> expected, ReadOnlySpan<float> found, int terms)
    {
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(expected[i] - found[i]) <= 1e-6 * (4 + terms))) Assert.Fail($"at {i}: expected {expected[i]}, found {found[i]}");
        }
    }

    private static void Check(Generator gen, int m, int n, int k, bool transposeA, bool transposeB, bool add)
    {
        float[] a = gen.Floats(m * k), b = gen.Floats(k * n), c = gen.Floats(m * n);
        float[] expected = Reference(m, n, k, a, transposeA, b, transposeB, add ? c : new float[m * n]);
        Gemm.Multiply(m, n, k, a, transposeA, b, transposeB, c, add);
        Near(expected, c, k);
    }
}
