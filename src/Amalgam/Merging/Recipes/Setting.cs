using System.Collections.Immutable;

namespace Amalgam.Merging.Recipes;

/// <summary>
/// The value of a parameter as a recipe writes it: a number, a boolean (1 or 0), a word; a list of numbers, the knots of a gradient over the layers;
/// a list of words, which are name patterns; or a list of conditionals, of which the first whose filter matches the tensor's name counts.
/// </summary>
public sealed class Setting
{
    private readonly ImmutableArray<Case> _cases;
    private readonly bool _conditional;

    private Setting(ImmutableArray<Case> cases, bool conditional, RecipePosition position) => (_cases, _conditional, Position) = (cases, conditional, position);

    /// <summary>What holds for the names that a filter matches.</summary>
    private sealed record Case(NamePattern? Filter, ImmutableArray<Value> Values, bool IsList);

    /// <summary>A scalar: its text, and its number if it is one.</summary>
    private readonly record struct Value(string Text, double? Number, RecipePosition Position);

    /// <summary>Where the value stands.</summary>
    public RecipePosition Position { get; }

    /// <summary>The texts of a list of words, or of a single one, which stand for name patterns.</summary>
    public ImmutableArray<string> Patterns => [.. _cases.SelectMany(c => c.Values).Select(v => v.Text)];

    /// <summary>Reads a setting as it stands in a recipe: <c>0.5</c>, <c>[0, 1]</c>, <c>[{filter: mlp, value: 0.5}, {value: 1}]</c>.</summary>
    /// <param name="text">YAML.</param>
    /// <param name="file">The name to use in messages.</param>
    /// <exception cref="MergeException">It is not a setting.</exception>
    public static Setting Parse(string text, string file) => Read(RecipeFile.Single(text, file));

    /// <summary>The number for a tensor; null when no filter matches, which leaves it unset at this level.</summary>
    /// <param name="tensorName">The name that filters look at.</param>
    /// <param name="t">The place in the gradient, from 0 for the first layer to 1 for the last.</param>
    /// <exception cref="MergeException">The value is a word.</exception>
    public double? Number(string tensorName, double t)
    {
        if (t is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(t), t, "the place in a gradient is from 0 to 1");
        if (Find(tensorName) is not { } found) return null;
        double x = t * (found.Values.Length - 1);
        int i = (int)x, j = Math.Min(i + 1, found.Values.Length - 1);
        return i == j ? Knot(found.Values[i]) : (1 - (x - i)) * Knot(found.Values[i]) + (x - i) * Knot(found.Values[j]);
    }

    /// <summary>The word for a tensor; null when no filter matches.</summary>
    /// <exception cref="MergeException">The value is a list.</exception>
    public string? Word(string tensorName)
    {
        if (Find(tensorName) is not { } found) return null;
        return found.IsList ? throw found.Values[0].Position.Refuse("expected a word, found a list") : found.Values[0].Text;
    }

    public override string ToString() => string.Join("; ", _cases.Select(c => (c.Filter is null ? "" : $"{c.Filter}: ") + Print(c)));

    internal static Setting Read(RecipeNode node)
    {
        bool conditional = node.IsMapping || (node.IsList && node.Items(Expected)[0].IsMapping);
        ImmutableArray<RecipeNode> items = conditional && node.IsList ? node.Items(Expected) : [node];
        return new([.. items.Select(item => conditional ? ReadConditional(item) : ReadCase(null, item))], conditional, node.Position);
    }

    /// <summary>Checks kind and range of every value.</summary>
    internal void Check(MethodParameter parameter, string method)
    {
        if (parameter.Kind == ParameterKind.Patterns) CheckPatterns(parameter);
        else foreach (Case c in _cases) CheckCase(c, parameter, method);
    }

    private const string Expected = "a number, a word, a list of numbers or words, or a list of conditionals {filter, value}";

    private static Case ReadConditional(RecipeNode node)
    {
        var fields = node.IsMapping ? node.Fields(RecipeLevel.Conditional) : throw node.Unexpected("a conditional {filter, value} like the others of this list");
        if (!fields.TryGetValue("value", out RecipeNode value)) throw node.Position.Refuse("a conditional value has no 'value'");
        NamePattern? filter = fields.TryGetValue("filter", out RecipeNode text) ? ReadPattern(text.Position, text.Text("a part of tensor names"), false) : null;
        return ReadCase(filter, value);
    }

    private static Case ReadCase(NamePattern? filter, RecipeNode node)
    {
        string expected = node.IsList ? "a number or a word" : Expected;
        ImmutableArray<RecipeNode> items = node.IsList ? node.Items(Expected) : [node];
        return new(filter, [.. items.Select(item => new Value(item.Text(expected), item.Number, item.Position))], node.IsList);
    }

    private static void CheckCase(Case c, MethodParameter parameter, string method)
    {
        bool isWord = parameter.Kind == ParameterKind.Word;
        string name = $"{method}: {parameter.Name}";
        if (c.IsList && isWord) throw c.Values[0].Position.Refuse($"{name} is one word ({parameter.Range}), found a list");
        if (c.Values.Length > 1 && parameter.Whole) throw c.Values[0].Position.Refuse($"{name} is a whole number, found a gradient, which would pass through others");
        foreach (Value value in c.Values)
        {
            if (isWord ? !parameter.Words.Contains(value.Text) : value.Number is null)
            {
                string expected = parameter.Kind == ParameterKind.Number ? $"a number ({parameter.Range})" : parameter.Range;
                string hint = isWord ? Nearest.Hint(value.Text, parameter.Words) : "";
                throw value.Position.Refuse($"{name} must be {expected}, found {Nearest.Quote(value.Text)}{hint}");
            }

            if (value.Number is { } number && !isWord) value.Position.Locate(() => parameter.Check(number, method));
        }
    }

    private void CheckPatterns(MethodParameter parameter)
    {
        if (_conditional) throw Position.Refuse($"{parameter.Name} is a list of name patterns, found a conditional value");
        foreach (Value value in _cases[0].Values) ReadPattern(value.Position, value.Text, true);
    }

    private static NamePattern ReadPattern(RecipePosition position, string text, bool plainIsGlob) => position.Locate(() => NamePattern.Parse(text, plainIsGlob));

    private Case? Find(string tensorName) => _cases.FirstOrDefault(c => c.Filter is null || c.Filter.Matches(tensorName));

    private static double Knot(Value value) => value.Number ?? throw value.Position.Refuse($"expected a number, found {Nearest.Quote(value.Text)}");

    private static string Print(Case c) => c.IsList ? $"[{string.Join(", ", c.Values.Select(v => v.Text))}]" : c.Values[0].Text;
}
