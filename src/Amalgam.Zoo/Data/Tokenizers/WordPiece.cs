using System.Text;

namespace Amalgam.Zoo.Data.Tokenizers;

/// <summary>
/// The tokenizer of BERT and DistilBERT: each word is taken apart from the left, the longest piece of the vocabulary first (Y. Wu et al., 2016); pieces inside a word begin with ##. A word that cannot be, or that is
/// too long, is the unknown piece.
/// </summary>
internal sealed class WordPiece : Tokenizer
{
    private readonly Dictionary<string, int> _first, _rest = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ofStart, _ofRest;
    private readonly int _unknown, _mostCharacters, _longest;

    /// <param name="vocabulary">The pieces.</param>
    /// <param name="text">How texts are cleaned.</param>
    /// <param name="template">What stands around texts.</param>
    /// <param name="added">Tokens that are found as they are written.</param>
    /// <param name="unknown">Id of the unknown piece.</param>
    /// <param name="prefix">What pieces inside a word begin with.</param>
    /// <param name="mostCharacters">Longer words are unknown.</param>
    public WordPiece(PieceTable vocabulary, BertText text, TextTemplate template, IReadOnlyCollection<AddedToken> added, int unknown, string prefix = "##", int mostCharacters = 100)
        : base(template, text.Normalize, added)
    {
        (_unknown, _mostCharacters, _first) = (unknown, mostCharacters, vocabulary.Ids);
        foreach (var (piece, id) in _first)
        {
            _longest = Math.Max(_longest, piece.Length);
            if (piece.StartsWith(prefix, StringComparison.Ordinal)) _rest[piece[prefix.Length..]] = id;
        }

        (_ofStart, _ofRest) = (_first.GetAlternateLookup<ReadOnlySpan<char>>(), _rest.GetAlternateLookup<ReadOnlySpan<char>>());
        Count = Math.Max(vocabulary.Count, 1 + LargestOwn);
    }

    public override int Count { get; }

    private protected override void Add(string text, List<int> ids) => BertText.Split(text, word => Add(word, ids));

    private void Add(ReadOnlySpan<char> word, List<int> ids)
    {
        int before = ids.Count;
        bool fits = word.Length <= _mostCharacters || CountOf(word) <= _mostCharacters;
        for (int from = 0; fits && from < word.Length;)
        {
            int to = Math.Min(word.Length, from + _longest), id = 0;
            while (to > from && !(from == 0 ? _ofStart : _ofRest).TryGetValue(word[from..to], out id)) to--;
            fits = to > from;
            ids.Add(id);
            from = to;
        }

        if (fits) return;
        ids.RemoveRange(before, ids.Count - before);
        ids.Add(_unknown);
    }

    private static int CountOf(ReadOnlySpan<char> word)
    {
        int count = 0;
        foreach (Rune _ in word.EnumerateRunes()) count++;
        return count;
    }
}
