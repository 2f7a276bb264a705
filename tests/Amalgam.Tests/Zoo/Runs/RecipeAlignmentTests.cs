using Amalgam.Alignment;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Tests.Alignment;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Zoo.Runs;

/// <summary>Recipes with a section <c>align</c>, from the file to the merged network.</summary>
public sealed class RecipeAlignmentTests(TwinFiles files) : IClassFixture<TwinFiles>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("method: weights")]
    [InlineData("method: mudsc\n  reset: none\n  data: DATA")]
    public async Task A_twin_averages_to_its_parent(string align)
    {
        await Merge($"merge_method: linear\nmodels: [{{model: PARENT}}, {{model: TWIN}}]\nparameters: {{weight: 1}}\nalign:\n  {align}", "ab.safetensors");
        AssertSame(files["parent.safetensors"], _folder["ab.safetensors"]);
    }

    [Fact]
    public async Task Task_vectors_are_those_from_the_base_when_a_model_comes_in_another_order()
    {
        Graph origin = TwinFiles.Network(1), a = Nudged(origin, 21), b = Nudged(origin, 22);
        foreach (var (name, graph) in new[] { ("base", origin), ("a", a), ("b", b), ("b-moved", TwinFiles.Moved(b, 5)) }) Save(name, graph);
        const string Ties = "merge_method: ties\nbase_model: BASE\nmodels: [{model: A}, {model: B}]\nparameters: {weight: 1, density: 0.4}";
        await Merge(Ties, "expected.safetensors", ("B", "b.safetensors"));
        await Merge($"{Ties}\nalign: {{method: rebasin}}", "found.safetensors", ("B", "b-moved.safetensors"));
        AssertSame(_folder["expected.safetensors"], _folder["found.safetensors"]);
    }

    [Fact]
    public async Task Zipped_models_are_spliced_as_the_files_in_between_are()
    {
        await Merge("merge_method: cki\nmodels: [{model: PARENT}, {model: STRANGER}]\nalign: {method: zipit, data: DATA, samples: 120, reset: none}", "spliced.safetensors", [], "--intermediate-dir", _folder["stages"]);
        string a = Path.Combine(_folder["stages"], ".aligned", "model-1.safetensors"), b = Path.Combine(_folder["stages"], ".aligned", "model-2.safetensors");
        await Succeeds("merge", "-m", "cki:biases=average", a, b, "-o", _folder["expected.safetensors"]);
        AssertSame(_folder["expected.safetensors"], _folder["spliced.safetensors"]);

        // The mean of the zipped models is what amalgam align makes of them.
        await Succeeds("merge", "-m", "linear", a, b, "-o", _folder["mean.safetensors"]);
        await Succeeds("align", files["parent.safetensors"], files["stranger.safetensors"], "--method", "zipit", "--data", files["data.npz"], "--samples", "120", "--reset", "none", "-o", _folder["zipped.safetensors"]);
        var (mean, zipped) = (TestModel.Read(_folder["mean.safetensors"]), TestModel.Read(_folder["zipped.safetensors"]));
        foreach (var (name, tensor) in mean) for (int i = 0; i < tensor.Values.Length; i++) Assert.Equal(tensor.Values[i], zipped[name].Values[i], 1e-6f);
    }

    [Fact]
    public async Task What_a_method_leaves_to_one_model_is_the_mean_of_all_after_a_zip()
    {
        OnnxModel.Write(SmallNetworks.Convolutional(2, 6), _folder["other.onnx"], new("batch"));
        await Merge($"merge_method: cki\nmodels: [{{model: ONNX}}, {{model: {_folder["other.onnx"]}}}]\nalign: {{method: zipit, data: IMAGES, batch: 20, reset: none}}", "ab.onnx", [], "--intermediate-dir", _folder["stages"]);
        var shares = new[] { 1, 2 }.Select(i => TestModel.Read(Path.Combine(_folder["stages"], ".aligned", $"model-{i}.onnx"))).ToArray();
        string[] vectors = [.. shares[0].Where(t => t.Value.Shape.Rank == 1).Select(t => t.Key)];
        Assert.Contains(vectors, name => shares[0][name].Values.Any(x => x == 0)); // units that are none of the first model's
        var merged = TestModel.Read(_folder["ab.onnx"]);
        foreach (string name in vectors)
            for (int i = 0; i < merged[name].Values.Length; i++) Assert.Equal((shares[0][name].Values[i] + shares[1][name].Values[i]) / 2, merged[name].Values[i], 1e-6f);
    }

    [Fact]
    public async Task Running_statistics_are_estimated_anew_and_nothing_else_changes()
    {
        await Merge("merge_method: linear\nmodels: [{model: ONNX}, {model: ONNX2}]\nparameters: {weight: 1}\nalign: {method: weights, data: IMAGES, batch: 20}", "ab.onnx");
        using OnnxModel file = OnnxModel.Open(files["parent.onnx"]);
        Graph parent = Surgery.Copy(file.ToGraph());
        BatchNormReset.Run(parent, RunData.OpenTrain(new(files["images.npz"])), 20);
        var merged = TestModel.Read(_folder["ab.onnx"]);
        foreach (var (name, node) in parent.Parameters) for (int i = 0; i < node.Value!.Count; i++) Assert.Equal(node.Value.Span[i], merged[name].Values[i], 1e-5f);
        Assert.NotEqual(TestModel.Read(files["parent.onnx"])["norm1.running_mean"].Values, merged["norm1.running_mean"].Values);
    }

    [Fact]
    public async Task A_folder_of_Hugging_Face_is_built_by_its_configuration()
    {
        string parent = TinyTextModel.Write(_folder["bert"], TextFamily.Bert, 2), twin = TinyTextModel.Write(_folder["twin"], TextFamily.Bert, 2);
        Graph moved = TwinFiles.Moved(HuggingFace.Load(twin).Graph, 8);
        GraphWeights.Save(moved, Path.Combine(twin, "model.safetensors"), overwrite: true);
        await Merge("merge_method: linear\nmodels: [{model: HF}, {model: HF2}]\nparameters: {weight: 1}\nalign: {method: weights}", "ab", [("HF2", twin), ("HF", parent)]);
        AssertSame(Path.Combine(parent, "model.safetensors"), _folder["ab"]);
        Assert.True(HuggingFace.IsModel(_folder["ab"]));

        await Succeeds("align", parent, twin, "--method", "weights", "-o", _folder["aligned"]);
        AssertSame(Path.Combine(parent, "model.safetensors"), _folder["aligned"]);
        Assert.Equal(File.ReadAllText(Path.Combine(twin, "config.json")), File.ReadAllText(Path.Combine(_folder["aligned"], "config.json")));
    }

    [Fact]
    public async Task What_a_run_had_aligned_is_kept_for_the_next()
    {
        const string Recipe = "merge_method: linear\nmodels: [{model: PARENT}, {model: TWIN}]\nparameters: {weight: 1}\nalign: {method: weights}";
        await Merge(Recipe, "first.safetensors", [], "--intermediate-dir", _folder["stages"]);
        string aligned = Path.Combine(_folder["stages"], ".aligned", "model-2.safetensors");
        DateTime written = new(2020, 1, 2, 3, 4, 6, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(aligned, written);
        await Merge(Recipe, "second.safetensors", [], "--intermediate-dir", _folder["stages"], "--resume");
        Assert.Equal(written, File.GetLastWriteTimeUtc(aligned));
        AssertSame(_folder["first.safetensors"], _folder["second.safetensors"]);

        await Merge(Recipe.Replace("weights", "weights, pins: [fc1*]"), "third.safetensors", [], "--intermediate-dir", _folder["stages"]);
        Assert.NotEqual(TestModel.Read(_folder["first.safetensors"])["fc1.weight"].Values, TestModel.Read(_folder["third.safetensors"])["fc1.weight"].Values);
    }

    [Fact]
    public async Task A_dry_run_says_what_would_be_aligned()
    {
        string output = await Merge("merge_method: linear\nmodels: [{model: PARENT}, {model: TWIN}]\nparameters: {weight: 1}\nalign: {method: mudsc, alpha: 0.3, data: DATA, samples: 50}", "ab.safetensors", [], "--dry-run");
        Assert.Contains("into the order of", output);
        Assert.Contains("by mudsc, alpha 0.3, on 50 samples", output);
        Assert.Contains("44 units in 2 groups", output);
        Assert.False(Path.Exists(_folder["ab.safetensors"]));
    }

    [Fact]
    public async Task The_page_of_a_recipe_shows_its_result()
    {
        await Merge("merge_method: slerp\nbase_model: PARENT\nmodels: [{model: PARENT}, {model: TWIN}]\nparameters: {t: 0.5}\nalign: {method: mudsc, reset: none, data: DATA}", "ab.safetensors", [], "--report", _folder["r.html"]);
        Assert.Contains("slerp of the matched networks", File.ReadAllText(_folder["r.html"]));
        await Refuses("has no section 'align'", "merge", "-m", "linear", files["parent.safetensors"], files["twin.safetensors"], "-o", _folder["x.safetensors"], "--report", _folder["x.html"]);
    }

    [Theory]
    [InlineData("align: {method: mudcs}", ":4:17: there is no method 'mudcs' that aligns (did you mean 'mudsc'?)")]
    [InlineData("align: {methd: mudsc}", ":4:9: align has no key 'methd' (did you mean 'method'?)")]
    [InlineData("align: {method: mudsc}", ":4:1: align: mudsc looks at what units compute and needs 'data'")]
    [InlineData("align: {alpha: 2, data: DATA}", "expected a number from 0 to 1, or search, found '2'")]
    [InlineData("align: {method: weights, reset: batch}", "there is no reset 'batch' here")]
    [InlineData("align: {method: weights, matching: zap}", "there is no matching 'zap' here (did you mean 'zip'?)")]
    [InlineData("align: {method: weights, similarity: euclid}", "there is no measure 'euclid' here")]
    [InlineData("align: {method: weights, samples: 0}", "expected a whole number from 1 on, or all, found '0'")]
    [InlineData("align: {method: weights, pins: [fc9]}", "the pin 'fc9' names no units")]
    [InlineData("align: {method: weights, data: {nam: x}}", "data has no key 'nam'")]
    [InlineData("align: {method: weights, reset: repair}", "statistics are estimated anew on data")]
    [InlineData("align: {method: weights, similarity: cosine}", ":4:38: similarity is about activations, and weights does not look at them")]
    [InlineData("align: {method: weights, alpha: 0.3}", "alpha is the share of weights where weights and activations are compared; weights compares one of them")]
    [InlineData("align: {permutations: p.json, matching: zip}", "matching has no effect where a file says where the units go")]
    [InlineData("align: {method: weights, data: DATA, tasks: [[0, 1], [2, 16]]}", "there is no class 16")]
    [InlineData("align: {method: weights, data: DATA, tasks: [[0, 1], [2, 1]]}", "class 1 is named twice")]
    [InlineData("align: {method: weights, model: mpl}", "there is no model 'mpl'")]
    public async Task Mistakes_are_told_with_their_place(string align, string message)
    {
        string recipe = Fill($"merge_method: linear\nmodels: [{{model: PARENT}}, {{model: {(align.Contains("mpl") ? "BARE" : "TWIN")}}}]\nparameters: {{weight: 1}}\n{align}", []);
        await Refuses(message, "merge", Written(recipe), _folder["ab.safetensors"]);
        Assert.False(Path.Exists(_folder["ab.safetensors"]));
        Assert.False(Path.Exists(_folder["ab.safetensors.stages"]));
    }

    [Fact]
    public async Task Zips_have_no_differences_from_a_base()
    {
        string recipe = Fill("merge_method: ties\nbase_model: PARENT\nmodels: [{model: TWIN}, {model: STRANGER}]\nparameters: {weight: 1, density: 1}\nalign: {method: weight_zip}", []);
        await Refuses("ties takes differences from a base, and zipped models have none", "merge", Written(recipe), _folder["ab.safetensors"]);
    }

    [Fact]
    public async Task Weights_without_a_graph_ask_for_one()
    {
        TestModel.Write(_folder["bare-a.safetensors"], DType.F32, ("w", new(2, 2), [1, 2, 3, 4]));
        TestModel.Write(_folder["bare-b.safetensors"], DType.F32, ("w", new(2, 2), [1, 2, 3, 4]));
        string recipe = $"merge_method: linear\nmodels: [{{model: {_folder["bare-a.safetensors"]}}}, {{model: {_folder["bare-b.safetensors"]}}}]\nparameters: {{weight: 1}}\nalign: {{method: weights}}";
        await Refuses("does not say of which architecture: name it by the key 'model' of the section align", "merge", Written(recipe), _folder["ab.safetensors"]);
    }

    private Task<string> Merge(string recipe, string output, params (string Name, string File)[] models) => Merge(recipe, output, models, []);

    private async Task<string> Merge(string recipe, string output, (string Name, string File)[] models, params string[] options) =>
        await Succeeds(["merge", Written(Fill(recipe, models)), _folder[output], "--overwrite", .. options]);

    private string Written(string recipe)
    {
        File.WriteAllText(_folder["recipe.yml"], recipe);
        return _folder["recipe.yml"];
    }

    /// <summary>The recipe with paths in the place of words in capitals.</summary>
    private string Fill(string recipe, (string Name, string File)[] models)
    {
        TestModel.Write(_folder["bare.safetensors"], DType.F32, [.. TestModel.Read(files["twin.safetensors"]).Select(t => (t.Key, t.Value.Shape, t.Value.Values))]);
        foreach (var (name, file) in models) recipe = recipe.Replace($"model: {name}}}", $"model: {(Path.IsPathRooted(file) ? file : _folder[file])}}}");
        foreach (var (word, path) in new[]
        {
            ("PARENT", files["parent.safetensors"]), ("TWIN", files["twin.safetensors"]), ("STRANGER", files["stranger.safetensors"]), ("DATA", files["data.npz"]), ("IMAGES", files["images.npz"]),
            ("ONNX2", files["twin.onnx"]), ("ONNX", files["parent.onnx"]), ("BASE", _folder["base.safetensors"]), ("BARE", _folder["bare.safetensors"]),
        }) recipe = recipe.Replace(word, path);
        return recipe.Replace("model: A}", $"model: {_folder["a.safetensors"]}}}").Replace("model: B}", $"model: {_folder["b.safetensors"]}}}");
    }

    private void Save(string name, Graph graph) => GraphWeights.Save(graph, _folder[$"{name}.safetensors"], metadata: new Dictionary<string, string> { [ModelLoader.ArchitectureKey] = TwinFiles.Mlp });

    private static Graph Nudged(Graph graph, long seed)
    {
        Graph nudged = Surgery.Copy(graph);
        foreach (var (name, node) in nudged.Parameters)
        {
            Tensor noise = Initialisation.Normal(0.01).Draw(node.Shape, seed, name);
            for (int i = 0; i < noise.Count; i++) node.Value!.Span[i] += noise.Span[i];
        }

        return nudged;
    }

    private static void AssertSame(string expected, string found)
    {
        var (a, b) = (TestModel.Read(expected), TestModel.Read(found));
        Assert.Equal(a.Keys.Order(), b.Keys.Order());
        foreach (var (name, tensor) in a) Assert.Equal(tensor.Values, b[name].Values);
    }
}
