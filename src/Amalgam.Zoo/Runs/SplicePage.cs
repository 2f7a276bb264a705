using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Training;
using Amalgam.Transfer;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Runs;

/// <summary>The page about a learned splice: what it is worth, how it was learned, and what was taken of which model.</summary>
internal static class SplicePage
{
    private const int Bins = 40, MostHistograms = 8, MostMaps = 2, MostCells = 128, MostBeside = 4;

    /// <summary>The page.</summary>
    /// <param name="result">What the splice came to.</param>
    /// <param name="weights">The spliced weights as they are in the result.</param>
    /// <param name="data">What was learned from and measured on.</param>
    public static HtmlReport Of(SpliceResult result, ImmutableArray<SplicedWeight> weights, RunData data) => new(
        $"{Listed(result.Models)} spliced into one network",
        [
            .. Beginning(result),
            .. Tables(result, data),
            .. Curves(result),
            .. Shares(result, weights),
            .. Weights(result, weights),
            new Heading("How it was measured"),
            new Paragraph(data.Validation is null
                ? "There were no validation samples, so the result is the network after the last epoch."
                : $"The result is the network after epoch {result.Best?.Epoch} of {result.Epochs.Length}, which did best on the validation samples. No choice was made by test data."),
            new Paragraph($"The ensemble is {(ItemRanking.Of(data.Test ?? data.Validation ?? data.Train!) is { IsOfAll: true } ? "the sum of all models' scores" : "the mean of all models' probabilities")}. The average and CKI in closed form change the same weights as the splice does and leave all others as they are in the first model.", Quiet: true),
        ])
    {
        Origin = $"amalgam splice --method {result.Method}, train: {(result.Train == TrainScope.All ? "all" : "splice")}",
    };

    private static IEnumerable<ReportPart> Beginning(SpliceResult result)
    {
        bool hasTest = result.Rows[0].Test.Count > 0;
        IReadOnlyList<Measure> Of(SpliceRow row) => hasTest ? row.Test : row.Validation;
        SpliceRow learned = result.Rows.First(r => r.Stage == SpliceStage.Trained);
        int main = MainOf(Of(learned));
        if (main >= 0)
        {
            string Text(SpliceRow row) => Figures.Text(Of(row)[main].Value, FormatOf(Of(row)[main]));
            string name = $"{Of(learned)[main].Name} on {(hasTest ? "test" : "validation")} data";
            SpliceRow[] given = [.. result.Rows.Where(r => r.Stage == SpliceStage.Given)], others = [.. result.Rows.Where(r => r.Stage == SpliceStage.Combined && Of(r).Count > main)];
            string models = string.Join(", ", given.Skip(1).Select(r => $"{r.Name} {Text(r)}"));
            List<KeyFigure> figures = [new(Text(learned), $"learned splice, {name}", string.Join("; ", others.Select(r => $"{r.Name} {Text(r)}").Take(3))), new(Text(given[0]), $"{given[0].Name} alone", models)];
            if (result.Rows.FirstOrDefault(r => r.Stage == SpliceStage.Trained && r != learned) is { } baseline) figures.Add(new(Text(baseline), baseline.Name, "as many steps, from the same start"));
            figures.Add(new(Number(result.After.Parameters), "parameters", result.IsSameNetwork ? $"as many as {result.Host}" : $"{result.Host} has {Number(result.Before.Parameters)}"));
            figures.Add(new($"{result.Seconds.Result / result.Seconds.First:0.00}", $"of {result.Host}'s time for a batch", $"the ensemble takes {result.Seconds.Ensemble / result.Seconds.First:0.00}"));
            yield return new KeyFigures([.. figures]);
        }

        if (result.Warning is { } warning) yield return new Paragraph(warning);
        yield return new Paragraph(result.SizeText);
    }

    private static IEnumerable<ReportPart> Tables(SpliceResult result, RunData data)
    {
        yield return new Heading("Before and after");
        List<DataTable> tables = [];
        if (data.Test is { } test) tables.Add(Table($"On the {test.Count:N0} test samples", result.Rows, row => row.Test));
        if (data.Validation is { } validation) tables.Add(Table($"On the {validation.Count:N0} validation samples", result.Rows, row => row.Validation));
        if (tables.All(t => t.Columns.Length <= MostBeside)) yield return new SideBySide([.. tables]);
        else foreach (DataTable table in tables) yield return table;
        double Milliseconds(double seconds) => seconds * 1e3;
        yield return new DataTable(
            $"What running it takes, for a batch of {result.Batch:N0}",
            [new("network"), new("parameters", "#,0"), new("operators", "0"), new("FLOP per sample", "#,0"), new("ms per batch", "0.00")],
            new TableSection("",
                [result.Host, result.Before.Parameters, result.Before.Operators, result.Before.Work, Milliseconds(result.Seconds.First)],
                ["learned splice", result.After.Parameters, result.After.Operators, result.After.Work, Milliseconds(result.Seconds.Result)],
                [$"ensemble of {result.Models.Length}", result.Together.Parameters, result.Together.Operators, result.Together.Work, Milliseconds(result.Seconds.Ensemble)]));
    }

    private static DataTable Table(string title, ImmutableArray<SpliceRow> rows, Func<SpliceRow, IReadOnlyList<Measure>> of)
    {
        IReadOnlyList<Measure> measures = of(rows[0]);
        ImmutableArray<Column> columns = [new("network"), .. measures.Select(m => new Column(m.Name, FormatOf(m), IsLow(m) ? Best.Lowest : Best.Highest))];
        ImmutableArray<Cell> Row(SpliceRow row) => [row.Name, .. of(row).Select(m => (Cell)m.Value)];
        TableSection Section(SpliceStage stage, string name) => new(name, [.. rows.Where(r => r.Stage == stage && of(r).Count == measures.Count).Select(Row)]);
        return new(title, columns, Section(SpliceStage.Given, "Given"), Section(SpliceStage.Combined, "Put together without training"), Section(SpliceStage.Trained, "Trained"));
    }

    private static IEnumerable<ReportPart> Curves(SpliceResult result)
    {
        yield return new Heading("Training");
        Series Of(string name, IEnumerable<EpochRecord> epochs, Func<EpochRecord, double?> value) => new(name, [.. epochs.Select(e => value(e) ?? double.NaN)]);
        List<Series> losses = [Of("training samples", result.Epochs, e => e.Loss)];
        if (result.Best is not null) losses.Add(Of("validation samples", result.Epochs, e => e.Validation?.Loss));
        if (!result.Baseline.IsEmpty && result.Best is not null) losses.Add(Of($"{result.Host} alone, validation samples", result.Baseline, e => e.Validation?.Loss));
        LineChart curve = new("Loss", "epoch", "loss", [.. losses]);
        if (result.Best?.Validation is { Accuracy: not null })
        {
            List<Series> right = [Of("splice", result.Epochs, e => e.Validation?.Accuracy)];
            if (!result.Baseline.IsEmpty) right.Add(Of($"{result.Host} alone", result.Baseline, e => e.Validation?.Accuracy));
            yield return new SideBySide(curve, new LineChart("Right on validation samples", "epoch", "share", [.. right]) { Format = "0.0%", References = References(result, "accuracy") });
        }
        else if (result.Best?.Validation is { Merit: not null })
        {
            List<Series> merits = [Of("splice", result.Epochs, e => e.Validation?.Merit)];
            if (!result.Baseline.IsEmpty) merits.Add(Of($"{result.Host} alone", result.Baseline, e => e.Validation?.Merit));
            yield return new SideBySide(curve, new LineChart("NDCG@10 on validation samples", "epoch", "NDCG@10", [.. merits]) { References = References(result, "ndcg@10") });
        }
        else yield return curve;
    }

    private static ImmutableArray<ReferenceLine> References(SpliceResult result, string measure) =>
        [.. result.Rows.Where(r => r.Stage == SpliceStage.Given).Take(2).Select(r => (r.Name, Measure: r.Validation.FirstOrDefault(m => m.Name == measure))).Where(r => r.Measure is not null).Select(r => new ReferenceLine(r.Name, r.Measure!.Value))];

    private static IEnumerable<ReportPart> Shares(SpliceResult result, ImmutableArray<SplicedWeight> weights)
    {
        bool coefficients = weights.All(w => w.Global.IsEmpty);
        yield return new Heading(coefficients ? "Coefficients" : "What was taken from each model");
        if (coefficients) yield return new BarChart("What each model is multiplied by", [.. result.Weights.Select(w => w.Name)], [.. result.Models.Select((m, k) => new Series(m, [.. result.Weights.Select(w => w.Shares[k].Mean)]))]) { Format = "0.000" };
        else yield return new ShareBars("Mean share of each model in a weight", [.. result.Weights.Select(w => w.Name)], [.. result.Models.Select((m, k) => new Series(m, [.. result.Weights.Select(w => w.Shares[k].Mean)]))]);
        if (coefficients) yield break;
        ImmutableArray<Column> columns = [new("weight"), new("shape"), .. result.Models.SelectMany(m => (Column[])[new($"g of {m}", "0.000"), new($"share of {m}", "0.0%"), new("5 %", "0.0%"), new("95 %", "0.0%")])];
        yield return new DataTable("In numbers", columns, new TableSection("", [.. result.Weights.Select(w => (ImmutableArray<Cell>)
            [w.Name, w.Shape.ToString(), .. w.Shares.SelectMany((s, k) => (Cell[])[w.Global[k], s.Mean, s.Low, s.High])])]));
        yield return new Paragraph("g is the global term of a model, from the entropies of its weight and of the others'; the shares V are the softmax of g (1 \u2212 exp(\u2212g l)) at every position, with the mean and the 5 % and 95 % quantiles over the positions.", Quiet: true);
    }

    private static IEnumerable<ReportPart> Weights(SpliceResult result, ImmutableArray<SplicedWeight> weights)
    {
        SplicedWeight[] shown = [.. weights.Where(w => !w.Local.IsEmpty && w.Shares[0].Count > 1).OrderByDescending(w => w.Shape.Rank > 1).Take(MostHistograms)];
        if (shown.Length == 0) yield break;
        yield return new Heading("Weight by weight");
        int left = weights.Length - shown.Length;
        if (left > 0) yield return new Paragraph($"The first {shown.Length} of {weights.Length} weights; the table above and splice.json have all.", Quiet: true);
        foreach (SplicedWeight weight in shown)
        {
            string g = string.Join(", ", result.Models.Select((m, k) => $"{m} {Figures.Text(SplicedSummary.Mean(weight.Global[k].Span), "0.000")}"));
            yield return new Heading(SplicedSummary.IsOfSamples(weight) ? $"{weight.Name}, of the first {weight.Shape[0]} samples" : $"{weight.Name} {weight.Shape}", 3);
            yield return new Paragraph($"g: {g}", Quiet: true);
            yield return new SideBySide(
                HistogramChart.Of("Local term l", "l", Bins, [.. weight.Local.Select((l, k) => (result.Models[k], (ReadOnlyMemory<float>)l.Span.ToArray()))]),
                HistogramChart.Of("Share V", "V", Bins, [.. weight.Shares.Select((v, k) => (result.Models[k], (ReadOnlyMemory<float>)v.Span.ToArray()))]) with { Format = "0%" });
        }

        SplicedWeight[] mapped = [.. shown.Where(w => w.Shares[0].Shape.Rank > 1).OrderByDescending(w => w.Shares[0].Count).Take(MostMaps)];
        if (mapped.Length == 0) yield break;
        yield return new Heading($"Share of {result.Models[0]}, position by position", 3);
        yield return new SideBySide([.. mapped.Select(Map)]);
    }

    /// <summary>The first model's shares, those of the first sample where each has its own; of a larger matrix each cell is the mean of a block.</summary>
    private static HeatMap Map(SplicedWeight weight)
    {
        Tensor shares = weight.Shares[0];
        if (SplicedSummary.IsOfSamples(weight))
        {
            Shape one = new(shares.Shape.Sizes[1..]);
            shares = new(one, shares.Span[..(int)one.Count].ToArray());
        }

        int columns = shares.Shape.Rank == 2 ? shares.Shape.Size(1) : shares.Count / shares.Shape.Size(0), rows = shares.Count / columns;
        int down = (rows + MostCells - 1) / MostCells, across = (columns + MostCells - 1) / MostCells, height = (rows + down - 1) / down, width = (columns + across - 1) / across;
        double[] sums = new double[height * width], counts = new double[height * width];
        for (int i = 0; i < shares.Count; i++)
        {
            int cell = i / columns / down * width + i % columns / across;
            sums[cell] += shares.Span[i];
            counts[cell]++;
        }

        string block = down * across == 1 ? "" : $", means of blocks of {down} by {across}";
        return new($"{weight.Name}{block}", height, width, [.. sums.Select((sum, i) => sum / counts[i])]) { RowName = "row", ColumnName = "column", Format = "0.0%" };
    }

    /// <summary>The measure that stands for the others: NDCG at 10, else accuracy, else the first.</summary>
    private static int MainOf(IReadOnlyList<Measure> measures)
    {
        foreach (string name in (string[])["ndcg@10", "accuracy"])
        {
            for (int i = 0; i < measures.Count; i++)
                if (measures[i].Name == name) return i;
        }

        return measures.Count - 1 < 0 ? -1 : 0;
    }

    private static bool IsLow(Measure measure) => measure.Name == "loss";

    private static string FormatOf(Measure measure) => measure.IsShare ? "0.00%" : "0.0000";

    private static string Number(long count) => count.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Listed(ImmutableArray<string> names) => names.Length == 1 ? names[0] : $"{string.Join(", ", names[..^1])} and {names[^1]}";
}
