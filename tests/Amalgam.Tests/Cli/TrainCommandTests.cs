using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Cli;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

public class TrainCommandTests
{
    private const string Small = """
        data: {name: glyphs, options: {train: 1700, test: 500}, validation: 200, mean: [0.2], std: [0.3]}
        model: {name: mlp, hidden: [64]}
        optimizer: {name: adamw, no_decay: bias}
        schedule: {name: cosine, warmup: 0.5}
        lr: 0.003
        epochs: 3
        batch: 64

        """;

    [Fact]
    public async Task A_folder_that_no_run_left_is_not_touched_by_resume()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["run"]);
        File.WriteAllText(folder["run/model.safetensors"], "precious");
        await Refuses("it holds no interrupted run", "train", Describe(folder, Small), "-o", folder["run"], "--resume");
        Assert.Equal("precious", File.ReadAllText(folder["run/model.safetensors"]));
    }

    [Fact]
    public async Task A_model_in_the_output_folder_is_not_replaced_by_what_it_becomes()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["run"]);
        File.WriteAllText(folder["run/net.yml"], "input: [1, 28, 28]\nlayers: [flatten, {linear: {name: fc, features: 10}}]\n");
        string run = folder["run.yml"];
        File.WriteAllText(run, $"data: {{name: glyphs, options: {{train: 50, test: 20}}}}\nmodel: {{name: {folder["run/net.yml"]}}}\nlr: 0.1\nepochs: 1\n");
        await Refuses("would replace it", "train", run, "-o", folder["run"], "--overwrite");
        Assert.True(File.Exists(folder["run/net.yml"]));
    }

    [Fact]
    public async Task A_run_leaves_a_network_that_evaluates_as_it_says()
    {
        using TemporaryFolder folder = new();
        string target = folder["run"], output = await Succeeds("train", Describe(folder, Small), "-o", target);
        Assert.Equal(3, output.Split("\nepoch ").Length - 1 + (output.StartsWith("epoch ") ? 1 : 0));
        Assert.Equal(3, File.ReadAllLines(Path.Combine(target, RunFolder.Metrics)).Length);
        Assert.All(RunFolder.All, name => Assert.True(File.Exists(Path.Combine(target, name)), name));

        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(Path.Combine(target, RunFolder.Result)));
        double last = result.RootElement.GetProperty("test").GetProperty("accuracy").GetDouble(), best = result.RootElement.GetProperty("test_of_best").GetProperty("accuracy").GetDouble();
        Assert.True(last > 0.4, $"{last}");
        Assert.Equal(best, await Accuracy(target));
        Assert.Equal(last, await Accuracy(Path.Combine(target, RunFolder.Onnx), "--data", "glyphs:test=500", "--mean", "0.2", "--std", "0.3"));
        Assert.Equal(last, await Accuracy(Path.Combine(target, RunFolder.Model), "--data", "glyphs:test=500", "--mean", "0.2", "--std", "0.3"));

        await Refuses("is not empty; --resume", "train", Describe(folder, Small), "-o", target);
        Assert.Contains("3 epochs", await Succeeds("train", Describe(folder, Small), "-o", target, "--resume"));
        await Refuses("another description", "train", Describe(folder, Small + "seed: 2"), "-o", target, "--resume");
    }

    [Fact]
    public async Task What_is_left_does_not_depend_on_threads_or_on_where_it_lies()
    {
        using TemporaryFolder folder = new();
        await Succeeds("train", Describe(folder, Small), "-o", folder["a"], "--threads", "1");
        await Succeeds("train", Describe(folder, Small), "-o", folder["b"], "--threads", "2", "--quiet");
        foreach (string name in (string[])[RunFolder.Model, RunFolder.Best, RunFolder.Onnx, RunFolder.Result])
            Assert.Equal(File.ReadAllBytes(Path.Combine(folder["a"], name)), File.ReadAllBytes(Path.Combine(folder["b"], name)));

        // The description that was left is that of the same run.
        await Succeeds("train", Path.Combine(folder["a"], RunFolder.Description), "-o", folder["c"]);
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder["a"], RunFolder.Model)), File.ReadAllBytes(Path.Combine(folder["c"], RunFolder.Model)));
    }

    [Fact]
    public async Task An_interrupted_run_goes_on_to_the_same_bytes()
    {
        using TemporaryFolder folder = new();
        await Succeeds("train", Describe(folder, Small), "-o", folder["whole"]);
        RunDescription run = RunDescription.Parse(Small, "run.yml");
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() => new TrainingRun(run, folder["parts"]).Train(epochDone: _ => stop.Cancel(), cancel: stop.Token));
        await Refuses("has not ended", "eval", folder["parts"]);
        await Succeeds("train", Describe(folder, Small), "-o", folder["parts"], "--resume");
        foreach (string name in (string[])[RunFolder.Model, RunFolder.Best, RunFolder.Onnx, RunFolder.Result])
            Assert.Equal(File.ReadAllBytes(Path.Combine(folder["whole"], name)), File.ReadAllBytes(Path.Combine(folder["parts"], name)));
    }

    [Fact]
    public async Task A_network_that_was_left_can_be_trained_further()
    {
        using TemporaryFolder folder = new();
        await Succeeds("train", Describe(folder, Small), "-o", folder["first"]);
        string onnx = Path.Combine(folder["first"], RunFolder.Onnx), weights = Path.Combine(folder["first"], RunFolder.Model);
        double first = await Accuracy(folder["first"]);
        foreach (string model in (string[])[$"model: '{onnx}'", $"model: {{name: mlp, hidden: [64], weights: '{weights}', freeze: fc1}}"])
        {
            string text = Small.Replace("model: {name: mlp, hidden: [64]}", model).Replace("epochs: 3", "epochs: 1").Replace("lr: 0.003", "lr: 0.0003");
            await Succeeds("train", Describe(folder, text), "-o", folder["second"], "--overwrite");
            Assert.True(await Accuracy(folder["second"]) > first - 0.05);
            bool frozen = TestModel.Read(weights)["fc1.weight"].Values.AsSpan().SequenceEqual(TestModel.Read(Path.Combine(folder["second"], RunFolder.Model))["fc1.weight"].Values);
            Assert.Equal(model.Contains("freeze"), frozen);
        }
    }

    [Theory]
    [InlineData("data: {name: ml-100k, validation: own, limit: 3000}\nmodel: {name: din, items: 1683, size: 8}\nloss: bce\n")]
    [InlineData("data: {name: lastfm-next, validation: own, limit: 1500}\nmodel: {name: iclrec, items: 3647, size: 8, depth: 1}\n")]
    public async Task A_recommenders_best_epoch_has_the_largest_ndcg_on_validation_data(string what)
    {
        UseRealData();
        using TemporaryFolder folder = new();
        string target = folder["run"], output = await Succeeds("train", Describe(folder, what + "optimizer: adam\nlr: 0.01\nepochs: 3\nbatch: 100\n"), "-o", target);
        Assert.Matches(@"\nepoch 3  loss .*  validation: NDCG@10 0\.\d{4}, ", output);
        double[] merits = [.. File.ReadAllLines(Path.Combine(target, RunFolder.Metrics)).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("validation_merit").GetDouble())];
        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(Path.Combine(target, RunFolder.Result)));
        Assert.Equal(merits.Max(), merits[result.RootElement.GetProperty("best_epoch").GetInt32() - 1]);
        Assert.Equal(merits.Max(), await Ndcg("--validation-data"), 1e-9);
        Assert.Equal(result.RootElement.GetProperty("test_of_best").GetProperty("ndcg@10").GetDouble(), await Ndcg(), 1e-9);

        async Task<double> Ndcg(params string[] options)
        {
            using JsonDocument json = JsonDocument.Parse(await Succeeds(["eval", target, "--json", .. options]));
            return json.RootElement.GetProperty("models")[0].GetProperty("ndcg@10").GetDouble();
        }
    }

    [Fact]
    public async Task Mistakes_are_refused_before_anything_is_written()
    {
        using TemporaryFolder folder = new();
        await Refuses("run.yml:1:7: expected", "train", Describe(folder, "data: []\n" + Small[(Small.IndexOf('\n') + 1)..]), "-o", folder["run"]);
        await Refuses("name a folder", "train", Describe(folder, Small));
        await Refuses("there is no model 'mpl' (did you mean 'mlp'?)", "train", Describe(folder, Small.Replace("mlp", "mpl")), "-o", folder["run"]);
        await Refuses("mlp has no option 'hiden'", "train", Describe(folder, Small.Replace("hidden", "hiden")), "-o", folder["run"]);
        await Refuses("no parameter of the model matches 'basi'", "train", Describe(folder, Small.Replace("no_decay: bias", "no_decay: basi")), "-o", folder["run"]);
        await Refuses("glyphs has no validation part of its own", "train", Describe(folder, Small.Replace("validation: 200", "validation: own")), "-o", folder["run"]);
        await Refuses("cannot be held out", "train", Describe(folder, Small.Replace("validation: 200", "validation: 1000000")), "-o", folder["run"]);
        await Refuses("there is no class 10", "train", Describe(folder, Small.Replace("validation: 200", "classes: [3, 10]")), "-o", folder["run"]);
        await Refuses("class 3 is named twice", "train", Describe(folder, Small.Replace("validation: 200", "classes: [3, 3]")), "-o", folder["run"]);
        await Refuses("glyphs has no option 'trian' (did you mean 'train'?)", "train", Describe(folder, Small.Replace("train: 1700", "trian: 1700")), "-o", folder["run"]);
        await Refuses("--resume and --overwrite exclude each other", "train", Describe(folder, Small), "-o", folder["run"], "--resume", "--overwrite");
        await Refuses("'target' [64,10] is filled by no field", "train", Describe(folder, Small + "loss: mse"), "-o", folder["run"]);
        Assert.False(Directory.Exists(folder["run"]));

        Directory.CreateDirectory(folder["mine"]);
        File.WriteAllText(Path.Combine(folder["mine"], "thesis.txt"), "");
        await Refuses("holds 'thesis.txt'", "train", Describe(folder, Small), "-o", folder["mine"], "--overwrite");
    }

    [Fact]
    public async Task A_network_that_is_too_small_for_the_data_is_refused_before_anything_is_written()
    {
        using TemporaryFolder folder = new();
        string few = Small.Replace("hidden: [64]", "hidden: [64], classes: 5"), run = folder["run"];
        const string FewClasses = "the network gives a score for each of 5 classes, glyphs has 10: set classes: 10 of the model";
        await Refuses(FewClasses, "train", Describe(folder, few), "-o", run);
        await Refuses(FewClasses, "distill", Describe(folder, few + "distill: tf_kd_reg\n"), "-o", run);
        await Refuses($"b: {FewClasses}", "transfer", Describe(folder, Together(few)), "-o", run);
        await Refuses($"b: {FewClasses}", "transfer", Describe(folder, Together(few)), "--dry-run");

        // Of classes that no sample has none is missed.
        await Succeeds("train", Describe(folder, few.Replace("validation: 200", "classes: [5, 6, 7, 8, 9]")), "-o", folder["five"], "-q");

        string words = "data: {name: captions, options: {train: 60, validation: 20, test: 20}, validation: own}\nmodel: {name: two_tower, vocabulary: 20, image_hidden: 16, text_hidden: 16, image_depth: 1, text_depth: 1, embedding: 8}\nloss: contrastive\nlr: 0.001\nepochs: 1\n";
        await Refuses("the network has rows for 20 ids, captions has 94, 0 among them: set vocabulary: 94 of the model", "train", Describe(folder, words), "-o", run);
        Assert.False(Directory.Exists(run));

        static string Together(string run) => run.Replace("model: {name: mlp, hidden: [64], classes: 5}", "models:\n  a: {model: {name: mlp, hidden: [64]}}\n  b: {model: {name: mlp, hidden: [64], classes: 5}}");
    }

    [Fact]
    public async Task A_file_that_holds_its_number_of_samples_is_trained_with_that_one()
    {
        using TemporaryFolder folder = new();
        Graph graph = new();
        Random random = new(3);
        Node weight = graph.Parameter("w", new Tensor(new(784, 10), [.. Enumerable.Range(0, 7840).Select(_ => random.NextSingle() / 20 - 0.025f)]));
        graph.Output("y", graph.Input("image", new(20, 1, 28, 28)).ReshapeTo(new(20, 784)).MatMul(weight));
        OnnxModel.Write(graph, folder["fixed.onnx"]);
        string text = Small.Replace("{name: mlp, hidden: [64]}", $"'{folder["fixed.onnx"]}'").Replace(", no_decay: bias", "").Replace("epochs: 3", "epochs: 1");
        const string Said = "holds a batch of 20 and does not take 64: write batch: 20, or export";
        await Refuses($"the network {Said}", "train", Describe(folder, text), "-o", folder["run"]);
        string twenty = text.Replace("batch: 64", "batch: 20");
        await Refuses("does not take 10 (the last 10 of 1,510 samples do not fill a batch", "train", Describe(folder, twenty.Replace("validation: 200", "validation: 190")), "-o", folder["run"]);
        string taught = $"{Small}distill: {{teachers: '{folder["fixed.onnx"]}'}}\n";
        await Refuses(Said, "distill", Describe(folder, taught), "-o", folder["run"]);
        Assert.False(Directory.Exists(folder["run"]));

        await Succeeds("train", Describe(folder, twenty), "-o", folder["run"], "-q");
        await Succeeds("distill", Describe(folder, taught.Replace("batch: 64", "batch: 20")), "-o", folder["student"], "-q");
    }

    [Fact]
    public async Task The_folder_of_a_run_is_a_model_to_go_on_from()
    {
        using TemporaryFolder folder = new();
        await Succeeds("train", Describe(folder, Small), "-o", folder["first"], "-q");
        string on = Small.Replace("lr: 0.003", "lr: 0.0003"), weights = folder["first/best.safetensors"], file = on.Replace("[64]", $"[64], weights: '{weights}'");
        await Succeeds("train", Describe(folder, file), "-o", folder["file"], "-q");
        foreach (string model in (string[])[$"'{folder["first"]}'", $"{{name: '{folder["first"]}'}}", $"{{name: mlp, hidden: [64], weights: '{folder["first"]}'}}"])
        {
            await Succeeds("train", Describe(folder, on.Replace("{name: mlp, hidden: [64]}", model)), "-o", folder["folder"], "--overwrite", "-q");
            foreach (string name in (string[])[RunFolder.Model, RunFolder.Best, RunFolder.Onnx, RunFolder.Result]) Assert.Equal(File.ReadAllBytes(folder[$"file/{name}"]), File.ReadAllBytes(folder[$"folder/{name}"]));
        }

        string student = on.Replace("{name: mlp, hidden: [64]}", $"'{folder["first"]}'") + "distill: {method: tf_kd_reg}\n";
        await Succeeds("distill", Describe(folder, student), "-o", folder["student"], "-q");
        Assert.Equal(await Accuracy(folder["student"]), await Accuracy(folder["student/best.onnx"], "--data", "glyphs:test=500", "--mean", "0.2", "--std", "0.3"));
        await Refuses("which says what its model is; leave out 'hidden'", "train", Describe(folder, on.Replace("name: mlp", $"name: '{folder["first"]}'")), "-o", folder["x"]);
    }

    [Fact]
    public async Task What_keys_come_to_is_said()
    {
        using TemporaryFolder folder = new();
        string large = Small.Replace("batch: 64", "batch: 5000\ndrop_last: true").Replace("epochs: 3", "epochs: 1");
        var (code, output, error) = await Run("train", Describe(folder, large), "-o", folder["run"]);
        Assert.Equal(0, code);
        Assert.StartsWith("1 step, ", error);
        Assert.Contains("note: a batch of 5,000 is more than the 1,500 samples, so all of them are one batch and drop_last leaves none out", error);
        Assert.Contains("\n1 epoch in ", output);

        await Refuses("run.yml:1:1: 'models' is no key of a run: this is a description for amalgam transfer", "train", Describe(folder, "models: {a: {}}\nlr: 1\n"), "-o", folder["x"]);
        await Refuses("a recipe for amalgam merge", "train", Describe(folder, "merge_method: linear\nmodels: []\n"), "-o", folder["x"]);
    }

    [Fact]
    public async Task A_diverging_run_is_stopped_with_advice()
    {
        using TemporaryFolder folder = new();
        await Refuses("lower the learning rate", "train", Describe(folder, Small.Replace("adamw, no_decay: bias", "sgd").Replace("lr: 0.003", "lr: 1e12")), "-o", folder["run"], "--quiet");
    }

    [Fact]
    public void Progress_is_one_line()
    {
        TrainingProgress progress = new(3, 10, 25, 100, 0.12345, 0.9621, 5120.4, TimeSpan.FromSeconds(42));
        Assert.Equal("[#####---------------]  25%  epoch 3/10  loss 0.1235  96.21% right  5,120/s  0:42 left", Progress.Line(progress, bar: true));
        Assert.Equal(" 25%  epoch 3/10  loss 0.1235  5,120/s  0:42 left", Progress.Line(progress with { Accuracy = null }, bar: false));
    }

    [Fact]
    public async Task A_student_learns_from_teachers_that_are_named()
    {
        using TemporaryFolder folder = new();
        await Succeeds("train", Describe(folder, Small), "-o", folder["teacher"]);
        string student = Small.Replace("[64]", "[8]") + $"distill: {{teachers: ['{folder["teacher"]}', '{folder["teacher/model.onnx"]}'], alpha: 1, temperature: 2}}\n";
        byte[] teacher = File.ReadAllBytes(folder["teacher/best.safetensors"]);
        await Succeeds("train", Describe(folder, student), "-o", folder["student"], "--quiet");

        Assert.Equal(teacher, File.ReadAllBytes(folder["teacher/best.safetensors"]));
        using (Checkpoint checkpoint = Checkpoint.Open(folder["student/model.safetensors"])) Assert.Equal(["fc1.bias", "fc1.weight", "fc2.bias", "fc2.weight"], checkpoint.Tensors.Select(t => t.Name).Order());
        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(folder["student/result.json"]));
        Assert.True(result.RootElement.GetProperty("test").GetProperty("accuracy").GetDouble() > 0.3);
        Assert.Equal(result.RootElement.GetProperty("test").GetProperty("accuracy").GetDouble(), await Accuracy(folder["student/model.onnx"], "--data", "glyphs:test=500", "--mean", "0.2", "--std", "0.3"));

        await Refuses("another description", "train", Describe(folder, student.Replace("alpha: 1", "alpha: 0.9")), "-o", folder["student"], "--resume");
        await Succeeds("train", Describe(folder, Small + "seed: 9"), "-o", folder["teacher"], "--overwrite", "--quiet");
        await Refuses("another description", "train", Describe(folder, student), "-o", folder["student"], "--resume");
        await Refuses("goes with the loss cross_entropy", "train", Describe(folder, student + "loss: mse\n"), "-o", folder["other"]);
        await Refuses("does not exist", "train", Describe(folder, student.Replace(folder["teacher"], folder["nobody"])), "-o", folder["other"]);
    }

    private static string Describe(TemporaryFolder folder, string text)
    {
        File.WriteAllText(folder["run.yml"], text);
        return folder["run.yml"];
    }

    private static async Task<double> Accuracy(params string[] line)
    {
        using JsonDocument json = JsonDocument.Parse(await Succeeds(["eval", .. line, "--json"]));
        return json.RootElement.GetProperty("models")[0].GetProperty("accuracy").GetDouble();
    }
}
