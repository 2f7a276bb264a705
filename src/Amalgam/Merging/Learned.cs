namespace Amalgam.Merging;

/// <summary>
/// A tensor whose way of coming about is learned. Merging itself trains nothing: who runs the recipe gives the tensor's values, by <see cref="MergeOptions.Learn"/>.
/// </summary>
/// <param name="Closed">The method without learning: it holds the parameters, and of linear combinations the coefficients to begin with.</param>
/// <param name="Per">What has a learned coefficient of its own: <c>tensor</c>, <c>layer</c> or <c>model</c>.</param>
/// <param name="Start">How learned matrices begin: <c>xavier</c> or <c>zero</c>.</param>
public sealed record Learned(MergeMethod Closed, string Per, string Start) : MergeMethod
{
    internal static readonly MethodParameter PerParameter =
        new("per", ParameterKind.Word, "With a section train: what has a learned weight of its own; the given weights are where they begin") { Words = ["tensor", "layer", "model"], OfTraining = true };

    internal static readonly MethodParameter StartParameter =
        new("start", ParameterKind.Word, "With local: learned, how the learned matrices begin") { Words = ["xavier", "zero"], OfTraining = true };

    public override void Merge(TensorMerge t) => throw new MergeException($"'{t.Name}' is to be learned, and there is nothing here that trains");

    /// <summary>The tensor with the values that were learned.</summary>
    /// <param name="value">As many elements as the tensor has.</param>
    internal static MergeMethod With(Tensor value) => new Values(value);

    private sealed record Values(Tensor Of) : MergeMethod
    {
        public override void Merge(TensorMerge t) => t.Write((x, y) => Of.Span.Slice(checked((int)x.First), y.Length).CopyTo(y));
    }
}
