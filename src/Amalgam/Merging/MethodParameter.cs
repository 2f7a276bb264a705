using System.Collections.Immutable;

namespace Amalgam.Merging;

/// <summary>What a parameter's value is made of.</summary>
public enum ParameterKind
{
    /// <summary>A number; in a recipe also a gradient over the layers or a list of conditionals.</summary>
    Number,

    /// <summary>True or false; in a recipe a number works too, anything but 0 is true.</summary>
    Flag,

    /// <summary>One of a few words.</summary>
    Word,

    /// <summary>A list of tensor name patterns.</summary>
    Patterns,
}

/// <summary>One parameter of a merge method: its name in recipes, its range, its default. The one place where they stand: reading, checking and help use it.</summary>
/// <param name="Name">The name in recipes.</param>
/// <param name="Kind">What its value is made of.</param>
/// <param name="Summary">What it does, a sentence without the full stop.</param>
public sealed record MethodParameter(string Name, ParameterKind Kind, string Summary)
{
    /// <summary>Each model may have its own value; otherwise one value serves the whole merge of a tensor.</summary>
    public bool PerModel { get; init; }

    /// <summary>There is no default: a recipe must give it.</summary>
    public bool Required { get; init; }

    /// <summary>The value of a number or flag (0 or 1) that is not given; null when leaving it out means something of its own.</summary>
    public double? Default { get; init; }

    /// <summary>The words that a word parameter may be, its default first.</summary>
    public ImmutableArray<string> Words { get; init; } = [];

    /// <summary>The word that leaves something to be learned; a recipe that says it has a section <c>train</c>.</summary>
    public string? LearnedWord { get; init; }

    /// <summary>It says how something is learned, and belongs to recipes with a section <c>train</c> alone.</summary>
    public bool OfTraining { get; init; }

    /// <summary>Smallest value, and whether it is itself allowed.</summary>
    public (double Value, bool Included) Low { get; init; } = (double.NegativeInfinity, false);

    /// <summary>Largest value, and whether it is itself allowed.</summary>
    public (double Value, bool Included) High { get; init; } = (double.PositiveInfinity, false);

    /// <summary>The value must be a whole number.</summary>
    public bool Whole { get; init; }

    /// <summary>The allowed values as people write them, for example <c>(0, 1]</c>.</summary>
    public string Range => Kind switch
    {
        ParameterKind.Flag => "true or false",
        ParameterKind.Word => string.Join(" | ", Words),
        ParameterKind.Patterns => "name patterns",
        _ => (Whole ? "whole, " : "") + RangeOfNumber,
    };

    private string RangeOfNumber =>
        double.IsInfinity(Low.Value) && double.IsInfinity(High.Value) ? "any number"
        : $"{(Low.Included ? '[' : '(')}{Limit(Low.Value)}, {Limit(High.Value)}{(High.Included ? ']' : ')')}";

    /// <summary>The default as people write it.</summary>
    public string DefaultText => Required ? "required" : Kind switch
    {
        ParameterKind.Flag => Default == 0 ? "false" : "true",
        ParameterKind.Word => Words[0],
        ParameterKind.Patterns => "none",
        _ => Default is { } value ? $"{value}" : "none",
    };

    /// <summary>Returns a value that is in range.</summary>
    /// <exception cref="MergeException">It is not.</exception>
    public double Check(double value, string method)
    {
        bool low = value > Low.Value || (Low.Included && value == Low.Value);
        bool high = value < High.Value || (High.Included && value == High.Value);
        if (double.IsFinite(value) && low && high && (!Whole || value == Math.Floor(value))) return value;
        throw new MergeException($"{method}: {Name} must be {(Whole ? "a whole number " : "")}{(RangeOfNumber == "any number" ? "a finite number" : $"in {RangeOfNumber}")}, got {value}");
    }

    private static string Limit(double value) => double.IsPositiveInfinity(value) ? "inf" : double.IsNegativeInfinity(value) ? "-inf" : $"{value}";
}
