using System.Collections.Immutable;
using Amalgam.Training.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

public class MeasureTests
{
    [Fact]
    public void Clicks_are_measured_by_rank_among_what_follows_them()
    {
        // Two users; each click is followed by two items that were not clicked: ranks 0, 1 and 2.
        Clicked data = new([1, 0, 0, 1, 0, 0, 1, 0, 0], [7, 7, 7, 7, 7, 7, 8, 8, 8]);
        Dictionary<string, double> found = Measure.Of(Tensor.Vector(3, 1, 2, 2, 5, 1, 0, 1, 2), data, []).ToDictionary(m => m.Name, m => m.Value);
        Assert.Equal(1, found["hr@5"]);
        Assert.Equal((1 + 1 / Math.Log2(3) + 1 / Math.Log2(4)) / 3, found["ndcg@5"], 12);
        Assert.Equal((5.5 / 8 + 0) / 2, found["uauc"], 12);
        Assert.Equal(["auc", "uauc", "loss", "hr@5", "ndcg@5", "hr@10", "ndcg@10"], found.Keys);
        double loss = new (double Score, int Label)[] { (3, 1), (1, 0), (2, 0), (2, 1), (5, 0), (1, 0), (0, 1), (1, 0), (2, 0) }.Average(s => -Math.Log(1 / (1 + Math.Exp(s.Label == 1 ? -s.Score : s.Score))));
        Assert.Equal(loss, found["loss"], 12);
    }

    [Fact]
    public void Classes_are_measured_by_accuracy()
    {
        Clicked data = new([1, 0, 1], [0, 0, 0]);
        IReadOnlyList<Measure> found = Measure.Of(new(new(3, 2), [0, 1, 0, 1, 1, 2]), data, [[1], [0]]);
        Assert.Equal(["accuracy", "loss", "task 1", "task 2"], found.Select(m => m.Name));
        Assert.Equal(2 / 3.0, found[0].Value, 12);
        Assert.Contains("gives 1 scores", Assert.Throws<InvalidDataException>(() => Measure.Of(new(new(3, 1)), new Clicked([1, 0, 2], [0, 0, 0], 3), [])).Message);
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
