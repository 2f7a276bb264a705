using System.Text.Json;
using Amalgam.Checkpoints;
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

        // conv takes two of its ten steps in a round, so after five rounds dense trains on alone; at the end of all both are told of.
        string[] told = [.. seen.Where(p => p.Alone is null).Select(p => string.Join(' ', p.Networks.Select(network => network.Name)))];
        Assert.Equal([.. Enumerable.Repeat("conv dense", 4), .. Enumerable.Repeat("dense", 15), "conv dense"], told);
    }

    private sealed class Listener(List<TransferProgress> seen) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value) => seen.Add(value);
    }

    [Fact]
    public async Task A_run_that_fails_before_its_first_epoch_leaves_nothing()
    {
        using TemporaryFolder folder = new();
        await Refuses("the loss is", "transfer", Describe(folder, Two.Replace("lr: 0.05", "lr: 1.0e+30").Replace("layers: 1, heads: 2", "name: mlp, width: 8")), "-o", folder["run"], "-q");
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
        Assert.Contains(result.RootElement.GetProperty("warnings").EnumerateArray(), text => text.GetString()!.StartsWith("a transfer changed dense:fc2.weight by "));
        JsonElement seconds = result.RootElement.GetProperty("seconds");
        if (seconds.TryGetProperty("ratio", out JsonElement ratio))
            Assert.Equal(seconds.GetProperty("of_a_round_together").GetDouble() / seconds.GetProperty("of_a_round_alone").GetDouble(), ratio.GetDouble(), 1e-9 * ratio.GetDouble());
    }

    /// <summary>An adapter that writes at random, in every round and at a high rate, leaves nothing of its target: text, page and JSON say that the network is worse for it.</summary>
    [Fact]
    public async Task A_network_that_transfers_ruin_is_told_of()
    {
        using TemporaryFolder folder = new();
        string ruined = Two.Replace("adapter: {layers: 1, heads: 2, lr: 0.01}", "adapter: {form: published, layers: 1, heads: 2, lr: 0.1}").Replace("cycle: 3, both: true, back_cycle: 2", "cycle: 1").Replace("epochs: 2", "epochs: 6");
        string output = await Succeeds("transfer", Describe(folder, ruined), "-o", folder["run"], "-q");
        string[] warnings = [.. output.Split('\n').Where(line => line.StartsWith("warning: ", StringComparison.Ordinal)).Select(line => line["warning: ".Length..])];
        Assert.Matches(@"^dense lost \d+\.\d\d points by the transfers: \S+% on the validation data, \S+% by itself, ", warnings[0]);
        Assert.StartsWith("a transfer changed dense:fc2.weight by ", warnings[1]);
        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(folder[$"run/{RunFolder.Result}"]));
        Assert.Equal(warnings, result.RootElement.GetProperty("warnings").EnumerateArray().Select(text => text.GetString()));
        string page = File.ReadAllText(folder[$"run/{TransferFolder.Report}"]);
        Assert.Contains("Warning: dense lost ", page);
        Assert.Contains("<small>Worse for the transfers: by itself ", page);
    }

    /// <summary>Quiet is a run's progress, not what makes its result worthless.</summary>
    [Fact]
    public async Task Notes_are_told_when_it_is_quiet_and_kept_with_the_result()
    {
        using TemporaryFolder folder = new();
        string drawn = Head + "models: {a: {model: {name: mlp, hidden: [8]}, frozen: true}, b: {model: {name: mlp, hidden: [8, 8]}}}\ntransfers: [{from: a, to: 'b:fc2.weight', cycle: 50}]\n";
        var (code, output, error) = await Run("transfer", Describe(folder, drawn), "-o", folder["run"], "--no-solo", "-q");
        Assert.True(code == 0, error);
        string[] notes = [.. error.TrimEnd().Split('\n')];
        Assert.Equal(2, notes.Length);
        Assert.StartsWith("note: a is frozen and has no weights of its own: they are drawn by chance, so what it teaches is noise", notes[0]);
        Assert.StartsWith("note: a:fc2.weight -> b:fc2.weight comes once", notes[1]);
        Assert.DoesNotContain("epoch 1", output);
        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(folder[$"run/{RunFolder.Result}"]));
        Assert.Equal(notes, result.RootElement.GetProperty("notes").EnumerateArray().Select(note => $"note: {note.GetString()}"));
        string page = File.ReadAllText(folder[$"run/{TransferFolder.Report}"]);
        Assert.Contains("Note: a is frozen and has no weights of its own", page);
        Assert.Contains("comes once, in the first of 10 rounds", page);
    }

    /// <summary>A small network that is trained is asked to teach before a large one that is not; where the description says otherwise, a note does.</summary>
    [Fact]
    public async Task A_teacher_that_is_drawn_by_chance_is_said()
    {
        using TemporaryFolder folder = new();
        OnnxModel.Write(ZooModel.Find("mlp").Build(2, new Dictionary<string, string> { ["hidden"] = "8,8" }, 1), folder["small.onnx"], new("batch"));
        string models = Head + $"models: {{small: '{folder["small.onnx"]}', large: {{model: {{name: mlp, hidden: [32, 32]}}}}}}\n";
        string output = await Succeeds("transfer", Describe(folder, models), "--dry-run");
        Assert.Contains("proposed: small:fc3.weight [10, 8] -> large:fc2.weight [32, 32]", output);
        Assert.DoesNotContain("drawn by chance", output);
        const string Note = "note: large is drawn by chance and teaches small, which brings weights of its own";
        Assert.Contains(Note, await Succeeds("transfer", Describe(folder, models + "transfers: [{from: large, to: small}]\n"), "--dry-run"));
        Assert.Single((await Succeeds("transfer", Describe(folder, models + "transfers: [{from: small, to: large, both: true}]\n"), "--dry-run")).Split('\n'), line => line.StartsWith(Note));
        Assert.DoesNotContain("drawn by chance", await Succeeds("transfer", Describe(folder, models + "transfers: [{from: small, to: large}]\n"), "--dry-run"));
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
