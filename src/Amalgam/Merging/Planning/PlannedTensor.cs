using System.Collections.Immutable;
using Amalgam.Checkpoints;

namespace Amalgam.Merging.Planning;

/// <summary>A model that a plan reads.</summary>
/// <param name="Number">Its place among the recipe's models, from 0; random masks depend on it.</param>
/// <param name="Label">What the recipe calls it.</param>
/// <param name="Checkpoint">Its tensors.</param>
public sealed record PlannedModel(int Number, string Label, Checkpoint Checkpoint);

/// <summary>A tensor of a model that takes part in one of the output.</summary>
/// <param name="Model">The model.</param>
/// <param name="Tensor">The tensor, cut to the output's shape where that is smaller.</param>
public sealed record PlannedInput(PlannedModel Model, TensorEntry Tensor);

/// <summary>How one tensor of the output comes about.</summary>
/// <param name="Output">Its name, stored type and shape.</param>
/// <param name="Method">The method with its parameters; null copies the one input byte for byte.</param>
/// <param name="Inputs">The models that are merged, or the one that is copied.</param>
/// <param name="Base">The base from which task vectors are taken, where the method has one.</param>
/// <param name="Explanation">The method's name and parameters, or why the tensor is copied.</param>
public sealed record PlannedTensor(TensorSpec Output, MergeMethod? Method, ImmutableArray<PlannedInput> Inputs, PlannedInput? Base, string Explanation)
{
    /// <summary>Bytes that are read, once.</summary>
    public long InputBytes => Inputs.Sum(i => i.Tensor.ByteCount) + (Base?.Tensor.ByteCount ?? 0);
}
