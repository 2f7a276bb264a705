using System.Collections.Immutable;

namespace Amalgam.Merging.Recipes;

/// <summary>A kind of mapping in a recipe, or in another file that is read as strictly: what it is called in messages and which keys it may have.</summary>
internal sealed record RecipeLevel(string Place, ImmutableArray<string> Keys)
{
    public static readonly RecipeLevel Recipe = new("a recipe",
    [
        "name", "merge_method", "base_model", "models", "slices", "modules", "parameters", "dtype", "out_dtype", "tokenizer_source", "tokenizer",
        "chat_template", "tensor_union", "tensor_intersection", "integers", "balance", "align", "train",
    ]);

    public static readonly RecipeLevel Model = new("an entry of models", ["model", "parameters"]);
    public static readonly RecipeLevel Slice = new("a slice", ["sources", "base_model", "parameters", "residual_weight"]);
    public static readonly RecipeLevel Source = new("a source of a slice", ["model", "layer_range", "parameters"]);
    public static readonly RecipeLevel Module = new("a module", ["models", "slices", "parameters"]);
    public static readonly RecipeLevel Reference = new("a model reference", ["model", "lora", "override_architecture"]);
    public static readonly RecipeLevel Path = new("a model path", ["path", "revision"]);
    public static readonly RecipeLevel Conditional = new("a conditional value", ["value", "filter"]);

    private static readonly ImmutableArray<RecipeLevel> All = [Recipe, Model, Slice, Source, Module, Reference, Path, Conditional];

    /// <summary>Says that there is no such key, which one may be meant, and where a key of this name would be right.</summary>
    public string Unknown(string key)
    {
        string message = $"{Place} has no key {Nearest.Quote(key)}{Nearest.Hint(key, Keys)}";
        string elsewhere = !All.Contains(this) ? "" : string.Join(" or ", All.Where(level => level.Keys.Contains(key)).Select(level => level.Place));
        if (elsewhere != "") message += $"; '{key}' belongs to {elsewhere}";
        else if (Keys.Contains("parameters") && Nearest.Of(key, Keys) is null) message += "; if it is a parameter of the merge method, put it under parameters";
        return $"{message}; known keys are {string.Join(", ", Keys)}";
    }
}
