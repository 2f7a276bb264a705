using System.Collections.Immutable;
using Amalgam.Zoo.Report;

namespace Amalgam.Tests.Zoo.Report;

/// <summary>A page with every kind of part.</summary>
internal static class SampleReport
{
    private static readonly ImmutableArray<string> Methods = ["linear", "slerp", "task_arithmetic", "ties:density=0.5", "cki:splice=hard,biases=average"];

    public static HtmlReport Make() => new(
        "Every part <of> a report & its \"text\"",
        new Paragraph("Two networks were trained on halves of the classes. The figures below are shares of right answers on samples that none has seen."),
        new KeyFigures(new KeyFigure("97.9%", "ensemble of both parents", "twice the cost"), new KeyFigure("73.8%", "plain average", "a parent has 97.7%"), new KeyFigure("1.9 ms", "per batch of 256"), new KeyFigure("0.41 M", "parameters")),
        new Heading("Tables"),
        new DataTable(
            "Right answers by task",
            [new("network"), new("task 1", "0.0%", Best.Highest), new("task 2", "0.0%", Best.Highest), new("loss", "0.000", Best.Lowest)],
            new TableSection("parents", ["first", 0.981, 0.102, 1.9], ["second", 0.099, 0.9766, double.NaN]),
            new TableSection("merged", ["linear", 0.612, 0.633, 1.22], ["ties:density=0.5", 0.7012, 0.633, -1.2])),
        new Paragraph("Best value of each section in bold.", Quiet: true),
        new Heading("Bars and lines"),
        new BarChart("Joint accuracy by method", Methods, new Series("task 1", 0.5, 0.61, 0.33, 0.72, 0.7), new Series("task 2", 0.44, 0.52, 0.37, double.NaN, 0.69))
        {
            Format = "0.0%",
            High = 1,
            References = [new("ensemble", 0.94)],
        },
        new BarChart("", Methods, new Series("change of loss", 0.5, -0.61, 0.33, -0.1, 0)),
        new SideBySide(
            new LineChart("Training loss", "epoch", "loss", new Series("first", 2.1, 1.2, 0.8, 0.55, 0.41), new Series("second", 2.2, 1.3, 0.9, 0.7, 0.52), new Series("third", 2.4, double.NaN, 1.9, 1.2, 1.1)),
            new LineChart("Accuracy", "share of the way", "accuracy", new Series("plain", Barrier(0.6)) { X = Way }, new Series("aligned", Barrier(0.05)) { X = Way }) { Format = "0%", References = [new("ensemble", 0.98)] }),
        new Heading("Shares and histograms"),
        new ShareBars("Share taken from each model", ["head.0.weight", "head.2.weight", "head.4.weight"], new Series("first", 0.52, 0.41, 0.03), new Series("second", 0.48, 0.44, 0.97), new Series("third", 0, 0.15, 0)),
        new SideBySide(
            new HistogramChart("Shares of a matrix", "share", 0.4, 0.6, new Series("first", 0.1, 0.2, 0.4, 0.2, 0.1), new Series("second", 0.3, 0.4, 0.2, 0.1, 0)) { Format = "0%", References = [new("half", 0.5)] },
            HistogramChart.Of("Weights", "value", 20, ("first", Enumerable.Range(0, 500).Select(i => MathF.Sin(i) * MathF.Cos(3 * i)).ToArray()), ("second", new float[] { 0.5f, 0.5f, float.NaN, float.PositiveInfinity }))),
        new Heading("Heat maps"),
        new SideBySide(
            new HeatMap("Confusion", 5, 5, Matrix(5, (r, c) => r == c ? 180 - 9 * r : r * c)) { RowLabels = ["zero", "one", "two", "three", "four"], ColumnLabels = ["zero", "one", "two", "three", "four"], RowName = "class", ColumnName = "answer", Format = "0" },
            new HeatMap("Correlation of units", 24, 24, Matrix(24, (r, c) => Math.Cos(r * 0.5 - c * 0.43))) { Format = "0.00", Chosen = [.. Enumerable.Range(0, 24).Select(i => (i, 23 - i))] }),
        new SideBySide(
            new HeatMap("Layers", 8, 6, [.. Enumerable.Range(0, 48).Select(i => 1.0 / (1 + Math.Abs(i / 6 - i % 6 * 1.3)))]) { RowLabels = [.. Enumerable.Range(1, 8).Select(i => $"encoder.layer.{i}")], ColumnLabels = [.. Enumerable.Range(1, 6).Select(i => $"student.block.{i}")], Format = "0.00" },
            new HeatMap("Loss landscape", 100, 100, Matrix(100, (r, c) => Math.Log(1 + (r - 30) * (r - 30) * 0.01 + (c - 70) * (c - 70) * 0.02))) { RowName = "second direction", ColumnName = "first direction" }),
        new SideBySide(
            new LayerLadder("Layers that belong together", "deep", "shallow", [new("convolutions 32x32", [new("stem", 16)], [new("stem", 16)], [(0, 0, "0.98")]), new("blocks 16x16", [.. Enumerable.Range(1, 5).Select(i => new LadderLayer($"block {i}", 16 * i))], [new("first", 24), new("last", 96)], [(0, 0, "0.91"), (4, 1, "0.77")])]),
            new HeatMap("How alike they are", 6, 3, [.. Enumerable.Range(0, 18).Select(i => i % 3 > 0 && i % 5 == 1 ? double.NaN : 1.0 / (1 + Math.Abs(i / 3 - i % 3 * 2)))]) { Areas = [(0, 0, 1, 1), (1, 1, 5, 2)], Chosen = [(0, 0), (1, 1), (5, 2)], Joined = true, Format = "0.00" }),
        new ContourMap("Loss around two networks", [.. Enumerable.Range(-10, 21).Select(i => i * 0.5)], [.. Enumerable.Range(-6, 13).Select(i => i * 0.5)], [.. Enumerable.Range(-6, 13).SelectMany(y => Enumerable.Range(-10, 21).Select(x => Math.Min(Math.Pow(x - 5, 2) + y * y, Math.Pow(x + 5, 2) + 1.4 * y * y) / 20))])
        {
            XName = "first component",
            YName = "second component",
            Format = "0.0",
            High = 4,
            Marks = [new(2.5, 0, "first"), new(-2.5, 0, "second"), new(0, 0.4, "merged", true)],
        },
        new Heading("Images"),
        new ImageGrid("Samples", [.. Enumerable.Range(0, 12).Select(i => Tile(i))], 3),
        new Heading("Code"),
        new CodeText("amalgam merge -m linear a b -o ab\namalgam diff a ab --top 10"))
    {
        Origin = "amalgam demo --seed 0",
    };

    private static ImmutableArray<double> Way => [.. Enumerable.Range(0, 21).Select(i => i / 20.0)];

    private static ImmutableArray<double> Barrier(double depth) => [.. Way.Select(t => 0.97 - depth * 4 * t * (1 - t))];

    private static ImmutableArray<double> Matrix(int n, Func<int, int, double> of) => [.. Enumerable.Range(0, n * n).Select(i => of(i / n, i % n))];

    private static ImageTile Tile(int i)
    {
        float[] values = [.. Enumerable.Range(0, 3 * 16 * 16).Select(p => MathF.Abs(MathF.Sin((p % 256 / 16 - 8) * (p % 16 - 8) * 0.02f * (i + 1 + p / 256))))];
        return i % 2 == 0 ? ImageTile.Of(new(1, 16, 16), values.AsSpan(0, 256), caption: $"grey {i}") : ImageTile.Of(new(3, 16, 16), values, caption: $"colour {i}");
    }
}
