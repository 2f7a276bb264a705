using System.Runtime.InteropServices;
using Amalgam.Merging;
using Amalgam.Tests.Merging.Oracles;

namespace Amalgam.Tests.Merging;

/// <summary>Laws over the registry: what holds for every method, or for all of a kind.</summary>
public class MergeMethodTests
{
    /// <summary>Element i of the result depends on element i of the inputs, and on sums and ranks that do not know positions.</summary>
    private static readonly string[] KnowPositions = ["dare_linear", "dare_ties", "della", "della_linear", "arcee_fusion"];

    /// <summary>Some of the models' weights, or their order, are built in.</summary>
    private static readonly string[] Ordered = ["slerp", "passthrough", "nearswap", "arcee_fusion", "dare_linear", "dare_ties", "della", "della_linear"];

    /// <summary>A parameter or a threshold of the definition is a length: t, epsilon; sce's uniform weights below 1e-6; arcee_fusion's softmax.</summary>
    private static readonly string[] KnowScale = ["nearswap", "ram", "ramplus_tl", "arcee_fusion", "multislerp", "karcher", "sce", "model_stock"];

    /// <summary>Pruned, not rescaled to the length before, or stretched by design.</summary>
    private static readonly string[] ChangeEqualModels = ["ties", "dare_linear", "dare_ties", "breadcrumbs", "breadcrumbs_ties", "della", "della_linear", "nearswap", "arcee_fusion", "task_arithmetic", "ramplus_tl"];

    private static readonly Shape[] Shapes = [new(), new(7), new(5, 6), new(3, 4, 2, 2), new(1, 9), new(0, 3)];

    public static TheoryData<string> All => Except([]);

    public static TheoryData<string> Symmetric => Except(Ordered);

    public static TheoryData<string> Scalable => Except(KnowScale);

    public static TheoryData<string> WithoutPositions => Except(KnowPositions);

    private static TheoryData<string> Except(string[] names) => [.. MergeMethod.All.Select(e => e.Name).Except(names)];

    [Fact]
    public void Every_method_that_exists_is_registered_once()
    {
        var types = typeof(MergeMethod).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(MergeMethod)) && t != typeof(Learned) && t.DeclaringType != typeof(Learned));
        var made = MergeMethod.All.Select(e => Methods.Typical(e, new(4, 4), Methods.Models(e)).GetType());
        Assert.Equal(types.Order(ByName), made.Distinct().Order(ByName));
        Assert.Equal(MergeMethod.All.Length, MergeMethod.All.Select(e => e.Name).Distinct().Count());
        string[] named = [.. KnowPositions, .. Ordered, .. KnowScale, .. ChangeEqualModels];
        Assert.All(named, name => Assert.NotNull(MergeMethod.Find(name)));
    }

    private static readonly Comparer<Type> ByName = Comparer<Type>.Create((a, b) => string.CompareOrdinal(a.Name, b.Name));

    [Theory, MemberData(nameof(All))]
    public void Merging_a_model_with_itself_gives_that_model(string name)
    {
        MethodEntry entry = MergeMethod.Find(name)!;
        bool changes = ChangeEqualModels.Contains(name);
        Property.Holds(gen =>
        {
            Shape shape = Shapes[gen.Random.Next(Shapes.Length)];
            float[] model = gen.Floats((int)shape.Count), origin = gen.Floats(model.Length);
            int models = Methods.Models(entry);

            // Where equal models do not give that model, models equal to the base give the base.
            float[] expected = changes ? origin : model;
            if (Create(entry, shape, models) is not { } method) return;
            MemoryMerge merge = new(shape, Methods.HasBase(entry) ? origin : null, [.. Enumerable.Repeat(changes ? origin : model, models)]);
            Close.Equal(Vectors.Of(expected), merge.Run(method), 5);
        });
    }

    [Theory, MemberData(nameof(Symmetric))]
    public void The_order_of_the_models_does_not_matter(string name)
    {
        MethodEntry entry = MergeMethod.Find(name)!;
        Property.Holds(gen =>
        {
            int models = Methods.Models(entry);
            MergeInputs x = new(gen, models, scaled: false);
            if (Create(entry, x.Shape, models) is not { } method) return;
            float[]? origin = Methods.HasBase(entry) ? x.Base : null;
            float[] forth = RunOrEmpty(new(x.Shape, origin, x.Models), method), back = RunOrEmpty(new(x.Shape, origin, [.. x.Models.Reverse()]), method);
            if (name == "karcher" && x.X.Aggregate((a, b) => Vectors.Add(a, b)).All(v => Math.Abs(v) < 1)) return; // Directions that cancel leave the first as the start.
            Close.Equal(Vectors.Of(forth), back, 40);
        });
    }

    [Theory, MemberData(nameof(Scalable))]
    public void Scaling_all_models_scales_the_result(string name)
    {
        MethodEntry entry = MergeMethod.Find(name)!;
        Property.Holds(gen =>
        {
            int models = Methods.Models(entry), power = gen.Random.Next(1, 40);
            MergeInputs x = new(gen, models, scaled: false);
            float[] Times(float[] v) => [.. v.Select(e => MathF.ScaleB(e, power))];
            if (Create(entry, x.Shape, models) is not { } method) return;
            bool hasBase = Methods.HasBase(entry);
            float[] small = new MemoryMerge(x.Shape, hasBase ? x.Base : null, x.Models).Run(method);
            float[] large = new MemoryMerge(x.Shape, hasBase ? Times(x.Base) : null, [.. x.Models.Select(Times)]).Run(method);
            Close.Equal(Vectors.Of(Times(small)), large, MathF.ScaleB(1, power));
        });
    }

    [Theory, MemberData(nameof(WithoutPositions))]
    public void Permuting_positions_permutes_the_result(string name)
    {
        MethodEntry entry = MergeMethod.Find(name)!;
        Property.Holds(gen =>
        {
            int models = Methods.Models(entry), n = gen.Size();
            Shape shape = new(n);
            float[][] values = [.. Enumerable.Range(0, models + 1).Select(_ => Distinct(gen, n))];
            int[] order = [.. Enumerable.Range(0, n)];
            gen.Random.Shuffle(order);
            float[] Permuted(float[] v) => [.. order.Select(i => v[i])];
            if (Create(entry, shape, models) is not { } method) return;
            bool hasBase = Methods.HasBase(entry);
            float[] plain = new MemoryMerge(shape, hasBase ? values[^1] : null, values[..models]).Run(method);
            float[] permuted = new MemoryMerge(shape, hasBase ? Permuted(values[^1]) : null, [.. values[..models].Select(Permuted)]).Run(method);
            Close.Equal(Vectors.Of(Permuted(plain)), permuted, 10);
        }, 30);
    }

    [Theory, MemberData(nameof(All))]
    public void Bytes_do_not_depend_on_threads_and_windows(string name)
    {
        MethodEntry entry = MergeMethod.Find(name)!;
        int models = Methods.Models(entry);

        // Several segments, the last block not full; for two methods a dozen segments.
        Shape[] shapes = name is "ties" or "linear" ? [new(33, 21001), new(2_900_017)] : [new(33, 21001)];
        foreach (Shape shape in shapes)
        {
            Generator gen = new(5);
            float[][] values = [.. Enumerable.Range(0, models + 1).Select(_ => Coarse(gen.Random, (int)shape.Count))];
            MergeMethod method = Methods.Typical(entry, shape, models);
            MemoryMerge merge = new(shape, Methods.HasBase(entry) ? values[^1] : null, values[..models]) { Seed = 3 };
            byte[] expected = MemoryMarshal.AsBytes(merge.Run(method).AsSpan()).ToArray();
            foreach (var (threads, window) in ((int, int)[])[(1, 1), (2, 3), (5, 16)])
                Assert.True(MemoryMarshal.AsBytes((merge with { Threads = threads, WindowBlocks = window }).Run(method).AsSpan()).SequenceEqual(expected), $"{shape} with {threads} threads and windows of {window} blocks");
        }
    }

    [Theory, MemberData(nameof(All))]
    public void Values_that_are_not_finite_are_refused_or_pass(string name)
    {
        MethodEntry entry = MergeMethod.Find(name)!;
        int models = Methods.Models(entry);
        Shape shape = new(4, 6);
        foreach (float bad in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
        {
            Generator gen = new(1);
            float[][] values = [.. Enumerable.Range(0, models + 1).Select(_ => gen.Floats(24))];
            for (int i = 7; i < 20; i++) values[models - 1][i] = bad;
            MemoryMerge merge = new(shape, Methods.HasBase(entry) ? values[^1] : null, values[..models]);
            MergeMethod method = Methods.Typical(entry, shape, models);
            Assert.Contains("at index [1,1]", Assert.Throws<MergeException>(() => merge.Run(method)).Message);
            Assert.Equal(24, (merge with { AllowNonFinite = true }).Run(method).Length);
        }
    }

    [Theory, MemberData(nameof(All))]
    public void Values_outside_a_range_are_refused(string name)
    {
        MethodEntry entry = MergeMethod.Find(name)!;
        foreach (MethodParameter parameter in entry.Parameters.Where(p => p.Kind == ParameterKind.Number))
        {
            List<double> outside = [double.NaN, double.PositiveInfinity, double.NegativeInfinity];
            if (double.IsFinite(parameter.Low.Value)) outside.Add(parameter.Low.Included ? parameter.Low.Value - 1 : parameter.Low.Value);
            if (double.IsFinite(parameter.High.Value)) outside.Add(parameter.High.Included ? parameter.High.Value + 1 : parameter.High.Value);
            if (parameter.Whole) outside.Add(2.5);
            foreach (double value in outside)
            {
                string message = Assert.Throws<MergeException>(() => parameter.Check(value, name)).Message;
                Assert.StartsWith($"{name}: {parameter.Name} must be ", message);
                Assert.Contains(parameter.Range.Replace("whole, ", "").Replace("any number", "finite number"), message);
            }

            if (parameter.Default is { } usual) Assert.Equal(usual, parameter.Check(usual, name));
        }
    }

    /// <summary>The table of methods as users of recipes know it: base, fewest and most models, global parameters with their defaults, parameters per model.</summary>
    [Fact]
    public void Elected_weights_divide_unless_they_cancel()
    {
        MergeMethod small = Methods.Create("ties", new(2), 2, ("weight", [1, 5e-7]), ("density", [1]));
        Assert.Equal([1f, 1], new MemoryMerge(new(2), [0, 0], [1, 0], [1, 1]).Run(small));

        // In single precision 0.1 + 0.2 - 0.3 is not exactly 0.
        MergeMethod cancelling = Methods.Create("ties", new(1), 3, ("weight", [0.1, 0.2, -0.3]), ("density", [1]));
        Assert.Equal(0.6f, new MemoryMerge(new(1), [0], [1], [1], [-1]).Run(cancelling)[0], 1e-6f);
    }

    [Theory]
    [InlineData("linear", BaseRole.Model, 1, 0, "normalize=true per=tensor", "weight*")]
    [InlineData("slerp", BaseRole.First, 2, 2, "t*", "")]
    [InlineData("nuslerp", BaseRole.OptionalOrigin, 2, 2, "nuslerp_flatten=true nuslerp_row_wise=false", "weight*")]
    [InlineData("multislerp", BaseRole.OptionalOrigin, 2, 0, "normalize_weights=true eps=1E-08", "weight*")]
    [InlineData("karcher", BaseRole.Model, 1, 0, "max_iter=10 tol=1E-05", "")]
    [InlineData("task_arithmetic", BaseRole.Origin, 1, 0, "normalize=false lambda=1 rescale=false int8_mask=false per=tensor", "weight* density=1")]
    [InlineData("ties", BaseRole.Origin, 1, 0, "normalize=true lambda=1 rescale=false int8_mask=false", "weight* density=1")]
    [InlineData("dare_linear", BaseRole.Origin, 1, 0, "normalize=false lambda=1 rescale=true int8_mask=false", "weight* density=1")]
    [InlineData("dare_ties", BaseRole.Origin, 1, 0, "normalize=false lambda=1 rescale=true int8_mask=false", "weight* density=1")]
    [InlineData("breadcrumbs", BaseRole.Origin, 1, 0, "normalize=false lambda=1 rescale=false int8_mask=false", "weight* density=1 gamma=0.01")]
    [InlineData("breadcrumbs_ties", BaseRole.Origin, 1, 0, "normalize=false lambda=1 rescale=false int8_mask=false", "weight* density=1 gamma=0.01")]
    [InlineData("della", BaseRole.Origin, 1, 0, "normalize=true lambda=1 rescale=true int8_mask=false", "weight* density=1 epsilon=0.15")]
    [InlineData("della_linear", BaseRole.Origin, 1, 0, "normalize=false lambda=1 rescale=true int8_mask=false", "weight* density=1 epsilon=0.15")]
    [InlineData("model_stock", BaseRole.Origin, 2, 0, "filter_wise=false", "")]
    [InlineData("nearswap", BaseRole.Origin, 1, 1, "t*", "")]
    [InlineData("sce", BaseRole.Origin, 1, 0, "select_topk=1 int8_mask=false", "")]
    [InlineData("arcee_fusion", BaseRole.Origin, 1, 1, "", "")]
    [InlineData("passthrough", BaseRole.Donor, 1, 1, "", "scale=none")]
    [InlineData("ram", BaseRole.Origin, 1, 0, "epsilon=1E-05", "")]
    [InlineData("ramplus_tl", BaseRole.Origin, 1, 0, "r=0.1 alpha=0.2 epsilon=1E-05", "")]
    [InlineData("cki", BaseRole.Donor, 1, 0, "splice=soft local=fixed scale=1 a=0.4 c=500 bins=10 entropy=tensor biases=base start=xavier", "")]
    public void Parameters_and_their_defaults_are_those_of_the_table(string name, BaseRole role, int least, int most, string global, string perModel)
    {
        MethodEntry entry = MergeMethod.Find(name)!;
        static string[] Printed(IEnumerable<MethodParameter> parameters) => [.. parameters.Select(p => p.Required ? $"{p.Name}*" : $"{p.Name}={p.DefaultText}").Order()];
        Assert.Equal((role, least, most == 0 ? int.MaxValue : most), (entry.Base, entry.Least, entry.Most));
        Assert.Equal(global.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(), Printed(entry.Parameters.Where(p => !p.PerModel)));
        Assert.Equal(perModel.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(), Printed(entry.Parameters.Where(p => p.PerModel)));
    }

    [Fact]
    public void Every_method_stands_in_the_table_of_defaults()
    {
        var rows = typeof(MergeMethodTests).GetMethod(nameof(Parameters_and_their_defaults_are_those_of_the_table))!
            .GetCustomAttributes(typeof(InlineDataAttribute), false).Select(a => (string)((InlineDataAttribute)a).Data[0]!);
        Assert.Equal(MergeMethod.All.Select(e => e.Name).Order(), rows.Order());
    }

    [Theory, InlineData("dare_linear"), InlineData("della_linear")]
    public void Masks_differ_between_tensors_models_and_seeds_and_keep_about_the_density(string name)
    {
        Shape shape = new(60, 1000);
        const double Density = 0.3;
        MergeMethod method = Methods.Create(name, shape, 1, ("density", [Density]), ("rescale", [0]));
        float[] ones = [.. Enumerable.Repeat(1f, 60000)];
        MemoryMerge merge = new(shape, new float[60000], ones);
        float[][] masks = [merge.Run(method), (merge with { Name = "v" }).Run(method), (merge with { Seed = 1 }).Run(method), (merge with { Numbers = [1] }).Run(method)];

        // Six standard deviations of a binomial share.
        double spread = 6 * Math.Sqrt(Density * (1 - Density) / 60000);
        Assert.All(masks, m => Assert.Equal(Density, m.Average(), spread));
        for (int i = 0; i < masks.Length; i++)
            for (int j = i + 1; j < masks.Length; j++)
                Assert.InRange(masks[i].Zip(masks[j], (a, b) => a * b).Average(), Density * Density - 0.02, Density * Density + 0.02);
        Assert.Equal(masks[0], (merge with { Threads = 4, WindowBlocks = 1 }).Run(method));
    }

    [Fact]
    public void Della_keeps_large_entries_more_often_by_rank()
    {
        const int Rows = 4000, Columns = 5;
        Shape shape = new(Rows, Columns);
        float[] values = [.. Enumerable.Range(0, Rows * Columns).Select(i => (i % Columns * 3 % Columns + 1f) * (i % 2 == 0 ? -1 : 1))];
        float[] merged = new MemoryMerge(shape, new float[values.Length], values).Run(Methods.Create("della_linear", shape, 1, ("density", [0.5]), ("epsilon", [0.4]), ("rescale", [0])));
        for (int column = 0; column < Columns; column++)
        {
            double kept = Enumerable.Range(0, Rows).Count(r => merged[r * Columns + column] != 0) / (double)Rows, rank = column * 3 % Columns;
            Assert.Equal(0.1 + 0.2 * rank, kept, 6 * Math.Sqrt(0.25 / Rows));
        }
    }

    [Fact]
    public void Rescaled_random_methods_keep_the_sum_of_magnitudes() => Property.Holds(gen =>
    {
        string name = ((string[])["dare_linear", "dare_ties", "della", "della_linear"])[gen.Random.Next(4)];
        Shape shape = new(20, 30);
        float[] model = gen.Floats(600);
        float[] merged = new MemoryMerge(shape, new float[600], model) { Seed = gen.Random.Next() }.Run(Methods.Create(name, shape, 1, ("density", [0.4])));
        Assert.Equal(model.Sum(v => Math.Abs((double)v)), merged.Sum(v => Math.Abs((double)v)), 1e-3);
    });

    private static MergeMethod? Create(MethodEntry entry, Shape shape, int models)
    {
        if (entry.Name == "cki" && shape.Rank == 0) return null;
        if (entry.Name == "ties" && shape.Count == 1) return Methods.Create("ties", shape, models);
        return Methods.Typical(entry, shape, models);
    }

    /// <summary>Directions of more than two models that cancel have no mean; that is refused in any order.</summary>
    private static float[] RunOrEmpty(MemoryMerge merge, MergeMethod method)
    {
        try
        {
            return merge.Run(method);
        }
        catch (MergeException e) when (e.Message.Contains("cancel"))
        {
            return [];
        }
    }

    /// <summary>No two magnitudes are equal, so that ranks do not hang on positions.</summary>
    private static float[] Distinct(Generator gen, int n)
    {
        float[] values = [.. Enumerable.Range(1, n).Select(i => (gen.Random.Next(2) == 0 ? -1 : 1) * (i + gen.Random.Next(100) / 1024f) / n)];
        gen.Random.Shuffle(values);
        return values;
    }

    private static float[] Coarse(Random random, int n)
    {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) values[i] = random.Next(-100, 101) / 64f;
        return values;
    }
}
