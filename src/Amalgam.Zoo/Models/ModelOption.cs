using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Graphs;
using Amalgam.Merging.Recipes;

namespace Amalgam.Zoo.Models;

/// <summary>What an option's value is made of.</summary>
public enum OptionKind
{
    /// <summary>A whole number from 1 on.</summary>
    Whole,

    /// <summary>A number above 0, or from 0 on.</summary>
    Number,

    /// <summary>True or false.</summary>
    Flag,

    /// <summary>One of a few words.</summary>
    Word,

    /// <summary>Whole numbers from 1 on with commas between, possibly none.</summary>
    Sizes,
}

/// <summary>One option of an architecture: its name, its default, what it does. Reading, checking and help use it.</summary>
/// <param name="Name">The name in run descriptions.</param>
/// <param name="Kind">What its value is made of.</param>
/// <param name="Default">The value where it is not given, as it would be written.</param>
/// <param name="Summary">What it does, a sentence without the full stop.</param>
public sealed record ModelOption(string Name, OptionKind Kind, string Default, string Summary)
{
    /// <summary>The words that a word option may be.</summary>
    public ImmutableArray<string> Words { get; init; } = [];

    /// <summary>Whether a number may be 0.</summary>
    public bool FromZero { get; init; }

    /// <summary>A number must stay below this.</summary>
    public double Limit { get; init; } = double.PositiveInfinity;

    /// <summary>The allowed values as people write them.</summary>
    public string Range => Kind switch
    {
        OptionKind.Whole => "a whole number from 1 on",
        OptionKind.Number => $"a number {(FromZero ? "from 0 on" : "above 0")}{(double.IsPositiveInfinity(Limit) ? "" : $", below {Limit.ToString(CultureInfo.InvariantCulture)}")}",
        OptionKind.Flag => "true or false",
        OptionKind.Word => string.Join(" or ", Words),
        _ => "whole numbers from 1 on, with commas between",
    };

    internal static bool TryWhole(string text, out int value) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value > 0;

    internal bool TryNumber(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && value < Limit && (value > 0 || (value == 0 && FromZero));

    internal static bool TryFlag(string text, out bool value) => (value = text is "true" or "True" or "TRUE") || text is "false" or "False" or "FALSE";

    internal static bool TrySizes(string text, out ImmutableArray<int> value)
    {
        List<int> sizes = [];
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (TryWhole(part, out int size)) sizes.Add(size);
            else sizes.Add(0);
        }

        value = [.. sizes];
        return !sizes.Contains(0);
    }

    internal bool Takes(string text) => Kind switch
    {
        OptionKind.Whole => TryWhole(text, out _),
        OptionKind.Number => TryNumber(text, out _),
        OptionKind.Flag => TryFlag(text, out _),
        OptionKind.Word => Words.Contains(text),
        _ => TrySizes(text, out _),
    };
}

/// <summary>The values of an architecture's options, each of its kind and in its range.</summary>
public sealed class ModelOptions
{
    private readonly Dictionary<string, (ModelOption Option, string Text)> _values = [];

    private ModelOptions()
    {
    }

    /// <summary>Reads the options of a model: those given, the others at their defaults.</summary>
    /// <exception cref="GraphException">An option is unknown or not in its range.</exception>
    internal static ModelOptions Read(ZooModel model, IReadOnlyDictionary<string, string> given)
    {
        ModelOptions options = new();
        foreach (ModelOption option in model.Options) options._values.Add(option.Name, (option, option.Default));
        foreach (var (name, text) in given)
        {
            ModelOption option = model.Options.FirstOrDefault(o => o.Name == name)
                ?? throw new GraphException($"{model.Name} has no option {Nearest.Quote(name)}{Nearest.Hint(name, options._values.Keys)}; its options are {string.Join(", ", options._values.Keys)}");
            if (!option.Takes(text)) throw new GraphException($"{model.Name}: {name} must be {option.Range}, got {Nearest.Quote(text)}");
            options._values[name] = (option, text);
        }

        return options;
    }

    /// <summary>A whole number.</summary>
    public int Whole(string name) => ModelOption.TryWhole(_values[name].Text, out int value) ? value : throw Wrong(name);

    /// <summary>A number.</summary>
    public double Number(string name) => _values[name] is var (option, text) && option.TryNumber(text, out double value) ? value : throw Wrong(name);

    /// <summary>True or false.</summary>
    public bool Flag(string name) => ModelOption.TryFlag(_values[name].Text, out bool value) ? value : throw Wrong(name);

    /// <summary>A word.</summary>
    public string Word(string name) => _values[name].Text;

    /// <summary>Whole numbers.</summary>
    public ImmutableArray<int> Sizes(string name) => ModelOption.TrySizes(_values[name].Text, out ImmutableArray<int> value) ? value : throw Wrong(name);

    private static ArgumentException Wrong(string name) => new($"the option '{name}' is of another kind", nameof(name));
}
