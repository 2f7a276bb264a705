using System.Numerics;
using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Merging;

/// <summary>
/// Moves the base towards the model where the two are close: W a + B (1 - a) with a = clamp(t / max(|B - W|, 1e-6), 0, 1), element by element.
/// </summary>
/// <param name="T">Differences up to this are swapped whole.</param>
public sealed record NearSwap(double T) : MergeMethod
{
    private static readonly MethodParameter TParameter = new("t", ParameterKind.Number, "Differences up to this size are taken over whole, larger ones in proportion") { Required = true };

    internal static readonly MethodEntry Entry = new(
        "nearswap", "Takes the model's value where it is close to the base's, and less of it the farther it is",
        "Flavouring a base with a second model that must not disturb it",
        "mergekit (alchemonaut, QuartetAnemoi)", BaseRole.Origin, 1, 1, [TParameter], a => new NearSwap(a.Number(TParameter)));

    public override void Merge(TensorMerge t) => t.Write((x, y) =>
    {
        TensorPrimitives.Subtract(x[0], x.Base, y);
        Map.Apply<Share>(y, (float)T, y);
        TensorPrimitives.Add(x.Base, y, y);
    });

    /// <summary>The part of a difference that is taken: d * clamp(t / max(|d|, 1e-6), 0, 1).</summary>
    private readonly struct Share : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) =>
            a * Vector.Min(Vector.Max(b / Vector.Max(Vector.Abs(a), new(1e-6f)), Vector<float>.Zero), Vector<float>.One);
    }
}
