using System.Collections.Immutable;
using System.Numerics;
using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Merging;

/// <summary>
/// The task arithmetic family: each model's difference from the base is pruned, weighted, where wanted restricted to the elected sign, summed, and added to
/// the base: B + lambda sum(w_i D_i). The members differ by how they prune and whether they elect (Ilharco et al. 2023; Yadav et al. 2023, TIES; Yu et al.
/// 2024, DARE; Davari and Belilovsky 2023, Breadcrumbs; Deep et al. 2024, DELLA).
/// </summary>
public sealed record TaskArithmetic : MergeMethod
{
    private const double NoLength = 1e-7, NoWeight = 1e-8;

    /// <summary>Weights that cancel to less than this share of their magnitudes, a few roundings of a float, sum to 0.</summary>
    private const double RoundingNoise = 4 * 1.2e-7;

    private static readonly MethodParameter LambdaParameter = new("lambda", ParameterKind.Number, "Scale of the merged task vector") { Default = 1 };

    private static readonly MethodParameter NormalizeOn = new("normalize", ParameterKind.Flag, "Divide by the sum of the weights that took part") { Default = 1 };

    private static readonly MethodParameter NormalizeOff = NormalizeOn with { Default = 0 };

    private static readonly MethodParameter RescaleOn =
        new("rescale", ParameterKind.Flag, "Scale what is left of a task vector so that the sum of its magnitudes is what it was before pruning") { Default = 1 };

    private static readonly MethodParameter RescaleOff = RescaleOn with { Default = 0 };

    private static readonly MethodParameter Int8Mask = new("int8_mask", ParameterKind.Flag, "Accepted for mergekit's sake, without effect") { Default = 0 };

    private static readonly MethodParameter DensityParameter =
        new("density", ParameterKind.Number, "Share of the task vector's entries that stay") { PerModel = true, Default = 1, Low = (0, true), High = (1, true) };

    private static readonly MethodParameter NoDensity = DensityParameter with { Summary = "Accepted for mergekit's sake, without effect: nothing is pruned" };

    private static readonly MethodParameter GammaParameter =
        new("gamma", ParameterKind.Number, "Share of the entries, the largest ones, that are dropped") { PerModel = true, Default = 0.01, Low = (0, true), High = (1, true) };

    private static readonly MethodParameter EpsilonParameter =
        new("epsilon", ParameterKind.Number, "Half the spread of the keep probabilities around the density") { PerModel = true, Default = 0.15, Low = (0, true), High = (1, false) };

    internal static readonly ImmutableArray<MethodEntry> Entries =
    [
        Entry("task_arithmetic", "Adds the weighted task vectors to the base",
            "Fine-tunes of one base for different tasks; negative weights take a skill away", "Ilharco et al. 2023, Editing models with task arithmetic",
            [NoDensity, NormalizeOff, RescaleOff with { Summary = "Accepted for mergekit's sake, without effect" }, Learned.PerParameter], elects: false, (_, _) => null) with { Learns = true },
        Entry("ties", "Trims each task vector to its largest entries, elects a sign for each parameter, averages the entries that agree",
            "Several fine-tunes whose changes get in each other's way", "Yadav et al. 2023, TIES-Merging (sign election on weighted deltas, as mergekit)",
            [DensityParameter, NormalizeOn, RescaleOff], elects: true, (name, a) => new MagnitudePruning(name, a.Each(DensityParameter))),
        Entry("dare_linear", "Drops entries of the task vectors at random, rescales the rest, adds them up",
            "Fine-tunes that changed most parameters a little", "Yu et al. 2024, DARE (rescaled to the same L1 norm, as mergekit)",
            [DensityParameter, NormalizeOff, RescaleOn], elects: false, (_, a) => new RandomPruning(a.Each(DensityParameter))),
        Entry("dare_ties", "Drops entries of the task vectors at random, then elects signs as TIES does",
            "As dare_linear, when the fine-tunes disagree on signs", "Yu et al. 2024, DARE; Yadav et al. 2023",
            [DensityParameter, NormalizeOff, RescaleOn], elects: true, (_, a) => new RandomPruning(a.Each(DensityParameter))),
        Entry("breadcrumbs", "Drops the largest and the smallest entries of each task vector, adds up the rest",
            "Many fine-tunes, with outliers in their changes", "Davari and Belilovsky 2023, Model Breadcrumbs",
            [DensityParameter, GammaParameter, NormalizeOff, RescaleOff], elects: false, (_, a) => new OutlierPruning(a.Each(DensityParameter), a.Each(GammaParameter))),
        Entry("breadcrumbs_ties", "Breadcrumbs with TIES' sign election",
            "As breadcrumbs, when the fine-tunes disagree on signs", "Davari and Belilovsky 2023; Yadav et al. 2023",
            [DensityParameter, GammaParameter, NormalizeOff, RescaleOff], elects: true, (_, a) => new OutlierPruning(a.Each(DensityParameter), a.Each(GammaParameter))),
        Entry("della", "Drops entries at random, small ones more often, then elects signs as TIES does",
            "As dare_ties, sparing the large changes", "Deep et al. 2024, DELLA-Merging",
            [DensityParameter, EpsilonParameter, NormalizeOn, RescaleOn], elects: true, (name, a) => new RankPruning(name, a.Each(DensityParameter), a.Each(EpsilonParameter))),
        Entry("della_linear", "Drops entries at random, small ones more often, adds up the rest",
            "As dare_linear, sparing the large changes", "Deep et al. 2024, DELLA-Merging",
            [DensityParameter, EpsilonParameter, NormalizeOff, RescaleOn], elects: false, (name, a) => new RankPruning(name, a.Each(DensityParameter), a.Each(EpsilonParameter))),
    ];

    private readonly Pruning? _pruning;
    private readonly bool _rescale;

    private TaskArithmetic(ImmutableArray<double> weight, Pruning? pruning, bool rescale) => (Weight, _pruning, _rescale) = (weight, pruning, rescale);

    /// <summary>Weight of each task vector.</summary>
    public ImmutableArray<double> Weight { get; }

    /// <summary>Scale of the merged task vector.</summary>
    public double Lambda { get; private init; } = 1;

    /// <summary>Divide by the sum of the weights that took part.</summary>
    public bool Normalize { get; private init; }

    /// <summary>Only entries of the elected sign take part.</summary>
    public bool Elects { get; private init; }

    /// <summary>What each task vector is multiplied with where nothing is pruned.</summary>
    internal ImmutableArray<double> Factors => [.. Weight.Select(w => w * Lambda / (Normalize && Math.Abs(Weight.Sum()) >= NoWeight ? Weight.Sum() : 1))];

    public override long Grain(Shape shape) => _pruning?.Grain(shape) ?? 1;

    public override long Scratch(Shape shape, int models) => _pruning?.Scratch(shape, models) ?? 0;

    public override void Merge(TensorMerge t)
    {
        Mask?[] masks = _pruning?.Measure(t) ?? new Mask?[t.Models];
        double[] factors = [.. Weight];
        if (_rescale && masks.Any(m => m is not null)) Rescale(t, masks, factors);
        double sum = Weight.Sum(), divisor = !Normalize || Elects || Math.Abs(sum) < NoWeight ? 1 : sum;
        t.Write((x, y) =>
        {
            Prune(x, masks);
            if (Elects) Elect(x, factors, y);
            else Linear.Combine(x, factors, y);
            TensorPrimitives.MultiplyAdd(y, (float)(Lambda / divisor), x.Base, y);
        });
    }

    private static void Prune(Block x, Mask?[] masks)
    {
        TaskVectors.Subtract(x, masks.Length);
        for (int i = 0; i < masks.Length; i++) masks[i]?.Apply(x.First, x[i]);
    }

    /// <summary>Multiplies each model's factor by the sum of magnitudes before pruning over that after it.</summary>
    private static void Rescale(TensorMerge t, Mask?[] masks, double[] factors)
    {
        double[] sums = t.Sum(2 * masks.Length, (x, sum) =>
        {
            TaskVectors.Subtract(x, masks.Length);
            for (int i = 0; i < masks.Length; i++)
            {
                if (masks[i] is not { } mask) continue;
                sum[2 * i] += Sums.SumOfMagnitudes(x[i]);
                mask.Apply(x.First, x[i]);
                sum[2 * i + 1] += Sums.SumOfMagnitudes(x[i]);
            }
        });

        for (int i = 0; i < masks.Length; i++)
            if (sums[2 * i] >= NoLength && sums[2 * i + 1] >= NoLength) factors[i] *= sums[2 * i] / sums[2 * i + 1];
    }

    /// <summary>Sums the weighted entries that have the sign of their sum; when normalised divides by the weights of those.</summary>
    private void Elect(Block x, double[] factors, Span<float> y)
    {
        y.Clear();
        for (int i = 0; i < factors.Length; i++)
        {
            TensorPrimitives.Multiply(x[i], (float)factors[i], x[i]);
            TensorPrimitives.Add(y, x[i], y);
        }

        for (int i = 0; i < factors.Length; i++) Map.Apply<Agreeing>(x[i], y, x[i]);

        y.Clear();
        for (int i = 0; i < factors.Length; i++) TensorPrimitives.Add(y, x[i], y);
        if (!Normalize) return;

        for (int i = 0; i < factors.Length; i++) Map.Apply<WeightWhereKept>(x[i], (float)Weight[i], x[i]);
        for (int i = 1; i < factors.Length; i++) TensorPrimitives.Add(x[0], x[i], x[0]);
        Map.Apply<Quotient>(y, x[0], (float)(RoundingNoise * Weight.Sum(Math.Abs)), y);
    }

    /// <summary>The first where it has the sign of the second, else 0; a second of 0 counts as positive.</summary>
    private readonly struct Agreeing : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) =>
            Vector.ConditionalSelect(Vector.GreaterThanOrEqual(b, Vector<float>.Zero), Vector.Max(a, Vector<float>.Zero), Vector.Min(a, Vector<float>.Zero));
    }

    /// <summary>The second where the first is not 0, else 0.</summary>
    private readonly struct WeightWhereKept : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => Vector.ConditionalSelect(Vector.Equals(a, Vector<float>.Zero), Vector<float>.Zero, b);
    }

    /// <summary>The first over the second, over 1 where that is 0 but for rounding.</summary>
    private readonly struct Quotient : IMap3
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b, Vector<float> c) =>
            a / Vector.ConditionalSelect(Vector.LessThanOrEqual(Vector.Abs(b), c), Vector<float>.One, b);
    }

    private static MethodEntry Entry(
        string name, string summary, string use, string source, ImmutableArray<MethodParameter> own, bool elects, Func<string, MethodArguments, Pruning?> pruning)
    {
        MethodParameter normalize = own.Single(p => p.Name == "normalize"), rescale = own.Single(p => p.Name == "rescale");
        return new(name, summary, use, source, BaseRole.Origin, 1, int.MaxValue, [Linear.WeightParameter, .. own, LambdaParameter, Int8Mask], a =>
        {
            Pruning? rule = pruning(name, a);
            rule?.Check(a.Tensor);
            return new TaskArithmetic(a.Each(Linear.WeightParameter), rule, a.Flag(rescale))
            {
                Lambda = LambdaParameter.Check(a.Number(LambdaParameter), name),
                Normalize = a.Flag(normalize),
                Elects = elects,
            };
        });
    }
}
