using System.Collections.Immutable;
using System.Text;

namespace Amalgam.Zoo.Data;

/// <summary>
/// Word pieces by byte-pair encoding (R. Sennrich, B. Haddow and A. Birch, 2016): words, in lower case, are bytes; the pair of neighbours that is most frequent in the
/// training text becomes a piece of its own, again and again. The same text gives the same vocabulary.
/// </summary>
public sealed class Vocabulary
{
    /// <summary>Fills a text up.</summary>
    public const int Padding = 0;

    /// <summary>Begins a text: what a classifier looks at.</summary>
    public const int Start = 1;

    /// <summary>Ends a text.</summary>
    public const int End = 2;

    /// <summary>Pieces before any is learned: the special ones and 256 bytes.</summary>
    public const int Least = FirstByte + 256;

    private const int FirstByte = 3;

    private readonly Dictionary<(int, int), int> _merges;

    private Vocabulary(ImmutableArray<(int Left, int Right)> merges)
    {
        Merges = merges;
        _merges = merges.Select((pair, i) => (pair, i)).ToDictionary(p => (p.pair.Left, p.pair.Right), p => Least + p.i);
    }

    /// <summary>Number of pieces, the special ones included.</summary>
    public int Count => Least + Merges.Length;

    /// <summary>The pairs that became pieces, in order: pair i is piece <see cref="Least"/> + i.</summary>
    public ImmutableArray<(int Left, int Right)> Merges { get; }

    /// <summary>Learns pieces.</summary>
    /// <param name="texts">The training text.</param>
    /// <param name="most">Number of pieces at most; fewer where no pair occurs twice.</param>
    public static Vocabulary Train(IEnumerable<string> texts, int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, Least);
        Dictionary<string, int> counts = new(StringComparer.Ordinal);
        foreach (string word in texts.SelectMany(Words)) counts[word] = counts.GetValueOrDefault(word) + 1;
        Word[] words = [.. counts.OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => new Word(Bytes(c.Key), c.Value))];
        Dictionary<(int, int), Pair> pairs = [];
        for (int i = 0; i < words.Length; i++) Add(words[i], i, 1, pairs);

        List<(int, int)> merges = [];
        while (Least + merges.Count < most)
        {
            KeyValuePair<(int, int), Pair> best = default;
            foreach (var pair in pairs)
            {
                if (best.Value is null || pair.Value.Count > best.Value.Count || (pair.Value.Count == best.Value.Count && pair.Key.CompareTo(best.Key) < 0)) best = pair;
            }

            if (best.Value is null || best.Value.Count < 2) break;
            int piece = Least + merges.Count;
            merges.Add(best.Key);
            foreach (int i in best.Value.Words.ToArray())
            {
                Add(words[i], i, -1, pairs);
                Join(words[i].Pieces, best.Key, piece);
                Add(words[i], i, 1, pairs);
            }

            pairs.Remove(best.Key);
        }

        return new([.. merges]);
    }

    /// <summary>The pieces of a text.</summary>
    public int[] Encode(string text) => [.. Words(text).SelectMany(Pieces)];

    /// <summary>The pieces of texts as a classifier takes them: a start, then each text with an end; cut at a length by shortening the longest text.</summary>
    /// <param name="texts">One text or two.</param>
    /// <param name="length">Pieces at most.</param>
    /// <returns>The pieces, and for each the number of its text from 0.</returns>
    public (int[] Pieces, int[] Segments) Encode(IReadOnlyList<string> texts, int length)
    {
        List<int>[] encoded = [.. texts.Select(t => Encode(t).ToList())];
        while (encoded.Sum(t => t.Count) + texts.Count + 1 > length && encoded.MaxBy(t => t.Count) is { Count: > 0 } longest) longest.RemoveAt(longest.Count - 1);
        int[] pieces = [Start, .. encoded.SelectMany(t => t.Append(End))];
        int[] segments = [0, .. encoded.SelectMany((t, i) => Enumerable.Repeat(i, t.Count + 1))];
        return (pieces[..Math.Min(length, pieces.Length)], segments[..Math.Min(length, segments.Length)]);
    }

    private List<int> Pieces(string word)
    {
        List<int> pieces = Bytes(word);
        while (pieces.Count > 1)
        {
            (int Piece, (int, int) Pair) first = (int.MaxValue, default);
            for (int i = 1; i < pieces.Count; i++)
            {
                if (_merges.TryGetValue((pieces[i - 1], pieces[i]), out int piece) && piece < first.Piece) first = (piece, (pieces[i - 1], pieces[i]));
            }

            if (first.Piece == int.MaxValue) break;
            Join(pieces, first.Pair, first.Piece);
        }

        return pieces;
    }

    /// <summary>Words and marks: runs of letters and digits with the space before them, and other characters by themselves.</summary>
    private static IEnumerable<string> Words(string text)
    {
        string lower = text.ToLowerInvariant();
        for (int i = 0; i < lower.Length;)
        {
            int from = i++;
            if (char.IsLetterOrDigit(lower[from]))
            {
                while (i < lower.Length && char.IsLetterOrDigit(lower[i])) i++;
                yield return " " + lower[from..i];
            }
            else if (!char.IsWhiteSpace(lower[from])) yield return lower[from..i];
        }
    }

    private static List<int> Bytes(string word) => [.. Encoding.UTF8.GetBytes(word).Select(b => FirstByte + b)];

    private static void Join(List<int> pieces, (int Left, int Right) pair, int piece)
    {
        int to = 0;
        for (int i = 0; i < pieces.Count; i++)
        {
            bool joined = i + 1 < pieces.Count && pieces[i] == pair.Left && pieces[i + 1] == pair.Right;
            pieces[to++] = joined ? piece : pieces[i];
            if (joined) i++;
        }

        pieces.RemoveRange(to, pieces.Count - to);
    }

    private static void Add(Word word, int index, int sign, Dictionary<(int, int), Pair> pairs)
    {
        for (int i = 1; i < word.Pieces.Count; i++)
        {
            (int, int) key = (word.Pieces[i - 1], word.Pieces[i]);
            if (!pairs.TryGetValue(key, out Pair? pair)) pairs[key] = pair = new();
            pair.Count += sign * word.Count;
            if (sign > 0) pair.Words.Add(index);
            else if (pair.Count == 0) pairs.Remove(key);
        }
    }

    private sealed record Word(List<int> Pieces, int Count);

    private sealed class Pair
    {
        public int Count { get; set; }

        public HashSet<int> Words { get; } = [];
    }
}
