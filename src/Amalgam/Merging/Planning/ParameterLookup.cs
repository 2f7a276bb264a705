using System.Collections.Immutable;
using Amalgam.Checkpoints;
using Amalgam.Merging.Recipes;

namespace Amalgam.Merging.Planning;

/// <summary>The values of a method's parameters for one tensor: the model's own, then the slice's, the module's, the recipe's, then the default.</summary>
/// <param name="entry">The method.</param>
/// <param name="outer">Blocks from the nearest level outward, without the models' own.</param>
/// <param name="t">The tensor's place in gradients.</param>
internal sealed class ParameterLookup(MethodEntry entry, ImmutableArray<ParameterBlock> outer, double t)
{
    private readonly SortedDictionary<string, string> _used = new(StringComparer.Ordinal);

    /// <summary>The values that were asked for, as people write them.</summary>
    public string Used => string.Join(' ', _used.Select(u => $"{u.Key}={u.Value}"));

    /// <summary>What <see cref="MethodEntry.Create"/> gets.</summary>
    /// <param name="tensor">The merged tensor; parameters with one value for all models are looked up with its name.</param>
    /// <param name="included">The recipe's include patterns name it.</param>
    /// <param name="models">Each model's own parameters, and the name of its tensor, with which they are looked up.</param>
    public MethodArguments Arguments(TensorSpec tensor, bool included, ImmutableArray<(ParameterBlock Own, string Name, string Label)> models) =>
        new(tensor, models.Length, included,
            (name, model) => Number(name, model is { } i ? models[i].Own : null, model is { } j ? models[j].Name : tensor.Name, model is { } k ? models[k].Label : null, model),
            name => Word(name, tensor.Name));

    /// <summary>Whether every required parameter has a value for a model.</summary>
    public bool IsComplete(ParameterBlock own, string name) =>
        entry.Parameters.Where(p => p is { Required: true, PerModel: true }).All(p => Find(p.Name, own, s => s.Number(name, t)) is not null);

    /// <summary>Whether a word is given for a tensor, so that its default is not what counts.</summary>
    public bool IsGiven(string word, string name) => Find(word, null, s => s.Word(name)) is not null;

    private double? Number(string parameter, ParameterBlock? own, string name, string? label, int? model)
    {
        MethodParameter known = entry.Parameters.Single(p => p.Name == parameter);
        double? value = Find(parameter, own, s => s.Number(name, t)) ?? known.Default;
        if (value is null && known.Required)
        {
            throw new MergeException(label is null
                ? $"{entry.Name}: {parameter} is required, and not given for '{name}'; give it under parameters"
                : $"{entry.Name}: {parameter} is required, and not given for model {label} ('{name}'); give it under the model's parameters, or under parameters for all");
        }

        if (value is null) return null;
        string text = Text(known, value.Value);
        if (model is null or 0 || !_used.TryGetValue(parameter, out string? before)) _used[parameter] = text;
        else _used[parameter] = $"{before}/{text}";
        return value;
    }

    private string? Word(string parameter, string name)
    {
        MethodParameter known = entry.Parameters.Single(p => p.Name == parameter);
        string? given = Find(parameter, null, s => s.Word(name));
        _used[parameter] = given ?? known.Words[0];
        return given;
    }

    private static string Text(MethodParameter known, double value) => known.Kind == ParameterKind.Flag ? value == 0 ? "false" : "true" : $"{value:G6}";

    private T? Find<T>(string parameter, ParameterBlock? own, Func<Setting, T?> read)
    {
        foreach (ParameterBlock? block in outer.Prepend(own))
            if (block?[parameter] is { } setting && read(setting) is { } value) return value;
        return default;
    }
}
