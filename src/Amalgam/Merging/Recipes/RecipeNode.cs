using System.Collections.Immutable;
using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Amalgam.Merging.Recipes;

/// <summary>A node of a recipe's YAML: reads it as what is expected there, or says where it stands and what was found.</summary>
internal readonly record struct RecipeNode(YamlNode Yaml, string File)
{
    private static readonly ImmutableHashSet<string> True = ["true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"];
    private static readonly ImmutableHashSet<string> False = ["false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"];

    public RecipePosition Position => RecipeYaml.Position(File, Yaml.Start);

    public bool IsScalar => Yaml is YamlScalarNode;

    public bool IsMapping => Yaml is YamlMappingNode;

    public bool IsList => Yaml is YamlSequenceNode;

    /// <summary>Nothing is written here, or YAML's null.</summary>
    public bool IsNull => Yaml is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" or "Null" or "NULL" };

    /// <summary>True or false, if it is an unquoted boolean.</summary>
    public bool? Flag =>
        Yaml is not YamlScalarNode { Style: ScalarStyle.Plain, Value: { } text } ? null
        : True.Contains(text) ? true
        : False.Contains(text) ? false
        : null;

    /// <summary>The number of a scalar, quoted or not; a boolean is 1 or 0.</summary>
    public double? Number => Flag is { } flag ? (flag ? 1 : 0) : Yaml is YamlScalarNode { Value: { } text } ? ParseNumber(text) : null;

    /// <summary>The text of a scalar that is not null.</summary>
    public string Text(string what) => IsScalar && !IsNull ? ((YamlScalarNode)Yaml).Value! : throw Unexpected(what);

    /// <summary>A whole number from 0 on.</summary>
    public int Count(string what)
    {
        string text = Text(what);
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value)) return value;
        throw text.Length > 0 && text.All(char.IsAsciiDigit) ? TooLarge(what) : Unexpected(what);
    }

    /// <summary>A number of the right kind that is too large to reckon with.</summary>
    public MergeException TooLarge(string expected) => Position.Refuse($"expected {expected}, found {Found}, which is too large");

    /// <summary>The items of a list that has some.</summary>
    public ImmutableArray<RecipeNode> Items(string what)
    {
        if (Yaml is not YamlSequenceNode list || list.Children.Count == 0) throw Unexpected(what);
        string file = File;
        return [.. list.Children.Select(child => new RecipeNode(child, file))];
    }

    /// <summary>The entries of a mapping in their order.</summary>
    public ImmutableArray<(string Key, RecipePosition Position, RecipeNode Value)> Entries(string what)
    {
        if (Yaml is not YamlMappingNode mapping) throw Unexpected(what);
        string file = File;
        return [.. mapping.Children.Select(e => (((YamlScalarNode)e.Key).Value ?? "", RecipeYaml.Position(file, e.Key.Start), new RecipeNode(e.Value, file)))];
    }

    /// <summary>The entries of a mapping whose keys are known; those without a value are left out.</summary>
    public Dictionary<string, RecipeNode> Fields(RecipeLevel level)
    {
        Dictionary<string, RecipeNode> fields = [];
        foreach (var (key, position, value) in Entries(level.Place))
        {
            if (!level.Keys.Contains(key)) throw position.Refuse(level.Unknown(key));
            if (!value.IsNull) fields.Add(key, value);
        }

        return fields;
    }

    public MergeException Unexpected(string expected) => Position.Refuse($"expected {expected}, found {Found}");

    private string Found => Yaml switch
    {
        _ when IsNull => "nothing",
        YamlScalarNode scalar => Nearest.Quote(scalar.Value ?? ""),
        YamlSequenceNode list => list.Children.Count == 0 ? "an empty list" : "a list",
        YamlMappingNode { Children.Count: 0 } => "an empty mapping",
        _ => "a mapping",
    };

    private static double? ParseNumber(string text)
    {
        const NumberStyles Styles = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (double.TryParse(text, Styles, CultureInfo.InvariantCulture, out double value)) return value;
        return text.ToUpperInvariant() switch
        {
            ".INF" or "+.INF" or "INF" => double.PositiveInfinity,
            "-.INF" or "-INF" => double.NegativeInfinity,
            ".NAN" => double.NaN,
            _ => null,
        };
    }
}
