using System.Collections.Immutable;
using Amalgam.Checkpoints;

namespace Amalgam.Merging;

/// <summary>Models of other depths and widths that are to become models of one structure, so that they may be merged position by position, or aligned.</summary>
/// <param name="Tensors">The tensors that each of them has then.</param>
/// <param name="IsNetwork">Whether each is then a file that holds a network, into a copy of which results can be written.</param>
/// <param name="Write">Makes them, in a folder: of each model, in the plan's order, the checkpoint that takes its place.</param>
/// <param name="Notes">What the user should know, one sentence each.</param>
public sealed record BalancedModels(ImmutableArray<TensorSpec> Tensors, bool IsNetwork, Func<string, AlignedModels> Write, ImmutableArray<string> Notes);
