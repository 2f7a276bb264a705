using System.Collections.Immutable;
using Amalgam.Training.Data;
using Amalgam.Zoo.Experiments.Cki;

namespace Amalgam.Tests.Zoo.Experiments;

public class CkiTableTests
{
    private static readonly ImmutableArray<string> Names = ["one", "two"];

    [Fact]
    public void Gains_are_paired_by_seed()
    {
        Row[] rows =
        [
            new(CkiStart.Same, 1, "a", "", 1, 0, [0.1, 0.5], 1, 0), new(CkiStart.Same, 1, "b", "x", 2, 0, [0.2, 0.5], 1, 7),
            new(CkiStart.Same, 2, "b", "y", 2, 0, [0.6, 0.3], 1, 7), new(CkiStart.Same, 2, "a", "", 1, 0, [0.3, 0.5], 1, 0),
            new(CkiStart.Other, 1, "a", "", 1, 0, [9, 9], 1, 0),
        ];
        Summary summary = Summary.Of(rows, CkiStart.Same, "a");
        Assert.Equal((2, "a b"), (summary.Seeds, string.Join(' ', summary.Rows.Select(r => r.Method))));
        SummaryRow b = summary.Rows[1];
        Assert.Equal(0.4, b.Test[0].Mean, 1e-12);
        Assert.Equal(Math.Sqrt(0.08), b.Test[0].Deviation, 1e-12);
        Assert.Equal(0.2, b.Gain[0].Mean, 1e-12);
        Assert.Equal(Math.Sqrt(0.02), b.Gain[0].Deviation, 1e-12);
        Assert.Equal(-0.1, b.Gain[1].Mean, 1e-12);
        Assert.Equal((7, "x, y"), (b.Steps, string.Join(", ", b.Chosen)));
        Assert.True(double.IsNaN(Summary.Of(rows, CkiStart.Other, "a").Rows[0].Test[0].Deviation));
    }

    [Fact]
    public void Rows_come_back_from_their_file_and_half_a_line_does_not()
    {
        using TemporaryFolder folder = new();
        RowLog log = new(folder["rows.jsonl"], "these", Names);
        log.Add(new(CkiStart.Other, 3, "m \"quoted\"", "soft", 2, 0.1 + 0.2, [1 / 3.0, double.NaN], 5, 9));
        log.Add(new(CkiStart.Same, 1, "n", "", 1, 0.5, [0, 1], 5, 0));
        File.WriteAllText(folder["rows.jsonl"], File.ReadAllText(folder["rows.jsonl"]).TrimEnd()[..^4]);

        RowLog again = new(folder["rows.jsonl"], "these", Names);
        Row row = Assert.Single(again.Rows);
        Assert.Equal(log.Rows[0] with { Test = row.Test }, row);
        Assert.Equal([1 / 3.0, double.NaN], row.Test);
        Assert.NotNull(again.Find(CkiStart.Other, 3, "m \"quoted\""));
        Assert.Null(again.Find(CkiStart.Same, 1, "n"));
        Assert.Equal(["{\"description\":\"these\"}", row.ToJson(Names)], File.ReadAllLines(folder["rows.jsonl"]));
        Assert.Equal(["rows.jsonl"], Directory.GetFileSystemEntries(folder.Path).Select(e => Path.GetFileName(e)));
    }

    [Fact]
    public void Rows_of_another_description_are_replaced_only_when_that_is_asked_for()
    {
        using TemporaryFolder folder = new();
        string path = folder["rows.jsonl"];
        new RowLog(path, "one, 3 epochs; five", Names).Add(new(CkiStart.Same, 1, "n", "", 1, 0.5, [0, 1], 5, 0));
        byte[] before = File.ReadAllBytes(path);
        string said = Assert.Throws<InvalidDataException>(() => new RowLog(path, "one, 4 epochs; five", Names)).Message;
        Assert.Contains("'3 epochs' there, '4 epochs' here", said);
        Assert.Contains("--overwrite", said);
        Assert.Contains(folder.Path, said);
        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Contains("'more' here", Assert.Throws<InvalidDataException>(() => new RowLog(path, "one, 3 epochs; five; more", Names)).Message);
        Assert.Empty(new RowLog(path, "one, 4 epochs; five", Names, overwrite: true).Rows);
        Assert.Empty(new RowLog(path, "one, 4 epochs; five", Names).Rows);
    }

    [Fact]
    public void A_method_that_lacks_seeds_says_so()
    {
        Row[] rows =
        [
            .. Enumerable.Range(1, 3).Select(seed => new Row(CkiStart.Same, seed, "a", "", 1, 0, [0.1 * seed, 0], 1, 0)),
            new(CkiStart.Same, 2, "b", "", 1, 0, [0.5, 0], 1, 0), new(CkiStart.Same, 4, "b", "", 1, 0, [9, 0], 1, 0),
        ];
        Summary summary = Summary.Of(rows, CkiStart.Same, "a");
        Assert.Equal(["a", "b (1 of 3 seeds)"], summary.Rows.Select(summary.NameOf));
        Assert.Equal(0.5, summary.Rows[1].Test[0].Mean, 1e-12);
        Assert.Equal(0.3, summary.Rows[1].Gain[0].Mean, 1e-12);
    }

    [Fact]
    public void Class_figures_are_those_of_a_hand_count_and_an_ensemble_has_the_mean_probabilities()
    {
        ClassFigures figures = new();
        Tensor scores = new(new(4, 2), [2, 0, 0, 1, 3, 1, 0, 0.5f]); // answers 0 1 0 1, margins -2 1 -2 0.5
        Assert.Equal([0.5, 0.375, 0.5, 0.5], figures.Of(scores, new FourSamples()).Select(x => Math.Round(x, 12)));

        Tensor other = new(new(4, 2), [-1, 4, 0, 0, 1, 2, 7, -3]), mean = figures.Mean([scores, other]);
        for (int i = 0; i < 4; i++)
        {
            double p = (Second(scores, i) + Second(other, i)) / 2;
            Assert.Equal(p, Second(mean, i), 1e-6);
        }

        static double Second(Tensor t, int i) => Math.Exp(t.Span[2 * i + 1]) / (Math.Exp(t.Span[2 * i]) + Math.Exp(t.Span[2 * i + 1]));
    }

    [Fact]
    public void An_ensemble_of_rankers_has_the_mean_probabilities()
    {
        Tensor a = new(new(1, 3), [-2, 0, 5]), b = new(new(1, 3), [1, 3, -40]), mean = new RankingFigures().Mean([a, b]);
        for (int i = 0; i < 3; i++) Assert.Equal((Yes(a, i) + Yes(b, i)) / 2, Yes(mean, i), 1e-6);

        static double Yes(Tensor t, int i) => 1 / (1 + Math.Exp(-t.Span[i]));
    }

    private sealed class FourSamples : Dataset
    {
        public override string Name => "four";

        public override int Count => 4;

        public override ImmutableArray<Field> Fields => [];

        public override ReadOnlySpan<int> Labels => [0, 0, 1, 1];

        public override ImmutableArray<string> Classes => ["no", "yes"];

        public override void Read(int field, int sample, Draw draw, Span<float> y)
        {
        }
    }
}
