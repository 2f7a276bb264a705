using Amalgam.Zoo.Metrics;

namespace Amalgam.Tests.Zoo.Metrics;

public class MetricsTests
{
    [Fact]
    public void Auc_is_the_share_of_pairs_in_the_right_order() => Property.Holds(generator =>
    {
        int n = 2 + generator.Size(60);
        float[] scores = [.. Enumerable.Range(0, n).Select(_ => (float)generator.Random.Next(8))];
        bool[] positive = [.. Enumerable.Range(0, n).Select(_ => generator.Random.Next(3) == 0)];
        int[] users = [.. Enumerable.Range(0, n).Select(_ => generator.Random.Next(4))];
        Assert.Equal(Pairs([.. Enumerable.Range(0, n)]), Classification.Auc(scores, positive), 1e-12);

        var perUser = Enumerable.Range(0, 4).Select(u => Enumerable.Range(0, n).Where(i => users[i] == u).ToArray()).Select(own => (Auc: Pairs(own), own.Length)).Where(u => !double.IsNaN(u.Auc)).ToArray();
        double mean = perUser.Length == 0 ? double.NaN : perUser.Average(u => u.Auc), weighted = perUser.Sum(u => u.Auc * u.Length) / perUser.Sum(u => u.Length);
        Assert.Equal(mean, Classification.UserAuc(scores, positive, users), 1e-12);
        Assert.Equal(weighted, Classification.UserAuc(scores, positive, users, weighted: true), 1e-12);

        double Pairs(int[] of)
        {
            var pairs = of.Where(i => positive[i]).SelectMany(p => of.Where(i => !positive[i]).Select(q => scores[p] > scores[q] ? 1 : scores[p] == scores[q] ? 0.5 : 0)).ToArray();
            return pairs.Length == 0 ? double.NaN : pairs.Average();
        }
    });

    [Fact]
    public void Recall_and_F1_are_means_over_classes() => Property.Holds(generator =>
    {
        int n = 1 + generator.Size(80), classes = 2 + generator.Random.Next(4);
        int[] truth = [.. Enumerable.Range(0, n).Select(_ => generator.Random.Next(classes))], predicted = [.. Enumerable.Range(0, n).Select(_ => generator.Random.Next(classes))];
        ConfusionMatrix matrix = ConfusionMatrix.Of(truth, predicted, classes);
        List<double> recalls = [], f1s = [];
        for (int c = 0; c < classes; c++)
        {
            double right = truth.Zip(predicted).Count(p => p.First == c && p.Second == c), real = truth.Count(t => t == c), said = predicted.Count(p => p == c);
            if (real > 0) recalls.Add(right / real);
            if (real + said > 0) f1s.Add(right == 0 ? 0 : 2 / (real / right + said / right));
        }

        Assert.Equal(recalls.Average(), matrix.MacroRecall, 1e-12);
        Assert.Equal(f1s.Average(), matrix.MacroF1, 1e-12);
        Assert.Equal(truth.Zip(predicted).Count(p => p.First == p.Second) / (double)n, matrix.Accuracy, 1e-12);
    });

    [Fact]
    public void A_rank_is_a_place_in_the_sorted_list() => Property.Holds(generator =>
    {
        float[] scores = [.. generator.Floats(1 + generator.Size(50)).Select((s, i) => s + i * 1e-4f)];
        int item = generator.Random.Next(scores.Length);
        int rank = Array.IndexOf([.. Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i])], item);
        Assert.Equal(rank, Ranking.Rank(scores, item));
        for (int k = 1; k < scores.Length; k++)
        {
            Assert.Equal(rank < k ? 1 : 0, Ranking.Hit(rank, k));
            Assert.Equal(rank < k ? Math.Log(2) / Math.Log(rank + 2) : 0, Ranking.Ndcg(rank, k), 1e-12);
            Assert.Equal(rank < k, Classification.IsInTop(scores, item, k));
        }
    });

    [Fact]
    public void Equal_scores_rank_before_the_right_item()
    {
        Assert.Equal(100, Ranking.Rank(new float[101], 7));
        Assert.Equal(2, Ranking.Rank([2, 1, 0, 1], 1));
        Assert.Equal(0, Ranking.Rank([1], 0));
        Assert.True(Classification.IsInTop([1, 1, 1], 0, 1));
        Assert.False(Classification.IsInTop([1, 1, 1], 1, 1));
    }

    [Fact]
    public void What_is_no_number_is_never_right()
    {
        Assert.Equal(2, Ranking.Rank([float.NaN, float.NaN, 1], 0));
        Assert.False(Classification.IsInTop([float.NaN, -1], 0, 1));
        Assert.True(Classification.IsInTop([float.NaN, -1], 1, 1));
        Assert.Equal(double.NaN, Classification.Auc([float.NaN, 1], [true, false]));
        Assert.Equal(double.NaN, Classification.UserAuc([float.NaN, 1, 1, 2], [true, false, true, false], [1, 1, 2, 2]));
    }
}
