namespace Amalgam.Zoo.Metrics;

/// <summary>How high a list puts the one item that is right. Ranks begin at 0.</summary>
public static class Ranking
{
    /// <summary>
    /// Rank of an item among all: how many of the others have a higher score or an equal one, so a list that gives all items one score has the right one last (ties are
    /// broken pessimistically). An item whose score is no number is the last; another whose score is none stands behind it.
    /// </summary>
    public static int Rank(ReadOnlySpan<float> scores, int item)
    {
        if (float.IsNaN(scores[item])) return scores.Length - 1;
        int before = -1;
        foreach (float score in scores)
        {
            if (score >= scores[item]) before++;
        }

        return before;
    }

    /// <summary>HR@k: 1 when the item is among the first k.</summary>
    public static double Hit(int rank, int k) => rank < k ? 1 : 0;

    /// <summary>NDCG@k with one right item: 1 / log2(rank + 2) when it is among the first k.</summary>
    public static double Ndcg(int rank, int k) => rank < k ? 1 / Math.Log2(rank + 2) : 0;
}
