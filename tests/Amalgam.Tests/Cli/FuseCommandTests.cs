using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Tests.Zoo.Report;
using Amalgam.Tests.Zoo.Runs;
using Amalgam.Zoo.Models;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

public sealed class FuseCommandTests(DepthFiles files) : IClassFixture<DepthFiles>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Shallow => files["shallow.safetensors"];

    private string Deep => files["deep.safetensors"];

    private string Data => files["data.npz"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("--ground", "activations")]
    [InlineData("--ground", "weights")]
    [InlineData("--match", "mudsc")]
    public async Task A_network_with_a_layer_more_whose_units_moved_fuses_into_what_it_was_made_of(string option, string value)
    {
        await Succeeds("fuse", files["deep-twin.onnx"], Shallow, "--data", Data, option, value, "--lambda", "0.3", "--reset", "none", "-o", _folder["f.safetensors"]);
        await AssertComputes(Shallow, _folder["f.safetensors"], Data, 1e-5f);
        Assert.Equal("mlp:classes=16,hidden=24/24/20,input=32", ModelOf(_folder["f.safetensors"]));
    }

    [Fact]
    public async Task The_result_has_the_depth_of_the_one_and_the_widths_of_the_other()
    {
        string output = await Succeeds("fuse", Deep, Shallow, "--data", Data, "-o", _folder["f.safetensors"]);
        Assert.StartsWith("mlp:classes=16,hidden=24/", ModelOf(_folder["f.safetensors"]));
        Dictionary<string, (Shape Shape, DType, float[])> fused = TestModel.Read(_folder["f.safetensors"]);
        Assert.Equal(TestModel.Read(Deep).Keys, fused.Keys);
        Assert.Equal(new Shape(24, 32), fused["fc1.weight"].Shape);
        Assert.Equal(new Shape(16, 20), fused["fc4.weight"].Shape);
        Assert.Matches(@"\nfc1 +30  fc1 +24 ", output);
        Assert.Matches(@"\nfc\d +\d\d  \(added\) +-\n", output);
        Assert.Matches(@"\nfc1\.weight +30 +24 ", output);
        Assert.Contains($"fused network ({ModelOf(_folder["f.safetensors"])}) in ", output);

        await Succeeds("fuse", Deep, Shallow, "--data", Data, "--reference", Deep, "-o", _folder["d.safetensors"]);
        Assert.Equal("mlp:classes=16,hidden=30/26/18,input=32", ModelOf(_folder["d.safetensors"]));
    }

    [Theory]
    [InlineData("merge-sum")]
    [InlineData("merge_majority")]
    [InlineData("merge-average")]
    public async Task Merged_layers_leave_the_architecture_of_the_shallower_network(string balance)
    {
        await Succeeds("fuse", Deep, Shallow, "--data", Data, "--balance", balance, "--lambda", "1", "--reset", "none", "-o", _folder["f.safetensors"]);
        AssertSame(Shallow, _folder["f.safetensors"]);
        await Succeeds("fuse", Deep, Shallow, "--data", Data, "--balance", balance, "-o", _folder["g.safetensors"]);
        Assert.Equal(ModelOf(Shallow), ModelOf(_folder["g.safetensors"]));
        Assert.NotEqual(TestModel.Read(Shallow)["fc1.weight"].Values, TestModel.Read(_folder["g.safetensors"])["fc1.weight"].Values);
    }

    [Fact]
    public async Task The_whole_weight_of_the_reference_is_the_reference_with_layers_more_and_statistics_reset_change_nothing()
    {
        foreach (string reset in (string[])["none", "repair"])
        {
            await Succeeds("fuse", Deep, Shallow, "--data", Data, "--lambda", "1", "--reset", reset, "-o", _folder["f.safetensors"], "--overwrite");
            await AssertComputes(Shallow, _folder["f.safetensors"], Data, 1e-5f);
        }
    }

    [Fact]
    public async Task Onnx_stays_onnx_and_other_places_would_not_say_what_the_result_is()
    {
        string[] line = ["fuse", files["deep.onnx"], files["shallow.onnx"], "--data", files["images.npz"], "--reset", "none", "--lambda", "1"];
        await Succeeds([.. line, "-o", _folder["f.onnx"]]);
        await AssertComputes(files["shallow.onnx"], _folder["f.onnx"], files["images.npz"], 1e-4f);
        using (OnnxModel deep = OnnxModel.Open(files["deep.onnx"]), fused = OnnxModel.Open(_folder["f.onnx"]))
        {
            Assert.Equal(Operators(deep.ToGraph()), Operators(fused.ToGraph()));
            Assert.Equal("batch", fused.Inputs[0].Sizes[0]);
        }

        await Refuses("name an .onnx file, which says it all", [.. line, "-o", _folder["f.safetensors"]]);
        Assert.Equal(["f.onnx"], Directory.GetFileSystemEntries(_folder.Path).Select(f => Path.GetFileName(f)));

        string output = await Succeeds("fuse", files["deep.onnx"], files["shallow.onnx"], "--data", files["images.npz"], "--evaluate", "--residual", "upstream", "-o", _folder["g.onnx"]);
        Assert.Matches(@"\d+ batch normalisations estimated anew on 60 samples", output);
        Assert.Contains("fused (ot), statistics reset", output);
    }

    [Fact]
    public async Task Networks_of_one_shape_are_merged_by_any_method_in_the_order_of_the_command_line()
    {
        string twin = files["twin.safetensors"];
        string[] line = ["fuse", twin, Shallow, "--data", Data, "--reset", "none", "--overwrite", "-o", _folder["f.safetensors"]];
        foreach (string method in (string[])["linear:weight=0/1", "linear:weight=1/0", "slerp:t=0.3", "task_arithmetic:lambda=0.5", "karcher"])
        {
            await Succeeds([.. line, "--merge", method]);
            await AssertComputes(Shallow, _folder["f.safetensors"], Data, 1e-4f);
        }

        await Succeeds("fuse", Shallow, files["deep.safetensors"], "--data", Data, "--balance", "merge-sum", "--reference", Shallow, "--reset", "none", "--merge", "linear:weight=1/0", "-o", _folder["g.safetensors"]);
        AssertSame(Shallow, _folder["g.safetensors"]);
        await Refuses("--merge", [.. line, "--merge", "liner"]);
        await Refuses("a merge method has weights of its own", [.. line, "--merge", "linear", "--lambda", "0.5"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("--iterative")]
    public async Task Twins_of_any_number_are_their_parent(string option)
    {
        await Succeeds(["fuse", files["twin.safetensors"], files["deep-twin.onnx"], Shallow, files["twin2.safetensors"], "--data", Data, "--reset", "none", "-o", _folder["f.safetensors"], .. option == "" ? (string[])[] : [option]]);
        await AssertComputes(Shallow, _folder["f.safetensors"], Data, 1e-4f);
    }

    [Fact]
    public async Task Of_more_than_two_networks_the_order_counts_only_one_after_the_other()
    {
        string[] others = [Shallow, files["twin2.safetensors"]], line = ["--data", Data, "--reference", files["deeper.safetensors"], "-o"];
        await Succeeds(["fuse", files["deeper.safetensors"], .. others, .. line, _folder["a.safetensors"]]);
        await Succeeds(["fuse", others[1], files["deeper.safetensors"], others[0], .. line, _folder["b.safetensors"]]);
        var (a, b) = (TestModel.Read(_folder["a.safetensors"]), TestModel.Read(_folder["b.safetensors"]));
        Assert.All(a, w => Assert.Equal(w.Value.Values, b[w.Key].Values));

        await Refuses("with more than two networks none may have more layers than the reference", ["fuse", Deep, .. others, "--data", Data, "--reference", Shallow]);
        await Refuses("is none of the networks", ["fuse", Deep, Shallow, "--data", Data, "--reference", files["twin.safetensors"]]);
    }

    [Fact]
    public async Task The_page_and_the_json_say_what_was_matched_and_what_it_is_worth()
    {
        string output = await Succeeds("fuse", Deep, Shallow, "--data", Data, "--report", _folder["r.html"], "--json", "--evaluate");
        using JsonDocument json = JsonDocument.Parse(output);
        Assert.Equal("shallow.safetensors", json.RootElement.GetProperty("reference").GetString());
        JsonElement step = json.RootElement.GetProperty("steps")[0];
        JsonElement[] layers = [.. step.GetProperty("layers").EnumerateArray()];
        Assert.Equal(["fc1", "fc2", "fc3"], layers.Select(layer => layer.GetProperty("source").GetString()));
        Assert.Single(layers, layer => layer.GetProperty("reference").ValueKind == JsonValueKind.Null);
        Assert.All(step.GetProperty("units").EnumerateArray(), units => Assert.True(units.GetProperty("cost").GetDouble() > 0));
        Dictionary<string, double> right = json.RootElement.GetProperty("networks").EnumerateArray().ToDictionary(n => n.GetProperty("name").GetString()!, n => n.GetProperty("accuracy").GetDouble());
        Assert.Equal(["deep.safetensors", "shallow.safetensors", "ensemble of both (sum of scores)", "deep.safetensors in the widths of shallow.safetensors", "fused (ot)", "fused (ot), statistics reset"], right.Keys);
        Assert.Equal(1, right["shallow.safetensors"]);

        string page = File.ReadAllText(_folder["r.html"]);
        HtmlReportTests.Parse(page);
        Assert.Contains("Layers of deep.safetensors and shallow.safetensors", page);
        Assert.Contains("Transport of the units of deep.safetensors", page);
        Assert.Contains("Class by class", page);
        Assert.DoesNotContain(_folder.Path, page);
    }

    [Fact]
    public async Task Networks_for_different_classes_are_warned_of()
    {
        var (_, _, quiet) = await Run("fuse", files["twin.safetensors"], Shallow, "--data", Data, "--evaluate");
        Assert.DoesNotContain("knows", quiet);
        var (_, output, error) = await Run("fuse", files["blind.safetensors"], Shallow, "--data", Data, "--evaluate");
        Assert.Contains("note: blind.safetensors knows nothing of the classes", error);
        Assert.DoesNotContain("shallow.safetensors knows nothing", error);
        Assert.Contains("note: shallow.safetensors knows the classes", error);
        Assert.Matches(@"\nRIGHT OF CLASS +blind", output);
    }

    [Fact]
    public async Task A_fused_network_is_trained_on_and_the_run_can_be_gone_on_with()
    {
        File.WriteAllText(_folder["run.yml"], $"data: {Data}\nlr: 0.01\nepochs: 1\nbatch: 50\n");
        string[] line = ["fuse", Deep, Shallow, "--data", Data, "--evaluate"];
        await Refuses("name one with --output", [.. line, "--finetune", _folder["run.yml"]]);
        foreach (string name in (string[])["f.safetensors", "g.onnx"])
        {
            string output = await Succeeds([.. line, "--finetune", _folder["run.yml"], "-o", _folder[name]]), folder = _folder[Path.GetFileNameWithoutExtension(name) + "-finetuned"];
            Assert.Matches(@"\nfused, fine-tuned +\d", output);
            Assert.True(File.Exists(Path.Combine(folder, "model.safetensors")));
            Assert.NotEqual(TestModel.Read(_folder[name]).Values.First().Values, TestModel.Read(Path.Combine(folder, "model.safetensors")).Values.First().Values);
            await Succeeds("train", Path.Combine(folder, "run.yaml"), "--resume", "-o", folder);
        }

        File.WriteAllText(_folder["bad.yml"], "data: mnist\n");
        await Refuses("'lr' is missing", [.. line, "--finetune", _folder["bad.yml"], "-o", _folder["h.onnx"]]);
        Assert.False(File.Exists(_folder["h.onnx"]));
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_bytes_with_any_number_of_threads()
    {
        foreach (string threads in (string[])["1", "3"])
            await Succeeds("fuse", Deep, Shallow, "--data", Data, "--samples", "90", "--seed", "5", "-j", threads, "-o", _folder[$"f{threads}.safetensors"], "--report", _folder[$"r{threads}.html"]);
        Assert.Equal(File.ReadAllBytes(_folder["f1.safetensors"]), File.ReadAllBytes(_folder["f3.safetensors"]));
    }

    [Fact]
    public async Task Without_data_layers_are_matched_by_width_and_units_by_weights()
    {
        await Succeeds("fuse", Deep, Shallow, "--layers", "width", "--ground", "weights", "-o", _folder["f.safetensors"]);
        Assert.Contains("layers by width", await Succeeds("fuse", files["twin.safetensors"], Shallow, "--ground", "weights", "-o", _folder["g.safetensors"]));
        await AssertComputes(Shallow, _folder["g.safetensors"], Data, 1e-5f);
        await Refuses("cka looks at what layers compute", "fuse", Deep, Shallow, "--ground", "weights");
    }

    [Fact]
    public async Task A_folder_of_Hugging_Face_stays_one_and_layers_that_cannot_be_identities_are_refused_with_the_reason()
    {
        string a = TinyTextModel.Write(_folder["a"], TextFamily.Bert, 2), b = TinyTextModel.Write(_folder["b"], TextFamily.Bert, 2, seed: 2), deep = TinyTextModel.Write(_folder["deep"], TextFamily.Bert, 2, layers: 2);
        await Succeeds("fuse", a, b, "--layers", "width", "--ground", "weights", "-o", _folder["ab"]);
        Assert.Equal(Directory.GetFiles(b).Select(f => Path.GetFileName(f)).Order(), Directory.GetFiles(_folder["ab"]).Select(f => Path.GetFileName(f)).Order());
        var (before, after) = (TestModel.Read(b), TestModel.Read(_folder["ab"]));
        Assert.Equal(before.Select(t => (t.Key, t.Value.Shape)), after.Select(t => (t.Key, t.Value.Shape)));
        await Refuses("LayerNormalization", "fuse", deep, b, "--layers", "width", "--ground", "weights", "-o", _folder["db.onnx"]);
    }

    [Fact]
    public async Task Without_data_or_anything_that_is_kept_a_note_says_so()
    {
        string[] noData = ["--layers", "width", "--ground", "weights"];
        var (_, _, error) = await Run(["fuse", Deep, Shallow, .. noData]);
        Assert.Contains("note: no data is named, so layers of the fused network are not repaired", error);
        Assert.Contains("note: nothing was written or measured", error);
        (_, _, error) = await Run(["fuse", files["deep.onnx"], files["shallow.onnx"], .. noData, "-o", _folder["f.onnx"]]);
        Assert.Contains("statistics of batch normalisations stay means of both networks'", error);
        Assert.DoesNotContain("nothing was written", error);
        (_, _, error) = await Run(["fuse", Deep, Shallow, .. noData, "--reset", "none", "-o", _folder["f.safetensors"]]);
        Assert.DoesNotContain("no data is named", error);
    }

    [Fact]
    public async Task Folders_around_outputs_are_made()
    {
        await Succeeds("fuse", Deep, Shallow, "--data", Data, "-o", Path.Combine(_folder["new"], "a", "f.safetensors"), "--report", Path.Combine(_folder["pages"], "b", "r.html"));
        Assert.True(File.Exists(Path.Combine(_folder["new"], "a", "f.safetensors")));
        HtmlReportTests.Parse(File.ReadAllText(Path.Combine(_folder["pages"], "b", "r.html")));
        await Refuses("is a file, so", "fuse", Deep, Shallow, "--data", Data, "--report", Path.Combine(Data, "r.html"));
    }

    private static Dictionary<string, int> Operators(Graph graph) => graph.Nodes.Where(n => n.Op is not (Parameter or Constant)).GroupBy(n => n.Op.Name).ToDictionary(g => g.Key, g => g.Count());

    private static string ModelOf(string path)
    {
        using Checkpoint checkpoint = Checkpoint.Open(path);
        return checkpoint.Metadata["amalgam.model"];
    }

    private static void AssertSame(string a, string b)
    {
        var (expected, found) = (TestModel.Read(a), TestModel.Read(b));
        Assert.Equal(expected.Keys, found.Keys);
        Assert.All(expected, w => Assert.Equal(w.Value.Values, found[w.Key].Values));
    }

    /// <summary>Asserts that two networks give the same for all samples, to a share of the largest number.</summary>
    private async Task AssertComputes(string a, string b, string data, float share)
    {
        await Succeeds("run", a, data, "-o", _folder["expected.npz"]);
        await Succeeds("run", b, data, "-o", _folder["found.npz"]);
        float[] expected = TestModel.Read(_folder["expected.npz"]).Values.Single().Values, found = TestModel.Read(_folder["found.npz"]).Values.Single().Values;
        float largest = expected.Max(MathF.Abs);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found[i], share * largest);
        File.Delete(_folder["expected.npz"]);
        File.Delete(_folder["found.npz"]);
    }
}
