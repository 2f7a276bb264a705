namespace Amalgam.Merging;

/// <summary>
/// Spherical interpolation from the base to the other model, on the original tensors, so that magnitudes are kept: [sin((1-t)th) B + sin(t th) W] / sin th
/// with th the angle between them (Shoemake 1985).
/// </summary>
/// <param name="T">0 gives the base, 1 the other model; not clamped.</param>
public sealed record Slerp(double T) : MergeMethod
{
    /// <summary>Above this cosine, in magnitude, the two are taken to be on one line.</summary>
    private const double LineCosine = 0.9995;

    /// <summary>A vector of at most this length has no direction.</summary>
    private const double NoLength = 1e-8;

    private static readonly MethodParameter TParameter = new("t", ParameterKind.Number, "0 gives the base, 1 the other model; may lie outside [0, 1]") { Required = true };

    internal static readonly MethodEntry Entry = new(
        "slerp", "Spherical interpolation between the base and one other model",
        "Two models, when the average would shrink the weights",
        "Shoemake 1985; mergekit", BaseRole.First, 2, 2, [TParameter], a => new Slerp(a.Number(TParameter)));

    public override void Merge(TensorMerge t)
    {
        Gram gram = Gram.Of(t, fromBase: false);
        double cosine = gram[0, 1] / (LengthOf(gram, 0) * LengthOf(gram, 1));
        double[] c = Math.Abs(cosine) > LineCosine ? [1 - T, T] : Weights(T, Math.Acos(cosine));
        t.Write((x, y) => Linear.Combine(x, c, y));
    }

    /// <summary>The two coefficients of a spherical interpolation over an angle in radians.</summary>
    internal static double[] Weights(double t, double angle) => [Math.Sin((1 - t) * angle) / Math.Sin(angle), Math.Sin(t * angle) / Math.Sin(angle)];

    private static double LengthOf(Gram gram, int i) => gram.Norm(i) > NoLength ? gram.Norm(i) : 1;
}
