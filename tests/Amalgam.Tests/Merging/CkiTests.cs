using System.Runtime.InteropServices;
using Amalgam.Checkpoints;
using Amalgam.Merging;
using Amalgam.Numerics;
using Amalgam.Tests.Merging.Oracles;

namespace Amalgam.Tests.Merging;

/// <summary>What must hold of CKI, one by one; <see cref="MethodOracleTests"/> compares it with its definition.</summary>
public class CkiTests
{
    private static readonly float[] A = [0, 1, 2, 3], B = [0, 0, 0, 3];

    [Fact]
    public void The_hand_case_holds_from_the_histogram_to_the_splice()
    {
        long[] counts = new long[3];
        Histogram.Count(A, Histogram.Edges(0, 3, 3), counts);
        Assert.Equal(1.0397208, Histogram.Entropy(counts), 1e-7);
        Array.Clear(counts);
        Histogram.Count(B, Histogram.Edges(0, 3, 3), counts);
        Assert.Equal(0.5623351, Histogram.Entropy(counts), 1e-7);

        // g = 0.4/pi atan(500 * 0.4773857) + 1/2; l = sigmoid(|A - B| / rms), rms = sqrt((1 + 4) / 4); share of A = sigmoid(V_A - V_B).
        double g = 0.4 / Math.PI * Math.Atan(500 * (1.0397208 - 0.5623351)) + 0.5, rms = Math.Sqrt(1.25);
        double[] expected = [.. A.Zip(B, (a, b) =>
        {
            double l = 1 / (1 + Math.Exp(-Math.Abs(a - b) / rms)), ofA = g * (1 - Math.Exp(-g * l)), ofB = (1 - g) * (1 - Math.Exp(-(1 - g) * l));
            double share = Math.Exp(ofA) / (Math.Exp(ofA) + Math.Exp(ofB));
            return share * a + (1 - share) * b;
        })];
        Close.Equal(expected, new MemoryMerge(new(2, 2), null, A, B).Run(new Cki(Bins: 3)), 1);
        Assert.Equal(A, new MemoryMerge(new(2, 2), null, A, B).Run(new Cki(CkiSplice.Hard, Bins: 3)));
    }

    [Theory, InlineData(CkiSplice.Soft), InlineData(CkiSplice.Hard)]
    public void Equal_models_come_out_bit_for_bit(CkiSplice splice) => Property.Holds(gen =>
    {
        float[] model = gen.Floats(gen.Size());
        model[0] = -0f;
        foreach (CkiEntropy entropy in Enum.GetValues<CkiEntropy>())
        {
            foreach (int models in (int[])[1, 2, 3])
            {
                float[] merged = new MemoryMerge(new(1, model.Length), null, [.. Enumerable.Repeat(model, models)]).Run(new Cki(splice, gen.Random.Next(2) == 0, Entropy: entropy));
                Assert.Equal(model.Select(BitConverter.SingleToInt32Bits), merged.Select(BitConverter.SingleToInt32Bits));
            }
        }
    });

    [Fact]
    public void Shares_add_up_to_one_and_values_stay_between_the_models() => Property.Holds(gen =>
    {
        int models = 2 + gen.Random.Next(4);
        MergeInputs x = new(gen, models);
        if (x.Shape.Rank < 2) return;
        bool local = gen.Random.Next(2) == 0;
        double[] entropies = [.. x.X.Select(v => Knowledge.Entropy(v, 10))];
        double[][] shares = Knowledge.Shares(x.X, _ => entropies, local, 1, 0.4, 500);
        Assert.All(Enumerable.Range(0, x.Base.Length), i => Assert.Equal(1, shares.Sum(v => v[i]), 1e-6));
        Assert.All(shares.SelectMany(v => v), v => Assert.InRange(v, 0, 1));

        float[] merged = new MemoryMerge(x.Shape, null, x.Models).Run(new Cki(Local: local));
        for (int i = 0; i < merged.Length; i++) Assert.InRange(merged[i], x.Models.Min(m => m[i]), x.Models.Max(m => m[i]));
    });

    [Theory, InlineData(true), InlineData(false)]
    public void Swapping_two_models_changes_nothing(bool local) => Property.Holds(gen =>
    {
        MergeInputs x = new(gen, 2);
        if (x.Shape.Rank < 2) return;
        Cki method = new(Local: local);
        Close.Equal(Vectors.Of(new MemoryMerge(x.Shape, null, x.Models).Run(method)), new MemoryMerge(x.Shape, null, x.Models[1], x.Models[0]).Run(method), 3 * x.Scale);
    });

    [Theory, InlineData(true), InlineData(false)]
    public void Swapping_two_models_swaps_no_hard_choice(bool local)
    {
        // A difference of entropies that single precision does not see.
        float[] even = [0, 0, 1, 1, 2, 2, 3, 3], odd = [0, 0, 0, 1, 2, 2, 3, 3];
        Cki faint = new(CkiSplice.Hard, local, A: 1e-9, C: 1, Bins: 4);
        Assert.Equal(even, new MemoryMerge(new(2, 4), null, even, odd).Run(faint));
        Assert.Equal(even, new MemoryMerge(new(2, 4), null, odd, even).Run(faint));
    }

    [Fact]
    public void The_global_terms_average_to_a_half_and_are_the_two_model_formula_for_two() => Property.Holds(gen =>
    {
        double[] entropies = [.. Enumerable.Range(0, 2 + gen.Random.Next(4)).Select(_ => gen.Random.NextDouble())];
        double[] g = new Cki().Global(entropies);
        Assert.Equal(0.5, g.Average(), 1e-12);
        Assert.All(g, v => Assert.InRange(v, 0.3, 0.7));
        if (g.Length == 2) Assert.Equal(0.4 / Math.PI * Math.Atan(500 * (entropies[0] - entropies[1])) + 0.5, g[0], 1e-12);
        Assert.Equal(Knowledge.Global(entropies, 0.4, 500), g, (a, b) => Math.Abs(a - b) < 1e-12);
    });

    [Fact]
    public void Denormal_models_do_not_become_nan()
    {
        float tiny = float.Epsilon;
        float[] a = new float[64], b = new float[64];
        a[5] = tiny;
        Assert.Equal(64, new MemoryMerge(new(8, 8), null, a, b).Run(new Cki()).Count(float.IsFinite));
    }

    [Theory]
    [InlineData("{}", new float[] { 1, 2 })]
    [InlineData("{biases: average}", new float[] { 2, 5 })]
    [InlineData("{biases: splice}", null)]
    [InlineData("{include: [head.*]}", null)]
    [InlineData("{include: [head.weight]}", new float[] { 1, 2 })]
    [InlineData("{include: [head.*], biases: base}", new float[] { 1, 2 })]
    [InlineData("{include: [head.weight], biases: average}", new float[] { 2, 5 })]
    [InlineData("{include: [head.weight], biases: splice}", null)]
    [InlineData("{exclude: [head.bias], biases: splice}", new float[] { 1, 2 })]
    public void Biases_are_the_bases_spliced_or_averaged(string parameters, float[]? expected)
    {
        using TemporaryFolder folder = new();
        TestModel.Write(folder["a.safetensors"], DType.F32, ("head.weight", new(2, 2), A), ("head.bias", new(2), [1, 2]), ("scale", new(), [4]));
        TestModel.Write(folder["b.safetensors"], DType.F32, ("head.weight", new(2, 2), B), ("head.bias", new(2), [3, 8]), ("scale", new(), [6]));
        var merged = Run(folder, $"merge_method: cki\nmodels: [{{model: a.safetensors}}, {{model: b.safetensors}}]\nparameters: {parameters}");
        expected ??= new MemoryMerge(new(2), null, [1, 2], [3, 8]).Run(new Cki());
        Assert.Equal(expected, merged["head.bias"].Values);
        Assert.Equal([4f], merged["scale"].Values);
        Assert.Equal(new MemoryMerge(new(2, 2), null, A, B).Run(new Cki()), merged["head.weight"].Values);
    }

    [Fact]
    public void What_is_excluded_is_the_bases_which_need_not_take_part()
    {
        using TemporaryFolder folder = new();
        foreach (var (name, value) in ((string, float)[])[("a", 1), ("b", 2), ("base", 3)])
            TestModel.Write(folder[$"{name}.safetensors"], DType.F32, ("body.weight", new(1, 2), [value, value]), ("head.weight", new(1, 2), [value, value]), ("norm", new(2), [value, value]));
        var merged = Run(folder, "merge_method: cki\nbase_model: base.safetensors\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {exclude: [body.*]}");
        Assert.Equal([3f, 3f], merged["body.weight"].Values);
        Assert.Equal([3f, 3f], merged["norm"].Values);
        Assert.All(merged["head.weight"].Values, v => Assert.InRange(v, 1.4f, 1.6f));
    }

    [Fact]
    public void The_entropy_of_a_model_counts_all_its_spliced_tensors_and_no_others() => Property.Holds(gen =>
    {
        using TemporaryFolder folder = new();
        float[][] first = [gen.Floats(6), gen.Floats(6)], second = [gen.Floats(10), gen.Floats(10)];
        string[] names = ["a", "b"];
        for (int i = 0; i < 2; i++)
            TestModel.Write(folder[$"{names[i]}.safetensors"], DType.F32, ("x.weight", new(2, 3), first[i]), ("y.weight", new(5, 2), second[i]), ("z", new(3), [100, -100, 7]));

        // Only the second model has the extra tensor: its values count for that model.
        float[] extra = gen.Floats(8);
        TestModel.Write(folder["b.safetensors"], DType.F32, ("extra.weight", new(4, 2), extra), ("x.weight", new(2, 3), first[1]), ("y.weight", new(5, 2), second[1]), ("z", new(3), [100, -100, 7]));
        var merged = Run(folder, "merge_method: cki\ntensor_union: true\nmodels: [{model: a.safetensors}, {model: b.safetensors}]\nparameters: {entropy: model, bins: 4}");
        double[] entropies = [Knowledge.Entropy(Vectors.Of([.. first[0], .. second[0]]), 4), Knowledge.Entropy(Vectors.Of([.. first[1], .. second[1], .. extra]), 4)];
        double[][] x = [Vectors.Of(second[0]), Vectors.Of(second[1])], shares = Knowledge.Shares(x, _ => entropies, true, 1, 0.4, 500);
        Close.Equal([.. x[0].Select((_, i) => shares[0][i] * x[0][i] + shares[1][i] * x[1][i])], merged["y.weight"].Values, 4);
        Assert.Equal(extra, merged["extra.weight"].Values);
    }, 10);

    [Fact]
    public void Chunks_and_threads_do_not_change_the_bytes()
    {
        Generator gen = new(9);
        Shape shape = new(780, 701);
        MemoryMerge merge = new(shape, null, [.. Enumerable.Range(0, 3).Select(_ => gen.Floats((int)shape.Count))]);
        foreach (Cki method in (Cki[])[new(), new(CkiSplice.Hard), new(Entropy: CkiEntropy.Row), new(Entropy: CkiEntropy.Model, Local: false)])
        {
            byte[] expected = MemoryMarshal.AsBytes(merge.Run(method).AsSpan()).ToArray();
            foreach (var (threads, window) in ((int, int)[])[(1, 1), (3, 16)])
                Assert.True(MemoryMarshal.AsBytes((merge with { Threads = threads, WindowBlocks = window }).Run(method).AsSpan()).SequenceEqual(expected), $"{method} with {threads} threads and {window} blocks");
        }
    }

    private static Dictionary<string, (Shape Shape, DType DType, float[] Values)> Run(TemporaryFolder folder, string recipe)
    {
        using RecipeRun run = RecipeRun.Parse(recipe, folder.Path, folder["recipe.yml"]);
        run.Run(folder["out.safetensors"], new MergeOptions { Output = new OutputOptions(Overwrite: true) });
        return TestModel.Read(folder["out.safetensors"]);
    }
}
