using System.Collections.Immutable;
using System.Text;
using Amalgam.Zoo.Data.Tokenizers;

namespace Amalgam.Zoo.Data;

/// <summary>
/// Word pieces by byte-pair encoding (R. Sennrich, B. Haddow and A. Birch, 2016): words, in lower case, are bytes; the pair of neighbours that is most frequent in the
/// training text becomes a piece of its own, again and again. The same text gives the same vocabulary.
/// </summary>
public sealed class Vocabulary : Tokenizer
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

    private readonly PairMerges _merges;

    private Vocabulary(ImmutableArray<(int Left, int Right)> merges) : base(TextTemplate.Bert(Start, End, Padding))
    {
        Merges = merges;
        _merges = new(merges.Select((pair, i) => (pair, i)).ToDictionary(p => p.pair, p => (p.i, Least + p.i)));
    }

    /// <summary>Number of pieces, the special ones included.</summary>
    public override int Count => Least + Merges.Length;

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

    private protected override void Add(string text, List<int> ids)
    {
        foreach (string word in Words(text))
        {
            List<int> pieces = Bytes(word);
            _merges.Apply(pieces);
            ids.AddRange(pieces);
        }
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
