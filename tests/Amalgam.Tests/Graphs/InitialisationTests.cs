using Amalgam.Graphs;

namespace Amalgam.Tests.Graphs;

public class InitialisationTests
{
    private static readonly Shape Kernel = new(64, 48, 3, 3);

    public static TheoryData<string, double> Variances => new()
    {
        { "default", 1.0 / 3 / (48 * 9) },
        { "kaiming fan in", 2.0 / (48 * 9) },
        { "kaiming fan out", 2.0 / (64 * 9) },
        { "xavier", 2.0 / (48 * 9 + 64 * 9) },
        { "normal", 0.01 * 0.01 },
        { "truncated", 0.02 * 0.02 * 0.7737412 },
        { "uniform", 0.5 * 0.5 / 3 },
    };

    [Theory, MemberData(nameof(Variances))]
    public void Values_have_the_variance_of_the_formula_and_no_mean(string name, double variance)
    {
        Tensor y = Named(name).Draw(Kernel, 3, "conv.weight");
        double mean = 0, square = 0;
        foreach (float value in y.Span) (mean, square) = (mean + value, square + ((double)value * value));
        mean /= y.Count;
        double found = (square / y.Count) - (mean * mean);
        Assert.InRange(mean, -5 * Math.Sqrt(variance / y.Count), 5 * Math.Sqrt(variance / y.Count));
        Assert.InRange(found, variance * 0.97, variance * 1.03);
    }

    [Fact]
    public void Uniform_values_stay_within_their_bound_and_come_near_it()
    {
        float[] values = [.. Initialisation.Default.Draw(Kernel, 0, "w").Span.ToArray().Select(Math.Abs)];
        double bound = 1 / Math.Sqrt(48 * 9);
        Assert.InRange(values.Max(), 0.999 * bound, bound);
    }

    [Fact]
    public void Truncated_values_stay_within_two_deviations_and_normal_ones_do_not()
    {
        Assert.InRange(Initialisation.TruncatedNormal(0.02).Draw(Kernel, 0, "w").Span.ToArray().Max(Math.Abs), 0.0399f, 0.04f);
        Assert.InRange(Initialisation.Normal(0.02).Draw(Kernel, 0, "w").Span.ToArray().Max(Math.Abs), 0.06f, 0.12f);
    }

    [Fact]
    public void Normal_values_are_spread_as_a_normal_distribution_is()
    {
        float[] values = Initialisation.Normal(1).Draw(new(100_000), 1, "w").Span.ToArray();
        foreach (var (bound, below) in ((float, double)[])[(-2, 0.02275), (-1, 0.15866), (0, 0.5), (0.5f, 0.69146), (1.5f, 0.93319)])
            Assert.InRange(values.Count(v => v < bound) / 100_000.0, below - 0.006, below + 0.006);
    }

    [Theory]
    [InlineData("default")]
    [InlineData("kaiming fan in")]
    [InlineData("truncated")]
    public void Values_depend_on_seed_name_and_position_alone(string name)
    {
        Initialisation start = Named(name);
        float[] values = start.Draw(new(5000, 8), 7, "a.weight").Span.ToArray();
        Assert.Equal(values, start.Draw(new(5000, 8), 7, "a.weight").Span.ToArray());
        Assert.NotEqual(values, start.Draw(new(5000, 8), 8, "a.weight").Span.ToArray());
        Assert.NotEqual(values, start.Draw(new(5000, 8), 7, "b.weight").Span.ToArray());
        if (name != "truncated") return;
        Assert.Equal(values[..8000], start.Draw(new(1000, 8), 7, "a.weight").Span.ToArray());
    }

    [Fact]
    public void Neighbours_and_halves_are_uncorrelated()
    {
        float[] y = Initialisation.Normal(1).Draw(new(200_000), 3, "w").Span.ToArray();
        foreach (int distance in (int[])[1, 2, 4, 4096, 100_000])
        {
            double sum = 0;
            for (int i = 0; i + distance < y.Length; i++) sum += (double)y[i] * y[i + distance];
            Assert.InRange(sum / (y.Length - distance), -0.016, 0.016);
        }
    }

    [Fact]
    public void One_thread_draws_what_several_draw()
    {
        static float[] Draw() => Initialisation.TruncatedNormal(1).Draw(new(123_457), 3, "w").Span.ToArray();
        Assert.Equal(OnThreads.One(Draw), OnThreads.Four(Draw));
    }

    [Fact]
    public void Zeros_and_ones_are_that()
    {
        Assert.All(Initialisation.Zeros.Draw(new(9), 1, "w").Span.ToArray(), v => Assert.Equal(0, v));
        Assert.All(Initialisation.Ones.Draw(new(9), 1, "w").Span.ToArray(), v => Assert.Equal(1, v));
    }

    private static Initialisation Named(string name) => name switch
    {
        "default" => Initialisation.Default,
        "kaiming fan in" => Initialisation.KaimingFanIn,
        "kaiming fan out" => Initialisation.KaimingFanOut,
        "xavier" => Initialisation.XavierUniform,
        "normal" => Initialisation.Normal(0.01),
        "truncated" => Initialisation.TruncatedNormal(0.02),
        _ => Initialisation.Uniform(0.5),
    };
}
