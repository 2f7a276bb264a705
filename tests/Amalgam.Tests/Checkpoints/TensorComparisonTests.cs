using Amalgam.Checkpoints;
using static Amalgam.Tests.Checkpoints.RawCheckpoint;

namespace Amalgam.Tests.Checkpoints;

public class TensorComparisonTests
{
    [Fact]
    public void Agrees_with_naive_sums() => Property.Holds(gen =>
    {
        float[] a = gen.Floats(gen.Random.Next(6) == 0 ? 65536 + gen.Size() : gen.Size()), b = gen.Floats(a.Length);

        TensorComparison c = Of(Vector("x", DType.F32, a), Vector("x", DType.F32, b));

        double dot = 0, ofA = 0, ofB = 0, distance = 0, largest = 0;
        long signs = 0;
        for (int i = 0; i < a.Length; i++)
        {
            double difference = (double)a[i] - b[i];
            (dot, ofA, ofB, distance) = (dot + (double)a[i] * b[i], ofA + (double)a[i] * a[i], ofB + (double)b[i] * b[i], distance + difference * difference);
            largest = Math.Max(largest, Math.Abs(difference));
            signs += Math.Sign(a[i]) == Math.Sign(b[i]) ? 1 : 0;
        }

        Assert.Equal((a.Length, signs, largest), (c.Count, c.EqualSigns, c.LargestDifference));
        if (ofA == 0 || ofB == 0) return;
        Assert.Equal(dot / Math.Sqrt(ofA * ofB), c.Cosine, 1e-12);
        Assert.Equal(Math.Sqrt(distance / ofA), c.RelativeDistance, 1e-12);
    }, runs: 60);

    [Fact]
    public void A_tensor_is_identical_to_itself_whatever_it_holds()
    {
        TensorComparison c = Of(Vector("x", DType.F32, 1, float.NaN), Vector("x", DType.F32, 1, float.NaN));
        Assert.True(c.IsIdentical);
        Assert.True(double.IsNaN(c.RelativeDistance));
        Assert.True(Of(("x", DType.F4, [2], [0x21]), ("x", DType.F4, [2], [0x21])).IsIdentical);
        Assert.False(Of(("x", DType.F4, [2], [0x21]), ("x", DType.F4, [2], [0x22])).IsIdentical);
    }

    [Fact]
    public void Types_may_differ()
    {
        TensorComparison c = Of(Vector("x", DType.F16, (Half)1.5, (Half)(-2)), Vector("x", DType.F64, 1.5, -2));
        Assert.Equal((true, 1.0, 0.0), (c.IsIdentical, c.Cosine, c.RelativeDistance));
    }

    [Fact]
    public void The_last_digit_of_a_float64_counts()
    {
        TensorComparison c = Of(Vector("x", DType.F64, 1.0), Vector("x", DType.F64, Math.BitIncrement(1.0)));
        Assert.False(c.IsIdentical);
        Assert.Equal(Math.BitIncrement(1.0) - 1, c.LargestDifference);
    }

    [Fact]
    public void Zeros_have_a_cosine()
    {
        Assert.Equal(1, Of(Vector("x", DType.F32, 0f), Vector("x", DType.F32, -0f)).Cosine);
        Assert.Equal(0, Of(Vector("x", DType.F32, 0f), Vector("x", DType.F32, 1f)).Cosine);
        Assert.Equal(double.PositiveInfinity, Of(Vector("x", DType.F32, 0f), Vector("x", DType.F32, 1f)).RelativeDistance);
    }

    private static TensorComparison Of((string, DType, long[], byte[]) a, (string, DType, long[], byte[]) b)
    {
        using TemporaryFolder folder = new();
        using Checkpoint first = Checkpoint.Open(Write(folder["a.safetensors"], a)), second = Checkpoint.Open(Write(folder["b.safetensors"], b));
        return TensorComparison.Of(first.Tensors[0], second.Tensors[0]);
    }
}
