using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Merging.Recipes;
using Amalgam.Tests.Zoo.Report;
using Amalgam.Tests.Zoo.Runs;
using Amalgam.Training;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

public class SpliceCommandTests(SplicedModels models) : IClassFixture<SplicedModels>
{
    private static readonly string[] Results = [RunFolder.Model, RunFolder.Best, RunFolder.Onnx, RunFolder.BestOnnx, RunFolder.Result, SpliceFolder.Weights];

    private string A => models["a"];

    private string B => models["b"];

    [Fact]
    public async Task A_splice_leaves_a_network_that_evaluates_as_it_says()
    {
        using TemporaryFolder folder = new();
        string output = await Succeeds("splice", A, B, "--train", SplicedModels.Describe(folder), "-o", folder["out"]);
        Assert.Contains("operator for operator", output);
        Assert.All(RunFolder.All.Concat([SpliceFolder.Weights, SpliceFolder.Report]), name => Assert.True(File.Exists(Path.Combine(folder["out"], name)), name));

        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder["out"], RunFolder.Result)));
        Assert.True(result.RootElement.GetProperty("same_network").GetBoolean());
        Assert.Equal(["a", "b", "ensemble of outputs", "average of weights", "CKI in closed form", "splice before training", "learned splice"], Names(result));
        string data = "glyphs:train=360,test=100";
        Assert.Equal(Test(result, "a"), await Accuracy(A));
        Assert.Equal(Test(result, "b"), await Accuracy(B));
        Assert.Equal(Test(result, "learned splice"), await Accuracy(folder["out"]));
        Assert.Equal(Test(result, "learned splice"), await Accuracy(Path.Combine(folder["out"], RunFolder.BestOnnx), "--data", data));
        await Succeeds("merge", "-m", "cki", Path.Combine(A, RunFolder.Best), Path.Combine(B, RunFolder.Best), "-o", folder["closed.safetensors"]);
        Assert.Equal(Test(result, "CKI in closed form"), await Accuracy(folder["closed.safetensors"], "--data", data));
        await Succeeds("merge", "-m", "linear:include=*.weight", Path.Combine(A, RunFolder.Best), Path.Combine(B, RunFolder.Best), "-o", folder["average.safetensors"]);
        Assert.Equal(Test(result, "average of weights"), await Accuracy(folder["average.safetensors"], "--data", data));
        HtmlReportTests.Parse(File.ReadAllText(Path.Combine(folder["out"], SpliceFolder.Report)));
        await Refuses("amalgam splice runs this description", "train", Path.Combine(folder["out"], RunFolder.Description), "-o", folder["again"]);
    }

    [Fact]
    public async Task Shares_are_of_a_whole_and_quantiles_in_order()
    {
        using TemporaryFolder folder = new();
        await Succeeds("splice", A, B, A, "--train", SplicedModels.Describe(folder), "-o", folder["out"], "-q");
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder["out"], SpliceFolder.Weights)));
        Assert.Equal(3, json.RootElement.GetProperty("models").EnumerateArray().Select(m => m.GetString()).Distinct().Count());
        JsonElement[] weights = [.. json.RootElement.GetProperty("weights").EnumerateArray()];
        Assert.Equal(["fc1.weight", "fc2.weight"], weights.Select(w => w.GetProperty("name").GetString()!));
        foreach (JsonElement weight in weights)
        {
            double[] share = Numbers(weight, "share"), low = Numbers(weight, "share_5_percent"), high = Numbers(weight, "share_95_percent"), g = Numbers(weight, "g");
            Assert.Equal((3, 3), (share.Length, g.Length));
            Assert.Equal(1, share.Sum(), 1e-5);
            Assert.Equal(0.5, g.Average(), 1e-5);
            Assert.All(Enumerable.Range(0, 3), k => Assert.True(low[k] <= share[k] && share[k] <= high[k] && low[k] >= 0 && high[k] <= 1));
        }
    }

    [Theory]
    [InlineData("safetensors")]
    [InlineData("pt")]
    public async Task The_checkpoint_has_the_tensors_of_the_first_one(string format)
    {
        using TemporaryFolder folder = new();
        string first = folder[$"first.{format}"];
        await Succeeds("convert", Path.Combine(A, RunFolder.Best), first);
        await Succeeds("splice", first, B, "--model", "mlp:hidden=12", "--train", SplicedModels.Describe(folder), "-o", folder["out"], "-q");
        using Checkpoint written = Checkpoint.Open(Path.Combine(folder["out"], RunFolder.Best)), origin = Checkpoint.Open(first);
        Assert.Equal(origin.Tensors.Select(t => (t.Name, t.DType, t.Shape)), written.Tensors.Select(t => (t.Name, t.DType, t.Shape)));
        foreach (TensorEntry tensor in origin.Tensors)
        {
            written.TryFind(tensor.Name, out TensorEntry? made);
            Assert.Equal(tensor.Shape.Rank == 1, TestModel.Values(tensor).AsSpan().SequenceEqual(TestModel.Values(made!)));
        }

        Assert.Equal("mlp:hidden=12", written.Metadata[ModelLoader.ArchitectureKey]);
    }

    [Fact]
    public async Task A_model_spliced_with_itself_is_itself()
    {
        using TemporaryFolder folder = new();
        foreach (string method in (string[])["cki", "cki:splice=hard"])
        {
            await Succeeds("splice", "-m", method, A, A, "--train", SplicedModels.Describe(folder), "-o", folder["out"], "--overwrite", "-q");
            foreach (var (name, tensor) in TestModel.Read(Path.Combine(folder["out"], RunFolder.Model))) Assert.Equal(TestModel.Read(Path.Combine(A, RunFolder.Best))[name].Values, tensor.Values);
        }
    }

    [Theory]
    [InlineData("cki", "")]
    [InlineData("cki:splice=hard,biases=splice,start=zero", "train: all")]
    [InlineData("linear:per=layer,weight=0.8/0.4", "train: all")]
    [InlineData("linear:per=model", "loss: entropy")]
    public void The_baked_network_gives_what_the_trained_one_gives(string method, string more)
    {
        using TemporaryFolder folder = new();
        RunDescription run = RunDescription.Parse(File.ReadAllText(SplicedModels.Describe(folder, more)).Replace("validation: 60", "validation: 0"), "run.yml", new(""));
        Recipe recipe = RecipeFile.Parse(SimpleRecipe.Write(method, [A, B], null), "--method")[0];
        SpliceRun splice = new(new(recipe, method, run) { Baseline = false }, folder["out"]);
        SpliceResult result = splice.Train(splice.Before());
        Assert.True(result.IsSameNetwork);
        Tensor trained = Predictions.Of(splice.Integration.Graph, splice.Data.Test!, 40);
        Graph written = ModelLoader.Load(Path.Combine(folder["out"], RunFolder.Model));
        Tensor baked = Predictions.Of(written, splice.Data.Test!, 40);
        for (int i = 0; i < trained.Count; i++) Assert.Equal(trained.Span[i], baked.Span[i], 1e-6 * Math.Max(1, Math.Abs(trained.Span[i])));

        // Operator for operator, and not the same numbers.
        Graph first = ModelLoader.Load(Path.Combine(A, RunFolder.Best));
        Assert.True(NetworkSize.IsSame(first, written));
        Assert.Equal(NetworkSize.Of(first, 1), NetworkSize.Of(written, 1));
        Assert.False(NetworkSize.IsSame(first, ModelLoader.Load(Path.Combine(models["wide"], RunFolder.Best))));
    }

    [Fact]
    public async Task Threads_change_nothing()
    {
        using TemporaryFolder folder = new();
        string run = SplicedModels.Describe(folder, "train: all");
        await Succeeds("splice", A, B, "--train", run, "-o", folder["one"], "--threads", "1");
        await Succeeds("splice", A, B, "--train", run, "-o", folder["two"], "--threads", "2", "--quiet");
        AssertSame(folder["one"], folder["two"], [.. Results, SpliceFolder.Baseline]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task An_interrupted_splice_goes_on_to_the_same_bytes(int epochs)
    {
        using TemporaryFolder folder = new();
        string run = SplicedModels.Describe(folder, "train: all");
        await Succeeds("splice", A, B, "--train", run, "-o", folder["whole"], "-q");

        Recipe recipe = RecipeFile.Parse(SimpleRecipe.Write("cki", [A, B], null), "--method")[0];
        SpliceRun first = new(new(recipe, "cki", RunDescription.Read(run, new ModelDescription(""))), folder["parts"]);
        using CancellationTokenSource stop = new();
        int done = 0;
        Assert.Throws<OperationCanceledException>(() => first.Train(first.Before(), epochDone: (_, alone) =>
        {
            Assert.Equal(done >= 3, alone);
            if (++done == epochs) stop.Cancel();
        }, cancel: stop.Token));
        await Refuses("is not empty; --resume", "splice", A, B, "--train", run, "-o", folder["parts"]);
        await Refuses("another description", "splice", B, A, "--train", run, "-o", folder["parts"], "--resume");
        await Refuses("another description", "splice", "-m", "cki:splice=hard", A, B, "--train", run, "-o", folder["parts"], "--resume");
        await Succeeds("splice", A, B, "--train", run, "-o", folder["parts"], "--resume", "-q");
        AssertSame(folder["whole"], folder["parts"], [.. Results, SpliceFolder.Baseline]);
    }

    [Theory]
    [InlineData("merge_method: cki\nparameters: {local: learned, splice: hard, exclude: [fc2.*]}", "cki:splice=hard", "--exclude", "fc2.*")]
    [InlineData("merge_method: linear\nparameters: {weight: 1, per: layer, include: ['*.weight']}", "linear:per=layer", "--include", "*.weight")]
    [InlineData("merge_method: task_arithmetic\nbase_model: BASE\nparameters: {weight: 1, lambda: 0.3}", "task_arithmetic", "--base", "BASE")]
    [InlineData("merge_method: task_arithmetic\nbase_model: BASE\nparameters: {weight: 0.5, include: [fc2.*]}\ndtype: float32", "task_arithmetic:weight=0.5", "--base", "BASE", "--include", "fc2.*")]
    public async Task A_recipe_gives_the_bytes_of_the_command(string recipe, string method, params string[] options)
    {
        using TemporaryFolder folder = new();
        string run = SplicedModels.Describe(folder), a = Path.Combine(A, RunFolder.Best), b = Path.Combine(B, RunFolder.Best);
        string origin = Path.Combine(models["a"], RunFolder.Model);
        await Succeeds(["splice", "-m", method, a, b, "--train", run, "-o", folder["out"], .. options.Select(o => o == "BASE" ? origin : o), "-q"]);
        string train = string.Concat(File.ReadAllText(run).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => $"  {line}\n"));
        File.WriteAllText(folder["recipe.yml"], $"{recipe.Replace("BASE", origin)}\nmodels: [{{model: '{a}'}}, {{model: '{b}'}}]\ntrain:\n{train}");
        string plan = await Succeeds("merge", folder["recipe.yml"], "--dry-run");
        Assert.Contains(", learned", plan);
        Assert.Contains("numbers on 300 samples", plan);
        await Succeeds("merge", folder["recipe.yml"], folder["merged.safetensors"], "-q");
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder["out"], RunFolder.Best)), File.ReadAllBytes(folder["merged.safetensors"]));

        await Succeeds("merge", folder["recipe.yml"], folder["merged"], "-q", "--dtype", "bfloat16");
        Assert.True(File.Exists(Path.Combine(folder["merged"], "amalgam.yml")));
        Assert.All(TestModel.Read(folder["merged"]).Values, t => Assert.Equal(DType.BF16, t.DType));
    }

    [Fact]
    public async Task Onnx_files_stay_what_they_are()
    {
        using TemporaryFolder folder = new();
        string a = Path.Combine(A, RunFolder.BestOnnx), b = Path.Combine(B, RunFolder.BestOnnx);
        await Succeeds("splice", a, b, "--train", SplicedModels.Describe(folder), "-o", folder["out"], "-q");
        using OnnxModel origin = OnnxModel.Open(a), written = OnnxModel.Open(Path.Combine(folder["out"], RunFolder.BestOnnx));
        Assert.Equal(origin.Inputs.Select(i => i.Name), written.Inputs.Select(i => i.Name));
        Assert.Equal(origin.Outputs.Select(i => i.Name), written.Outputs.Select(i => i.Name));
        Assert.True(NetworkSize.IsSame(origin.ToGraph(batch: 2), written.ToGraph(batch: 2)));
        Assert.Equal(await Accuracy(folder["out"]), await Accuracy(Path.Combine(folder["out"], RunFolder.BestOnnx), "--data", "glyphs:train=360,test=100"));

        await Succeeds("splice", A, B, "--train", SplicedModels.Describe(folder), "-o", folder["plain"], "-q");
        Assert.Equal(await Accuracy(folder["plain"]), await Accuracy(folder["out"]));
    }

    [Fact]
    public async Task With_all_trained_the_first_model_is_trained_on_alone_beside()
    {
        using TemporaryFolder folder = new();
        string run = SplicedModels.Describe(folder, "train: all");
        await Succeeds("splice", A, B, "--train", run, "-o", folder["both"], "-q", "--exclude", "fc1.*");
        using JsonDocument both = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder["both"], RunFolder.Result)));
        Assert.Equal("a, trained on alone", Names(both)[^1]);
        Assert.Equal(Test(both, "a, trained on alone"), await Accuracy(Path.Combine(folder["both"], SpliceFolder.Baseline), "--data", "glyphs:train=360,test=100"));
        var before = TestModel.Read(Path.Combine(A, RunFolder.Best));
        var after = TestModel.Read(Path.Combine(folder["both"], RunFolder.Best));
        Assert.NotEqual(before["fc1.bias"].Values, after["fc1.bias"].Values);
        Assert.Equal(before["fc2.bias"].Values, after["fc2.bias"].Values);

        await Succeeds("splice", A, B, "--train", run, "-o", folder["one"], "-q", "--exclude", "fc1.*", "--no-baseline");
        using JsonDocument one = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder["one"], RunFolder.Result)));
        Assert.Equal("learned splice", Names(one)[^1]);
        AssertSame(folder["both"], folder["one"], [RunFolder.Best, RunFolder.Model]);
    }

    [Fact]
    public async Task Mistakes_are_refused_before_anything_is_written()
    {
        using TemporaryFolder folder = new();
        string run = SplicedModels.Describe(folder);
        await Refuses("takes two models or more, found 1", "splice", A, "--train", run, "-o", folder["out"]);
        await Refuses("'fc1.weight' has shape [12,784] in one model and [20,784] in another", "splice", A, models["wide"], "--train", run, "-o", folder["out"]);
        await Refuses("--base goes with methods of task vectors", "splice", A, B, "--base", A, "--train", run, "-o", folder["out"]);
        await Refuses("task_arithmetic needs base_model (--base)", "splice", "-m", "task_arithmetic", A, B, "--train", run, "-o", folder["out"]);
        await Refuses("learns the local term", "splice", "-m", "cki:local=fixed", A, B, "--train", run, "-o", folder["out"]);
        await Refuses("ties has nothing to learn", "splice", "-m", "ties", A, B, "--base", A, "--train", run, "-o", folder["out"]);
        await Refuses("there is no merge method 'kci' (did you mean 'cki'?)", "splice", "-m", "kci", A, B, "--train", run, "-o", folder["out"]);
        await Refuses("cki has no parameter 'splcie' (did you mean 'splice'?)", "splice", "-m", "cki:splcie=hard", A, B, "--train", run, "-o", folder["out"]);
        await Refuses("nothing is spliced", "splice", A, B, "--include", "fc1.*", "--exclude", "fc1.*", "--train", run, "-o", folder["out"]);
        await Refuses("there is no scope 'some' here", "splice", A, B, "--train", SplicedModels.Describe(folder, "train: some", "some.yml"), "-o", folder["out"]);
        await Refuses("name a folder", "splice", A, B, "--train", run);
        await Refuses("is not empty", "splice", A, B, "--train", run, "-o", models["wide"]);
        await Refuses("where the run leaves its files", "splice", A, B, "--train", run, "-o", A, "--overwrite");
        await Refuses("does not say of which architecture", "splice", Bare(folder), B, "--train", run, "-o", folder["out"]);
        Assert.False(Directory.Exists(folder["out"]));
    }

    [Fact]
    public async Task Recommenders_are_spliced_and_ranked()
    {
        UseRealData();
        using TemporaryFolder folder = new();
        string text = "data: {name: lastfm, validation: own, limit: 200}\nmodel: {name: din, items: 3647, size: 8}\nloss: bce\noptimizer: adam\nlr: 0.01\nepochs: 1\nbatch: 100\n";
        foreach (string name in (string[])["a", "b"])
        {
            File.WriteAllText(folder[$"{name}.yml"], $"{text}seed: {(int)name[0]}\n");
            await Succeeds("train", folder[$"{name}.yml"], "-o", folder[name], "-q");
        }

        await Succeeds("splice", folder["a"], folder["b"], "--train", folder["a.yml"], "--include", "head.*.weight", "-o", folder["out"], "-q");
        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder["out"], RunFolder.Result)));
        Assert.True(result.RootElement.GetProperty("same_network").GetBoolean());
        JsonElement learned = result.RootElement.GetProperty("networks").EnumerateArray().Last().GetProperty("test");
        using JsonDocument eval = JsonDocument.Parse(await Succeeds("eval", folder["out"], "--json"));
        foreach (string measure in (string[])["auc", "uauc", "ndcg@10", "hr@5"])
            Assert.Equal(learned.GetProperty(measure).GetDouble(), eval.RootElement.GetProperty("models")[0].GetProperty(measure).GetDouble());
    }

    [Fact]
    public async Task A_recommender_whose_weights_are_made_for_each_sample_keeps_the_splice_inside()
    {
        UseRealData();
        using TemporaryFolder folder = new();
        string text = "data: {name: lastfm, validation: own, limit: 200}\nmodel: {name: din, items: 3647, size: 8}\nloss: bce\noptimizer: adam\nlr: 0.01\nepochs: 1\nbatch: 100\n";
        File.WriteAllText(folder["a.yml"], text);
        File.WriteAllText(folder["b.yml"], text.Replace("size: 8", "size: 8, hyper: true"));
        foreach (string name in (string[])["a", "b"]) await Succeeds("train", folder[$"{name}.yml"], "-o", folder[name], "-q");
        File.WriteAllText(folder["all.yml"], $"{text}train: all\n");
        var (code, output, error) = await Run("splice", folder["a"], folder["b"], "--train", folder["all.yml"], "--include", "head.*.weight", "-o", folder["out"]);
        Assert.True(code == 0, error);
        Assert.Contains("cannot be baked", output);
        Assert.Contains("run with the splice inside", error);
        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder["out"], RunFolder.Result)));
        Assert.False(result.RootElement.GetProperty("same_network").GetBoolean());
        double Ndcg(string network) => result.RootElement.GetProperty("networks").EnumerateArray().Single(n => n.GetProperty("name").GetString() == network).GetProperty("test").GetProperty("ndcg@10").GetDouble();
        async Task<double> Evaluated(params string[] line)
        {
            using JsonDocument eval = JsonDocument.Parse(await Succeeds(["eval", .. line, "--json"]));
            return eval.RootElement.GetProperty("models")[0].GetProperty("ndcg@10").GetDouble();
        }

        Assert.Equal(Ndcg("learned splice"), await Evaluated(Path.Combine(folder["out"], RunFolder.BestOnnx), "--data", "lastfm"), 1e-4);
        Assert.Equal(Ndcg("learned splice"), await Evaluated(folder["out"]), 1e-4);

        // What trains, and what the result is compared with, is the network that makes weights.
        Assert.Contains("b has", output);
        Assert.Equal(Ndcg("b, trained on alone"), await Evaluated(Path.Combine(folder["out"], SpliceFolder.Baseline), "--data", "lastfm"), 1e-12);
        Assert.Equal(NetworkSize.Of(ModelLoader.Load(Path.Combine(folder["b"], RunFolder.Best), RunFolder.Find(folder["b"])!.Model, 32), 32).Parameters, result.RootElement.GetProperty("host").GetProperty("parameters").GetInt64());
        HtmlReportTests.Parse(File.ReadAllText(Path.Combine(folder["out"], SpliceFolder.Report)));
        using JsonDocument weights = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder["out"], SpliceFolder.Weights)));
        Assert.Equal([32, 16], weights.RootElement.GetProperty("weights")[0].GetProperty("shape").EnumerateArray().Select(s => s.GetInt32()));
    }

    [Fact]
    public async Task Folders_of_Hugging_Face_become_one_again()
    {
        using TemporaryFolder folder = new();
        string model = TinyTextModel.Write(folder["model"], TextFamily.Bert, 2), data = $"texts:train={folder["train.tsv"]},test={folder["test.tsv"]},length=12";
        TinyTextModel.WriteTexts(folder["train.tsv"], 96);
        TinyTextModel.WriteTexts(folder["test.tsv"], 24);
        string text = $"data: {{name: texts, validation: 16, options: {{train: '{folder["train.tsv"]}', test: '{folder["test.tsv"]}', columns: sentence, length: 12}}}}\noptimizer: adam\nlr: 0.005\nepochs: 2\nbatch: 8\n";
        foreach (string name in (string[])["a", "b"])
        {
            File.WriteAllText(folder["run.yml"], $"{text}model: {{name: '{model}'}}\nseed: {(int)name[0]}\n");
            await Succeeds("train", folder["run.yml"], "-o", folder[name], "-q");
        }

        File.WriteAllText(folder["run.yml"], text);
        string output = folder["out"];
        await Succeeds("splice", folder["a"], folder["b"], "--train", folder["run.yml"], "--include", "*classifier.weight", "--include", "*pooler*weight", "-o", output, "-q");
        using Checkpoint origin = Checkpoint.Open(folder["a"]), written = Checkpoint.Open(output);
        Assert.Equal(origin.Tensors.Select(t => (t.Name, t.DType, t.Shape)), written.Tensors.Select(t => (t.Name, t.DType, t.Shape)));
        Assert.Equal(["bert.pooler.dense.weight", "classifier.weight"], TestModel.Read(folder["a"]).Where(t => !t.Value.Values.AsSpan().SequenceEqual(TestModel.Read(output)[t.Key].Values)).Select(t => t.Key).Order());
        foreach (string name in (string[])["config.json", "vocab.txt"]) Assert.Equal(File.ReadAllBytes(Path.Combine(folder["a"], name)), File.ReadAllBytes(Path.Combine(output, name)));

        using JsonDocument result = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, RunFolder.Result)));
        Assert.Equal(Test(result, "learned splice"), await Accuracy(output));
        Assert.Equal(Test(result, "learned splice"), await Accuracy(Path.Combine(output, RunFolder.Onnx), "--data", $"{data},tokenizer={model}"));
        await Succeeds("splice", folder["a"], folder["b"], "--train", folder["run.yml"], "--include", "*classifier.weight", "-o", output, "-q", "--overwrite");

        string train = string.Concat(text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => $"  {line}\n"));
        File.WriteAllText(folder["recipe.yml"], $"merge_method: cki\nmodels: [{{model: '{folder["a"]}'}}, {{model: '{folder["b"]}'}}]\nparameters: {{local: learned, include: ['*classifier.weight']}}\ntrain:\n{train}");
        await Succeeds("merge", folder["recipe.yml"], folder["merged"], "-q");
        Assert.Equal(TestModel.Read(output)["classifier.weight"].Values, TestModel.Read(folder["merged"])["classifier.weight"].Values);
        Assert.Equal(await Accuracy(output), await Accuracy(folder["merged"], "--data", data));
    }

    /// <summary>Weights that do not say what they are of.</summary>
    private string Bare(TemporaryFolder folder)
    {
        using Checkpoint origin = Checkpoint.Open(Path.Combine(A, RunFolder.Best));
        return TestModel.Write(folder["bare.safetensors"], DType.F32, [.. origin.Tensors.Select(t => (t.Name, t.Shape, TestModel.Values(t)))]);
    }

    private static void AssertSame(string one, string two, IEnumerable<string> names) =>
        Assert.All(names, name => Assert.Equal(File.ReadAllBytes(Path.Combine(one, name)), File.ReadAllBytes(Path.Combine(two, name))));

    private static string[] Names(JsonDocument result) => [.. result.RootElement.GetProperty("networks").EnumerateArray().Select(n => n.GetProperty("name").GetString()!)];

    private static double Test(JsonDocument result, string name) =>
        result.RootElement.GetProperty("networks").EnumerateArray().First(n => n.GetProperty("name").GetString() == name).GetProperty("test").GetProperty("accuracy").GetDouble();

    private static double[] Numbers(JsonElement json, string name) => [.. json.GetProperty(name).EnumerateArray().Select(n => n.GetDouble())];

    private static async Task<double> Accuracy(params string[] line)
    {
        using JsonDocument json = JsonDocument.Parse(await Succeeds(["eval", .. line, "--json"]));
        return json.RootElement.GetProperty("models")[0].GetProperty("accuracy").GetDouble();
    }
}
