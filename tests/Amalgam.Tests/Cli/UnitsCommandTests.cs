using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Zoo.Models;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

public sealed class UnitsCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Groups_of_a_perceptron_are_its_hidden_layers()
    {
        string output = await Succeeds("units", "mlp:input=6,hidden=5/4,classes=3,bias=false");
        Assert.Contains("9 that may change places, in 2 groups", output);
        Assert.Contains("random permutations of all units change the outputs by", output);
        Assert.Matches(@"\nfc1 +5 +1 +1 +Relu of fc1\nfc2 +4 +1 +1 +Relu of fc2\n", output);
        Assert.Matches(@"\nfc1\.weight +1 +6 +the network's input 'x'\n", output);

        string all = await Succeeds("units", "mlp:input=6,hidden=5/4,classes=3,bias=false", "-v", "--no-check");
        Assert.Contains("checked  no", all);
        Assert.Matches(@"\nfc1: 5\n  fc1: 5 units\n +TENSOR +AXIS +SIDE +POSITIONS\n +fc1\.weight +0 +out +all\n +fc2\.weight +1 +in +all\n +observed at Relu of fc1\n", all);
    }

    [Fact]
    public async Task Layers_that_are_alike_share_a_line_and_heads_show_as_blocks()
    {
        string output = await Succeeds("units", "bert:depth=3,hidden=32,heads=4,inner=48,vocabulary=50,length=8");
        Assert.Matches(@"\nbert\.encoder\.layer\.\*\.attention\.self\.query:blocks \(3\) +4 x \(8 \+ 8\) ", output);
        Assert.Matches(@"\nbert\.encoder\.layer\.\*\.intermediate\.dense \(3\) +48 ", output);
    }

    [Fact]
    public async Task Json_has_every_axis_of_every_tensor()
    {
        using JsonDocument json = JsonDocument.Parse(await Succeeds("units", "cnn", "--json"));
        var bound = json.RootElement.GetProperty("groups").EnumerateArray().SelectMany(g => g.GetProperty("classes").EnumerateArray()).SelectMany(c => c.GetProperty("tensors").EnumerateArray()).Select(t => (t.GetProperty("name").GetString()!, t.GetProperty("axis").GetInt32()));
        var pinned = json.RootElement.GetProperty("pinned").EnumerateArray().Select(p => (p.GetProperty("tensor").GetString()!, p.GetProperty("axis").GetInt32()));
        Graph cnn = ZooModel.Find("cnn").With(new Dictionary<string, string>()).Build(1, 1);
        Assert.Equal(cnn.Parameters.SelectMany(p => Enumerable.Range(0, p.Value.Shape.Rank).Where(axis => p.Value.Shape[axis] > 1).Select(axis => (p.Key, axis))).Order(), bound.Concat(pinned).Distinct().Order());
        Assert.True(json.RootElement.GetProperty("check").GetProperty("error").GetDouble() < 1e-5);
    }

    [Fact]
    public async Task Pinned_units_stay_and_say_why()
    {
        string output = await Succeeds("units", "mlp:input=6,hidden=5/4", "--pin", "fc2*");
        Assert.Contains("5 that may change places, in 1 group", output);
        Assert.Contains("pinned by 'fc2*'", output);
        await Refuses("the pin 'fc9' names no units", "units", "mlp", "--pin", "fc9");
    }

    [Fact]
    public async Task Rows_that_no_input_of_this_length_reads_stay_in_place()
    {
        string output = await Succeeds("units", "bert:depth=1,hidden=16,heads=2,inner=16,vocabulary=30,length=8");
        Assert.Matches(@"\nbert\.embeddings\.position_embeddings\.weight +0 +504 +no operation uses these positions", output);
    }

    [Fact]
    public async Task What_has_no_units_is_refused_in_a_sentence()
    {
        Graph relu = new();
        relu.Output("y", relu.Input("x", new(2, 3)).Relu());
        OnnxModel.Write(relu, _folder["relu.onnx"]);
        await Refuses("is a graph without weights", "units", _folder["relu.onnx"]);
        await Refuses("does not exist", "units", _folder["none.onnx"]);
        File.WriteAllBytes(_folder["cut.onnx"], File.ReadAllBytes(_folder["relu.onnx"])[..40]);
        await Refuses("cut.onnx", "units", _folder["cut.onnx"]);
        File.WriteAllText(_folder["text.safetensors"], "no weights");
        await Refuses("text.safetensors", "units", _folder["text.safetensors"], "--model", "mlp");
        await Refuses("there is no model 'mpl'", "units", "mpl");
    }
}
