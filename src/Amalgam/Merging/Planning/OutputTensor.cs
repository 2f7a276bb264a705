using System.Collections.Immutable;
using Amalgam.Checkpoints;
using Amalgam.Merging.Recipes;

namespace Amalgam.Merging.Planning;

/// <summary>A model that a slice merges, with where its layers begin.</summary>
/// <param name="Model">The model.</param>
/// <param name="FirstLayer">The model's layer that becomes the slice's first; 0 for whole models.</param>
/// <param name="Parameters">Its own parameters.</param>
internal sealed record SliceSource(PlannedModel Model, int FirstLayer, ParameterBlock Parameters);

/// <summary>A slice with its models in the order in which the method takes them.</summary>
/// <param name="Sources">The models that are merged, without a base that is an origin.</param>
/// <param name="Base">The base from which task vectors are taken, where the method has one.</param>
/// <param name="Donor">The model from which tensors come that are not merged.</param>
/// <param name="Layers">Number of layers.</param>
/// <param name="Outer">Parameters of the slice, the module and the recipe, nearest first.</param>
internal sealed record ResolvedSlice(
    ImmutableArray<SliceSource> Sources, SliceSource? Base, SliceSource Donor, int Layers, ImmutableArray<ParameterBlock> Outer)
{
    /// <summary>All models of the slice, the base last.</summary>
    public IEnumerable<SliceSource> All => Base is null ? Sources.Append(Donor).Distinct() : Sources.Append(Base);
}

/// <summary>A tensor of the output before it is decided how it comes about.</summary>
/// <param name="Name">Its name.</param>
/// <param name="T">Its place in gradients: 0 for the first layer of its slice and outside the layers, 1 for the last.</param>
/// <param name="Slice">The slice that it belongs to.</param>
/// <param name="NameIn">Its name in a source.</param>
internal sealed record OutputTensor(string Name, double T, ResolvedSlice Slice, Func<SliceSource, string> NameIn)
{
    /// <summary>The tensor in a source; a tied language head is its embedding.</summary>
    public TensorEntry? Find(SliceSource source)
    {
        string name = NameIn(source);
        if (source.Model.Checkpoint.TryFind(name, out TensorEntry? tensor)) return tensor;
        if (!TensorNames.IsHead(name)) return null;
        string prefix = TensorNames.PrefixOfHead(name);
        return source.Model.Checkpoint.Tensors.FirstOrDefault(t => TensorNames.IsEmbedding(t.Name) && t.Name.StartsWith(prefix, StringComparison.Ordinal) && IsLikeHeads(t));
    }

    /// <summary>Where a model stores a head, it has the shape of this embedding, or at least that of the model's own embedding of the same name.</summary>
    private bool IsLikeHeads(TensorEntry embedding) => Slice.All.All(s =>
        !s.Model.Checkpoint.TryFind(NameIn(s), out TensorEntry? head) || head.Shape == embedding.Shape
        || (s.Model.Checkpoint.TryFind(embedding.Name, out TensorEntry? own) && own.Shape == head.Shape));
}
