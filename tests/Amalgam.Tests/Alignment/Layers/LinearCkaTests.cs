using Amalgam.Alignment.Layers;

namespace Amalgam.Tests.Alignment.OfLayers;

public class LinearCkaTests
{
    private static readonly float[] X = [1, 2, 3, 4, 5, 7, 2, 0], Y = [1, 0, 2, 0, 1, 1, 2, 2, 0, 1, 3, 1];

    [Fact]
    public void The_example_of_the_specification_comes_out()
    {
        Assert.Equal(0.27555173851684367, LinearCka.Of(X, Y, 4), 1e-6);
        Assert.Equal(0.4472135954999578, LinearCka.Of([1, 3, 5, 2], Y, 4), 1e-6);
    }

    [Fact]
    public void It_is_the_naive_one_in_double_however_many_features_there_are() => Property.Holds(
        gen =>
        {
            int samples = gen.Random.Next(2, 12), p = gen.Random.Next(1, 25), q = gen.Random.Next(1, 25);
            float[] x = gen.Floats(samples * p), y = gen.Floats(samples * q);
            Assert.Equal(Naive(x, y, samples), LinearCka.Of(x, y, samples), 1e-5);
        },
        300);

    [Fact]
    public void It_is_symmetric_and_one_for_a_layer_with_itself() => Property.Holds(gen =>
    {
        int samples = gen.Random.Next(3, 12), p = gen.Random.Next(1, 25), q = gen.Random.Next(1, 25);
        float[] x = gen.Floats(samples * p), y = gen.Floats(samples * q);
        Assert.Equal(LinearCka.Of(x, y, samples), LinearCka.Of(y, x, samples), 1e-6);
        if (Naive(x, x, samples) > 0) Assert.Equal(1, LinearCka.Of(x, x, samples), 1e-12);
        Assert.InRange(LinearCka.Of(x, y, samples), 0, 1);
    });

    [Fact]
    public void Shifted_scaled_and_rotated_features_change_nothing()
    {
        float[] turned = [.. Enumerable.Range(0, 4).SelectMany(i => (float[])[(3 * ((X[2 * i] * 0.6f) - (X[2 * i + 1] * 0.8f))) + 5, (3 * ((X[2 * i] * 0.8f) + (X[2 * i + 1] * 0.6f))) - 2])];
        Assert.Equal(LinearCka.Of(X, Y, 4), LinearCka.Of(turned, Y, 4), 1e-5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    public void A_layer_that_gives_the_same_for_every_sample_is_like_none(int features)
    {
        float[] constant = [.. Enumerable.Range(0, 4 * features).Select(i => 0.1f + (i % features))];
        Assert.Equal(0, LinearCka.Of(constant, Y, 4));
        Assert.Equal(0, LinearCka.Of(constant, constant, 4));
    }

    [Fact]
    public void Numbers_that_make_no_whole_samples_are_refused() =>
        Assert.Contains("8 numbers are no 3 samples", Assert.Throws<ArgumentException>(() => LinearCka.Of(X, Y, 3)).Message, StringComparison.Ordinal);

    /// <summary>By the two matrices of inner products, centred on both sides.</summary>
    private static double Naive(float[] x, float[] y, int samples)
    {
        double[,] k = Centred(x, samples), l = Centred(y, samples);
        double norms = Math.Sqrt(Product(k, k)) * Math.Sqrt(Product(l, l));
        return norms < 1e-9 ? 0 : Product(k, l) / norms;
    }

    private static double[,] Centred(float[] x, int samples)
    {
        int features = x.Length / samples;
        double[,] k = new double[samples, samples], centred = new double[samples, samples];
        double Mean(Func<int, double> of) => Enumerable.Range(0, samples).Average(of);
        for (int i = 0; i < samples; i++)
            for (int j = 0; j < samples; j++)
                for (int f = 0; f < features; f++) k[i, j] += (double)x[i * features + f] * x[j * features + f];
        for (int i = 0; i < samples; i++)
            for (int j = 0; j < samples; j++) centred[i, j] = k[i, j] - Mean(a => k[a, j]) - Mean(b => k[i, b]) + Mean(a => Mean(b => k[a, b]));
        return centred;
    }

    private static double Product(double[,] a, double[,] b) => a.Cast<double>().Zip(b.Cast<double>(), (x, y) => x * y).Sum();
}
