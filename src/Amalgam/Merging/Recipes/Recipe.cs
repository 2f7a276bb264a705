using System.Collections.Immutable;

namespace Amalgam.Merging.Recipes;

/// <summary>What happens to integer and boolean tensors, which are not merged.</summary>
public enum IntegerRule
{
    /// <summary>They must be equal in all models.</summary>
    Equal,

    /// <summary>They are taken from the base.</summary>
    Base,
}

/// <summary>
/// One document of a recipe file, as written: mergekit's schema, read strictly, and a few keys of ours. Exactly one of <see cref="Models"/>,
/// <see cref="Slices"/> and <see cref="Modules"/> is filled, the others are empty.
/// </summary>
public sealed record Recipe
{
    /// <summary>Where the document begins.</summary>
    public required RecipePosition Position { get; init; }

    /// <summary>What other documents of the file call its result.</summary>
    public string? Name { get; init; }

    /// <summary>Name of the merge method; whether it exists is not checked here.</summary>
    public required string Method { get; init; }

    /// <summary>Where the method is named.</summary>
    public required RecipePosition MethodPosition { get; init; }

    /// <summary>Whole models to merge.</summary>
    public ImmutableArray<RecipeSource> Models { get; init; } = [];

    /// <summary>Pieces of the merged model, in its order.</summary>
    public ImmutableArray<RecipeSlice> Slices { get; init; } = [];

    /// <summary>Parts of a model of several parts, each merged for itself.</summary>
    public ImmutableArray<RecipeModule> Modules { get; init; } = [];

    /// <summary>The common ancestor or reference.</summary>
    public ModelReference? BaseModel { get; init; }

    /// <summary>Parameters that hold where nothing nearer says otherwise.</summary>
    public ParameterBlock Parameters { get; init; } = ParameterBlock.Empty;

    /// <summary>The type in which the result is stored where <see cref="OutDType"/> says nothing; arithmetic is in single precision whatever it is.</summary>
    public DType? DType { get; init; }

    /// <summary>The type in which the result is stored; a floating-point type.</summary>
    public DType? OutDType { get; init; }

    /// <summary>Merge every tensor that any model has, each over the models that have it.</summary>
    public bool TensorUnion { get; init; }

    /// <summary>Merge only the tensors that all models have.</summary>
    public bool TensorIntersection { get; init; }

    /// <summary>What happens to integer and boolean tensors.</summary>
    public IntegerRule Integers { get; init; }

    /// <summary>
    /// What is asked for beyond tensors: <c>tokenizer_source</c>, <c>tokenizer</c>, <c>chat_template</c>, <c>override_architecture</c>. The planner refuses
    /// what it does not do.
    /// </summary>
    public ImmutableArray<RecipeFeature> Features { get; init; } = [];

    /// <summary>
    /// How the models are brought to one number of layers, and to one width, before anything else: the section as it stands, which only who knows of networks reads; null where they are of one structure
    /// as they are.
    /// </summary>
    internal RecipeNode? Balance { get; init; }

    /// <summary>Where the section stands that says how to balance.</summary>
    public RecipePosition? BalancePosition { get; init; }

    /// <summary>
    /// How the models' units are brought into one order before the merge: the section as it stands, which only who knows of networks reads; null where the models are
    /// merged as they are.
    /// </summary>
    internal RecipeNode? Align { get; init; }

    /// <summary>Where the section stands that says how to align.</summary>
    public RecipePosition? AlignPosition { get; init; }

    /// <summary>
    /// How what the method leaves open is learned: the section as it stands, which only who trains reads, as merging knows of no data and no networks; null where
    /// nothing is learned.
    /// </summary>
    internal RecipeNode? Train { get; init; }

    /// <summary>Where the section stands that says how to learn.</summary>
    public RecipePosition? TrainPosition { get; init; }

    /// <summary>Every model that the document names, in the order of reading.</summary>
    public IEnumerable<ModelReference> References
    {
        get
        {
            var slices = Slices.Concat(Modules.SelectMany(m => m.Slices));
            var sources = Models.Concat(Modules.SelectMany(m => m.Models)).Concat(slices.SelectMany(s => s.Sources));
            var bases = slices.Select(s => s.BaseModel).Append(BaseModel).OfType<ModelReference>();
            return sources.Select(s => s.Model).Concat(bases);
        }
    }
}

/// <summary>A model that takes part, whole or with a range of its layers.</summary>
/// <param name="Model">Which one.</param>
/// <param name="LayerRange">The layers from <c>First</c> up to, but without, <c>End</c>; null under <c>models</c>, never null in a slice.</param>
/// <param name="Parameters">Its own parameters.</param>
/// <param name="Position">Where it stands.</param>
public sealed record RecipeSource(ModelReference Model, (int First, int End)? LayerRange, ParameterBlock Parameters, RecipePosition Position);

/// <summary>A piece of the merged model: the same number of layers of each source.</summary>
/// <param name="Sources">One or more.</param>
/// <param name="BaseModel">The base of this slice, in place of the recipe's.</param>
/// <param name="Parameters">Parameters of this slice.</param>
/// <param name="Position">Where it stands.</param>
public sealed record RecipeSlice(ImmutableArray<RecipeSource> Sources, ModelReference? BaseModel, ParameterBlock Parameters, RecipePosition Position);

/// <summary>A part of a model of several parts: either whole models or slices, the other is empty.</summary>
/// <param name="Name">The part's name.</param>
/// <param name="Models">Whole models.</param>
/// <param name="Slices">Pieces.</param>
/// <param name="Parameters">Parameters of this part.</param>
/// <param name="Position">Where it stands.</param>
public sealed record RecipeModule(
    string Name, ImmutableArray<RecipeSource> Models, ImmutableArray<RecipeSlice> Slices, ParameterBlock Parameters, RecipePosition Position);

/// <summary>Something that a recipe asks for besides the merge of tensors.</summary>
/// <param name="Name">The key.</param>
/// <param name="Position">Where it stands.</param>
/// <param name="Value">Its value; of a mapping, the <c>source</c>.</param>
public readonly record struct RecipeFeature(string Name, RecipePosition Position, string Value);
