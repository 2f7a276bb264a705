using System.Text;

namespace Amalgam.Zoo.Data.Tokenizers;

/// <summary>
/// The tokenizer of RoBERTa, which is GPT-2's (A. Radford et al., 2019): words are runs of letters, of digits or of marks with the space before them, as UTF-8 bytes; bytes are joined by
/// byte-pair encoding. Every text has ids, and they give it back.
/// </summary>
internal sealed class ByteLevelBpe : Tokenizer
{
    private const int None = -1;

    private readonly int[] _bytes = new int[256];
    private readonly string[] _pieces;
    private readonly PairMerges _merges;
    private readonly bool _prefixSpace;

    /// <param name="vocabulary">The pieces, written in the alphabet of bytes.</param>
    /// <param name="merges">The pairs that may be joined, in the order in which they were learned.</param>
    /// <param name="template">What stands around texts.</param>
    /// <param name="added">Tokens that are found as they are written.</param>
    /// <param name="unknown">Stands for a byte that the vocabulary does not have; null where nothing does.</param>
    /// <param name="prefixSpace">A text that does not begin with a space gets one.</param>
    public ByteLevelBpe(PieceTable vocabulary, IReadOnlyList<(int Left, int Right, int Piece)> merges, TextTemplate template, IReadOnlyCollection<AddedToken> added, int? unknown, bool prefixSpace) : base(template, null, added)
    {
        _prefixSpace = prefixSpace;
        for (int b = 0; b < _bytes.Length; b++) _bytes[b] = vocabulary.Ids.TryGetValue(ByteAlphabet.Letter((byte)b).ToString(), out int id) ? id : unknown ?? None;
        Dictionary<(int, int), (int, int)> pairs = [];
        for (int rank = 0; rank < merges.Count; rank++) pairs.TryAdd((merges[rank].Left, merges[rank].Right), (rank, merges[rank].Piece));
        _merges = new(pairs);
        Count = Math.Max(vocabulary.Count, 1 + LargestOwn);
        _pieces = new string[Count];
        foreach (var (piece, id) in vocabulary.Ids) _pieces[id] = piece;
        foreach (AddedToken token in added) _pieces[token.Id] = ByteAlphabet.Write(Encoding.UTF8.GetBytes(token.Text));
    }

    public override int Count { get; }

    /// <summary>The text that ids stand for.</summary>
    public string Decode(IEnumerable<int> ids) => Encoding.UTF8.GetString([.. ids.SelectMany(id => ByteAlphabet.Read(_pieces[id] ?? ""))]);

    private protected override void Add(string text, List<int> ids)
    {
        if (_prefixSpace && !text.StartsWith(' ')) text = " " + text;
        List<int> word = [];
        byte[] bytes = [];
        for (int from = 0, to; from < text.Length; from = to)
        {
            to = WordSplit.End(text, from);
            int most = Encoding.UTF8.GetMaxByteCount(to - from);
            if (bytes.Length < most) bytes = new byte[Math.Max(256, most)];
            int count = Encoding.UTF8.GetBytes(text.AsSpan(from, to - from), bytes);
            word.Clear();
            foreach (byte b in bytes.AsSpan(0, count)) if (_bytes[b] != None) word.Add(_bytes[b]);
            _merges.Apply(word);
            ids.AddRange(word);
        }
    }
}
