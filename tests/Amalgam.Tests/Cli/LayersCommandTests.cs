using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

public sealed class LayersCommandTests : IDisposable
{
    private const string Deep = "mlp:input=1/28/28,hidden=20/16/12/8,classes=10", Shallow = "mlp:input=1/28/28,hidden=20/9,classes=10";
    private const string Data = "glyphs:train=60,test=10";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Layers_of_one_network_are_listed_by_group()
    {
        string output = await Succeeds("layers", "resnet20:width=0.25");
        Assert.Contains("resnet20:width=0.25: 10 hidden layers in 4 groups", output);
        Assert.Matches(@"\nblocks 16x16 +layer2\.0 +8 +Conv 3x3 /2, Conv 3x3; changes the resolution or the width\n +layer2\.1 +8 +2 x Conv 3x3\n", output);

        using JsonDocument json = JsonDocument.Parse(await Succeeds("layers", "resnet20:width=0.25", "--json"));
        JsonElement[] groups = [.. json.RootElement.GetProperty("groups").EnumerateArray()];
        Assert.Equal(["convolution", "block", "block", "block"], groups.Select(g => g.GetProperty("kind").GetString()));
        Assert.Equal([1, 3, 3, 3], groups.Select(g => g.GetProperty("layers").GetArrayLength()));
        Assert.True(groups[2].GetProperty("layers")[0].GetProperty("transition").GetBoolean());
    }

    [Fact]
    public async Task Widths_need_no_data_and_the_mapping_is_marked()
    {
        string output = await Succeeds("layers", "mlp:hidden=400/200/100/50/25", "mlp:hidden=400/200/100", "--measure", "width");
        Assert.Matches(@"\ndense +fc1 +fc2 +fc3\n +fc1 +\[0\] +40000 +90000\n +fc2 +40000 +\[0\] +10000\n +fc3 +90000 +10000 +0\n +fc4 +122500 +22500 +2500\n +fc5 +140625 +30625 +\[5625\]\n", output);
        Assert.Contains("[5625]", await Succeeds("layers", "mlp:hidden=400/200/100", "mlp:hidden=400/200/100/50/25", "--measure", "width"));
        string free = await Succeeds("layers", "mlp:hidden=400/200/100/50/25", "mlp:hidden=400/200/100", "--measure", "width", "--pin-last", "0");
        Assert.Matches(@"\n +fc3 +90000 +10000 +\[0\]\n", free);
    }

    [Theory]
    [InlineData("cka")]
    [InlineData("wasserstein")]
    public async Task Layers_are_compared_on_data(string measure)
    {
        string[] line = ["layers", Deep, Shallow, "--data", Data, "--measure", measure, "--samples", "40"];
        using JsonDocument json = JsonDocument.Parse(await Succeeds([.. line, "--json", "-q"]));
        JsonElement group = Assert.Single(json.RootElement.GetProperty("groups").EnumerateArray());
        Assert.Equal(["[0,0]", "[3,1]"], group.GetProperty("pairs").EnumerateArray().Select(pair => pair.GetRawText().ReplaceLineEndings("").Replace(" ", "")));
        double[][] costs = [.. group.GetProperty("cost").EnumerateArray().Select(row => row.EnumerateArray().Select(cost => cost.GetDouble()).ToArray())];
        Assert.Equal(costs[0][0] + costs[3][1], group.GetProperty("total").GetDouble());
        Assert.Equal(costs[0][0] + costs[3][1], json.RootElement.GetProperty("total").GetDouble());
        Assert.Equal([20, 9], group.GetProperty("b").GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("width").GetInt32()));
        Assert.Equal(("dense", "dense"), (group.GetProperty("a").GetProperty("name").GetString(), group.GetProperty("kind").GetString()));
        Assert.Equal([40, 0, 1, 1], ((string[])["samples", "seed", "pin_first", "pin_last"]).Select(name => json.RootElement.GetProperty(name).GetInt32()));
        Assert.Equal(8, group.GetProperty("cost").EnumerateArray().SelectMany(row => row.EnumerateArray()).Count(cost => double.IsFinite(cost.GetDouble())));
        Assert.Equal(json.RootElement.GetRawText(), JsonDocument.Parse(await Succeeds([.. line, "--json", "-q", "-j", "1"])).RootElement.GetRawText());
        Assert.Contains($"by {measure} on 40 samples of", await Succeeds(line));
    }

    [Fact]
    public async Task What_is_to_be_known_of_a_mapping_is_printed()
    {
        string[] line = ["layers", Deep, Shallow, "--measure", "width", "--pin-first", "7"];
        Assert.Contains("\nnote: 'dense' has 2 layers in the shallower network, fewer than the 7 first", await Succeeds(line));
        using JsonDocument json = JsonDocument.Parse(await Succeeds([.. line, "--json"]));
        Assert.Contains("fewer than the 7 first", Assert.Single(json.RootElement.GetProperty("notes").EnumerateArray()).GetString());
        Assert.False(json.RootElement.TryGetProperty("samples", out _));
        Assert.Contains("on 1 sample of", await Succeeds("layers", Deep, Shallow, "--data", Data, "--measure", "wasserstein", "--samples", "1"));
    }

    [Theory]
    [InlineData("--samples", "30")]
    [InlineData("--batch", "3")]
    [InlineData("--seed", "3")]
    [InlineData("--data", Data)]
    public async Task Settings_without_effect_are_refused(string option, string value)
    {
        await Refuses($"{option} has no effect with --measure width", "layers", Deep, Shallow, "--measure", "width", option, value);
        if (option != "--data") await Refuses($"{option} has no effect on one network", "layers", Deep, option, value);
    }

    [Fact]
    public async Task The_page_shows_both_networks_and_the_matrix()
    {
        string page = _folder["layers.html"];
        await Succeeds("layers", Deep, Shallow, "--data", Data, "--samples", "30", "--report", page);
        string html = File.ReadAllText(page);
        Assert.Contains("class=\"ladder\"", html);
        Assert.Contains("class=\"heat\"", html);
        Assert.Contains("class=\"link\"", html);
        await Refuses("layers.html", "layers", Deep, Shallow, "--data", Data, "--report", page);
        await Succeeds("layers", Deep, Shallow, "--measure", "width", "--report", page, "--overwrite");
        Assert.Contains("squared differences of widths", File.ReadAllText(page));
    }

    [Fact]
    public async Task Wide_groups_are_told_pair_by_pair()
    {
        string many = string.Join('/', Enumerable.Repeat("5", 20)), fewer = string.Join('/', Enumerable.Repeat("5", 18));
        Assert.Matches(@"\ndense +BELONGS TO +COST\n +fc1 +fc1 +\[0\]\n", await Succeeds("layers", $"mlp:hidden={many}", $"mlp:hidden={fewer}", "--measure", "width"));
    }

    [Fact]
    public async Task Files_of_two_architectures_are_named_in_their_order()
    {
        GraphWeights.Save(ModelLoader.Build(ModelDescription.Parse(Deep), 1, 0), _folder["deep.safetensors"]);
        GraphWeights.Save(ModelLoader.Build(ModelDescription.Parse(Shallow), 1, 0), _folder["shallow.safetensors"]);
        OnnxModel.Write(ModelLoader.Build(ModelDescription.Parse(Shallow), 1, 0), _folder["shallow.onnx"], new("batch"));
        string output = await Succeeds("layers", _folder["deep.safetensors"], _folder["shallow.safetensors"], "-m", Deep, "-m", Shallow, "--data", Data, "--samples", "20");
        Assert.Contains("layers of deep (rows, 4) and shallow (columns, 2), by cka on 20 samples", output);
        Assert.Contains("hidden layers in 1 group", await Succeeds("layers", _folder["shallow.onnx"]));
    }

    [Fact]
    public async Task What_cannot_be_matched_is_refused_in_a_sentence()
    {
        await Refuses("name data", "layers", Deep, Shallow);
        await Refuses("name two networks", "layers", Deep, "--report", _folder["x.html"]);
        await Refuses("name it .html", "layers", Deep, Shallow, "--report", _folder["x.txt"]);
        await Refuses("gru4rec: ", "layers", "gru4rec");
        await Refuses("do not correspond", "layers", "resnet20:width=0.25", "mlp", "--measure", "width");
        await Refuses("3 architectures for 2 networks", "layers", "a", "b", "-m", "mlp", "-m", "mlp", "-m", "mlp");
        await Refuses("does not exist", "layers", _folder["none.onnx"]);
        var (code, _, error) = await Run("layers", Deep, Shallow, "--measure", "angle");
        Assert.NotEqual(0, code);
        Assert.Contains("--measure: 'angle' not recognized, it is one of cka, width, wasserstein", error);
        await Refuses("--pin-first has no effect on one network", "layers", Deep, "--pin-first", "2");
        await Refuses("'fc1' of mlp cannot be matched with 'fc1' of mlp:activation=gelu: both are MatMul, but the first has Relu where the second has Gelu", "layers", "mlp", "mlp:activation=gelu", "--measure", "width");
    }
}
