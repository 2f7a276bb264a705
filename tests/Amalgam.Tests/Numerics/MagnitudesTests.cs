using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public class MagnitudesTests
{
    [Fact]
    public void The_kth_largest_is_that_of_a_sort() => Property.Holds(gen =>
    {
        float[] x = Values(gen);
        float[] sorted = [.. x.Select(MathF.Abs).OrderDescending()];
        foreach (int k in (int[])[1, x.Length, 1 + gen.Random.Next(x.Length)]) Assert.Equal(sorted[k - 1], Magnitudes.KthLargest(x, k));
    });

    [Fact]
    public void Parts_count_as_the_whole() => Property.Holds(gen =>
    {
        float[] x = Values(gen);
        int k = 1 + gen.Random.Next(x.Length), cut = gen.Random.Next(x.Length);
        long[] high = new long[Magnitudes.HighBins], low = new long[Magnitudes.LowBins];
        Magnitudes.CountHigh(x.AsSpan(0, cut), high);
        Magnitudes.CountHigh(x.AsSpan(cut), high);
        var (bin, rank) = Magnitudes.Find(high, k);
        Magnitudes.CountLow(x.AsSpan(0, cut), bin, low);
        Magnitudes.CountLow(x.AsSpan(cut), bin, low);

        Assert.Equal(x.Length, high.Sum());
        Assert.Equal(high[bin], low.Sum());
        Assert.Equal(Magnitudes.KthLargest(x, k), Magnitudes.FromBits(bin, Magnitudes.Find(low, rank).Bin));
    });

    [Fact]
    public void Find_gives_the_rank_inside_the_bin()
    {
        long[] counts = [2, 0, 3, 1];
        var found = Enumerable.Range(1, 6).Select(k => Magnitudes.Find(counts, k));
        Assert.Equal([(3, 1L), (2, 1L), (2, 2L), (2, 3L), (0, 1L), (0, 2L)], found);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void Refuses_a_k_that_no_element_has(long k) => Assert.Throws<ArgumentOutOfRangeException>(() => Magnitudes.KthLargest([1, 2, 3], k));

    /// <summary>Normal values, values that share their upper bits, zeros of both signs, subnormal and huge ones.</summary>
    private static float[] Values(Generator gen)
    {
        float[] x = gen.Floats(gen.Random.Next(1, 2000));
        for (int i = 0; i < x.Length; i++)
        {
            x[i] = gen.Random.Next(6) switch
            {
                0 => 1 + (gen.Random.Next(100) * 1.1920929e-7f),
                1 => gen.Random.Next(4) switch { 0 => -0f, 1 => float.MaxValue, 2 => -float.Epsilon * gen.Random.Next(1000), _ => -1 },
                _ => x[i],
            };
        }

        return x;
    }
}
