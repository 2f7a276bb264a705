using Amalgam.Checkpoints;
using Amalgam.Tests.Zoo.Report;
using Amalgam.Tests.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

/// <summary>Recipes that balance, align and merge networks of other depths and widths.</summary>
public sealed class FuseRecipeTests(DepthFiles files) : IClassFixture<DepthFiles>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_recipe_does_what_the_command_does()
    {
        string recipe = Recipe("linear", "deep.safetensors", "shallow.safetensors", $"balance: {{data: {files["data.npz"]}}}");
        string plan = await Succeeds("merge", recipe, "--dry-run");
        Assert.Contains("balance: layers are matched by cka, 1 layer is added; the units of deep.safetensors are transported onto those of shallow.safetensors by ot, and statistics of the merged network are set anew", plan);
        Assert.Matches(@"\nfc4\.weight +\[16,20\] ", plan);
        Assert.False(Path.Exists(_folder["out.safetensors"]));

        await Succeeds("merge", recipe, _folder["out.safetensors"], "--report", _folder["r.html"]);
        await Succeeds("fuse", files["deep.safetensors"], files["shallow.safetensors"], "--data", files["data.npz"], "-o", _folder["fused.safetensors"]);
        var (made, fused) = (TestModel.Read(_folder["out.safetensors"]), TestModel.Read(_folder["fused.safetensors"]));
        Assert.Equal(fused.Keys.Order(), made.Keys.Order());
        Assert.All(fused, w => Assert.All(w.Value.Values.Zip(made[w.Key].Values), pair => Assert.Equal(pair.First, pair.Second, 1e-5f)));
        using (Checkpoint written = Checkpoint.Open(_folder["out.safetensors"])) Assert.StartsWith("mlp:classes=16,hidden=24/", written.Metadata["amalgam.model"]);
        HtmlReportTests.Parse(File.ReadAllText(_folder["r.html"]));
        Assert.False(Path.Exists(_folder["out.safetensors.stages"]));
    }

    [Fact]
    public async Task Balanced_networks_of_one_width_are_aligned_and_merged_by_any_method()
    {
        string recipe = Recipe("slerp", "deep-twin.onnx", "shallow.safetensors", $$"""
            base_model: {{files["shallow.safetensors"]}}
            balance: {data: {{files["data.npz"]}} }
            align: {method: mudsc, reset: none, data: {{files["data.npz"]}} }
            """, "{t: 0.4}");
        await Succeeds("merge", recipe, _folder["out.safetensors"]);
        await Succeeds("run", files["shallow.safetensors"], files["data.npz"], "-o", _folder["expected.npz"]);
        await Succeeds("run", _folder["out.safetensors"], files["data.npz"], "-o", _folder["found.npz"]);
        float[] expected = TestModel.Read(_folder["expected.npz"]).Values.Single().Values, found = TestModel.Read(_folder["found.npz"]).Values.Single().Values;
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found[i], 1e-4f * expected.Max(MathF.Abs));
        Assert.Contains("align: brings the balanced models into one order by mudsc", await Succeeds("merge", recipe, "--dry-run"));
    }

    [Fact]
    public async Task Onnx_networks_become_one_and_interrupted_stages_are_no_matter()
    {
        string recipe = Recipe("linear", "deep.onnx", "shallow.onnx", $"balance: {{reset: none, data: {files["images.npz"]}}}");
        await Succeeds("merge", recipe, _folder["out.onnx"], "--intermediate-dir", _folder["stages"]);
        Assert.Equal(["model-1.onnx", "model-2.onnx"], Directory.GetFiles(Path.Combine(_folder["stages"], ".balanced")).Select(f => Path.GetFileName(f)).Order());
        await Succeeds("fuse", files["deep.onnx"], files["shallow.onnx"], "--reset", "none", "--data", files["images.npz"], "-o", _folder["fused.onnx"]);
        var (made, fused) = (TestModel.Read(_folder["out.onnx"]), TestModel.Read(_folder["fused.onnx"]));
        Assert.All(fused, w => Assert.All(w.Value.Values.Zip(made[w.Key].Values), pair => Assert.Equal(pair.First, pair.Second, 1e-4f)));
        await Succeeds("run", _folder["out.onnx"], files["images.npz"], "-o", _folder["y.npz"]);
    }

    [Fact]
    public async Task An_output_that_is_there_is_refused_before_networks_are_looked_at()
    {
        string recipe = Recipe("linear", "deep.safetensors", "shallow.safetensors", $"balance: {{pins: [nothing], data: {files["data.npz"]}}}");
        await Refuses("the pin 'nothing' names no units", "merge", recipe, _folder["out.safetensors"]);
        File.WriteAllText(_folder["out.safetensors"], "mine");
        await Refuses("exists; --overwrite", "merge", recipe, _folder["out.safetensors"]);
        Assert.Equal("mine", File.ReadAllText(_folder["out.safetensors"]));
    }

    [Theory]
    [InlineData("balance: {methd: add}", "balance has no key 'methd' (did you mean 'method'?)")]
    [InlineData("balance: {method: adds}", ":8:19: there is no way to balance layers 'adds' (did you mean 'add'?)")]
    [InlineData("balance: {match: ott}", "there is no way to match units 'ott'")]
    [InlineData("balance: {match: ot}", "ot looks at what units compute and needs 'data'")]
    [InlineData("balance: {match: zipit}", "write align: {method: zipit}")]
    [InlineData("balance: {ground: weights}", "cka looks at what layers compute")]
    [InlineData("balance: {ground: weights, layers: width, regularisation: 0.1}", "regularisation is about sinkhorn")]
    [InlineData("balance: {ground: weights, layers: width, reference: nowhere}", "is none of the networks")]
    [InlineData("balance: {layers: width}\nalign: {method: weights}", "a section align matches unit by unit: write match: ot, which transports between widths, or leave align out")]
    [InlineData("balance: {layers: width, match: none}", "none matches unit by unit and leaves widths as they are: write match: ot")]
    [InlineData("balance: {ground: weights, layers: width, model: [mlp, mlp, mlp]}", "there are 3 architectures for 2 models")]
    public async Task What_cannot_be_is_refused_with_its_line(string section, string phrase)
    {
        string recipe = Recipe("linear", "deep.safetensors", "shallow.safetensors", section);
        await Refuses(phrase, "merge", recipe, _folder["out.safetensors"]);
        Assert.Equal(["recipe.yml"], Directory.GetFileSystemEntries(_folder.Path).Select(f => Path.GetFileName(f)));
    }

    private string Recipe(string method, string a, string b, string sections, string parameters = "{weight: 0.5}")
    {
        File.WriteAllText(_folder["recipe.yml"], $"""
            merge_method: {method}
            models:
              - model: {files[a]}
                parameters: {(method == "linear" ? parameters : "{}")}
              - model: {files[b]}
                parameters: {(method == "linear" ? parameters : "{}")}
            parameters: {(method == "linear" ? "{}" : parameters)}
            {sections.ReplaceLineEndings("\n")}
            """);
        return _folder["recipe.yml"];
    }
}
