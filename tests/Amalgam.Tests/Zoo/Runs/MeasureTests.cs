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
        Assert.Contains("3 samples of 3 items", Assert.Throws<InvalidDataException>(() => Measure.Of(new(new(3, 2)), data, [])).Message);
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
        Assert.Equal(["accuracy", "loss", "auc", "macro recall", "macro f1", "task 1", "task 2"], found.Select(m => m.Name));
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
