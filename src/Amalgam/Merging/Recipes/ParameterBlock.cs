using System.Collections.Immutable;

namespace Amalgam.Merging.Recipes;

/// <summary>The parameters given at one level of a recipe, in their order.</summary>
/// <param name="Entries">Name, value, and where the name stands.</param>
public sealed record ParameterBlock(ImmutableArray<(string Name, Setting Setting, RecipePosition Position)> Entries)
{
    /// <summary>No parameters.</summary>
    public static ParameterBlock Empty { get; } = new([]);

    /// <summary>The value of a parameter; null when it is not given at this level.</summary>
    public Setting? this[string name] => Entries.FirstOrDefault(e => e.Name == name).Setting;

    /// <summary>Reads a block as it stands in a recipe: <c>{density: 0.5, weight: [0, 1]}</c>.</summary>
    /// <param name="text">YAML.</param>
    /// <param name="file">The name to use in messages.</param>
    /// <exception cref="MergeException">It is not a block of parameters.</exception>
    public static ParameterBlock Parse(string text, string file) => Read(RecipeFile.Single(text, file));

    /// <summary>Checks names, kinds and ranges; whether something required is missing shows only when a value is looked up through all levels.</summary>
    /// <param name="method">The method's name, for messages.</param>
    /// <param name="known">Its parameters.</param>
    /// <param name="perModelLevel">These are the parameters of one model, not of all.</param>
    /// <exception cref="MergeException">Unknown name, wrong kind, out of range, or a parameter that one model cannot have for itself.</exception>
    public void Check(string method, IReadOnlyList<MethodParameter> known, bool perModelLevel)
    {
        foreach (var (name, setting, position) in Entries)
        {
            MethodParameter parameter = known.FirstOrDefault(p => p.Name == name) ?? throw position.Refuse(Unknown(method, name, known));
            if (perModelLevel && !parameter.PerModel)
                throw position.Refuse($"{method}: {name} has one value for all models, found it under one: move it up to the parameters of the recipe or slice");
            setting.Check(parameter, method);
        }
    }

    internal static ParameterBlock Read(RecipeNode node) =>
        new([.. node.Entries("parameters, a mapping of names to values").Select(e => (e.Key, Setting.Read(e.Value), e.Position))]);

    private static string Unknown(string method, string name, IReadOnlyList<MethodParameter> known)
    {
        string all = known.Count == 0 ? "it has none" : $"it has {string.Join(", ", known.Select(p => p.Name))}";
        return $"{method} has no parameter {Nearest.Quote(name)}{Nearest.Hint(name, known.Select(p => p.Name))}; {all}";
    }
}
