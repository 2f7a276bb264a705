using System.Collections.Immutable;
using Amalgam.Training.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

public class MeasureTests
{
    [Fact]
    public void Groups_are_measured_by_the_rank_of_the_right_item()
    {
        // Two users; each right item is followed by two others: ranks 0, 1 (a tie) and 2.
        Groups data = new(3, 3, [7, 7, 8]);
        float[] scores = [3, 1, 2, 2, 2, 1, 0, 1, 2];
        Dictionary<string, double> found = Measure.Of(new(new(3, 3), scores), data, []).ToDictionary(m => m.Name, m => m.Value);
        Assert.Equal(1, found["hr@5"]);
        Assert.Equal((1 + 1 / Math.Log2(3) + 1 / Math.Log2(4)) / 3, found["ndcg@5"], 12);
        Assert.Equal(((2 + 2 + 0.5 + 0.5 + 1 + 1) / 8 + 0) / 2, found["uauc"], 12);
        Assert.Equal(["auc", "uauc", "loss", "hr@5", "ndcg@5", "hr@10", "ndcg@10", "hr@20", "ndcg@20"], found.Keys);
        Assert.Equal(scores.Select((s, i) => -Math.Log(1 / (1 + Math.Exp(i % 3 == 0 ? -s : s)))).Average(), found["loss"], 12);
        Assert.Contains("gives 2 scores for a sample, one of groups has 3 items", Assert.Throws<InvalidDataException>(() => Measure.Of(new(new(3, 2)), data, [])).Message);
    }

    [Fact]
    public void Rankings_are_those_of_a_naive_computation_by_user_ties_included() => Property.Holds(generator =>
    {
        int count = 1 + generator.Random.Next(12), size = 2 + generator.Random.Next(40);
        Groups data = new(count, size, [.. Enumerable.Range(0, count).Select(_ => generator.Random.Next(4))]);
        float[] scores = [.. Enumerable.Range(0, count * size).Select(_ => (float)generator.Random.Next(generator.Random.Next(2) == 0 ? 4 : 1000))];
        Dictionary<string, double> found = Measure.Of(new(new(count, size), scores), data, []).ToDictionary(m => m.Name, m => m.Value);

        foreach (int k in (int[])[5, 10, 20])
        {
            double hits = 0, gain = 0;
            for (int i = 0; i < count; i++)
            {
                // The list as it is shown: by score, and of equal scores the right item after the others.
                int[] list = [.. Enumerable.Range(0, size).OrderByDescending(j => scores[i * size + j]).ThenByDescending(j => j)];
                int place = Array.IndexOf(list, 0) + 1;
                hits += place <= k ? 1.0 : 0;
                gain += place <= k ? Math.Log(2) / Math.Log(place + 1) : 0;
            }

            Assert.Equal(hits / count, found[$"hr@{k}"], 1e-12);
            Assert.Equal(gain / count, found[$"ndcg@{k}"], 1e-12);
        }

        Assert.Equal(PairsInOrder([.. Enumerable.Range(0, count)]), found["auc"], 1e-12);
        Assert.Equal(Enumerable.Range(0, count).GroupBy(i => data.Users[i]).Average(own => PairsInOrder([.. own])), found["uauc"], 1e-12);

        double PairsInOrder(int[] groups) => groups.SelectMany(p => groups.SelectMany(q => Enumerable.Range(1, size - 1).Select(j => (Right: scores[p * size], Other: scores[q * size + j]))))
            .Average(pair => pair.Right > pair.Other ? 1 : pair.Right == pair.Other ? 0.5 : 0);
    });

    [Fact]
    public void An_ensemble_of_clicks_says_the_mean_of_the_probabilities()
    {
        float[] a = [0, 3, -60, 60, 5], b = [2, -1, -70, 80, 5];
        float[] mean = Measure.MeanProbability([Tensor.Vector(a), Tensor.Vector(b)]).Span.ToArray();
        for (int i = 0; i < 2; i++) Assert.Equal((1 / (1 + Math.Exp(-a[i])) + 1 / (1 + Math.Exp(-b[i]))) / 2, 1 / (1 + Math.Exp(-mean[i])), 1e-6);
        Assert.Equal(-60 - Math.Log(2) + Math.Log(1 + Math.Exp(-10)), mean[2], 1e-5);
        Assert.Equal(60 + Math.Log(2) - Math.Log(1 + Math.Exp(-20)), mean[3], 1e-5);
        Assert.Equal(5, mean[4], 1e-6);
    }

    [Fact]
    public void One_score_for_two_classes_is_measured_by_pairs()
    {
        Clicked data = new([1, 0, 1, 0], [7, 7, 8, 8]);
        Dictionary<string, double> found = Measure.Of(Tensor.Vector(3, 1, 0, 1), data, []).ToDictionary(m => m.Name, m => m.Value);
        Assert.Equal(["auc", "uauc", "loss"], found.Keys);
        Assert.Equal(0.5, found["auc"]);
        Assert.Equal(0.5, found["uauc"]);
    }

    [Fact]
    public void Classes_are_measured_by_accuracy()
    {
        Clicked data = new([1, 0, 1], [0, 0, 0]);
        IReadOnlyList<Measure> found = Measure.Of(new(new(3, 2), [0, 1, 0, 1, 1, 2]), data, [[1], [0]]);
        Assert.Equal(["accuracy", "loss", "auc", "macro recall", "macro f1", "task 1", "task 2", "average of tasks"], found.Select(m => m.Name));
        Assert.Equal(2 / 3.0, found[0].Value, 12);
        Assert.Contains("gives 1 scores", Assert.Throws<InvalidDataException>(() => Measure.Of(new(new(3, 1)), new Clicked([1, 0, 2], [0, 0, 0], 3), [])).Message);
    }

    [Fact]
    public void Two_classes_are_also_measured_by_how_much_larger_the_second_score_is()
    {
        // Differences 1, 3, -2, 1, 0 for the labels 1, 1, 0, 0, 1: of six pairs one ties and one is the wrong way round. All but the fourth are predicted right, of equal scores the first class.
        Tensor scores = new(new(5, 2), [0, 1, -1, 2, 5, 3, 2, 3, 7, 7]);
        Dictionary<string, double> found = Measure.Of(scores, new Clicked([1, 1, 0, 0, 1], new int[5]), []).ToDictionary(m => m.Name, m => m.Value);
        Assert.Equal((1 + 0.5 + 1 + 1 + 1 + 0) / 6, found["auc"], 12);
        Assert.Equal((0.5 + 2 / 3.0) / 2, found["macro recall"], 12);
        Assert.Equal((2 * 1 / (2.0 + 2) + 2 * 2 / (3.0 + 3)) / 2, found["macro f1"], 12);
    }

    [Fact]
    public void Many_classes_have_no_area_under_a_curve()
    {
        // Of classes 0, 1, 2 with 2, 1, 1 samples one, one and none are found; 2 is never predicted.
        Tensor scores = new(new(4, 3), [3, 1, 0, 1, 2, 0, 0, 4, 1, 5, 0, 1]);
        IReadOnlyList<Measure> found = Measure.Of(scores, new Clicked([0, 0, 1, 2], new int[4], 3), []);
        Assert.Equal(["accuracy", "loss", "macro recall", "macro f1"], found.Select(m => m.Name));
        Assert.Equal((0.5 + 1 + 0) / 3, found[2].Value, 12);
        Assert.Equal((2 * 1 / 4.0 + 2 * 1 / 3.0 + 0) / 3, found[3].Value, 12);
    }

    private sealed class Groups(int count, int size, int[] users) : Dataset
    {
        public int[] Users => users;

        public override string Name => "groups";

        public override int Count => count;

        public override ImmutableArray<Field> Fields { get; } = [new("label", new(size), DType.F32), new("user", default, DType.I64)];

        public override void Read(int field, int sample, Draw draw, Span<float> y)
        {
            y.Clear();
            y[0] = field == 0 ? 1 : users[sample];
        }
    }

    private sealed class Clicked(int[] labels, int[] users, int classes = 2) : Dataset
    {
        public override string Name => "clicks";

        public override int Count => labels.Length;

        public override ImmutableArray<Field> Fields { get; } = [new("label", default, DType.F32), new("user", default, DType.I64)];

        public override ReadOnlySpan<int> Labels => labels;

        public override ImmutableArray<string> Classes { get; } = [.. Enumerable.Range(0, classes).Select(c => $"{c}")];

        public override void Read(int field, int sample, Draw draw, Span<float> y) => y[0] = (field == 0 ? labels : users)[sample];
    }
}
