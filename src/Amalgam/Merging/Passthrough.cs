using System.Numerics.Tensors;

namespace Amalgam.Merging;

/// <summary>One model's tensor, scaled where a scale is given; the way to stack and cut layers.</summary>
/// <param name="Scale">What the values are multiplied with.</param>
public sealed record Passthrough(double Scale = 1) : MergeMethod
{
    private static readonly MethodParameter ScaleParameter = new("scale", ParameterKind.Number, "What the values are multiplied with; none copies them") { PerModel = true };

    internal static readonly MethodEntry Entry = new(
        "passthrough", "Copies one model, optionally scaled",
        "Stacking or cutting layers with slices; scaling single tensors with a filter",
        "mergekit", BaseRole.Donor, 1, 1, [ScaleParameter], a => new Passthrough(a.OneOf(ScaleParameter, 0) ?? 1));

    public override void Merge(TensorMerge t) => t.Write((x, y) => TensorPrimitives.Multiply(x[0], (float)Scale, y));
}
