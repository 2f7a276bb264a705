using System.Runtime.InteropServices;

namespace Amalgam.Zoo.Data.Tokenizers;

/// <summary>
/// Joins neighbours by byte-pair encoding (R. Sennrich, B. Haddow and A. Birch, 2016): again and again the pair that was learned first, the leftmost of equal ones. Takes n log n steps
/// for n pieces.
/// </summary>
/// <param name="pairs">For each pair its rank and the piece that it becomes.</param>
internal sealed class PairMerges(IReadOnlyDictionary<(int Left, int Right), (int Rank, int Piece)> pairs)
{
    /// <summary>Joins what can be joined.</summary>
    public void Apply(List<int> pieces)
    {
        if (pieces.Count < 2) return;
        Chain chain = new(pieces.Count);
        Span<int> piece = CollectionsMarshal.AsSpan(pieces);
        for (int i = 0; i < piece.Length; i++) Offer(chain, piece, i);
        while (chain.Queue.TryDequeue(out var pair, out _))
        {
            int left = pair.At, right = chain.Next[left];
            if (right < 0 || piece[left] != pair.Left || piece[right] != pair.Right) continue; // one of the two is something else by now
            (piece[left], piece[right]) = (pair.Piece, Gone);
            chain.Remove(right);
            if (chain.Previous[left] is >= 0 and int before) Offer(chain, piece, before);
            Offer(chain, piece, left);
        }

        pieces.RemoveAll(p => p == Gone);
    }

    private const int Gone = -1;

    private void Offer(Chain chain, Span<int> piece, int left)
    {
        int right = chain.Next[left];
        if (right >= 0 && pairs.TryGetValue((piece[left], piece[right]), out var merge))
            chain.Queue.Enqueue((left, piece[left], piece[right], merge.Piece), ((long)merge.Rank << 32) | (uint)left);
    }

    /// <summary>Which pieces are left, and which pairs may be joined, by rank and position.</summary>
    private sealed class Chain
    {
        public Chain(int count)
        {
            (Next, Previous) = (new int[count], new int[count]);
            for (int i = 0; i < count; i++) (Next[i], Previous[i]) = (i + 1 < count ? i + 1 : -1, i - 1);
        }

        public int[] Next { get; }

        public int[] Previous { get; }

        public PriorityQueue<(int At, int Left, int Right, int Piece), long> Queue { get; } = new();

        public void Remove(int at)
        {
            int before = Previous[at], after = Next[at];
            Next[before] = after;
            if (after >= 0) Previous[after] = before;
            Next[at] = -1;
        }
    }
}
