using System.Collections.Immutable;

namespace Amalgam.Zoo.Metrics;

/// <summary>Counts of a classification: how often a sample of one class was taken for another.</summary>
/// <param name="Counts">By true class, then by predicted class.</param>
public sealed record ConfusionMatrix(ImmutableArray<ImmutableArray<long>> Counts)
{
    /// <summary>Counts predictions.</summary>
    /// <param name="truth">Class of each sample, from 0.</param>
    /// <param name="predicted">Class that it was taken for.</param>
    /// <param name="classes">Number of classes.</param>
    public static ConfusionMatrix Of(ReadOnlySpan<int> truth, ReadOnlySpan<int> predicted, int classes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(predicted.Length, truth.Length);
        long[][] counts = [.. Enumerable.Range(0, classes).Select(_ => new long[classes])];
        for (int i = 0; i < truth.Length; i++) counts[truth[i]][predicted[i]]++;
        return new([.. counts.Select(row => row.ToImmutableArray())]);
    }

    /// <summary>Share of samples taken for what they are.</summary>
    public double Accuracy => Counts.Select((row, c) => row[c]).Sum() / (double)Counts.Sum(row => row.Sum());

    /// <summary>Mean over the classes that have samples of the share that was found.</summary>
    public double MacroRecall => Counts.Select((row, c) => (Found: row[c], All: row.Sum())).Where(c => c.All > 0).Average(c => c.Found / (double)c.All);

    /// <summary>Mean over the classes that have samples or predictions of the harmonic mean of precision and recall: 2 found / (samples + predictions).</summary>
    public double MacroF1 => Counts.Select((row, c) => (Found: row[c], Both: row.Sum() + Counts.Sum(other => other[c]))).Where(c => c.Both > 0).Average(c => 2.0 * c.Found / c.Both);
}

/// <summary>How good scores are.</summary>
public static class Classification
{
    /// <summary>Whether the true class is among the k with the largest scores; of equal scores the smaller class number counts as larger. A class whose score is no number is not.</summary>
    public static bool IsInTop(ReadOnlySpan<float> scores, int truth, int k)
    {
        if (float.IsNaN(scores[truth])) return false;
        int before = 0;
        for (int c = 0; c < scores.Length; c++)
        {
            if (scores[c] > scores[truth] || (scores[c] == scores[truth] && c < truth)) before++;
        }

        return before < k;
    }

    /// <summary>
    /// Area under the ROC curve: the chance that a positive sample has a higher score than a negative one, equal scores counting half. By ranks: (R - p (p + 1) / 2) / (p n),
    /// R being the sum of the positives' mean ranks.
    /// </summary>
    /// <returns>NaN unless there are both positives and negatives, and where a score is no number.</returns>
    public static double Auc(ReadOnlySpan<float> scores, ReadOnlySpan<bool> positive)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(positive.Length, scores.Length);
        float[] sorted = scores.ToArray();
        if (Array.Exists(sorted, float.IsNaN)) return double.NaN;
        bool[] truth = positive.ToArray();
        Array.Sort(sorted, truth);
        double ranks = 0, positives = 0;
        for (int from = 0, to; from < sorted.Length; from = to)
        {
            int here = 0;
            for (to = from; to < sorted.Length && sorted[to] == sorted[from]; to++) here += truth[to] ? 1 : 0;
            ranks += here * (from + 1 + to) / 2.0;
            positives += here;
        }

        double negatives = sorted.Length - positives;
        return positives == 0 || negatives == 0 ? double.NaN : (ranks - positives * (positives + 1) / 2) / (positives * negatives);
    }

    /// <summary>AUC within each user's samples, averaged over the users that have both kinds, each counting as often as it has samples when weighted, and once otherwise.</summary>
    /// <returns>NaN when no user has both kinds, and where a score is no number.</returns>
    public static double UserAuc(ReadOnlySpan<float> scores, ReadOnlySpan<bool> positive, ReadOnlySpan<int> users, bool weighted = false)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(users.Length, scores.Length);
        foreach (float score in scores)
        {
            if (float.IsNaN(score)) return double.NaN;
        }

        Dictionary<int, (List<float> Scores, List<bool> Positive)> byUser = [];
        for (int i = 0; i < users.Length; i++)
        {
            if (!byUser.TryGetValue(users[i], out var own)) byUser[users[i]] = own = ([], []);
            own.Scores.Add(scores[i]);
            own.Positive.Add(positive[i]);
        }

        double sum = 0, weights = 0;
        foreach (var (own, kinds) in byUser.Values)
        {
            double auc = Auc([.. own], [.. kinds]), weight = weighted ? own.Count : 1;
            if (double.IsNaN(auc)) continue;
            (sum, weights) = (sum + weight * auc, weights + weight);
        }

        return sum / weights;
    }
}
