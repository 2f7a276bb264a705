using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Tests.Zoo.Report;
using Amalgam.Tests.Zoo.Runs;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Cli;

public sealed class LandscapeCommandTests : IClassFixture<TwinFiles>
{
    private readonly TwinFiles _files;

    public LandscapeCommandTests(TwinFiles files)
    {
        _files = files;
        Graph third = TwinFiles.Network(12);
        GraphWeights.Save(third, files["third.safetensors"], overwrite: true, metadata: new Dictionary<string, string> { [ModelLoader.ArchitectureKey] = TwinFiles.Mlp });
    }

    [Fact]
    public async Task Networks_have_their_own_losses_at_their_places()
    {
        string path = _files["losses.json"];
        string text = await CommandLine.Succeeds(["landscape", .. Networks, "--data", _files["data.npz"], "--grid", "3", "--near", "-o", path, "-q"]);
        Assert.Equal("", text);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(path));
        JsonElement[] near = [.. json.RootElement.GetProperty("near").EnumerateArray()], networks = [.. json.RootElement.GetProperty("networks").EnumerateArray()];
        Assert.Equal((9 * (3 + 9), 9), (near.Length, json.RootElement.GetProperty("on").GetArrayLength()));
        Assert.Equal(1, json.RootElement.GetProperty("explained").EnumerateArray().Sum(e => e.GetDouble()), 1e-6);
        string evaluated = await CommandLine.Succeeds(["eval", .. Networks, "--data", _files["data.npz"], "--json", "-q"]);
        using JsonDocument measures = JsonDocument.Parse(evaluated);
        for (int i = 0; i < 3; i++)
        {
            double loss = measures.RootElement.GetProperty("models")[i].GetProperty("loss").GetDouble();
            Assert.Equal(loss, near[9 * i + 4].GetProperty("loss").GetDouble(), 1e-4);
            Assert.Equal(networks[i].GetProperty("x").GetDouble(), near[9 * i + 4].GetProperty("x").GetDouble(), 1e-3);
        }
    }

    [Fact]
    public async Task A_page_names_the_networks_and_says_what_it_shows()
    {
        string path = _files["page.html"];
        string text = await CommandLine.Succeeds(["landscape", .. Networks, "--data", _files["data.npz"], "--grid", "4", "--near", "--tasks", "0,1,2,3/4,5,6,7", "-o", path]);
        Assert.Contains("the plane's axes hold", text);
        string page = HtmlReportTests.Parse(File.ReadAllText(path)).Value;
        Assert.All(new[] { "parent", "stranger", "third", "task 2" }, name => Assert.Contains(name, page));
    }

    [Fact]
    public async Task What_cannot_be_drawn_is_told_in_a_sentence()
    {
        string[] data = ["--data", _files["data.npz"]];
        await CommandLine.Refuses("three networks or more, found 2", ["landscape", .. Networks.Take(2), .. data, "-o", _files["x.html"]]);
        await CommandLine.Refuses("name it .html", ["landscape", .. Networks, .. data, "-o", _files["x.png"]]);
        await CommandLine.Refuses("lie on a line", ["landscape", Networks[0], Networks[0], Networks[0], .. data, "-o", _files["x.html"]]);
        File.WriteAllText(_files["mine.html"], "mine");
        await CommandLine.Refuses("mine.html exists; --overwrite replaces it", ["landscape", .. Networks, .. data, "-o", _files["mine.html"]]);
        Assert.Equal("mine", File.ReadAllText(_files["mine.html"]));
        await CommandLine.Refuses("name the data", ["landscape", .. Networks, "-o", _files["x.html"]]);
        await CommandLine.Refuses("--margin takes a share from 0 to 10", ["landscape", .. Networks, .. data, "--margin", "-1", "-o", _files["x.html"]]);
    }

    private string[] Networks => [_files["parent.safetensors"], _files["stranger.safetensors"], _files["third.safetensors"]];
}
