using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public class NonFiniteTests
{
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Finds_the_first(float value) => Property.Holds(gen =>
    {
        float[] x = gen.Floats(gen.Random.Next(1, 20_000));
        int first = gen.Random.Next(x.Length);
        x[first] = value;
        x[gen.Random.Next(first, x.Length)] = value;
        Assert.Equal(first, NonFinite.IndexOf(x));
    });

    [Fact]
    public void Finite_values_pass() => Property.Holds(gen =>
    {
        float[] x = gen.Floats(gen.Random.Next(1, 20_000));
        x[gen.Random.Next(x.Length)] = float.MaxValue;
        x[gen.Random.Next(x.Length)] = -float.Epsilon;
        Assert.Equal(-1, NonFinite.IndexOf(x));
    });

    [Fact]
    public void Nothing_passes() => Assert.Equal(-1, NonFinite.IndexOf([]));
}
