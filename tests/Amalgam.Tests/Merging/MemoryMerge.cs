using System.Runtime.InteropServices;
using Amalgam.Checkpoints;
using Amalgam.Merging;

namespace Amalgam.Tests.Merging;

/// <summary>One tensor of a base and of models, merged without files.</summary>
internal sealed record MemoryMerge(Shape Shape, float[]? Base, params float[][] Models)
{
    public string Name { get; init; } = "w";

    public long Seed { get; init; }

    public int Threads { get; init; } = 1;

    public int WindowBlocks { get; init; } = 8;

    public bool AllowNonFinite { get; init; }

    /// <summary>Which model of the recipe each is.</summary>
    public int[]? Numbers { get; init; }

    public float[] Run(MergeMethod method)
    {
        float[] merged = new float[Shape.Count];
        object? survey = method.SurveyKey is null ? null : method.Survey([Stream(method, null, null)]);
        method.Merge(Stream(method, new(DType.F32, (first, bytes) => MemoryMarshal.Cast<byte, float>(bytes).CopyTo(merged.AsSpan((int)first))), survey));
        return merged;
    }

    public TensorMerge Stream(MergeMethod method, TensorOutput? output, object? survey) => new(
        new(Name, DType.F32, Shape), Base is null ? null : Entry(Base), [.. Models.Select(Entry)], Numbers is null ? [.. Enumerable.Range(0, Models.Length)] : [.. Numbers],
        method.Grain(Shape), new(new() { MaxDegreeOfParallelism = Threads }, Seed, WindowBlocks, AllowNonFinite), output, survey);

    private TensorEntry Entry(float[] values)
    {
        Assert.Equal(Shape.Count, values.Length);
        return new(Name, DType.F32, Shape, new MemoryStorage(values), 0);
    }
}

/// <summary>Values in memory.</summary>
internal sealed class MemoryStorage(float[] values) : Storage
{
    public override string Path => "memory";

    public override long Length => values.Length * sizeof(float);

    public override void Read(long offset, Span<byte> bytes) => MemoryMarshal.AsBytes(values.AsSpan()).Slice((int)offset, bytes.Length).CopyTo(bytes);

    public override void Dispose()
    {
    }
}

/// <summary>Makes methods by their names, as a recipe would.</summary>
internal static class Methods
{
    /// <param name="name">The method.</param>
    /// <param name="shape">The tensor's shape.</param>
    /// <param name="models">Number of models, without the base where that is an origin.</param>
    /// <param name="parameters">Numbers: one for all models, or one each. What is left out has its default, a weight 1, t 0.5.</param>
    public static MergeMethod Create(string name, Shape shape, int models, params (string Name, double[] Values)[] parameters) => Create(name, shape, models, [], parameters);

    public static MergeMethod Create(string name, Shape shape, int models, (string Name, string Word)[] words, params (string Name, double[] Values)[] parameters)
    {
        MethodEntry entry = MergeMethod.Find(name) ?? throw new ArgumentException(name);
        double? Number(string parameter, int? model)
        {
            MethodParameter known = entry.Parameters.Single(p => p.Name == parameter);
            double[]? given = parameters.FirstOrDefault(p => p.Name == parameter).Values;
            if (given is null) return known.Default ?? (known.Required ? known.Name == "t" ? 0.5 : 1 : null);
            return known.Check(given[given.Length == 1 ? 0 : model!.Value], name);
        }

        Assert.All(parameters, p => Assert.Contains(entry.Parameters, known => known.Name == p.Name));
        string? Word(string parameter) => words.FirstOrDefault(w => w.Name == parameter).Word;
        return entry.Create(new(new("w", DType.F32, shape), models, false, Number, Word)) ?? throw new InvalidOperationException($"{name} leaves the tensor to the base");
    }

    /// <summary>A random method for the laws: its defaults, but densities of a half.</summary>
    public static MergeMethod Typical(MethodEntry entry, Shape shape, int models)
    {
        bool prunes = entry.Parameters.Any(p => p.Name == "density");
        return prunes ? Create(entry.Name, shape, models, ("density", [0.5])) : Create(entry.Name, shape, models, entry.Name == "cki" ? [("biases", "splice")] : []);
    }

    /// <summary>How many models a law merges.</summary>
    public static int Models(MethodEntry entry) => Math.Clamp(3, entry.Least, entry.Most);

    public static bool HasBase(MethodEntry entry) => entry.Base == BaseRole.Origin;
}
