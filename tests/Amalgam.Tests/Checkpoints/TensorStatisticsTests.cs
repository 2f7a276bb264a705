using Amalgam.Checkpoints;
using static Amalgam.Tests.Checkpoints.RawCheckpoint;

namespace Amalgam.Tests.Checkpoints;

public class TensorStatisticsTests
{
    [Fact]
    public void Agree_with_naive_sums() => Property.Holds(gen =>
    {
        float[] x = gen.Floats(gen.Random.Next(6) == 0 ? 65536 + gen.Size() : gen.Size());
        int bad = gen.Random.Next(3) == 0 ? gen.Random.Next(x.Length) : -1;
        if (bad >= 0) x[bad] = gen.Random.Next(2) == 0 ? float.NaN : float.NegativeInfinity;
        double[] finite = [.. x.Where(float.IsFinite).Select(v => (double)v)];

        TensorStatistics s = Of(Vector("x", DType.F32, x));

        Assert.Equal(x.Length, s.Count);
        Assert.Equal(finite.Count(v => v == 0), s.Zeros);
        Assert.Equal((bad >= 0 ? 1 : 0, bad), (s.NonFinite, s.FirstNonFinite));
        if (finite.Length == 0)
        {
            Assert.True(double.IsNaN(s.Mean));
            return;
        }

        double mean = finite.Sum() / finite.Length;
        Assert.Equal((finite.Min(), finite.Max()), (s.Min, s.Max));
        Assert.Equal(mean, s.Mean, 1e-12);
        Assert.Equal(Math.Sqrt(finite.Sum(v => (v - mean) * (v - mean)) / finite.Length), s.StandardDeviation, 1e-12);
        Assert.Equal(Histogram(finite), s.Histogram);
        Assert.Equal(-s.Histogram.Where(c => c > 0).Sum(c => (double)c / finite.Length * Math.Log((double)c / finite.Length)), s.Entropy, 1e-12);
    }, runs: 60);

    [Fact]
    public void A_float64_keeps_its_digits_and_its_range()
    {
        TensorStatistics s = Of(Vector("x", DType.F64, 1e300, -1.0000000001, 1e-320, 0));
        Assert.Equal((1e300, -1.0000000001, 1L, 0L), (s.Max, s.Min, s.Zeros, s.NonFinite));
    }

    [Fact]
    public void Integers_and_booleans_have_statistics_too()
    {
        TensorStatistics wide = Of(Vector("x", DType.I64, 1L << 40, (1L << 40) + 1, 0));
        Assert.Equal((0.0, (1L << 40) + 1.0), (wide.Min, wide.Max));
        TensorStatistics flags = Of(Vector("x", DType.Bool, (byte)1, (byte)0, (byte)1, (byte)1));
        Assert.Equal((0.75, 0.25), (flags.Mean, flags.ZeroShare));
    }

    [Fact]
    public void Halves_are_read_as_their_values()
    {
        TensorStatistics s = Of(Vector("x", DType.F16, (Half)0.5, (Half)(-2), Half.PositiveInfinity));
        Assert.Equal((-2.0, 0.5, -0.75, 1L, 2L), (s.Min, s.Max, s.Mean, s.NonFinite, s.FirstNonFinite));
    }

    [Fact]
    public void An_empty_tensor_has_none()
    {
        TensorStatistics s = Of(("x", DType.F32, [0, 3], []));
        Assert.Equal((0L, 0.0, 0.0), (s.Count, s.Entropy, s.ZeroShare));
        Assert.True(double.IsNaN(s.Min));
    }

    [Fact]
    public void A_packed_type_has_none()
    {
        using TemporaryFolder folder = new();
        using Checkpoint checkpoint = Checkpoint.Open(Write(folder["x.safetensors"], ("x", DType.F4, [2], [0x21])));
        Assert.Null(TensorStatistics.Of(checkpoint.Tensors[0]));
    }

    private static TensorStatistics Of((string, DType, long[], byte[]) tensor)
    {
        using TemporaryFolder folder = new();
        using Checkpoint checkpoint = Checkpoint.Open(Write(folder["x.safetensors"], tensor));
        return TensorStatistics.Of(checkpoint.Tensors[0])!;
    }

    private static long[] Histogram(double[] x)
    {
        long[] counts = new long[TensorStatistics.Bins];
        double min = x.Min(), width = (x.Max() - min) / counts.Length;
        foreach (double value in x) counts[width == 0 ? 0 : Math.Min(counts.Length - 1, (int)Math.Floor((value - min) / width))]++;
        return counts;
    }
}
