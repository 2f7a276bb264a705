using System.Collections.Immutable;
using Amalgam.Numerics;

namespace Amalgam.Zoo.Data;

/// <summary>
/// Says in a sentence what is in a picture of <see cref="Captions"/>. Glyphs come in any order, each with a noun of two, the adjectives that the sentence cares to mention in any
/// order, and mostly where it is, by its corner or by where it lies of the glyph before; all in several words for the same.
/// </summary>
internal sealed class CaptionGrammar
{
    /// <summary>Words that a glyph takes at most, with the one that joins it to the glyph before; and ids around all, less the first glyph's joining word.</summary>
    public const int MostOfThing = 11, MostAround = 3;

    private const int WordsOfSentence = 128;

    private static readonly string[][] Nouns =
    [
        ["ring", "circle"], ["triangle", "wedge"], ["square", "box"], ["hook", "cane"], ["tee", "crossbar"], ["fork", "branch"], ["zed", "zigzag"], ["cup", "bowl"], ["plus", "cross"], ["spiral", "coil"],
        ["corner", "bracket"], ["ladder", "rung"], ["arrow", "pointer"], ["comb", "rake"], ["eight", "snowman"], ["hourglass", "timer"], ["flag", "pennant"], ["wave", "ripple"], ["theta", "disc"], ["half", "bow"],
    ];

    private static readonly string[][] Colours = [["red", "scarlet"], ["green", "emerald"], ["blue", "azure"], ["yellow", "golden"], ["purple", "violet"], ["white", "pale"]];
    private static readonly string[][] Sizes = [["small", "little", "tiny"], ["large", "big", "huge"]], Weights = [["thin", "fine", "slender"], ["bold", "thick", "heavy"]];
    private static readonly string[][] Rows = [["top", "upper"], ["bottom", "lower"]];
    private static readonly string[] Columns = ["left", "right"], Starts = ["", "there is", "we see", "here is"];

    private static readonly ImmutableArray<string> Small = ["<pad>", "<start>", "<end>", "a", "an", "the", "one", "and", "with", ",", "there", "we", "here", "see", "is", "it", "at", "in", "to", "of", "above", "over", "below", "under"];

    /// <summary>Every word by its id. The first pads, begins and ends a sentence.</summary>
    public static readonly ImmutableArray<string> Words =
        [.. Small, .. new[] { Nouns, Colours, Sizes, Weights, Rows }.SelectMany(group => group).SelectMany(words => words).Concat(Columns).Distinct()];

    private static readonly Dictionary<string, byte> Ids = Words.Select((word, id) => (word, id)).ToDictionary(p => p.word, p => (byte)p.id);

    private readonly uint[] _random = new uint[WordsOfSentence];
    private readonly List<string> _said = [];
    private int _next;

    /// <summary>What an adjective or noun says of glyphs: which kinds, colours, sizes or weights it names; null for other words.</summary>
    public static (string Of, int Value)? Meaning(string word)
    {
        foreach (var (of, groups) in new[] { ("glyph", Nouns), ("colour", Colours), ("size", Sizes), ("weight", Weights) })
        {
            if (Array.FindIndex(groups, words => words.Contains(word)) is >= 0 and var value) return (of, value);
        }

        return null;
    }

    /// <summary>Makes a sentence.</summary>
    /// <param name="things">The glyphs.</param>
    /// <param name="key">The stream of the part.</param>
    /// <param name="index">Number of the sentence.</param>
    /// <param name="y">Receives the ids, start and end among them.</param>
    /// <returns>How many there are.</returns>
    public int Write(ReadOnlySpan<CaptionThing> things, ulong key, long index, Span<byte> y)
    {
        Philox.Fill(key, index * WordsOfSentence, _random);
        _next = 0;
        _said.Clear();
        CaptionThing[] order = things.ToArray();
        for (int i = order.Length - 1; i > 0; i--)
        {
            int j = Below(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }

        Say(Starts[Below(Starts.Length)]);
        for (int i = 0; i < order.Length; i++)
        {
            if (i > 0) Say(OneOf("and", "with", ","));
            Describe(order[i], i == 0 ? null : order[i - 1]);
        }

        int count = 0;
        y[count++] = Ids["<start>"];
        foreach (string word in _said) y[count++] = Ids[word];
        y[count++] = Ids["<end>"];
        return count;
    }

    private void Describe(CaptionThing thing, CaptionThing? before)
    {
        bool isFirst = _said.Count == 0;
        int where = Below(5);
        if (where == 0 && isFirst)
        {
            Corner(thing);
            Say(Below(2) == 0 ? "is" : ",");
            Name(thing);
            return;
        }

        Name(thing);
        if (where == 1 && before is { } other) Relation(thing, other);
        else if (where != 2) Corner(thing);
    }

    private void Name(CaptionThing thing)
    {
        List<string> words = [];
        if (Below(10) < 7) words.Add(OneOf(Sizes[thing.IsLarge ? 1 : 0]));
        if (Below(10) < 6) words.Add(OneOf(Weights[thing.IsBold ? 1 : 0]));
        if (words.Count == 2 && Below(2) == 0) words.Reverse();
        if (Below(10) < 8) words.Insert(Below(4) == 0 ? 0 : words.Count, OneOf(Colours[thing.Colour]));
        words.Add(OneOf(Nouns[thing.Glyph]));
        Say(Below(4) switch { 0 => "the", 1 => "one", _ => "aeiou".Contains(words[0][0], StringComparison.Ordinal) ? "an" : "a" });
        foreach (string word in words) Say(word);
    }

    private void Corner(CaptionThing thing)
    {
        int form = Below(4);
        string row = OneOf(Rows[thing.Row]), column = Columns[thing.Column];
        Say(form switch { 0 => $"at the {row} {column}", 1 => $"in the {row} {column}", 2 => $"{column} at the {Rows[thing.Row][0]}", _ => $"{row} {column}" });
    }

    /// <summary>Where a glyph lies of the one before.</summary>
    private void Relation(CaptionThing thing, CaptionThing other)
    {
        if (thing.Row != other.Row) Say(thing.Row < other.Row ? OneOf("above it", "over it") : OneOf("below it", "under it"));
        if (thing.Column != other.Column) Say(thing.Row == other.Row ? $"{Columns[thing.Column]} of it" : $"to the {Columns[thing.Column]}");
    }

    private void Say(string words) => _said.AddRange(words.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private string OneOf(params ReadOnlySpan<string> words) => words[Below(words.Length)];

    private int Below(int count) => Training.Data.Draw.Below(_random[_next++], count);
}
