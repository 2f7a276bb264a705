using Amalgam.Merging;
using Amalgam.Numerics;
using Amalgam.Tests.Merging.Oracles;

namespace Amalgam.Tests.Merging;

/// <summary>Every method against a naive version of its definition, in double precision and on whole arrays.</summary>
public class MethodOracleTests
{
    private static readonly double[] Weights = [1, 0.5, -0.5, 0.25, 2, 0, 1.5];

    [Fact]
    public void Linear_is_its_definition() => Property.Holds(gen =>
    {
        var (models, normalize) = (1 + gen.Random.Next(4), gen.Random.Next(2) == 0);
        MergeInputs x = new(gen, models);
        double[] w = WeightsOf(gen, models);
        if (normalize && w.Sum() == 0) return;
        float[] merged = new MemoryMerge(x.Shape, null, x.Models).Run(Methods.Create("linear", x.Shape, models, ("weight", w), Flag("normalize", normalize)));
        Close.Equal(Spheres.Linear(x.X, w, normalize), merged, 4 * x.Scale * w.Sum(Math.Abs) / (normalize ? Math.Abs(w.Sum()) : 1));
    }, 300);

    [Fact]
    public void Slerp_is_its_definition() => Property.Holds(gen =>
    {
        MergeInputs x = new(gen, 2);
        double t = gen.Random.Next(-4, 9) / 4.0;
        float[] merged = new MemoryMerge(x.Shape, null, x.Models).Run(Methods.Create("slerp", x.Shape, 2, ("t", [t])));
        Close.Equal(Spheres.Slerp(x.X[0], x.X[1], t), merged, 32 * x.Scale);
    }, 300);

    [Fact]
    public void Nuslerp_is_its_definition() => Property.Holds(gen =>
    {
        MergeInputs x = new(gen, 2);
        var (flatten, rows, hasBase) = (gen.Random.Next(3) == 0, gen.Random.Next(2) == 0, gen.Random.Next(2) == 0);
        double[] w = WeightsOf(gen, 2);
        float[] merged = new MemoryMerge(x.Shape, hasBase ? x.Base : null, x.Models).Run(
            Methods.Create("nuslerp", x.Shape, 2, ("weight", w), Flag("nuslerp_flatten", flatten), Flag("nuslerp_row_wise", rows)));
        double[] expected = Spheres.NuSlerp(x.X, hasBase ? x.B : null, w, x.Sizes, flatten ? null : rows ? 0 : x.Shape.Rank - 1);
        Close.Equal(expected, merged, 200 * x.Scale);
    }, 500);

    [Fact]
    public void Multislerp_is_its_definition() => Property.Holds(gen =>
    {
        int models = 2 + gen.Random.Next(3);
        MergeInputs x = new(gen, models);
        var (normalize, hasBase, eps) = (gen.Random.Next(2) == 0, gen.Random.Next(2) == 0, gen.Random.Next(2) == 0 ? 1e-8 : 1e-3);
        double[] w = [.. WeightsOf(gen, models).Select(Math.Abs)];
        if (w.Sum() == 0) return;
        MergeMethod method = Methods.Create("multislerp", x.Shape, models, ("weight", w), Flag("normalize_weights", normalize), ("eps", [eps]));
        MemoryMerge merge = new(x.Shape, hasBase ? x.Base : null, x.Models);
        if (Spheres.MultiSlerp(x.X, hasBase ? x.B : null, w, normalize, eps) is { } expected) Close.Equal(expected, merge.Run(method), 100 * x.Scale);
        else Assert.Contains("cancel", Assert.Throws<MergeException>(() => merge.Run(method)).Message);
    }, 500);

    [Fact]
    public void Karcher_is_its_definition() => Property.Holds(gen =>
    {
        int models = 1 + gen.Random.Next(5);
        MergeInputs x = new(gen, models);
        var (iterations, tolerance) = (gen.Random.Next(12), gen.Random.Next(3) switch { 0 => 0, 1 => 1e-5, _ => 0.1 });
        float[] merged = new MemoryMerge(x.Shape, null, x.Models).Run(Methods.Create("karcher", x.Shape, models, ("max_iter", [iterations]), ("tol", [tolerance])));
        Close.Equal(Spheres.Karcher(x.X, iterations, tolerance), merged, 40 * x.Scale);
    }, 300);

    [Fact]
    public void Passthrough_is_its_definition() => Property.Holds(gen =>
    {
        MergeInputs x = new(gen, 1);
        double scale = gen.Random.Next(-2, 5) / 2.0;
        float[] merged = new MemoryMerge(x.Shape, null, x.Models).Run(Methods.Create("passthrough", x.Shape, 1, ("scale", [scale])));
        Close.Equal(Vectors.Scale(x.X[0], scale), merged, 0);
    });

    public static TheoryData<string> TaskArithmetics => [.. TaskArithmeticNames];

    private static readonly string[] TaskArithmeticNames = ["task_arithmetic", "ties", "dare_linear", "dare_ties", "breadcrumbs", "breadcrumbs_ties", "della", "della_linear"];

    [Theory, MemberData(nameof(TaskArithmetics))]
    public void Task_arithmetic_is_its_definition(string name) => Property.Holds(gen =>
    {
        int models = 1 + gen.Random.Next(4), n;
        MergeInputs x = new(gen, models);
        n = (int)x.Shape.Count;
        double[] w = WeightsOf(gen, models), density = Each(gen, models, 1, 0.75, 0.5, 0.29, 0.3, 0), gamma = Each(gen, models, 0.01, 0, 0.2, 0.7), epsilon = Each(gen, models, 0.15, 0, 0.2);
        var (normalize, rescale, lambda, seed) = (gen.Random.Next(2) == 0, gen.Random.Next(2) == 0, gen.Random.Next(-2, 5) / 2.0, gen.Random.NextInt64());
        if (name == "ties") density = [.. density.Select(d => (int)(d * n) == 0 ? 1 : d)];

        double[][] deltas = [.. x.X.Select(v => Vectors.Subtract(v, x.B))];
        bool[]? Mask(int i) => density[i] >= 1 ? null : name switch
        {
            "task_arithmetic" => null,
            "ties" => Tasks.Largest(deltas[i], (int)(density[i] * n)),
            "dare_linear" or "dare_ties" => Tasks.Drawn(Philox.Key(seed, "w", i), n, _ => density[i]),
            "breadcrumbs" or "breadcrumbs_ties" => Tasks.WithoutOutliers(deltas[i], density[i], gamma[i]),
            _ when density[i] == 0 => new bool[n],
            _ => Ranked(i),
        };
        bool[] Ranked(int i)
        {
            double[] p = Tasks.RankProbabilities(deltas[i], x.Sizes, density[i], epsilon[i]);
            return Tasks.Drawn(Philox.Key(seed, "w", i), n, at => p[at]);
        }

        bool elects = name is "ties" or "dare_ties" or "breadcrumbs_ties" or "della";
        bool[]?[] masks = [.. Enumerable.Range(0, models).Select(Mask)];
        var (expected, other) = Tasks.Arithmetic(x.B, deltas, masks, w, rescale, elects, normalize && (elects || Math.Abs(w.Sum()) >= 1e-8), lambda);

        List<(string, double[])> parameters = [("weight", w), ("density", density), Flag("normalize", normalize), Flag("rescale", rescale), ("lambda", [lambda])];
        if (name.StartsWith("breadcrumbs", StringComparison.Ordinal)) parameters.Add(("gamma", gamma));
        if (name.StartsWith("della", StringComparison.Ordinal)) parameters.Add(("epsilon", epsilon));
        float[] merged = new MemoryMerge(x.Shape, x.Base, x.Models) { Seed = seed }.Run(Methods.Create(name, x.Shape, models, [.. parameters]));
        double grown = deltas.Zip(masks, (d, m) => m is null || !rescale ? 1 : Math.Max(1, d.Sum(Math.Abs) / Math.Max(d.Where((_, i) => m[i]).Sum(Math.Abs), 1e-6 * x.Scale))).Max();
        Close.Equal(expected, merged, x.Scale * (3 + 6 * Math.Abs(lambda) * grown * w.Sum(Math.Abs) / (normalize ? 0.25 : 1)), other);
    }, 400);

    [Theory, InlineData(false), InlineData(true)]
    public void Model_stock_is_its_definition(bool rows) => Property.Holds(gen =>
    {
        int models = 2 + gen.Random.Next(3);
        MergeInputs x = new(gen, models);
        float[] merged = new MemoryMerge(x.Shape, x.Base, x.Models).Run(Methods.Create("model_stock", x.Shape, models, Flag("filter_wise", rows)));
        double[] expected = Tasks.ModelStock(x.B, x.X, x.Sizes, rows);

        // The ratio grows without bound as the task vectors become opposite; so does rounding.
        Close.Equal(expected, merged, 20 * x.Scale + expected.Max(Math.Abs));
    }, 300);

    [Fact]
    public void Nearswap_is_its_definition() => Property.Holds(gen =>
    {
        MergeInputs x = new(gen, 1);
        double t = gen.Random.Next(5) switch { 0 => 0, 1 => 1e-7, 2 => 100, _ => gen.Random.NextDouble() };
        float[] merged = new MemoryMerge(x.Shape, x.Base, x.Models).Run(Methods.Create("nearswap", x.Shape, 1, ("t", [t])));
        Close.Equal(Tasks.NearSwap(x.B, x.X[0], t), merged, 6 * x.Scale);
    }, 200);

    [Fact]
    public void Sce_is_its_definition() => Property.Holds(gen =>
    {
        int models = 1 + gen.Random.Next(4);
        MergeInputs x = new(gen, models);
        double selected = gen.Random.Next(6) switch { 0 => 1, 1 => 0, 2 => 0.29, 3 => 0.5, _ => gen.Random.NextDouble() };
        float[] merged = new MemoryMerge(x.Shape, x.Base, x.Models).Run(Methods.Create("sce", x.Shape, models, ("select_topk", [selected])));
        Close.Equal(Tasks.Sce(x.B, x.X, selected), merged, 6 * x.Scale);
    }, 400);

    [Fact]
    public void Arcee_fusion_is_its_definition() => Property.Holds(gen =>
    {
        MergeInputs x = new(gen, 1);
        float[] merged = new MemoryMerge(x.Shape, x.Base, x.Models).Run(Methods.Create("arcee_fusion", x.Shape, 1));
        var (expected, other) = Tasks.ArceeFusion(x.B, x.X[0], x.Sizes);
        Close.Equal(expected, merged, x.Scale, other);
    }, 300);

    [Theory, InlineData("ram"), InlineData("ramplus_tl")]
    public void Ram_is_its_definition(string name) => Property.Holds(gen =>
    {
        int models = 1 + gen.Random.Next(4);
        MergeInputs x = new(gen, models);
        double epsilon = gen.Random.Next(3) switch { 0 => 1e-5, 1 => 0, _ => 0.25 }, r = gen.Random.Next(-1, 4) / 2.0, alpha = gen.Random.Next(4) / 2.0;
        (string, double[])[] own = name == "ram" ? [("epsilon", [epsilon])] : [("epsilon", [epsilon]), ("r", [r]), ("alpha", [alpha])];
        float[] merged = new MemoryMerge(x.Shape, x.Base, x.Models).Run(Methods.Create(name, x.Shape, models, own));
        Close.Equal(Tasks.Ram(x.B, x.X, epsilon, name == "ram" ? 0 : r, alpha), merged, 12 * x.Scale);
    }, 300);

    [Theory, InlineData("tensor"), InlineData("row"), InlineData("model")]
    public void Cki_is_its_definition(string entropy) => Property.Holds(gen =>
    {
        int models = 1 + gen.Random.Next(5), bins = 1 + gen.Random.Next(12);
        MergeInputs x = new(gen, models);
        var (local, hard, scale, a, c) = (gen.Random.Next(2) == 0, gen.Random.Next(3) == 0, gen.Random.Next(4), gen.Random.Next(3) / 2.0, gen.Random.Next(3) * 250.0);
        if (x.Shape.Rank == 0) return;
        MergeMethod method = Methods.Create("cki", x.Shape, models,
            [("entropy", entropy), ("local", local ? "fixed" : "none"), ("splice", hard ? "hard" : "soft"), ("biases", "splice")], ("scale", [scale]), ("a", [a]), ("c", [c]), ("bins", [bins]));
        float[] merged = new MemoryMerge(x.Shape, null, x.Models).Run(method);
        if (models == 1)
        {
            Assert.Equal(x.Models[0], merged);
            return;
        }

        int row = entropy == "row" && x.Shape.Rank > 1 ? (int)(x.Shape.Count / x.Shape[0]) : (int)x.Shape.Count;
        double[][] entropies = [.. Enumerable.Range(0, (int)x.Shape.Count / row).Select(r => x.X.Select(v => Knowledge.Entropy(v[(r * row)..((r + 1) * row)], bins)).ToArray())];
        double[][] shares = Knowledge.Shares(x.X, i => entropies[i / row], local, scale, a, c);
        if (!hard)
        {
            double[] expected = [.. x.B.Select((_, i) => shares.Zip(x.X, (v, m) => v[i] * m[i]).Sum())];
            Close.Equal(expected, merged, 3 * x.Scale);
            return;
        }

        for (int i = 0; i < merged.Length; i++)
        {
            double best = shares.Max(v => v[i]);
            int first = Array.FindIndex(shares, v => v[i] == best);
            bool unsure = shares.Where((v, k) => k != first && best - v[i] < 1e-6).Any();
            if (unsure) Assert.Contains(merged[i], x.Models.Where((_, k) => best - shares[k][i] < 1e-6).Select(m => m[i]));
            else Assert.Equal(x.Models[first][i], merged[i]);
        }
    }, 300);

    private static (string, double[]) Flag(string name, bool value) => (name, [value ? 1 : 0]);

    private static double[] WeightsOf(Generator gen, int models) => Each(gen, models, Weights);

    private static double[] Each(Generator gen, int models, params double[] from) => [.. Enumerable.Range(0, models).Select(_ => from[gen.Random.Next(from.Length)])];
}
