namespace Amalgam.Tests;

/// <summary>Runs a test body over many generated inputs; a failure names the seed that reproduces it.</summary>
internal static class Property
{
    public static void Holds(Action<Generator> body, int runs = 100)
    {
        for (int seed = 0; seed < runs; seed++)
        {
            try
            {
                body(new(seed));
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new Xunit.Sdk.XunitException($"fails with seed {seed}: {e.Message}", e);
            }
        }
    }
}

/// <summary>Random inputs whose sizes grow with the seed.</summary>
internal sealed class Generator(int seed)
{
    public Random Random { get; } = new(seed);

    /// <summary>A size from 1 on; early seeds give small ones.</summary>
    public int Size(int most = 300) => 1 + Random.Next(Math.Min(most, 2 + seed * 3));

    /// <summary>Roughly normal values, some exactly equal, some zero.</summary>
    public float[] Floats(int count)
    {
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            double u = Math.Sqrt(-2 * Math.Log(1 - Random.NextDouble())) * Math.Cos(2 * Math.PI * Random.NextDouble());
            values[i] = Random.Next(20) == 0 ? 0 : Random.Next(10) == 0 ? MathF.Round((float)u) : (float)u;
        }

        return values;
    }
}
