using System.Text.Json;
using Amalgam.Graphs;
using Amalgam.Tests.Checkpoints;
using Amalgam.Tests.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

/// <summary>Alignment of what users have: folders of runs, with their own data; ONNX files that leave sizes open.</summary>
public sealed class AlignRunTests(SplicedModels models) : IClassFixture<SplicedModels>
{
    [Fact]
    public async Task Runs_are_aligned_on_the_data_that_they_learned_from()
    {
        using TemporaryFolder folder = new();
        string output = await Succeeds("align", models["a"], models["b"], "--merge", "--evaluate", "--json", "-o", folder["ab.safetensors"]);
        using JsonDocument json = JsonDocument.Parse(output);
        Dictionary<string, double> right = json.RootElement.GetProperty("networks").EnumerateArray().ToDictionary(n => n.GetProperty("name").GetString()!, n => n.GetProperty("accuracy").GetDouble());
        Assert.Equal(7, right.Count);
        using JsonDocument eval = JsonDocument.Parse(await Succeeds("eval", folder["ab.safetensors"], "--data", "glyphs:train=360,test=100", "--json"));
        Assert.Equal(right["merged after matching (mudsc), statistics reset"], eval.RootElement.GetProperty("models")[0].GetProperty("accuracy").GetDouble(), 1e-9);
        Assert.Equal(["b-2.safetensors", "b-3.safetensors"], Names(await Aligned(folder)));
        await Refuses("in the first network and", "align", models["a"], models["wide"]);
    }

    [Fact]
    public async Task Inputs_of_open_length_take_that_of_the_data()
    {
        using TemporaryFolder folder = new();
        float[] up = Draw(1, 4, 8), down = Draw(2, 8, 3);
        int[] order = [3, 0, 7, 1, 6, 2, 5, 4];
        Write(folder["a.onnx"], up, down);
        Write(folder["b.onnx"], [.. Enumerable.Range(0, 32).Select(i => up[i / 8 * 8 + order[i % 8]])], [.. Enumerable.Range(0, 24).Select(i => down[order[i / 3] * 3 + i % 3])]);
        TestModel.Write(folder["data.npz"], DType.F32, ("x", new(40, 5, 4), Draw(3, 40, 20)));

        await Refuses("does not say the shape", "align", folder["a.onnx"], folder["b.onnx"], "--method", "weights");
        await Refuses("does not say the shape", "units", folder["a.onnx"]);
        Assert.Matches(@"\nup +8 +1 +1 ", await Succeeds("units", folder["a.onnx"], "--input", folder["data.npz"]));
        await Succeeds("align", folder["a.onnx"], folder["b.onnx"], "--data", folder["data.npz"], "-o", folder["aligned.onnx"]);
        Assert.Equal(up, TestModel.Read(folder["aligned.onnx"])["up"].Values);
        Assert.Equal(down, TestModel.Read(folder["aligned.onnx"])["down"].Values);
    }

    private static float[] Draw(int seed, int rows, int columns) => Initialisation.Normal(0.5).Draw(new(rows, columns), seed, "w").Span.ToArray();

    /// <summary>Two layers over texts of any length.</summary>
    private static void Write(string path, float[] up, float[] down)
    {
        var model = OnnxFiles.Model(OnnxFiles.Node("MatMul", "x up", "h"), OnnxFiles.Node("Relu", "h", "r"), OnnxFiles.Node("MatMul", "r down", "y"));
        model.Graph.Initializer.Add(OnnxFiles.Floats("up", new(4, 8), up));
        model.Graph.Initializer.Add(OnnxFiles.Floats("down", new(8, 3), down));
        model.Graph.Input.Add(OnnxFiles.Value("x", "N", "T", 4));
        model.Graph.Output.Add(OnnxFiles.Value("y", "N", "T", 3));
        model.Write(path);
    }

    private async Task<string> Aligned(TemporaryFolder folder)
    {
        await Succeeds("align", models["a"], models["b"], models["b"], "--method", "weights", "-o", folder["all"]);
        return folder["all"];
    }

    private static string[] Names(string folder) => [.. Directory.GetFiles(folder).Select(f => Path.GetFileName(f)).Order()];
}
