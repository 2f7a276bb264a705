using Amalgam.Graphs;
using Amalgam.Tests.Zoo.Report;
using Amalgam.Transfer.Teaching;
using Amalgam.Zoo.Experiments.Mergenet;
using Samples = Amalgam.Tests.Alignment.Samples;

namespace Amalgam.Tests.Zoo.Experiments;

public class MergenetExperimentTests
{
    public static TheoryData<string> Tables => [.. MergenetExperiment.Tables.Select(table => table.Name)];

    [Fact]
    public void A_table_is_made_once_and_shares_its_trainings_with_others()
    {
        RealData.At("cifar10");
        using TemporaryFolder folder = new();
        MergenetOptions options = new() { Table = "5", Folder = folder.Path, Seeds = 1, Epochs = 1, Samples = 50, Limit = 40 };
        List<string> lines = [];
        MergenetResult result = MergenetExperiment.Run(options with { Line = lines.Add });
        Assert.Equal(MergenetExperiment.EntriesOf(options).Select(entry => entry.Method), result.Rows.Select(row => row.Method));
        Assert.Equal(result.Rows.Length, lines.Count);

        MergenetResult again = MergenetExperiment.Run(options with { Line = line => Assert.Fail($"made again: {line}") });
        Assert.Equal(result.Rows.Select(row => row.ToJson()), again.Rows.Select(row => row.ToJson()));
        string table = File.ReadAllText(Path.Combine(result.Folder, MergenetExperiment.TableFile)), page = File.ReadAllText(Path.Combine(result.Folder, MergenetExperiment.PageFile));
        HtmlReportTests.Parse(page);
        Assert.All(result.Rows, row => Assert.Contains($"| {row.Method} |", table));
        Assert.Contains("66.48", table); // the paper's
        const string Setting = "One seed. Trained for 1 epoch of 50 training samples, after 1 epoch of 50 training samples alone, measured on the first 40 test samples.";
        Assert.Contains(Setting, table);
        Assert.Contains(Setting, page);
        Assert.Contains("amalgam reproduce mergenet --table 5 --seeds 1 --epochs 1 --samples 50 --limit 40<", page);
        Assert.Contains("<th class=\"n\">the paper</th>", page);
        Assert.DoesNotContain("Means and deviations", page);
        Assert.Contains($", {TrialBench.Pair(1)}, alone: accuracy ", lines.First(line => line.Contains("alone")));
        Assert.Matches("alone: accuracy [0-9]+\\.[0-9][0-9]%, loss ", lines.First(line => line.Contains("alone")));
        Assert.Contains("--overwrite", Assert.Throws<InvalidDataException>(() => MergenetExperiment.Run(options with { Samples = 60 })).Message);
    }

    /// <summary>What every difference in the tables stands on: with the same seed a network begins with the same weights and sees the same batches alone and beside others. An adapter that does not learn stays the identity.</summary>
    [Fact]
    public void A_network_beside_others_is_the_network_alone_but_for_what_flows_into_it()
    {
        RealData.At("cifar10");
        using TemporaryFolder folder = new();
        MergenetOptions options = new() { Table = "1", Folder = folder.Path, Epochs = 1, Samples = 75, Limit = 20 };
        TrialBench bench = new(options);
        TableEntry entry = MergenetExperiment.EntriesOf(options).First(e => e.Trial is Joint { Flows.Length: 2 });
        var flows = ((Joint)entry.Trial).Flows;
        Joint still = new([.. flows.Select((flow, i) => flow with { Rate = 0, Cycle = 1, FromNothing = i > 0 })]);
        Assert.Equal(2, still.Makes.Count());
        foreach (Trained trained in still.Run(bench, 3))
        {
            Graph alone = bench.Solo(trained.Subject, 3);
            foreach (var (name, node) in alone.Parameters) Assert.Equal(node.Value!.Span, trained.Network.Parameters[name].Value!.Span);
        }

        Trained taught = new Joint(flows[0] with { Rate = 1e-2, Cycle = 1 }).Run(bench, 3).Single();
        Assert.Equal(flows[0].To, taught.Subject);
        Assert.NotEqual(bench.Solo(taught.Subject, 3).Parameters[flows[0].Target].Value!.Span.ToArray(), taught.Network.Parameters[flows[0].Target].Value!.Span.ToArray());
    }

    [Fact]
    public void Choices_look_at_no_test_sample()
    {
        RealData.At("cifar10");
        using TemporaryFolder folder = new();
        MergenetOptions options = new() { Table = "choice", Folder = folder.Path, Seeds = 1, Epochs = 1, Samples = 50, Limit = 0 };
        TableEntry entry = MergenetExperiment.EntriesOf(options).Single(e => e is { Section: ImageTables.Residual, Method: TableEntry.Alone });
        Assert.InRange(new TrialBench(options).Row(entry, 0, heldOut: true)["accuracy"], 0.01, 0.99);
        Assert.Equal(["resnet-18-0.safetensors", "resnet-18-at-first-0.safetensors", "resnet-18-choice.jsonl"], Directory.GetFiles(folder["trainings"]).Select(Path.GetFileName).Order());
    }

    [Theory, MemberData(nameof(Tables))]
    public void The_trainings_of_a_table_differ(string table)
    {
        TableEntry[] entries = [.. MergenetExperiment.EntriesOf(new() { Table = table })];
        Assert.Equal(entries.Length, entries.Select(entry => (entry.Subject.Name, entry.Trial.Name)).Distinct().Count());
        Assert.Equal(entries.Length, entries.Select(entry => (entry.Section, entry.Method)).Distinct().Count());
        Assert.All(entries, entry => Assert.Contains(entry.Subject, entry.Trial.Makes));
        Assert.All(entries, entry => Assert.Contains(entries, e => e.Section == entry.Section && e.Method == TableEntry.Alone));
    }

    /// <summary>Rows of an earlier run are found by this text.</summary>
    [Fact]
    public void A_training_is_known_by_a_text_of_its_own()
    {
        TableEntry[] entries = [.. MergenetExperiment.EntriesOf(new() { Table = "7" })];
        string Of(string method) => entries.First(entry => entry.Method == method).Trial.Name.Split(" and ")[0];
        const string From = "ResNet-18:linear.weight -> MobileNetV2:features.16.conv.2.weight, cycle 8, rate 0.001, ";
        Assert.Equal(From + "mlp width 1024", Of("MLP adapter"));
        Assert.Equal(From + "lpka layers 2, heads 8, unfoldings All, mixing Learned, form Residual, dropout 0.1 0.2", Of("full, with dropout"));
        Assert.Equal(From + "decomposed at rank 4, lpka layers 2, heads 8, unfoldings All, mixing Learned, form Residual, dropout 0 0", Of("full, rank 4"));
    }

    [Theory, MemberData(nameof(Tables))]
    public void No_baseline_warms_up_for_longer_than_it_trains(string table) =>
        Assert.All(MergenetExperiment.EntriesOf(new() { Table = table }).Select(entry => entry.Trial).OfType<Taught>().Select(taught => taught.Way).OfType<Dkd>(), dkd => Assert.Equal(0, dkd.WarmUp));

    [Fact]
    public void The_papers_figures_stand_beside_rows_that_there_are()
    {
        var rows = MergenetExperiment.Tables.SelectMany(table => MergenetExperiment.EntriesOf(new() { Table = table.Name }).Select(entry => (table.Name, entry.Section, entry.Method))).ToHashSet();
        Assert.All(PaperTables.Rows, row => Assert.Contains(row, rows));
        Assert.Equal("66.51", PaperTables.Of("1", ImageTables.Mobile, ImageTables.Both));
    }

    [Fact]
    public void A_pixel_of_a_half_image_is_the_mean_of_four()
    {
        Samples whole = new("image", new(2, 6, 4), 3, 7, 5);
        HalfImages half = new(whole);
        Assert.Equal(new Shape(2, 3, 2), half.Fields[half.IndexOf("image")].Shape);
        float[] all = new float[48], mean = new float[12], label = new float[1];
        for (int sample = 0; sample < half.Count; sample++)
        {
            whole.Read(whole.IndexOf("image"), sample, default, all);
            half.Read(half.IndexOf("image"), sample, default, mean);
            half.Read(half.IndexOf("label"), sample, default, label);
            Assert.Equal(whole.Labels[sample], label[0]);
            for (int c = 0; c < 2; c++)
                for (int y = 0; y < 3; y++)
                    for (int x = 0; x < 2; x++)
                    {
                        double sum = 0;
                        for (int i = 0; i < 4; i++) sum += all[(c * 6 + 2 * y + i / 2) * 4 + 2 * x + i % 2];
                        Assert.Equal(sum / 4, mean[(c * 3 + y) * 2 + x], 1e-6);
                    }
        }

        Assert.Throws<ArgumentException>(() => new HalfImages(new Samples("image", new(1, 5, 4), 3, 7, 5)));
    }

    [Fact]
    public void Refuses_a_table_that_there_is_not()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("there is no table '8'", Assert.Throws<InvalidDataException>(() => MergenetExperiment.Run(new() { Table = "8", Folder = folder.Path })).Message);
    }
}
