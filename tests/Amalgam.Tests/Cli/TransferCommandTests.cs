using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Cli;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

public class TransferCommandTests
{
    private const string Head = """
        data: {name: glyphs, options: {train: 330, test: 120}, validation: 90}
        optimizer: adamw
        lr: 0.003
        epochs: 2
        batch: 48
        seed: 3
        adapter: {layers: 1, heads: 2, lr: 0.01}
        cycle: 2

        """;

    private const string Two = Head + """
        models:
          conv: {model: {name: cnn, channels: [4, 6]}, steps: 2}
          dense: {model: {name: mlp, hidden: [24, 12]}, optimizer: {name: sgd, momentum: 0.5}, lr: 0.05, batch: 24}
        transfers:
          - {from: 'conv:fc.weight', to: 'dense:fc2.weight', cycle: 3, both: true, back_cycle: 2}

        """;

    private static readonly string[] OfModel = [RunFolder.Model, RunFolder.Best, RunFolder.Onnx, RunFolder.BestOnnx, RunFolder.Result];

    [Fact]
    public async Task Two_networks_that_teach_each_other_are_left_as_networks_of_their_own()
    {
        using TemporaryFolder folder = new();
        string target = folder["run"], output = await Succeeds("transfer", Describe(folder, Two), "-o", target);
        foreach (string name in (string[])["conv", "dense"])
        {
            Assert.Equal(2, output.Split($"\n{name}, epoch ").Length - 1 + (output.StartsWith($"{name}, epoch ") ? 1 : 0));
            Assert.Equal(2, output.Split($"\n{name} by itself, epoch ").Length - 1);
            string own = Path.Combine(target, name);
            Assert.All((string[])[.. OfModel, RunFolder.Description, RunFolder.Metrics], file => Assert.True(File.Exists(Path.Combine(own, file)), file));
            Assert.Equal(2, File.ReadAllLines(Path.Combine(own, RunFolder.Metrics)).Length);

            // What was left is the network of the description: no adapter, no factor, the same operators, in both forms.
            RunDescription run = RunFolder.Find(own)!;
            Graph given = ModelLoader.Build(run.Model, 2, run.Seed);
            Assert.True(NetworkSize.IsSame(given, ModelLoader.Load(Path.Combine(own, RunFolder.Model), run.Model, 2)));
            using Checkpoint weights = Checkpoint.Open(Path.Combine(own, RunFolder.Model));
            Assert.Equal(given.Parameters.Keys.Order(), weights.Tensors.Select(tensor => tensor.Name).Order());
            using OnnxModel onnx = OnnxModel.Open(Path.Combine(own, RunFolder.Onnx));
            OnnxModel.Write(given, folder["given.onnx"], new("batch", Overwrite: true));
            using OnnxModel before = OnnxModel.Open(folder["given.onnx"]);
            Assert.True(NetworkSize.IsSame(before.ToGraph(null, 2), onnx.ToGraph(null, 2)));
        }

        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(Path.Combine(target, RunFolder.Result)));
        JsonElement models = result.RootElement.GetProperty("models");
        double right = models.GetProperty("conv").GetProperty("with_transfers").GetProperty("test_of_best").GetProperty("accuracy").GetDouble();
        using JsonDocument measured = JsonDocument.Parse(await Succeeds("eval", Path.Combine(target, "conv"), "--json"));
        Assert.Equal(right, measured.RootElement.GetProperty("models")[0].GetProperty("accuracy").GetDouble());
        Assert.True(models.GetProperty("dense").GetProperty("same_network").GetBoolean());

        // 240 samples: conv has 5 steps in an epoch and takes two in a round, so it is done after 5 rounds; dense has 10 rounds in an epoch.
        Assert.Equal(20, result.RootElement.GetProperty("rounds").GetInt32());
        Assert.Equal([7, 3], result.RootElement.GetProperty("transfers").EnumerateArray().Select(transfer => transfer.GetProperty("transfers").GetInt32()));
        string[] lines = File.ReadAllLines(Path.Combine(target, TransferFolder.Transfers));
        Assert.Equal(4, lines.Length);
        Assert.All(lines, line => Assert.True(JsonDocument.Parse(line).RootElement.GetProperty("change").GetDouble() > 0, line));
        Assert.Contains("VALIDATION DATA", output);
        Assert.Contains("adapters and factors are gone", output);
        string page = File.ReadAllText(Path.Combine(target, TransferFolder.Report));
        foreach (string part in (string[])["Mixing weights of layer 1", "Norm of the adapter&#x27;s weights|Norm of the adapter's weights", "Relative change", "updates of the adapters", "by itself"])
            Assert.True(part.Split('|').Any(page.Contains), part);
    }

    [Fact]
    public async Task A_network_by_itself_is_what_amalgam_train_makes_of_its_description()
    {
        using TemporaryFolder folder = new();
        await Succeeds("transfer", Describe(folder, Two), "-o", folder["run"], "-q");
        foreach (string name in (string[])["conv", "dense"])
        {
            await Succeeds("train", folder[$"run/{name}/{RunFolder.Description}"], "-o", folder[name], "-q");
            AssertSame(folder[name], folder[$"run/solo/{name}"], OfModel, $"solo {name}");
        }

        // A transfer changes what it writes to, and with it what comes of the network.
        Assert.NotEqual(File.ReadAllBytes(folder["dense/model.safetensors"]), File.ReadAllBytes(folder["run/dense/model.safetensors"]));
    }

    [Fact]
    public async Task A_network_that_nothing_is_written_to_trains_as_by_itself()
    {
        using TemporaryFolder folder = new();
        string output = await Succeeds("transfer", Describe(folder, Two.Replace(", both: true, back_cycle: 2", "")), "-o", folder["run"], "-q");
        await Succeeds("train", folder[$"run/conv/{RunFolder.Description}"], "-o", folder["conv"], "-q");
        AssertSame(folder["run/conv"], folder["conv"], OfModel, "source");

        // So it is trained once, and what stands beside it is itself.
        Assert.False(Directory.Exists(folder["run/solo/conv"]));
        Assert.Contains("Nothing is written to conv, which therefore trained as by itself and was trained once.", output);
        Assert.Matches(@"\nconv +accuracy +(\S+) +\1 +not written to\n", output);
        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(folder[$"run/{RunFolder.Result}"]));
        JsonElement conv = result.RootElement.GetProperty("models").GetProperty("conv");
        Assert.False(conv.GetProperty("changed_by_transfers").GetBoolean());
        Assert.Equal(conv.GetProperty("with_transfers").GetRawText(), conv.GetProperty("solo").GetRawText());
        Assert.NotEqual(File.ReadAllBytes(folder["run/dense/model.safetensors"]), File.ReadAllBytes(folder["run/solo/dense/model.safetensors"]));
    }

    [Fact]
    public async Task What_is_left_does_not_depend_on_threads_or_interruptions()
    {
        using TemporaryFolder folder = new();
        await Succeeds("transfer", Describe(folder, Two), "-o", folder["whole"], "--threads", "1", "-q");
        await Succeeds("transfer", Describe(folder, Two), "-o", folder["other"], "--threads", "2");
        TransferDescription run = TransferDescription.Parse(Two, "run.yml");

        // Once in the middle of the training together, once in that of a network by itself.
        foreach (bool alone in (bool[])[false, true])
        {
            using CancellationTokenSource stop = new();
            TransferRun part = new(new(run), folder["parts"], resume: alone);
            Assert.Throws<OperationCanceledException>(() => part.Train(
                epochDone: (name, isAlone, epoch) =>
                {
                    if (isAlone == alone && epoch.Epoch == 1) stop.Cancel();
                }, cancel: stop.Token));
            Assert.Equal(alone ? ("conv", 5, 10) : null, part.Alone);
        }

        // While the state is there, another training is none to go on with, and the message says where they differ.
        await Refuses("another description or other data; resume it with those that it began with, or begin anew with another output: there 'lr: 0.003', here 'lr: 0.02'",
            "transfer", Describe(folder, Two.Replace("lr: 0.003", "lr: 0.02")), "-o", folder["parts"], "--resume");
        var (code, _, error) = await Run("transfer", Describe(folder, Two), "-o", folder["parts"], "--resume");
        Assert.True(code == 0, error);
        Assert.Contains("going on after the training together\n", error);
        Assert.Contains("going on with the training of conv by itself, after step 5 of 10\n", error);
        foreach (string left in (string[])["other", "parts"])
        {
            Assert.Equal(WithoutTimes(folder[$"whole/{RunFolder.Result}"]), WithoutTimes(folder[$"{left}/{RunFolder.Result}"]));
            foreach (string name in (string[])["conv", "dense", "solo/conv", "solo/dense"]) AssertSame(folder[$"whole/{name}"], folder[$"{left}/{name}"], OfModel, $"{left}/{name}");
            Assert.Equal(File.ReadAllText(folder[$"whole/{TransferFolder.Transfers}"]), File.ReadAllText(folder[$"{left}/{TransferFolder.Transfers}"]));
        }

        // When it has ended there is nothing to go on with, and nothing of it is touched.
        Assert.False(File.Exists(folder[$"parts/{RunFolder.State}"]));
        await Refuses("another description or other data (there 'lr: 0.05', here 'lr: 0.02'), which has ended", "transfer", Describe(folder, Two.Replace("lr: 0.05", "lr: 0.02")), "-o", folder["parts"], "--resume");
        byte[] page = File.ReadAllBytes(folder[$"parts/{TransferFolder.Report}"]);
        Assert.Contains("has ended, there is nothing to go on with", await Succeeds("transfer", folder[$"parts/{TransferFolder.Description}"], "-o", folder["parts"], "--resume", "--no-solo"));
        Assert.Equal(page, File.ReadAllBytes(folder[$"parts/{TransferFolder.Report}"]));
        AssertSame(folder["whole/dense"], folder["parts/dense"], OfModel, "again");
    }

    [Fact]
    public async Task Two_ONNX_files_teach_each_other_and_stay_what_they_are()
    {
        using TemporaryFolder folder = new();
        OnnxModel.Write(ZooModel.Find("cnn").Build(2, new Dictionary<string, string> { ["channels"] = "4,6" }, 1), folder["a.onnx"], new("batch"));
        OnnxModel.Write(ZooModel.Find("mlp").Build(2, new Dictionary<string, string> { ["hidden"] = "20,10" }, 2), folder["b.onnx"], new("batch"));
        string models = $"models:\n  a: '{folder["a.onnx"]}'\n  b: '{folder["b.onnx"]}'\n";
        string output = await Succeeds("transfer", Describe(folder, Head + models), "-o", folder["run"], "--no-solo");
        Assert.Contains("proposed: ", output);
        Assert.Contains("MEASURE   WITH TRANSFER\n", output);
        Assert.DoesNotContain("by itself", output + File.ReadAllText(folder[$"run/{TransferFolder.Report}"]));
        Assert.False(Directory.Exists(folder["run/solo"]));
        foreach (string name in (string[])["a", "b"])
        {
            using OnnxModel before = OnnxModel.Open(folder[$"{name}.onnx"]), after = OnnxModel.Open(folder[$"run/{name}/{RunFolder.BestOnnx}"]);
            Assert.True(NetworkSize.IsSame(before.ToGraph(null, 2), after.ToGraph(null, 2)));
        }

        Assert.Contains("--report: ", (await Run("transfer", Describe(folder, Head + models), "-o", folder["c"], "--report", folder.Path)).Error);
        await Refuses("lies in", "transfer", Describe(folder, Head + models), "-o", folder.Path, "--overwrite");

        // The folders are models for every other verb.
        await Succeeds("merge", "-m", "linear", folder["run/b/model.safetensors"], folder["run/b/best.safetensors"], "-o", folder["merged.safetensors"]);
        await Succeeds("align", folder["run/b"], folder["b.onnx"], "--data", "glyphs:train=60,test=30", "-o", folder["aligned.onnx"]);
    }

    [Fact]
    public async Task One_network_may_teach_itself()
    {
        using TemporaryFolder folder = new();
        string output = await Succeeds("transfer", Describe(folder, Head + "models: {net: {model: {name: mlp, hidden: [20, 10]}}}\n"), "-o", folder["run"], "--report", folder["pages/p.html"]);
        Assert.Contains("proposed: net:fc3.weight [10, 10] -> net:fc2.weight [10, 20], every 2 rounds, lpka of ", output);
        Assert.True(File.Exists(folder["pages/p.html"]));
        Assert.False(File.Exists(folder[$"run/{TransferFolder.Report}"]));
        Assert.NotEqual(File.ReadAllBytes(folder["run/net/model.safetensors"]), File.ReadAllBytes(folder["run/solo/net/model.safetensors"]));
    }

    [Fact]
    public async Task A_trained_network_that_stays_as_it_is_teaches_through_factors()
    {
        using TemporaryFolder folder = new();
        string train = folder["train.yml"];
        File.WriteAllText(train, "data: {name: glyphs, options: {train: 330, test: 120}, validation: 90}\nmodel: {name: mlp, hidden: [24]}\nlr: 0.05\nepochs: 2\n");
        await Succeeds("train", train, "-o", folder["teacher"], "-q");
        byte[] before = File.ReadAllBytes(folder["teacher/best.safetensors"]);
        string models = $$"""
            models:
              teacher: {model: '{{folder["teacher"]}}', frozen: true}
              pupil: {model: {name: cnn, channels: [8, 8]}, data: {name: glyphs, options: {train: 240, test: 60} } }
            transfers:
              - {from: {model: teacher, matrix: fc1.weight, rank: usual}, to: {model: pupil, rank: 2, start: fresh} }

            """;
        string output = await Succeeds("transfer", Describe(folder, Head + models), "-o", folder["run"]);
        Assert.Equal(before, File.ReadAllBytes(folder["teacher/best.safetensors"]));
        Assert.False(Directory.Exists(folder["run/teacher"]));
        string written = File.ReadAllText(folder[$"run/{TransferFolder.Description}"]);
        Assert.Contains("matrix: fc1.weight, layout: filters, rank: 3,", written);
        Assert.Contains("at rank 2", output);

        RunDescription run = RunFolder.Find(folder["run/pupil"])!;
        Assert.True(NetworkSize.IsSame(ModelLoader.Build(run.Model, 2, 0), ModelLoader.Load(folder["run/pupil/model.safetensors"], run.Model, 2)));
        Assert.DoesNotContain("VALIDATION", output);
        Assert.False(File.Exists(folder["run/pupil/best.safetensors"]));

        // A frozen network's weights tell the run from others.
        await Succeeds("train", train, "-o", folder["teacher"], "-q", "--overwrite");
        await Succeeds("transfer", Describe(folder, Head + models), "-o", folder["run"], "--resume", "-q");
        File.WriteAllText(train, File.ReadAllText(train) + "seed: 8\n");
        await Succeeds("train", train, "-o", folder["teacher"], "-q", "--overwrite");
        await Refuses("another description", "transfer", Describe(folder, Head + models), "-o", folder["run"], "--resume");
    }

    [Fact]
    public async Task A_dry_run_shows_the_matrices_and_writes_nothing()
    {
        using TemporaryFolder folder = new();
        string output = await Succeeds("transfer", Describe(folder, Two.Replace("'dense:fc2.weight'", "dense") + $"output: '{folder["run"]}'\n"), "--dry-run");
        Assert.False(Directory.Exists(folder["run"]));
        foreach (string line in (string[])["conv +fc.weight +10 +.* output +source, target", "dense +fc2.weight +12 +24 +hidden +source, target", "dense +fc1.weight +24 +784 +first", "dense +19,270 +20 +1"]) Assert.Matches(line, output);
        Assert.Contains("20 rounds. Nothing was written.", output);
    }

    [Fact]
    public async Task Mistakes_are_refused_before_anything_is_written()
    {
        using TemporaryFolder folder = new();
        async Task Wrong(string phrase, string text, params string[] more) => await Refuses(phrase, ["transfer", Describe(folder, text), .. more.Length > 0 ? more : ["-o", folder["run"]]]);
        await Wrong("run.yml:10:3: conv: there is no model 'ccn'", Two.Replace("name: cnn", "name: ccn"));
        await Wrong("run.yml:11:3: dense: nowhere.onnx does not exist", Two.Replace("{name: mlp, hidden: [24, 12]}", "nowhere.onnx"));
        await Wrong("run.yml:11:3: dense: mlp has no option 'image'", Two.Replace("hidden: [24, 12]", "image: 3"));
        await Wrong("run.yml:13:5: transfers: conv: the network has no parameter 'fc.wieght' (did you mean 'fc.weight'?)", Two.Replace("'conv:fc.weight', to: 'dense:fc2.weight'", "'conv:fc.wieght', to: dense"));
        await Wrong("conv: 'fc.bias' [10] is a vector", Two.Replace("'conv:fc.weight', to: 'dense:fc2.weight'", "'conv:fc.bias', to: dense"));
        await Wrong("(did you mean 'fc2.weight'?)", Two.Replace("dense:fc2.weight", "dense:fc2"));
        await Wrong("the name of a matrix is missing behind 'conv:'", Two.Replace("conv:fc.weight", "conv:"));
        await Wrong("this describes the training of one network, which is for amalgam train", "data: glyphs\nmodel: mlp\nlr: 1\nepochs: 1\n");
        await Refuses("this is a description for amalgam transfer", "train", Describe(folder, Two), "-o", folder["run"]);
        await Wrong("run.yml:13:12: there is no model 'cnvo'", Two.Replace("'conv:fc.weight'", "cnvo"));
        await Wrong("transfers: dense: the network has no parameter 'fc4.weight'", Two.Replace("dense:fc2.weight", "dense:fc4.weight"));
        await Wrong("is a vector", Two.Replace("dense:fc2.weight", "dense:fc2.bias"));
        await Wrong("has no 5 rows from row 8 on", Two.Replace("'dense:fc2.weight'", "{model: dense, matrix: fc2.weight, rows: [8, 13]}"));
        await Wrong("needs a rank from 1 to 12", Two.Replace("'dense:fc2.weight'", "{model: dense, matrix: fc2.weight, rank: 13}"));
        await Wrong("is from a matrix to itself", Two.Replace("'conv:fc.weight', to: 'dense:fc2.weight', cycle: 3, both: true, back_cycle: 2", "'dense:fc2.weight', to: 'dense:fc2.weight'").Replace("  conv: {model: {name: cnn, channels: [4, 6]}, steps: 2}\n", ""));
        await Wrong("two transfers write to dense:fc2.weight", Two + "  - {from: 'conv:fc.weight', to: 'dense:fc2.weight'}\n");
        await Wrong("is frozen", Two.Replace("hidden: [24, 12]", "hidden: [24, 12], freeze: fc2"));
        await Wrong("dense: optimizer: no parameter of the model matches 'fc9'", Two.Replace("momentum: 0.5", "momentum: 0.5, no_decay: fc9"));
        await Wrong("name a folder", Two, "--quiet");
        await Wrong("--resume and --overwrite exclude each other", Two, "-o", folder["run"], "--resume", "--overwrite");
        Assert.False(Directory.Exists(folder["run"]));

        Directory.CreateDirectory(folder["run/dense"]);
        File.WriteAllText(folder["run/dense/precious.txt"], "mine");
        await Wrong("is not empty", Two);
        await Wrong("holds 'precious.txt', which no run leaves", Two, "-o", folder["run"], "--overwrite");
        await Wrong("holds 'dense', which no run leaves", Two.Replace("dense", "other"), "-o", folder["run"], "--overwrite");
        Assert.Equal("mine", File.ReadAllText(folder["run/dense/precious.txt"]));
        Assert.False(File.Exists(folder[$"run/{TransferFolder.Description}"]));
    }

    [Fact]
    public async Task Beginning_anew_leaves_nothing_of_the_run_before()
    {
        using TemporaryFolder folder = new();
        await Succeeds("transfer", Describe(folder, Two), "-o", folder["run"], "-q");
        await Refuses("run is not empty; --overwrite begins anew", "transfer", Describe(folder, Two), "-o", folder["run"]);
        string other = Head.Replace("epochs: 2", "epochs: 1") + "models: {dense: {model: {name: mlp, hidden: [9]}}}\n";
        await Succeeds("transfer", Describe(folder, other), "-o", folder["run"], "--overwrite", "--no-solo", "-q");
        Assert.Equal(["dense", "report.html", "result.json", "transfer.yaml", "transfers.jsonl"], Directory.EnumerateFileSystemEntries(folder["run"]).Select(path => Path.GetFileName(path)).Order());
    }

    /// <summary>A network that an interrupted or finished run of amalgam train left, ONNX or not, is a model as good as any.</summary>
    [Fact]
    public async Task Folders_of_runs_are_models()
    {
        using TemporaryFolder folder = new();
        OnnxModel.Write(ZooModel.Find("mlp").Build(2, new Dictionary<string, string> { ["hidden"] = "16,8" }, 1), folder["a.onnx"], new("batch"));
        foreach (var (name, model) in new[] { ("a", $"'{folder["a.onnx"]}'"), ("b", "{name: mlp, hidden: [12, 8]}") })
        {
            File.WriteAllText(folder["train.yml"], $"data: {{name: glyphs, options: {{train: 150, test: 50}}, validation: 30}}\nmodel: {model}\nlr: 0.05\nepochs: 1\n");
            await Succeeds("train", folder["train.yml"], "-o", folder[name], "-q");
        }

        // Nothing is learned where nothing is trained: what comes out is what was read.
        string run = Head.Replace("epochs: 2", "epochs: 0") + $"models: {{a: '{folder["a"]}', b: {{model: {{name: mlp, hidden: [12, 8], weights: '{folder["b"]}'}}}}}}\n";
        await Succeeds("transfer", Describe(folder, run), "-o", folder["run"], "--no-solo", "-q");
        foreach (string name in (string[])["a", "b"])
        {
            using Checkpoint before = Checkpoint.Open(folder[$"{name}/best.safetensors"]), after = Checkpoint.Open(folder[$"run/{name}/model.safetensors"]);
            Assert.All(before.Tensors, tensor => Assert.Equal(TestModel.Read(folder[$"{name}/best.safetensors"])[tensor.Name].Values, TestModel.Read(folder[$"run/{name}/model.safetensors"])[tensor.Name].Values));
            Assert.Equal(before.Tensors.Length, after.Tensors.Length);
        }

        await Refuses("is the folder of a run, which says what its model is; leave out 'hidden'", "transfer", Describe(folder, Head + $"models: {{a: {{model: {{name: '{folder["a"]}', hidden: 3}}}}}}\n"), "-o", folder["other"]);
        Assert.False(Directory.Exists(folder["other"]));
    }

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

        // An adapter that learns much too fast rewrites its target, which the terminal and the page say; so does what a rank means for the comparison.
        string astray = Two.Replace("adapter: {layers: 1, heads: 2, lr: 0.01}", "adapter: {layers: 1, heads: 2, lr: 1, form: published}").Replace("'conv:fc.weight', to", "{model: conv, matrix: fc.weight, rank: 2}, to");
        output = await Succeeds("transfer", Describe(folder, astray), "-o", folder["run"]);
        string page = File.ReadAllText(folder[$"run/{TransferFolder.Report}"]);
        Assert.Matches("dense, epoch 2 .*  fc2.weight changed by [0-9.]+%\n", output);
        Assert.Contains("warning: a transfer changed dense:fc2.weight by ", output);
        Assert.Contains("Warning: a transfer changed dense:fc2.weight by ", page);
        Assert.Contains("conv:fc.weight trained as a product of factors of rank 2; by itself conv trained as it was given", output);
        Assert.Contains("by itself conv trained as it was given", page);
        Assert.Matches("Scores are of the epochs that did best on the validation data: conv [12] of 2 \\(by itself [12]\\), dense [12] of 2 \\(by itself [12]\\)\\.", output);
        Assert.Matches("A round took [0-9.]+ s together, of which transfers and adapters [0-9.]+ s, and [0-9.]+ s with each network by itself: [0-9.]+ times as long together\\.", output);
        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(folder[$"run/{RunFolder.Result}"]));
        JsonElement seconds = result.RootElement.GetProperty("seconds");
        Assert.Equal(seconds.GetProperty("of_a_round_together").GetDouble() / seconds.GetProperty("of_a_round_alone").GetDouble(), seconds.GetProperty("ratio").GetDouble(), 1e-9);
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

    private static void AssertSame(string a, string b, IEnumerable<string> files, string what)
    {
        foreach (string file in files) Assert.True(File.ReadAllBytes(Path.Combine(a, file)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(b, file))), $"{what}: {file} differs");
    }

    private static string WithoutTimes(string file)
    {
        string text = File.ReadAllText(file);
        Assert.Contains("\"seconds\": {", text);
        return text[..text.IndexOf("\"seconds\": {", StringComparison.Ordinal)];
    }

    private static string Describe(TemporaryFolder folder, string text)
    {
        File.WriteAllText(folder["run.yml"], text);
        return folder["run.yml"];
    }
}
