using System.Text.Json;
using Amalgam.Cli;
using Amalgam.Training;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;
using static Amalgam.Tests.Cli.TransferCommandTests;

namespace Amalgam.Tests.Cli;

/// <summary>What <c>amalgam transfer</c> tells a user before, while and after networks train.</summary>
public class TransferMessagesTests
{
    [Fact]
    public void Progress_is_of_the_whole_run()
    {
        using TemporaryFolder folder = new();
        List<TransferProgress> seen = [];
        new TransferRun(new(TransferDescription.Parse(Two, "run.yml")), folder["run"]).Train(new Listener(seen));
        Assert.Equal(seen.Select(p => p.Share).Order(), seen.Select(p => p.Share));
        Assert.Equal(1, seen[^1].Share);

        // 10 and 20 steps, together and alone.
        Assert.Equal(0.5, seen.Last(p => p.Alone is null).Share);
        Assert.Equal(["conv", "dense"], seen.Where(p => p.Alone is not null).Select(p => p.Networks.Single().Name).Distinct());
        Assert.Equal([(1, 2), (2, 2)], seen.Select(p => p.Alone).OfType<(int, int)>().Distinct());
        Assert.All(seen, p => Assert.True(p.TimeLeft >= TimeSpan.Zero));
    }

    private sealed class Listener(List<TransferProgress> seen) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value) => seen.Add(value);
    }

    [Fact]
    public async Task A_run_that_fails_before_its_first_epoch_leaves_nothing()
    {
        using TemporaryFolder folder = new();
        await Refuses("the loss is", "transfer", Describe(folder, Two.Replace("lr: 0.05", "lr: 1.0e+30")), "-o", folder["run"], "-q");
        Assert.False(Directory.Exists(folder["run"]));
    }

    /// <summary>Another verb that is given the whole folder is told where the networks are.</summary>
    [Fact]
    public async Task A_folder_of_a_transfer_is_no_network()
    {
        using TemporaryFolder folder = new();
        await Succeeds("transfer", Describe(folder, Two), "-o", folder["run"], "--no-solo", "-q");
        string hint = $"is the folder of a transfer; its networks are {Path.Combine(folder["run"], "conv")}, {Path.Combine(folder["run"], "dense")}", run = folder["run"];
        await Refuses(hint, "eval", run);
        await Refuses(hint, "inspect", run);
        await Refuses(hint, "diff", run, run);
        await Refuses(hint, "merge", "-m", "linear", run, run, "-o", folder["mm"]);
        await Refuses(hint, "transfer", Describe(folder, Head + $"models: {{a: '{run}'}}\n"), "-o", folder["other"]);
        await Refuses(hint, "train", Describe(folder, $"data: glyphs\nmodel: {{name: '{run}'}}\nlr: 1\nepochs: 1\n"), "-o", folder["other"]);
    }

    [Fact]
    public async Task What_a_user_should_know_is_said_before_and_after()
    {
        using TemporaryFolder folder = new();
        string drawn = Head + "models: {a: {model: {name: mlp, hidden: [8]}, frozen: true}, b: {model: {name: mlp, hidden: [8, 8]}}}\ntransfers: [{from: a, to: 'b:fc2.weight', cycle: 50}]\n";
        string output = await Succeeds("transfer", Describe(folder, drawn), "--dry-run");
        Assert.Contains("note: a is frozen and has no weights of its own", output);
        Assert.Contains("proposed source: a:fc2.weight [10, 8] -> b:fc2.weight [8, 8], every 50 rounds", output);
        Assert.Contains("1 transfer\n", output);
        Assert.Contains("note: a:fc2.weight -> b:fc2.weight comes once, in the first of 10 rounds: its cycle is 50", output);
        Assert.DoesNotContain("times as many", output);
        Assert.Contains("times as many as b", await Succeeds("transfer", Describe(folder, drawn.Replace("layers: 1, ", "layers: 30, ")), "--dry-run"));

        // An adapter that learns much too fast, and that nothing holds, rewrites its target several times over, which the terminal and the page say; so does what a rank means for the comparison.
        string astray = Two.Replace("adapter: {layers: 1, heads: 2, lr: 0.01}", "adapter: {layers: 1, heads: 2, lr: 1, damping: 0, trust_region: 0, dropout: 0, attention_dropout: 0, schedule: constant}").Replace("'conv:fc.weight', to", "{model: conv, matrix: fc.weight, rank: 2}, to");
        output = await Succeeds("transfer", Describe(folder, astray), "-o", folder["run"]);
        string page = File.ReadAllText(folder[$"run/{TransferFolder.Report}"]);
        Assert.Matches("dense, epoch 2 .*  fc2.weight changed by [0-9.]+%\n", output);
        Assert.Contains("warning: a transfer changed dense:fc2.weight by ", output);
        Assert.Contains("Warning: a transfer changed dense:fc2.weight by ", page);
        Assert.Contains("conv:fc.weight trained as a product of factors of rank 2; by itself conv trained as it was given", output);
        Assert.Contains("by itself conv trained as it was given", page);
        Assert.Matches("Scores are of the epochs that did best on the validation data: conv [12] of 2 \\(by itself [12]\\), dense [12] of 2 \\(by itself [12]\\)\\.", output);
        Assert.Matches("A round took [0-9.]+ s together, of which transfers and adapters [0-9.]+ s, and [0-9.]+ s with each network by itself(: [0-9.]+ times as long together)?\\.", output);
        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(folder[$"run/{RunFolder.Result}"]));
        JsonElement seconds = result.RootElement.GetProperty("seconds");
        if (seconds.TryGetProperty("ratio", out JsonElement ratio))
            Assert.Equal(seconds.GetProperty("of_a_round_together").GetDouble() / seconds.GetProperty("of_a_round_alone").GetDouble(), ratio.GetDouble(), 1e-9 * ratio.GetDouble());
    }

    [Fact]
    public async Task Embeddings_are_listed_and_may_teach()
    {
        using TemporaryFolder folder = new();
        string run = Head + "models: {a: {model: {name: vit_tiny, image: [1, 28, 28], patch: 14, depth: 1, hidden: 16, heads: 2, inner: 16}}, b: {model: {name: mlp, hidden: [8, 8]}}}\ntransfers: [{from: 'a:POSITIONS', to: b}]\n";
        string name = ZooModel.Find("vit_tiny").Build(2).Parameters.Keys.First(key => key.Contains("position"));
        string output = await Succeeds("transfer", Describe(folder, run.Replace("POSITIONS", name)), "--dry-run");
        Assert.Matches($"a +{name} +5 +16 +table +source", output);
        Assert.Contains("proposed target: a:", output);
    }

    [Fact]
    public void Progress_is_told_of_every_network_that_trains()
    {
        TrainingProgress a = new(2, 5, 12, 40, 0.12345, 0.9, 100, TimeSpan.FromSeconds(9)), b = a with { Epoch = 1, Epochs = 3, Loss = 2 };
        Assert.Equal("[####----------------]  24%  a: epoch 2/5 loss 0.1235, b: epoch 1/3 loss 2.0000  1:05 left", Progress.Line(new TransferProgress(0.24, [("a", a), ("b", b)], null, TimeSpan.FromSeconds(65)), bar: true));
        Assert.Equal(" 75%  b by itself (2 of 2): epoch 1/3 loss 2.0000  0:09 left", Progress.Line(new TransferProgress(0.75, [("b", b)], (2, 2), TimeSpan.FromSeconds(9)), bar: false));
    }
}
