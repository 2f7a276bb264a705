using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public class HistogramTests
{
    [Theory]
    [InlineData(new float[] { 0, 1, 2, 3 }, new long[] { 1, 1, 2 }, 1.0397208)]
    [InlineData(new float[] { 0, 0, 0, 3 }, new long[] { 3, 0, 1 }, 0.5623351)]
    public void The_case_that_was_done_by_hand(float[] x, long[] expected, double entropy)
    {
        long[] counts = Count(x, 3);
        Assert.Equal(expected, counts);
        Assert.Equal(entropy, Histogram.Entropy(counts), 1e-7);
    }

    [Fact]
    public void Counts_as_the_formula_does() => Property.Holds(gen =>
    {
        float scale = gen.Random.Next(5) switch { 0 => 1, 1 => 1e-44f, 2 => 1e-38f, 3 => 1e38f, _ => MathF.Pow(10, gen.Random.Next(-30, 30)) };
        float shift = gen.Random.Next(3) == 0 ? scale * 1000 : 0;
        float[] x = [.. gen.Floats(gen.Random.Next(1, 6000)).Select(v => Math.Clamp((v * scale) + shift, -float.MaxValue, float.MaxValue))];
        int bins = gen.Random.Next(4) switch { 0 => 1 + gen.Random.Next(5), 1 => 10, 2 => 1 + gen.Random.Next(40), _ => 250 + gen.Random.Next(20) };

        Assert.Equal(Naive(x, bins), Count(x, bins));
    }, runs: 300);

    [Theory]
    [InlineData(0, 1, 10)]
    [InlineData(-1, 1, 7)]
    [InlineData(-float.MaxValue, float.MaxValue, 10)]
    [InlineData(0, float.Epsilon, 10)]
    [InlineData(-3 * float.Epsilon, 5 * float.Epsilon, 8)]
    [InlineData(-float.Epsilon, 1e30, 300)]
    [InlineData(1, 1.0000001, 10)]
    [InlineData(0.1, 0.3, 2)]
    public void An_edge_is_the_smallest_float_of_its_bin(double low, double high, int bins)
    {
        var (min, max) = ((float)low, (float)high);
        float[] edges = Histogram.Edges(min, max, bins);
        Assert.Equal(bins - 1, edges.Length);
        for (int t = 1; t < bins; t++)
        {
            float edge = edges[t - 1];
            Assert.InRange(edge, min, max);
            Assert.True(Bin(edge, min, max, bins) >= t);
            Assert.True(edge == min || Bin(MathF.BitDecrement(edge), min, max, bins) < t);
        }
    }

    [Fact]
    public void Every_float_around_an_edge_falls_where_the_formula_says()
    {
        float[] edges = Histogram.Edges(-0.7f, 1.3f, 10);
        List<float> x = [-0.7f, 1.3f];
        foreach (float edge in edges) x.AddRange([MathF.BitDecrement(edge), edge, MathF.BitIncrement(edge)]);

        Assert.Equal(Naive([.. x], 10), Count([.. x], 10));
    }

    [Theory]
    [InlineData(new float[] { })]
    [InlineData(new float[] { 3 })]
    [InlineData(new float[] { -2.5f, -2.5f, -2.5f })]
    [InlineData(new float[] { 0f, -0f, 0f })]
    public void Entropy_of_a_constant_is_0(float[] x) => Assert.Equal(0, Histogram.Entropy(Count(x, 10)));

    [Fact]
    public void Entropy_of_equal_counts_is_the_log_of_their_number() => Assert.Equal(Math.Log(10), Histogram.Entropy([.. Enumerable.Repeat(7L, 10)]), 1e-12);

    [Fact]
    public void Range_is_the_smallest_and_the_largest() => Property.Holds(gen =>
    {
        float[] x = gen.Floats(gen.Size());
        Assert.Equal((x.Min(), x.Max()), Histogram.Range(x));
    });

    [Fact]
    public void The_range_of_nothing_is_absorbed_by_any_other() => Assert.Equal((float.PositiveInfinity, float.NegativeInfinity), Histogram.Range([]));

    [Fact]
    public void Refuses_counts_that_do_not_fit_the_edges() => Assert.Throws<ArgumentOutOfRangeException>(() => Histogram.Count([1], [0.5f], new long[3]));

    private static long[] Count(float[] x, int bins)
    {
        var (min, max) = Histogram.Range(x);
        long[] counts = new long[bins];
        Histogram.Count(x, Histogram.Edges(min, max, bins), counts);
        return counts;
    }

    private static long[] Naive(float[] x, int bins)
    {
        long[] counts = new long[bins];
        var (min, max) = (x.Min(), x.Max());
        foreach (float v in x) counts[Bin(v, min, max, bins)]++;
        return counts;
    }

    private static int Bin(float x, float min, float max, int bins) =>
        min == max ? 0 : (int)Math.Min(bins - 1, Math.Floor(((double)x - min) / (((double)max - min) / bins)));
}
