using System.Collections.Immutable;
using System.Numerics.Tensors;

namespace Amalgam.Merging;

/// <summary>Weighted sum of the models, divided by the sum of the weights when normalised (Wortsman et al. 2022, model soups).</summary>
/// <param name="Weight">Weight of each model.</param>
/// <param name="Normalize">Divide by the sum of the weights.</param>
public sealed record Linear(ImmutableArray<double> Weight, bool Normalize = true) : MergeMethod
{
    internal static readonly MethodParameter WeightParameter = new("weight", ParameterKind.Number, "Weight of the model") { PerModel = true, Required = true };

    private static readonly MethodParameter NormalizeParameter = new("normalize", ParameterKind.Flag, "Divide by the sum of the weights") { Default = 1 };

    internal static readonly MethodEntry Entry = new(
        "linear", "Weighted average of the models",
        "Checkpoints of one training run, or fine-tunes of one base that stayed close to it; the baseline for everything else",
        "Wortsman et al. 2022, Model soups", BaseRole.Model, 1, int.MaxValue, [WeightParameter, NormalizeParameter, Learned.PerParameter],
        a => new Linear(a.Each(WeightParameter), a.Flag(NormalizeParameter)))
    { Learns = true };

    /// <summary>What each model is multiplied with.</summary>
    internal ImmutableArray<double> Factors { get; } = FactorsOf(Weight, Normalize);

    public override void Merge(TensorMerge t) => t.Write((x, y) => Combine(x, Factors.AsSpan(), y));

    /// <summary>y = sum of c[i] x[i], in single precision.</summary>
    internal static void Combine(Block x, ReadOnlySpan<double> c, Span<float> y)
    {
        TensorPrimitives.Multiply(x[0], (float)c[0], y);
        for (int i = 1; i < c.Length; i++) TensorPrimitives.MultiplyAdd(x[i], (float)c[i], y, y);
    }

    private static ImmutableArray<double> FactorsOf(ImmutableArray<double> weight, bool normalize)
    {
        if (!normalize) return weight;
        double sum = weight.Sum();
        if (Math.Abs(sum) < 1e-12) throw new MergeException($"linear: the weights [{string.Join(", ", weight)}] sum to 0, so they cannot be normalised; set normalize: false");
        return [.. weight.Select(w => w / sum)];
    }
}
