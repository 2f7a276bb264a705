using Amalgam.Alignment;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Tests.Zoo.Report;
using Amalgam.Tests.Zoo.Runs;
using Amalgam.Training;
using Amalgam.Zoo.Experiments;
using Amalgam.Zoo.Experiments.Clafusion;
using Amalgam.Zoo.Models;
using Samples = Amalgam.Tests.Alignment.Samples;

namespace Amalgam.Tests.Zoo.Experiments;

public class ClafusionExperimentTests
{
    [Fact]
    public void Widths_choose_the_papers_mappings_and_rows_are_made_once()
    {
        RealData.At("mnist");
        using TemporaryFolder folder = new();
        ClafusionOptions options = new() { Table = "9", Folder = folder.Path, Seeds = 1, Epochs = 0, Samples = 50 };
        ClafusionResult result = ClafusionExperiment.Run(options);
        Assert.Equal(12, result.Rows.Length);
        foreach (MethodRow row in result.Rows.Where(row => row.Method.StartsWith("number of neurons", StringComparison.Ordinal))) Assert.Equal(PaperTables.Of(row.Table, row.Method), row.Chosen);
        foreach (MethodRow row in result.Rows.Where(row => row.Method.EndsWith("; both", StringComparison.Ordinal))) Assert.True(row.Chosen is "[1, 2, 5]" or "[1, 3, 5]" or "[1, 4, 5]", row.Chosen);
        foreach (string measure in result.Rows.Select(row => row.Method.Split("; ")[0]).Distinct())
        {
            double Cost(string constraint) => result.Rows.Single(row => row.Method == $"{measure}; {constraint}")["cost"];
            Assert.True(Cost("none") <= Math.Min(Cost("first layer"), Cost("last layer")) && Math.Max(Cost("first layer"), Cost("last layer")) <= Cost("both"), measure);
        }

        ClafusionResult again = ClafusionExperiment.Run(options with { Line = line => Assert.Fail($"made again: {line}") });
        Assert.Equal(result.Rows.Select(row => row.ToJson()), again.Rows.Select(row => row.ToJson()));
        string table = File.ReadAllText(Path.Combine(result.Folder, ClafusionExperiment.TableFile)), page = File.ReadAllText(Path.Combine(result.Folder, ClafusionExperiment.PageFile));
        HtmlReportTests.Parse(page);
        Assert.All(result.Rows, row => Assert.Contains($"| {row.Method} |", table));
        Assert.Contains("--overwrite", Assert.Throws<InvalidDataException>(() => ClafusionExperiment.Run(options with { Samples = 60 })).Message);
    }

    /// <summary>At its ends the curve is that of a single network: layers that are added change nothing, and nothing is mixed in.</summary>
    [Fact]
    public void A_skills_curve_begins_at_the_specialist_and_ends_at_the_generalist()
    {
        RealData.At("mnist");
        using TemporaryFolder folder = new();
        ClafusionResult result = ClafusionExperiment.Run(new() { Table = "13", Folder = folder.Path, Seeds = 1, Epochs = 0, Limit = 500 });
        double Single(string name) => result.Rows.Single(row => row.Method == name)["accuracy"];
        foreach (MethodRow row in result.Rows.Where(row => row.Table == SkillTransfer.Table)) Assert.Equal(Single(SkillTransfer.Specialist), row["0.0"]);
        Assert.Equal(Single(SkillTransfer.Generalist), result.Rows.Single(row => row.Method == "ensemble")["1.0"]);
        HtmlReportTests.Parse(File.ReadAllText(Path.Combine(result.Folder, ClafusionExperiment.PageFile)));
    }

    [Fact]
    public void Refuses_a_table_that_there_is_not()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("there is no table '14'", Assert.Throws<InvalidDataException>(() => ClafusionExperiment.Run(new() { Table = "14", Folder = folder.Path })).Message);
    }

    [Fact]
    public void The_mappings_are_the_papers_ten()
    {
        int[][] maps = [.. MlpMappings.Maps()];
        Assert.Equal(10, maps.Select(map => string.Join(',', map)).Distinct().Count());
        foreach (int[] map in maps)
        {
            Assert.Equal(map.Order().Distinct(), map);
            foreach (var (balance, _) in MlpMappings.Balances) Assert.NotNull(PaperTables.Of(MlpMappings.Compared, $"[{string.Join(", ", map.Select(layer => layer + 1))}], {balance}"));
        }

        Assert.Equal("94.00", PaperTables.Of(MlpMappings.Compared, "[1, 2, 5], merge (sum)"));
        Assert.Null(PaperTables.Of(MlpMappings.Compared, "ensemble"));
    }

    [Fact]
    public void A_mean_has_the_weights_that_it_is_given()
    {
        Graph a = TwinFiles.Network(1), b = TwinFiles.Network(2);
        Siblings both = Siblings.Of([a, b], check: false);
        Graph mean = LayerFusion.Mean(both, [0.25, 0.75]), first = LayerFusion.Mean(both, [1, 0]);
        foreach (var (name, node) in mean.Parameters)
        {
            ReadOnlySpan<float> x = a.Parameters[name].Value!.Span, y = b.Parameters[name].Value!.Span;
            for (int i = 0; i < x.Length; i++) Assert.Equal(0.25 * x[i] + 0.75 * y[i], node.Value!.Span[i], 1e-6);
            Assert.Equal(x, first.Parameters[name].Value!.Span);
        }
    }

    /// <summary>Neither convolution of a block of zeros has a gradient, so a network that is deepened by them never becomes another than it would have without (why table 1 has it for one seed only).</summary>
    [Fact]
    public void Blocks_of_zeros_never_learn()
    {
        static Graph Network(int blocks, long seed) => new ResNet([blocks, blocks], 4, 10) { Image = [3, 8, 8], Norm = Norm.None, ConvStart = Initialisation.KaimingFanIn }.Build(2, seed);
        Graph shallow = Network(1, 2);
        Graph deepened = LayerBalancing.Add(LayerAlignment.Run(NetworkLayers.Of(Network(2, 1)), NetworkLayers.Of(shallow), new() { Measure = LayerMeasure.Width })).B;
        Graph alone = Trained(shallow), deeper = Trained(deepened);
        Assert.Equal(4, deeper.Parameters.Count - alone.Parameters.Count);
        Assert.NotEqual(shallow.Parameters["conv1.weight"].Value!.Span.ToArray(), alone.Parameters["conv1.weight"].Value!.Span.ToArray());
        foreach (var (name, node) in deeper.Parameters)
        {
            if (alone.Parameters.TryGetValue(name, out Node? same) && deepened.Parameters[name].Value!.Span.ContainsAnyExcept(0f)) Assert.Equal(same.Value!.Span, node.Value!.Span);
            else Assert.False(node.Value!.Span.ContainsAnyExcept(0f), name);
        }

        static Graph Trained(Graph start)
        {
            Graph copy = Rewrite.Apply(start, (to, node, _) => node.Op is Parameter ? to.Parameter(node.Name!, node.Value!.Copy()) : null).Graph;
            new Trainer(copy, new CrossEntropy(), new Samples("image", new(3, 8, 8), 40, 5, 10), new() { Rule = new Sgd(0.9, false, 1e-3), Rate = 0.05, Epochs = 3, Batch = 10 }).Run();
            return copy;
        }
    }

    [Fact]
    public void Numbers_are_written_as_what_they_are()
    {
        Assert.Equal("65.72 ± 1.00", ClafusionMarkdown.Text(new(0.6572, 0.01), "accuracy"));
        Assert.Equal("+1.00", ClafusionMarkdown.Text(new(0.01, double.NaN), "accuracy", signed: true));
        Assert.Equal("5625", ClafusionMarkdown.Text(new(5625, double.NaN), "cost"));
        Assert.Equal("0.25", ClafusionMarkdown.Text(new(0.25, double.NaN), "transport, s"));
        Assert.Equal("21,282", ClafusionMarkdown.Text(new(21282, double.NaN), "parameters"));
    }
}
