using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

public class TransferCommandTests
{
    internal const string Head = """
        data: {name: glyphs, options: {train: 330, test: 120}, validation: 90}
        optimizer: adamw
        lr: 0.003
        epochs: 2
        batch: 48
        seed: 3
        adapter: {layers: 1, heads: 2, lr: 0.01}
        cycle: 2

        """;

    internal const string Two = Head + """
        models:
          conv: {model: {name: cnn, channels: [4, 6]}, steps: 2}
          dense: {model: {name: mlp, hidden: [24, 12]}, optimizer: {name: sgd, momentum: 0.5}, lr: 0.05, batch: 24}
        transfers:
          - {from: 'conv:fc.weight', to: 'dense:fc2.weight', cycle: 3, both: true, back_cycle: 2}

        """;

    internal static readonly string[] OfModel = [RunFolder.Model, RunFolder.Best, RunFolder.Onnx, RunFolder.BestOnnx, RunFolder.Result];

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

        // The page has what was run: sizes, rates, seeds, and the description that gives it again.
        Assert.Matches("<td[^>]*>dense</td><td[^>]*>19,270</td>", page);
        string described = File.ReadAllText(Path.Combine(target, TransferFolder.Description));
        Assert.Contains(System.Net.WebUtility.HtmlEncode(described[..described.IndexOf("output:", StringComparison.Ordinal)].TrimEnd()), System.Net.WebUtility.HtmlEncode(System.Net.WebUtility.HtmlDecode(page)));
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
        Assert.Matches("\nTEST DATA +MEASURE +AS GIVEN +WITH TRANSFER\n", output);
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

    /// <summary>Two teachers of one network, of which one is to be taught by it too.</summary>
    [Fact]
    public async Task Several_networks_teach_one_and_learn_from_it()
    {
        using TemporaryFolder folder = new();
        string three = Two.Replace("transfers:", "  narrow: {model: {name: mlp, hidden: [9, 7]}}\ntransfers:").Replace("'conv:fc.weight',", "['conv:fc.weight', narrow],");
        string output = await Succeeds("transfer", Describe(folder, three), "-o", folder["run"]);
        Assert.StartsWith("proposed narrow:fc3.weight: conv:fc.weight [10, 6] + narrow:fc3.weight [10, 7] -> dense:fc2.weight [12, 24], every 3 rounds, lpka of ", output);
        Assert.Contains("\ndense:fc2.weight [12, 24] -> conv:fc.weight", output);
        Assert.Contains("\nproposed target: dense:fc2.weight [12, 24] -> narrow:fc2.weight [7, 9], every 2 rounds, ", output);
        Assert.Contains("  fc2.weight changed by ", output);

        // What is left gives the same run again, interrupted in the middle of it too.
        TransferRun part = new(new(TransferDescription.Read(folder[$"run/{TransferFolder.Description}"])), folder["again"]);
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() => part.Train(epochDone: (name, _, epoch) =>
        {
            if ((name, epoch.Epoch) == ("narrow", 1)) stop.Cancel();
        }, cancel: stop.Token));
        await Succeeds("transfer", folder[$"run/{TransferFolder.Description}"], "-o", folder["again"], "--resume", "-q");
        foreach (string name in (string[])["conv", "dense", "narrow", "solo/dense"]) AssertSame(folder[$"run/{name}"], folder[$"again/{name}"], OfModel, name);

        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(folder[$"run/{RunFolder.Result}"]));
        JsonElement[] transfers = [.. result.RootElement.GetProperty("transfers").EnumerateArray()];
        Assert.Equal(["conv", "narrow"], transfers[0].GetProperty("from").EnumerateArray().Select(source => source.GetProperty("model").GetString()));
        Assert.Equal([("dense", "conv"), ("dense", "narrow")], transfers[1..].Select(transfer => (transfer.GetProperty("from").GetProperty("model").GetString()!, transfer.GetProperty("to").GetProperty("model").GetString()!)));
        string page = File.ReadAllText(folder[$"run/{TransferFolder.Report}"]);
        foreach (string text in (string[])["conv:fc.weight + narrow:fc3.weight \u2192 dense:fc2.weight", "+ narrow:\u200bfc3.\u200bweight", "rows or columns of all sources answer", "rows or columns of the source answer"]) Assert.Contains(text, page);
        output = await Succeeds("transfer", Describe(folder, three), "--dry-run");
        foreach (string line in (string[])["conv +fc.weight +10 +.* output +source, target", "narrow +fc2.weight +7 +9 +hidden +target\n"]) Assert.Matches(line, output);
        await Refuses("two transfers write to dense:fc2.weight: conv:fc.weight + narrow:fc3.weight -> dense:fc2.weight and conv:fc.weight -> dense:fc2.weight",
            "transfer", Describe(folder, three + "  - {from: 'conv:fc.weight', to: 'dense:fc2.weight'}\n"), "-o", folder["other"]);
        await Refuses("run.yml:14:5: transfers: narrow: the network has no parameter 'fc9.weight'", "transfer", Describe(folder, three.Replace(", narrow]", ", 'narrow:fc9.weight']")), "-o", folder["other"]);
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
        await Wrong("run.yml:13:5: dense:fc2.weight at rank 13 [12,24] needs a rank from 1 to 12", Two.Replace("'dense:fc2.weight'", "{model: dense, matrix: fc2.weight, rank: 13}"));
        await Wrong("run.yml:12:5: dense:fc2.weight -> dense:fc2.weight is from a matrix to itself", Two.Replace("'conv:fc.weight', to: 'dense:fc2.weight', cycle: 3, both: true, back_cycle: 2", "'dense:fc2.weight', to: 'dense:fc2.weight'").Replace("  conv: {model: {name: cnn, channels: [4, 6]}, steps: 2}\n", ""));
        await Wrong("run.yml:14:5: two transfers write to dense:fc2.weight", Two + "  - {from: 'conv:fc.weight', to: 'dense:fc2.weight'}\n");
        await Wrong("run.yml:13:5: dense:fc2.weight is frozen; a transfer writes to weights that are trained", Two.Replace("hidden: [24, 12]", "hidden: [24, 12], freeze: fc2"));
        await Wrong("dense: optimizer: no parameter of the model matches 'fc9'", Two.Replace("momentum: 0.5", "momentum: 0.5, no_decay: fc9"));
        await Wrong("run.yml:11:3: dense: the input", Two.Replace("'dense:fc2.weight'", "dense").Replace("{name: mlp, hidden: [24, 12]}", "{name: bert, depth: 1, hidden: 8, heads: 1, inner: 8, classes: 10}"));
        await Wrong("run.yml:11:3: dense: the network has no parameter to train", Two.Replace("hidden: [24, 12]", "hidden: [24, 12], freeze: fc").Replace("from: 'conv:fc.weight', to: 'dense:fc2.weight', cycle: 3, both: true, back_cycle: 2", "from: 'dense:fc2.weight', to: conv"));
        await Wrong("run.yml:11:3: dense: mlp:hidden=100000000/100000000: the network with 2 samples at a time is larger than tensors in memory can be", Two.Replace("[24, 12]", "[100000000, 100000000]"));
        File.WriteAllText(folder["w.safetensors"], "");
        await Wrong("w.safetensors is a file of weights, if it is a model at all: name the architecture that they are of and them beside it, {name: ARCHITECTURE, weights:", Two.Replace("{name: mlp, hidden: [24, 12]}", $"'{folder["w.safetensors"]}'"));
        await Wrong("dense: v.safetensors does not exist; a model is a name of the zoo", Two.Replace("{name: mlp, hidden: [24, 12]}", "v.safetensors"));
        await Wrong("has no config.json", Two.Replace("{name: mlp, hidden: [24, 12]}", $"'{folder.Path}'"));
        await Refuses($"{folder.Path} is a folder, expected a YAML file", "transfer", folder.Path);
        await Refuses($"{folder.Path} is a folder, expected a YAML file", "train", folder.Path);
        foreach (string[] dry in (string[][])[[], ["--dry-run"]])
        {
            await Wrong("run.yml is a file, so ", Two, ["-o", folder["run.yml/x"], .. dry]);
            await Wrong("run.yml is a file, expected a folder", Two, ["-o", folder["run.yml"], .. dry]);
        }

        foreach (string page in (string[])["result.json", "dense", "dense/model.onnx"]) await Wrong(" that the run makes itself; name another", Two, "-o", folder["run"], "--report", folder[$"run/{page}"]);
        await Wrong("name a folder", Two, "--quiet");
        await Wrong("--resume and --overwrite exclude each other", Two, "-o", folder["run"], "--resume", "--overwrite");
        Assert.False(Directory.Exists(folder["run"]));

        Directory.CreateDirectory(folder["run/dense"]);
        File.WriteAllText(folder["run/dense/precious.txt"], "mine");
        await Wrong("is not empty", Two);
        await Wrong("holds 'precious.txt', which a run of this kind does not leave", Two, "-o", folder["run"], "--overwrite");
        await Wrong("holds 'dense', which a run of this kind does not leave", Two.Replace("dense", "other"), "-o", folder["run"], "--overwrite");
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

        // Next to nothing is learned at such rates, and the adapter begins as the identity: what comes out is what was read.
        string run = Head.Replace("optimizer: adamw\nlr: 0.003\nepochs: 2", "optimizer: sgd\nlr: 1.0e-12\nepochs: 1").Replace("lr: 0.01", "lr: 1.0e-12") + $"models: {{a: '{folder["a"]}', b: {{model: {{name: mlp, hidden: [12, 8], weights: '{folder["b"]}'}}}}}}\n";
        await Succeeds("transfer", Describe(folder, run), "-o", folder["run"], "--no-solo", "-q");
        foreach (string name in (string[])["a", "b"])
        {
            using Checkpoint before = Checkpoint.Open(folder[$"{name}/best.safetensors"]), after = Checkpoint.Open(folder[$"run/{name}/model.safetensors"]);
            var there = TestModel.Read(folder[$"{name}/best.safetensors"]);
            foreach (var (tensor, left) in TestModel.Read(folder[$"run/{name}/model.safetensors"]).Select(tensor => (tensor.Key, tensor.Value.Values)))
                Assert.All(there[tensor].Values.Zip(left), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
            Assert.Equal(before.Tensors.Length, after.Tensors.Length);
        }

        await Refuses("is the folder of a run, which says what its model is; leave out 'hidden'", "transfer", Describe(folder, Head + $"models: {{a: {{model: {{name: '{folder["a"]}', hidden: 3}}}}}}\n"), "-o", folder["other"]);
        Assert.False(Directory.Exists(folder["other"]));
    }

    internal static void AssertSame(string a, string b, IEnumerable<string> files, string what)
    {
        foreach (string file in files) Assert.True(File.ReadAllBytes(Path.Combine(a, file)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(b, file))), $"{what}: {file} differs");
    }

    internal static string WithoutTimes(string file)
    {
        string text = File.ReadAllText(file);
        Assert.Contains("\"seconds\": {", text);
        return text[..text.IndexOf("\"seconds\": {", StringComparison.Ordinal)];
    }

    internal static string Describe(TemporaryFolder folder, string text)
    {
        File.WriteAllText(folder["run.yml"], text);
        return folder["run.yml"];
    }
}
