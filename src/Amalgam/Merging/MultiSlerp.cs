using System.Collections.Immutable;
using System.Numerics.Tensors;

namespace Amalgam.Merging;

/// <summary>
/// Barycentric interpolation on the sphere for any number of models: the weighted mean direction, moved along the weighted mean of the models' offsets in its
/// tangent plane, times the weighted mean length; with a base, of the task vectors.
/// </summary>
/// <param name="Weight">Weight of each model.</param>
/// <param name="NormalizeWeights">Divide the weights by their sum.</param>
/// <param name="Epsilon">Lengths below this count as none.</param>
public sealed record MultiSlerp(ImmutableArray<double> Weight, bool NormalizeWeights = true, double Epsilon = 1e-8) : MergeMethod
{
    /// <summary>A mean of unit vectors that is shorter than this is what rounding left of nothing: squares of lengths are known to about 1e-16.</summary>
    private const double RoundingNoise = 1e-7;

    private static readonly MethodParameter NormalizeParameter = new("normalize_weights", ParameterKind.Flag, "Divide the weights by their sum") { Default = 1 };

    private static readonly MethodParameter EpsilonParameter =
        new("eps", ParameterKind.Number, "Lengths below this count as none") { Default = 1e-8, Low = (0, false) };

    internal static readonly MethodEntry Entry = new(
        "multislerp", "Spherical interpolation of any number of models",
        "More than two models, when the average would shrink the weights",
        "mergekit (Goddard)", BaseRole.OptionalOrigin, 2, int.MaxValue, [Linear.WeightParameter, NormalizeParameter, EpsilonParameter],
        a => new MultiSlerp(a.Each(Linear.WeightParameter), a.Flag(NormalizeParameter), a.Number(EpsilonParameter)));

    public double Epsilon { get; } = EpsilonParameter.Check(Epsilon, "multislerp");

    private ImmutableArray<double> Shares { get; } = SharesOf(Weight, NormalizeWeights);

    public override void Merge(TensorMerge t)
    {
        double[] c = Coefficients(Gram.Of(t, t.HasBase), t.Name);
        t.Write((x, y) =>
        {
            if (t.HasBase) TaskVectors.Subtract(x, t.Models);
            Linear.Combine(x, c, y);
            if (t.HasBase) TensorPrimitives.Add(y, x.Base, y);
        });
    }

    private double[] Coefficients(Gram gram, string name)
    {
        int n = gram.Models;
        double[] length = [.. Enumerable.Range(0, n).Select(gram.Norm)];
        double[] unit = [.. Enumerable.Range(0, n).Select(i => Shares[i] / (length[i] + Epsilon))];
        double meanLength = Math.Sqrt(gram.SquaredNorm(unit));
        double noise = RoundingNoise * Shares.Sum(Math.Abs);
        if (meanLength < Math.Max(Epsilon, noise))
        {
            return n == 2 || length.All(l => l == 0) ? [.. Shares]
                : throw new MergeException($"multislerp: the directions of '{name}' cancel, so they have no mean; leave the tensor out or use linear");
        }

        double[] mean = [.. unit.Select(u => u / meanLength)];
        double along = 0;
        for (int i = 0; i < n; i++) along += Shares[i] * gram.Dot(i, mean) / (length[i] + Epsilon);
        double[] tangent = [.. Enumerable.Range(0, n).Select(i => unit[i] - along * mean[i])];
        double angle = Math.Sqrt(gram.SquaredNorm(tangent)) + Epsilon;
        double scale = Enumerable.Range(0, n).Sum(i => Shares[i] * length[i]);
        return [.. Enumerable.Range(0, n).Select(i => (mean[i] * Math.Cos(angle) + tangent[i] * Math.Sin(angle) / angle) * scale)];
    }

    private static ImmutableArray<double> SharesOf(ImmutableArray<double> weight, bool normalize)
    {
        if (!normalize) return weight;
        double sum = weight.Sum();
        if (Math.Abs(sum) < 1e-12) throw new MergeException($"multislerp: the weights [{string.Join(", ", weight)}] sum to 0, so they cannot be normalised; set normalize_weights: false");
        return [.. weight.Select(w => w / sum)];
    }
}
