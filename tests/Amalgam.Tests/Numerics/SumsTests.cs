using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public class SumsTests
{
    [Fact]
    public void Equal_the_naive_sums() => Property.Holds(gen =>
    {
        float[] x = gen.Floats(gen.Size()), y = gen.Floats(x.Length);

        Close(x.Sum(v => (double)v), Sums.Sum(x));
        Close(x.Sum(v => Math.Abs((double)v)), Sums.SumOfMagnitudes(x));
        Close(x.Sum(v => (double)v * v), Sums.SumOfSquares(x));
        Close(x.Zip(y).Sum(p => (double)p.First * p.Second), Sums.Dot(x, y));
        Close(x.Zip(y).Sum(p => ((double)p.First - p.Second) * ((double)p.First - p.Second)), Sums.SumOfSquaredDifferences(x, y));
    });

    [Fact]
    public void Add_element_i_to_sum_i_mod_16_on_every_machine() => Property.Holds(gen =>
    {
        float[] x = gen.Floats(gen.Size()), y = gen.Floats(x.Length);
        double[] lanes = new double[16];
        for (int i = 0; i < x.Length; i++) lanes[i % 16] += ((double)x[i] - y[i]) * ((double)x[i] - y[i]);
        double[] four = [.. Enumerable.Range(0, 4).Select(i => lanes[i] + lanes[i + 4] + (lanes[i + 8] + lanes[i + 12]))];

        Assert.Equal(four[0] + four[1] + (four[2] + four[3]), Sums.SumOfSquaredDifferences(x, y));
    });

    [Fact]
    public void Where_a_span_begins_does_not_matter() => Property.Holds(gen =>
    {
        float[] x = gen.Floats(gen.Size());
        float[] shifted = new float[x.Length + 8];
        for (int offset = 0; offset < 8; offset++)
        {
            x.CopyTo(shifted, offset);
            Assert.Equal(Sums.Sum(x), Sums.Sum(shifted.AsSpan(offset, x.Length)));
        }
    });

    [Fact]
    public void Of_large_values_do_not_overflow() => Assert.Equal(3.0 * float.MaxValue * float.MaxValue, Sums.SumOfSquares([float.MaxValue, float.MaxValue, -float.MaxValue]), 1e62);

    [Fact]
    public void Of_nothing_are_0() => Assert.Equal(0, Sums.Dot([], []));

    [Fact]
    public void Refuse_unequal_lengths()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Sums.Dot(new float[3], new float[4]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Sums.SumOfSquaredDifferences(new float[4], new float[3]));
    }

    private static void Close(double expected, double actual) => Assert.InRange(actual, expected - 1e-11, expected + 1e-11);
}
