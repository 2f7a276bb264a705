using System.Collections.Immutable;

namespace Amalgam.Merging;

/// <summary>Models whose units stand in one order, so that a method may merge them position by position.</summary>
/// <param name="Paths">Of each model of the plan, in the plan's order, the checkpoint that takes its place: of the same tensors, in the same types.</param>
/// <param name="Notes">What the user should know, one sentence each.</param>
public sealed record AlignedModels(ImmutableArray<string> Paths, ImmutableArray<string> Notes)
{
    /// <summary>Whether each file is only a share of what the model becomes part of, as after a zip: units without members of the model are 0 in it, and the mean over all files is the network.</summary>
    public bool AreShares { get; init; }

    /// <summary>
    /// Given the checkpoint that was merged of the models, the values of the tensors that must be others in it, such as running statistics of normalisations, which no average
    /// of parameters gives; null where all stay.
    /// </summary>
    public Func<string, IReadOnlyDictionary<string, Tensor>>? Reset { get; init; }
}
