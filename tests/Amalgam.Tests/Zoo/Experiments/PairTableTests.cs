using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Tests.Zoo.Report;
using Amalgam.Tests.Zoo.Runs;
using Amalgam.Zoo.Experiments;
using Amalgam.Zoo.Experiments.Mudsc;
using Amalgam.Zoo.Runs;
using Samples = Amalgam.Tests.Alignment.Samples;

namespace Amalgam.Tests.Zoo.Experiments;

/// <summary>A network and itself with its units shuffled: a method that finds them again gives the network back.</summary>
public class PairTableTests
{
    private static readonly string[] Alignments = [PairMethods.WeightMatching, PairMethods.WeightAlign, PairMethods.MudscAlign, PairMethods.Chosen(PairMethods.MudscAlign)];

    [Fact]
    public void Alignments_give_a_shuffled_twin_back_and_the_average_does_not()
    {
        using TemporaryFolder folder = new();
        MudscOptions options = Options(folder.Path);
        MethodLog log = new(folder["rows.jsonl"], "twins", false);
        ModelPair pair = Twins();
        new PairTable(log, options).Run(pair);
        Assert.Equal(["ensemble", "model A", "model B", .. PairMethods.All.AddRange(PairMethods.Repaired).Select(m => m.Name)], log.Rows.Select(row => row.Method));
        MethodRow parent = log.Rows[1];
        foreach (MethodRow row in log.Rows.Where(row => Alignments.Contains(row.Method)))
        {
            foreach (var (name, value) in parent.Test) Assert.True(Math.Abs(value - row[name]) < (name.StartsWith("loss", StringComparison.Ordinal) ? 1e-4 : 0.011), $"{row.Method}: {name} is {row[name]}, not {value}");
        }

        Assert.NotEqual(parent["loss a"], log.Rows.Single(row => row.Method == PairMethods.Average)["loss a"], 2e-3);
        Assert.All(log.Rows.Where(row => row.Method.EndsWith("chosen", StringComparison.Ordinal)), row => Assert.Equal(2, row.Tried));

        int rows = log.Rows.Count;
        MethodLog again = new(folder["rows.jsonl"], "twins", false);
        new PairTable(again, options with { Line = _ => Assert.Fail("a row that is there is not made again") }).Run(pair);
        Assert.Equal(rows, again.Rows.Count);
        Assert.Equal(log.Rows.Select(row => row.ToJson()), again.Rows.Select(row => row.ToJson()));
        Assert.Contains("--overwrite", Assert.Throws<InvalidDataException>(() => new MethodLog(folder["rows.jsonl"], "others", false)).Message);

        MudscResult result = new(options, folder.Path, [.. log.Rows]);
        string table = MudscMarkdown.Of(result), page = MudscPage.Of(result).Render();
        HtmlReportTests.Parse(page);
        Assert.All(log.Rows, row => Assert.Contains($"| {row.Method} |", table));
        Assert.DoesNotContain("NaN", table + page);
    }

    [Fact]
    public void The_test_data_decides_on_nothing()
    {
        using TemporaryFolder folder = new();
        MudscOptions options = Options(folder.Path);
        MethodLog log = new(folder["a.jsonl"], "", false), wrong = new(folder["b.jsonl"], "", false);
        ModelPair pair = Strangers();
        new PairTable(log, options).Run(pair);
        ImmutableArray<EvaluationTask> other = [.. pair.Test.Tasks.Select(task => task with { Labels = [.. task.Labels.Select(label => label < 0 ? label : (label + 3) % task.Columns.Length)] })];
        new PairTable(wrong, options).Run(pair with { Test = pair.Test with { Tasks = other } });
        Assert.Equal(log.Rows.Select(row => (row.Method, row.Chosen, row.Choice)), wrong.Rows.Select(row => (row.Method, row.Chosen, row.Choice)));
        Assert.NotEqual(log.Rows.Select(row => row["average"]), wrong.Rows.Select(row => row["average"]));
    }

    [Fact]
    public void Other_methods_give_a_matched_twin_back_too()
    {
        using TemporaryFolder folder = new();
        MudscOptions options = Options(folder.Path);
        MethodLog log = new(folder["rows.jsonl"], "twins", false);
        ModelPair pair = Twins();
        new AfterMatching(new(log, options), log, options, folder.Path).Run(pair);
        double loss = pair.Measure([pair.Parents[0]], pair.Test).Tasks[0].Loss;
        foreach (string method in new[] { "average", "SLERP", "CKI" })
        {
            double merged = log.Rows.Single(row => row.Method == $"{method}, {PairMethods.MudscAlign}")["loss a"];
            Assert.True(Math.Abs(loss - merged) < 1e-3, $"{method}: {merged}, not {loss}");
            Assert.NotEqual(loss, log.Rows.Single(row => row.Method == $"{method}, units in place")["loss a"], 2e-3);
        }
    }

    [Fact]
    public void Differences_are_taken_pair_by_pair()
    {
        static MethodRow Row(string pair, string method, double value) => new("t", pair, method, "", 1, double.NaN, [new("average", value)], 0);
        MudscResult result = new(new() { Part = "published" }, "", [Row("1", "a", 0.5), Row("1", "b", 0.4), Row("2", "b", 0.9), Row("2", "a", 0.8), Row("3", "a", 0.1)]);
        PairedGain gain = Assert.Single(result.Gains("t", [("a", "b"), ("a", "c")]));
        Assert.Equal((0.0, 1, 2), (Math.Round(gain.Gain.Mean, 12), gain.Better, gain.Pairs));
        Assert.Equal(Math.Sqrt(0.02), gain.Gain.Deviation, 1e-9);
    }

    private static MudscOptions Options(string folder) => new() { Part = "published", Folder = folder, Calibration = 100, Alphas = [0.3, 0.6] };

    private static ModelPair Twins() => Pair(TwinFiles.Network(1), TwinFiles.Moved(TwinFiles.Network(1), 3));

    private static ModelPair Strangers() => Pair(TwinFiles.Network(1), TwinFiles.Network(2));

    private static ModelPair Pair(Graph a, Graph b)
    {
        (string, int[])[] tasks = [("a", [.. Enumerable.Range(0, 8)]), ("b", [.. Enumerable.Range(8, 8)])];
        return new("twins", "seed 1", [a, b], TaskData.Of(new Samples("x", new(32), 100, 5, 16), tasks), TaskData.Of(new Samples("x", new(32), 96, 6, 16), tasks));
    }
}
