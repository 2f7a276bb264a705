namespace Amalgam.Tests.Merging;

/// <summary>
/// Generated tensors of a base and of models: scalars, vectors, matrices and kernels, axes of size 1, equal models, opposite ones, zeros, tiny and huge values.
/// Values lie on a grid, so that differences are exact in float: then ranks and signs, and ties among them, are the same in every precision.
/// </summary>
internal sealed class MergeInputs
{
    public MergeInputs(Generator gen, int models, bool scaled = true)
    {
        Shape = ShapeOf(gen.Random);
        Scale = scaled ? gen.Random.Next(8) switch { 0 => MathF.ScaleB(1, -40), 1 => MathF.ScaleB(1, 40), _ => 1 } : 1;
        Base = Grid(gen.Random);
        Models = [.. Enumerable.Range(0, models).Select(_ => Grid(gen.Random))];
        switch (gen.Random.Next(8))
        {
            case 0:
                for (int i = 1; i < models; i++) Models[i] = [.. Models[0]];
                break;
            case 1 when models > 1:
                Models[1] = [.. Models[0].Select((x, i) => 2 * Base[i] - x)];
                break;
            case 2 when models > 1:
                Models[1] = [.. Models[0].Select(x => -2 * x)];
                break;
            case 3:
                Models[0] = [.. Base];
                break;
            case 4:
                Array.Clear(Base);
                break;
            case 5:
                Array.Clear(Models[^1]);
                break;
        }
    }

    public Shape Shape { get; }

    /// <summary>The size of the values.</summary>
    public float Scale { get; }

    public float[] Base { get; }

    public float[][] Models { get; }

    public double[] B => [.. Base.Select(v => (double)v)];

    public double[][] X => [.. Models.Select(m => m.Select(v => (double)v).ToArray())];

    public long[] Sizes => Shape.Sizes.ToArray();

    private float[] Grid(Random random)
    {
        float[] values = new float[Shape.Count];
        for (int i = 0; i < values.Length; i++) values[i] = random.Next(-40, 41) / 16f * Scale;
        return values;
    }

    private static Shape ShapeOf(Random random) => random.Next(7) switch
    {
        0 => new(),
        1 => new(1),
        2 => new(1 + random.Next(200)),
        3 => new(1, 1 + random.Next(20)),
        4 => new(1 + random.Next(20), 1),
        5 => new(1 + random.Next(12), 1 + random.Next(12)),
        _ => new(1 + random.Next(5), 1 + random.Next(5), 1 + random.Next(3), 1 + random.Next(3)),
    };
}

/// <summary>Comparisons within float rounding.</summary>
internal static class Close
{
    /// <summary>Each value is the expected one, or the other where there are two, up to rounding, which is measured by the size of what was added up.</summary>
    public static void Equal(double[] expected, float[] actual, double size, double[]? other = null)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            double tolerance = 2e-6 * (size + Math.Abs(expected[i]));
            if (Math.Abs(expected[i] - actual[i]) <= tolerance || (other is not null && Math.Abs(other[i] - actual[i]) <= tolerance)) continue;
            Assert.Fail($"at {i}: expected {expected[i]:R}{(other is null || other[i] == expected[i] ? "" : $" or {other[i]:R}")}, got {actual[i]:R}, tolerance {tolerance:G2}");
        }
    }
}
