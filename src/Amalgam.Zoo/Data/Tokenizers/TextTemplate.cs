using System.Collections.Immutable;

namespace Amalgam.Zoo.Data.Tokenizers;

/// <summary>One place of a template: a text, or a special id.</summary>
/// <param name="Text">0 for the first text, 1 for the second, -1 for a special id.</param>
/// <param name="Id">The special id.</param>
/// <param name="Segment">Segment of the id, or of the text's ids.</param>
public readonly record struct TemplatePart(int Text, int Id, int Segment)
{
    internal static TemplatePart Of(int text, int segment) => new(text, 0, segment);

    internal static TemplatePart Special(int id, int segment = 0) => new(-1, id, segment);
}

/// <summary>Which ids stand around a text, or around two, and which one fills them up.</summary>
/// <param name="Single">Around one text.</param>
/// <param name="Pair">Around two.</param>
/// <param name="Padding">Fills them up.</param>
public sealed record TextTemplate(ImmutableArray<TemplatePart> Single, ImmutableArray<TemplatePart> Pair, int Padding)
{
    /// <summary>BERT's: start a end, start a end b end, the second text and its end in segment 1.</summary>
    public static TextTemplate Bert(int start, int end, int padding) => new(
        [TemplatePart.Special(start), TemplatePart.Of(0, 0), TemplatePart.Special(end)],
        [TemplatePart.Special(start), TemplatePart.Of(0, 0), TemplatePart.Special(end), TemplatePart.Of(1, 1), TemplatePart.Special(end, 1)],
        padding);

    /// <summary>RoBERTa's: start a end, start a end end b end, all in segment 0.</summary>
    public static TextTemplate Roberta(int start, int end, int padding) => new(
        [TemplatePart.Special(start), TemplatePart.Of(0, 0), TemplatePart.Special(end)],
        [TemplatePart.Special(start), TemplatePart.Of(0, 0), TemplatePart.Special(end), TemplatePart.Special(end), TemplatePart.Of(1, 0), TemplatePart.Special(end)],
        padding);

    /// <summary>How many special ids stand around so many texts.</summary>
    public int SpecialsOf(int texts) => PartsOf(texts).Count(p => p.Text < 0);

    /// <summary>The largest special id.</summary>
    internal int Largest => Single.Concat(Pair).Max(p => Math.Max(p.Id, Padding));

    /// <summary>
    /// Puts texts in. Where they are too long together, the longer is cut to the other's length at the end, and then both alike, as Hugging Face's fast tokenizers do
    /// by <c>longest_first</c>.
    /// </summary>
    /// <param name="texts">One text or two, as ids.</param>
    /// <param name="length">Ids at most.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no room for the special ids, or there are more texts than two.</exception>
    public (int[] Ids, int[] Segments) Fill(IReadOnlyList<List<int>> texts, int length)
    {
        ImmutableArray<TemplatePart> parts = PartsOf(texts.Count);
        int room = length - SpecialsOf(texts.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(room, nameof(length));
        int[] counts = Cut([.. texts.Select(t => t.Count)], room);
        int[] ids = new int[length - room + counts.Sum()], segments = new int[ids.Length];
        int at = 0;
        foreach (TemplatePart part in parts)
        {
            int count = part.Text < 0 ? 1 : counts[part.Text];
            if (part.Text < 0) ids[at] = part.Id;
            else texts[part.Text][..count].CopyTo(ids, at);
            Array.Fill(segments, part.Segment, at, count);
            at += count;
        }

        return (ids, segments);
    }

    private static int[] Cut(int[] counts, int room)
    {
        if (counts.Length == 1) return [Math.Min(counts[0], room)];
        int shorter = Math.Min(counts[0], counts[1]), longer = Math.Max(counts[0], counts[1]);
        if (shorter + longer > room) longer = Math.Max(shorter, room - shorter);
        if (shorter + longer > room) (shorter, longer) = (room / 2, (room + 1) / 2);
        return counts[0] > counts[1] ? [longer, shorter] : [shorter, longer];
    }

    private ImmutableArray<TemplatePart> PartsOf(int texts) => texts switch
    {
        1 => Single,
        2 => Pair,
        _ => throw new ArgumentOutOfRangeException(nameof(texts), texts, "one text or two"),
    };
}
