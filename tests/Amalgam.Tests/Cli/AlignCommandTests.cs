using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Tests.Zoo.Report;
using Amalgam.Tests.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

public sealed class AlignCommandTests(TwinFiles files) : IClassFixture<TwinFiles>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Parent => files["parent.safetensors"];

    private string Twin => files["twin.safetensors"];

    private string Data => files["data.npz"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("mudsc", true)]
    [InlineData("weights", false)]
    [InlineData("rebasin", false)]
    [InlineData("ste", true)]
    public async Task A_twin_comes_into_the_order_of_its_parent_bit_by_bit(string method, bool needsData)
    {
        string output = await Succeeds(["align", Parent, Twin, "--method", method, "-o", _folder["b.safetensors"], .. needsData ? (string[])["--data", Data] : [], .. method == "ste" ? (string[])["--epochs", "2"] : []]);
        AssertSame(Parent, _folder["b.safetensors"]);
        Assert.Matches(@"\nfc1 +24 .*\nfc2 +20 ", output);
        using Checkpoint written = Checkpoint.Open(_folder["b.safetensors"]);
        Assert.Equal(TwinFiles.Mlp, written.Metadata["amalgam.model"]);
    }

    [Fact]
    public async Task An_onnx_twin_stays_the_network_that_its_file_is()
    {
        await Succeeds("align", files["parent.onnx"], files["twin.onnx"], "--data", files["images.npz"], "-o", _folder["b.onnx"]);
        AssertSame(files["parent.onnx"], _folder["b.onnx"]);
        using OnnxModel before = OnnxModel.Open(files["twin.onnx"]), after = OnnxModel.Open(_folder["b.onnx"]);
        Assert.Equal(before.ToGraph().Nodes.Select(n => n.Op), after.ToGraph().Nodes.Select(n => n.Op));
        Assert.Equal("batch", after.Inputs[0].Sizes[0]);

        await Succeeds("align", files["parent.onnx"], files["twin.onnx"], "--data", files["images.npz"], "-o", _folder["b.safetensors"]);
        AssertSame(files["parent.onnx"], _folder["b.safetensors"]);
    }

    [Fact]
    public async Task The_mean_of_twins_is_their_parent()
    {
        await Succeeds("align", Parent, Twin, files["twin2.safetensors"], "--method", "weights", "--merge", "--reset", "none", "-o", _folder["ab.safetensors"]);
        var (parent, merged) = (TestModel.Read(Parent), TestModel.Read(_folder["ab.safetensors"]));
        foreach (var (name, tensor) in parent) for (int i = 0; i < tensor.Values.Length; i++) Assert.Equal(tensor.Values[i], merged[name].Values[i], 1e-6f);
    }

    [Fact]
    public async Task Zipped_twins_compute_what_their_parent_does()
    {
        await Succeeds("align", Parent, Twin, "--data", Data, "--zip", "--reset", "none", "-o", _folder["z.safetensors"]);
        await Succeeds("run", Parent, Data, "--model", TwinFiles.Mlp, "-o", _folder["expected.npz"]);
        await Succeeds("run", _folder["z.safetensors"], Data, "--model", TwinFiles.Mlp, "-o", _folder["found.npz"]);
        float[] expected = TestModel.Read(_folder["expected.npz"])["logits"].Values, found = TestModel.Read(_folder["found.npz"])["logits"].Values;
        float largest = expected.Max(MathF.Abs);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found[i], 1e-4f * largest);
    }

    [Fact]
    public async Task Zips_are_kept_and_applied_again()
    {
        string other = files["stranger.safetensors"];
        await Succeeds("align", Parent, other, "--method", "zipit", "--data", Data, "--reset", "none", "-o", _folder["z.safetensors"], "--permutations", _folder["z.npz"]);
        Assert.Equal(["zip/0/fc1", "zip/0/fc2", "zip/1/fc1", "zip/1/fc2"], TestModel.Read(_folder["z.npz"]).Keys.Order());
        await Succeeds("align", Parent, other, "--apply", _folder["z.npz"], "--reset", "none", "-o", _folder["again.safetensors"]);
        AssertSame(_folder["z.safetensors"], _folder["again.safetensors"]);
    }

    [Fact]
    public async Task Several_networks_go_into_a_folder()
    {
        await Succeeds("align", Parent, Twin, files["twin2.safetensors"], "--method", "weights", "-o", _folder["all"]);
        AssertSame(Parent, Path.Combine(_folder["all"], "twin.safetensors"));
        AssertSame(Parent, Path.Combine(_folder["all"], "twin2.safetensors"));
        await Refuses("is one file, and 2 networks are aligned", "align", Parent, Twin, files["twin2.safetensors"], "--method", "weights", "-o", _folder["all.safetensors"]);
    }

    [Theory]
    [InlineData("p.json")]
    [InlineData("p.npz")]
    public async Task Permutations_are_kept_and_applied_again(string name)
    {
        await Succeeds("align", Parent, Twin, "--method", "weights", "--permutations", _folder[name]);
        await Succeeds("align", Parent, Twin, "--apply", _folder[name], "-o", _folder["b.safetensors"]);
        AssertSame(Parent, _folder["b.safetensors"]);

        // As in NumPy: the rows of the aligned network are those of the twin at the places that the permutation names.
        int[] order = name == "p.npz" ? [.. TestModel.Read(_folder[name])["permutation/1/fc1"].Values.Select(v => (int)v)] : OrderOf(_folder[name], "fc1");
        float[] twin = TestModel.Read(Twin)["fc1.bias"].Values, parent = TestModel.Read(Parent)["fc1.bias"].Values;
        Assert.Equal(parent, order.Select(unit => twin[unit]));

        await Refuses("is no file of permutations", "align", Parent, Twin, files["twin2.safetensors"], "--apply", _folder[name]);
        await Refuses("is no file of permutations", "align", files["wide.safetensors"], files["wide.safetensors"], "--apply", _folder[name]);
    }

    [Fact]
    public async Task The_page_and_the_json_say_what_was_matched_and_what_it_is_worth()
    {
        string output = await Succeeds("align", Parent, Twin, "--data", Data, "--report", _folder["r.html"], "--json", "--evaluate", "--tasks", "0,1,2/3,4,5");
        using JsonDocument json = JsonDocument.Parse(output);
        Assert.All(json.RootElement.GetProperty("units").EnumerateArray(), units => Assert.True(units.GetProperty("matched").GetDouble() > 0.999));
        JsonElement[] networks = [.. json.RootElement.GetProperty("networks").EnumerateArray()];
        Assert.Equal(["parent.safetensors", "twin.safetensors", "ensemble of both (sum of scores)", "each for its own task", "average of weights as they came", "average of weights as they came, statistics reset", "merged after matching (mudsc)", "merged after matching (mudsc), statistics reset"], networks.Select(n => n.GetProperty("name").GetString()));
        Assert.Equal(networks[0].GetProperty("accuracy").GetDouble(), networks[6].GetProperty("accuracy").GetDouble(), 1e-2);
        Assert.True(networks[4].GetProperty("task_2").GetDouble() is >= 0 and <= 1);
        Assert.NotEqual(networks[4].GetProperty("loss").GetDouble(), networks[5].GetProperty("loss").GetDouble());
        Assert.True(json.RootElement.GetProperty("barrier").GetDouble() < 1e-4);

        string page = File.ReadAllText(_folder["r.html"]);
        HtmlReportTests.Parse(page);
        Assert.Contains("What stays in place, and why", page);
        Assert.Contains("barrier", page);
        Assert.DoesNotContain(_folder.Path, page);
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_bytes_with_any_number_of_threads()
    {
        foreach (string threads in (string[])["1", "3"])
        {
            await Succeeds("align", Parent, files["stranger.safetensors"], "--data", Data, "--zip", "--samples", "100", "--seed", "5", "-j", threads, "-o", _folder[$"z{threads}.safetensors"], "--permutations", _folder[$"z{threads}.json"]);
        }

        Assert.Equal(File.ReadAllBytes(_folder["z1.safetensors"]), File.ReadAllBytes(_folder["z3.safetensors"]));
        Assert.Equal(File.ReadAllBytes(_folder["z1.json"]), File.ReadAllBytes(_folder["z3.json"]));
    }

    [Fact]
    public async Task Networks_merge_up_to_a_cut_and_keep_their_heads()
    {
        string a = files["parent.onnx"], b = files["twin.onnx"];
        await Refuses("cannot be cut at 'nowhere'", "align", a, b, "--method", "weights", "--cut", "nowhere", "-o", _folder["cut.onnx"]);
        await Refuses("name an .onnx file", "align", a, b, "--method", "weights", "--cut", "joined", "-o", _folder["cut.safetensors"]);
        string output = await Succeeds("align", a, b, "--method", "weights", "--cut", "joined", "--reset", "none", "--data", files["images.npz"], "--evaluate", "-o", _folder["cut.onnx"]);
        Assert.Contains("output y.twin", output);

        // The trunk of twins is their parent's, and each head gives what its network gives.
        await Succeeds("run", a, files["images.npz"], "-o", _folder["expected.npz"]);
        await Succeeds("run", _folder["cut.onnx"], files["images.npz"], "-o", _folder["found.npz"]);
        float[] expected = TestModel.Read(_folder["expected.npz"])["y"].Values;
        var heads = TestModel.Read(_folder["found.npz"]);
        Assert.Equal(["y.parent", "y.twin"], heads.Keys.Order());
        Assert.All(heads.Values, head => Assert.All(head.Values.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 1e-4f)));
    }

    [Fact]
    public async Task Alpha_is_searched_on_the_data()
    {
        string output = await Succeeds("align", Parent, files["stranger.safetensors"], "--data", Data, "--alpha", "search", "--samples", "100", "--report", _folder["r.html"]);
        Assert.Matches(@"alpha searched, 0\.[1-9] was best\n", output);
        Assert.Contains("Search for alpha", File.ReadAllText(_folder["r.html"]));
    }

    [Fact]
    public async Task What_cannot_be_aligned_is_refused_in_a_sentence()
    {
        await Refuses("there is one", "align", Parent);
        await Refuses("in the first network and", "align", Parent, files["wide.safetensors"], "--method", "weights");
        await Refuses("networks to match have the same parameters", "align", Parent, files["parent.onnx"], "--method", "weights");
        await Refuses("mudsc looks at what units compute", "align", Parent, Twin);
        await Refuses("there is no method 'mudcs' that aligns (did you mean 'mudsc'?)", "align", Parent, Twin, "--method", "mudcs");
        await Refuses("does not exist", "align", Parent, _folder["none.safetensors"], "--method", "weights");
        await Refuses("--alpha must be a number from 0 to 1", "align", Parent, Twin, "--alpha", "2", "--data", Data);
        await Refuses("compares one of them", "align", Parent, Twin, "--alpha", "0.3", "--method", "weights");
        await Refuses("does not take 60 samples", "align", Parent, Twin, "--data", files["images.npz"]);
        await Refuses("itself a model", "align", Parent, Twin, "--method", "weights", "-o", Twin, "--overwrite");
        await Refuses("the pin 'nothing' names no units", "align", Parent, Twin, "--method", "weights", "--pin", "nothing");
        await Refuses("name it .html", "align", Parent, Twin, "--method", "weights", "--report", _folder["page.txt"]);
        await Refuses("--evaluate needs --data", "align", Parent, Twin, "--method", "weights", "--evaluate");
        await Refuses("statistics are estimated anew on data", "align", Parent, Twin, "--method", "weights", "--merge", "--reset", "repair", "-o", _folder["x.safetensors"]);

        File.WriteAllBytes(_folder["cut.onnx"], File.ReadAllBytes(files["twin.onnx"])[..2000]);
        File.WriteAllBytes(_folder["cut.safetensors"], File.ReadAllBytes(Twin)[..2000]);
        await Refuses("cut.onnx", "align", files["parent.onnx"], _folder["cut.onnx"], "--method", "weights");
        await Refuses("cut.safetensors", "align", Parent, _folder["cut.safetensors"], "--method", "weights");
        File.WriteAllText(_folder["p.json"], "{\"format\": \"amalgam permutations\", \"kind\": \"permutation\", \"classes\": [{\"name\": \"fc1\", \"maps\": [[0, 0], [1]]}]}");
        await Refuses("24 units of 'fc1'", "align", Parent, Twin, "--apply", _folder["p.json"]);
        File.WriteAllText(_folder["p.json"], "{}");
        await Refuses("is no file of permutations", "align", Parent, Twin, "--apply", _folder["p.json"]);
    }

    [Fact]
    public async Task Nothing_that_is_read_or_there_is_overwritten()
    {
        byte[] twin = File.ReadAllBytes(Twin), data = File.ReadAllBytes(Data);
        await Refuses("ends in .json or .npz", "align", Parent, Twin, "--method", "weights", "--permutations", Twin, "--overwrite");
        await Refuses("is a file that is read", "align", Parent, Twin, "--data", Data, "--permutations", Data, "--overwrite");
        await Refuses("is a file that is read or written", "align", Parent, Twin, "--method", "weights", "-o", _folder["x.npz"], "--permutations", _folder["x.npz"]);
        await Refuses("is a file that is read", "align", Parent, Twin, "--data", Data, "-o", Data, "--overwrite");
        Assert.Equal(twin, File.ReadAllBytes(Twin));
        Assert.Equal(data, File.ReadAllBytes(Data));
        foreach (string name in (string[])["r.html", "p.json"])
        {
            string option = name == "p.json" ? "--permutations" : "--report";
            File.WriteAllText(_folder[name], "mine");
            await Refuses($"{option}: {_folder[name]} exists", "align", Parent, Twin, "--method", "weights", option, _folder[name]);
            Assert.Equal("mine", File.ReadAllText(_folder[name]));
            await Succeeds("align", Parent, Twin, "--method", "weights", option, _folder[name], "--overwrite");
            Assert.NotEqual("mine", File.ReadAllText(_folder[name]));
        }
    }

    [Fact]
    public async Task What_is_refused_leaves_nothing_behind()
    {
        string[] kept = ["--method", "weights", "--permutations", _folder["p.json"]];
        await Refuses("--evaluate needs --data", ["align", Parent, Twin, .. kept, "-o", _folder["b.safetensors"], "--evaluate"]);
        await Refuses("is one file, and 2 networks are aligned", ["align", Parent, Twin, files["twin2.safetensors"], .. kept, "-o", _folder["b.safetensors"]]);
        await Refuses("is a file, so", ["align", Parent, Twin, .. kept, "-o", _folder["b.safetensors"], "--report", Path.Combine(Parent, "r.html")]);
        await Refuses("--tasks is about networks on data", ["align", Parent, Twin, .. kept, "-o", _folder["b.safetensors"], "--tasks", "0/1"]);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Pins_take_no_models_and_all_is_a_number_of_samples()
    {
        await Succeeds("align", "--method", "weights", "--pin", "fc1", Parent, Twin, "-o", _folder["b.safetensors"]);
        await Succeeds("align", "--method", "weights", "--pin", "fc1,fc2", Parent, Twin, "-o", _folder["c.safetensors"]);
        await Succeeds("align", "--method", "weights", "--pin", "fc1", "--pin", "fc2", Parent, Twin, "-o", _folder["d.safetensors"]);
        AssertSame(Twin, _folder["c.safetensors"]);
        AssertSame(Twin, _folder["d.safetensors"]);
        Assert.NotEqual(TestModel.Read(Twin)["fc2.bias"].Values, TestModel.Read(_folder["b.safetensors"])["fc2.bias"].Values);
        await Succeeds("align", Parent, Twin, "--data", Data, "--samples", "all", "--positions", "all", "-o", _folder["e.safetensors"]);
        AssertSame(Parent, _folder["e.safetensors"]);
        await Refuses("--samples must be a whole number from 1 on, or all, got 'some'", "align", Parent, Twin, "--data", Data, "--samples", "some");
    }

    [Fact]
    public async Task Pinned_units_stay()
    {
        await Succeeds("align", Parent, Twin, "--method", "weights", "--pin", "fc1", "-o", _folder["b.safetensors"]);
        Assert.Equal(TestModel.Read(Twin)["fc1.weight"].Values, TestModel.Read(_folder["b.safetensors"])["fc1.weight"].Values);
        Assert.NotEqual(TestModel.Read(Twin)["fc2.bias"].Values, TestModel.Read(_folder["b.safetensors"])["fc2.bias"].Values);
    }

    private static int[] OrderOf(string path, string units)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(path));
        return [.. json.RootElement.GetProperty("classes").EnumerateArray().Single(c => c.GetProperty("name").GetString() == units).GetProperty("maps")[1].EnumerateArray().Select(unit => unit.GetInt32())];
    }

    [Theory]
    [InlineData("inner products", "--weight-similarity", "inner")]
    [InlineData("not zipped by inner products", "--method", "rebasin", "--zip")]
    [InlineData("only align", "--method", "merge_many", "--zip")]
    [InlineData("--method has no effect where a file says where the units go", "--method", "weights", "--apply", "p.json")]
    [InlineData("--zip has no effect", "--zip", "--apply", "p.json")]
    [InlineData("--similarity is about activations", "--method", "weights", "--similarity", "cosine")]
    [InlineData("--epochs is about ste", "--epochs", "3")]
    [InlineData("--zip-beta is about zips", "--method", "weights", "--zip-beta", "0.5")]
    [InlineData("--starts is about rebasin", "--starts", "2")]
    [InlineData("compares neither", "--method", "none", "--alpha", "0.5")]
    [InlineData("there is no class 16", "--tasks", "0,1/2,16")]
    [InlineData("class 1 is named twice", "--tasks", "0,1/1,2")]
    [InlineData("'.safetensor' is no ending of a checkpoint", "-o", "ab.safetensor")]
    [InlineData("ends in .json or .npz", "--apply", "p.safetensors")]
    public async Task Settings_that_do_not_go_together_are_refused(string says, params string[] settings) =>
        await Refuses(says, ["align", Parent, Twin, "--data", Data, .. settings]);

    [Fact]
    public async Task Twins_that_are_matched_to_their_mean_merge_to_one_that_computes_what_they_do()
    {
        await Succeeds("align", Parent, Twin, files["twin2.safetensors"], "--method", "merge_many", "--merge", "-o", _folder["m.safetensors"]);
        await Succeeds("run", Parent, Data, "--model", TwinFiles.Mlp, "-o", _folder["expected.npz"]);
        await Succeeds("run", _folder["m.safetensors"], Data, "--model", TwinFiles.Mlp, "-o", _folder["found.npz"]);
        float[] expected = TestModel.Read(_folder["expected.npz"])["logits"].Values, found = TestModel.Read(_folder["found.npz"])["logits"].Values;
        float largest = expected.Max(MathF.Abs);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found[i], 1e-4f * largest);
    }

    private static void AssertSame(string expected, string found)
    {
        var (a, b) = (TestModel.Read(expected), TestModel.Read(found));
        Assert.Equal(a.Where(t => t.Value.Shape.Rank > 0).Select(t => t.Key).Order(), b.Where(t => t.Value.Shape.Rank > 0).Select(t => t.Key).Order());
        foreach (var (name, tensor) in a.Where(t => t.Value.Shape.Rank > 0)) Assert.Equal(tensor.Values, b[name].Values);
    }
}
