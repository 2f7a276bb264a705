using System.Text.Json;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

/// <summary>Splices of networks with convolutions and normalisation, of ONNX files and of half-precision checkpoints, and of layers wide enough for several threads.</summary>
public sealed class SpliceNetworkTests : IDisposable
{
    private const string Data = "data: {name: glyphs, options: {train: 90, test: 40}, validation: 30}\n", ResNet = "resnet20:image=1/28/28,width=0.25", Wide = "mlp:hidden=512";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Kernels_are_spliced_and_every_form_of_the_result_is_the_one_that_was_measured()
    {
        string a = Trained("a", 1), b = Trained("b", 2), run = Describe("");
        await Succeeds("splice", a, b, "--train", run, "-o", _folder["out"], "-q");
        await AssertMeasured(_folder["out"]);
        await AssertMeasured(Path.Combine(_folder["out"], RunFolder.BestOnnx));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder["out"], RunFolder.Result)));
        Assert.True(json.RootElement.GetProperty("same_network").GetBoolean());
        var (before, after) = (TestModel.Read(Path.Combine(a, RunFolder.Best)), TestModel.Read(Path.Combine(_folder["out"], RunFolder.Best)));
        string[] changed = [.. before.Where(t => !t.Value.Values.AsSpan().SequenceEqual(after[t.Key].Values)).Select(t => t.Key).Order(StringComparer.Ordinal)];
        Assert.Equal(before.Where(t => t.Value.Shape.Rank > 1).Select(t => t.Key).Order(StringComparer.Ordinal), changed);

        // The same networks as ONNX files: the same numbers in the ONNX file's own form.
        await Succeeds("splice", Path.Combine(a, RunFolder.BestOnnx), Path.Combine(b, RunFolder.BestOnnx), "--train", run, "-o", _folder["onnx"], "-q");
        await AssertMeasured(_folder["onnx"]);
        using OnnxModel origin = OnnxModel.Open(Path.Combine(a, RunFolder.BestOnnx)), written = OnnxModel.Open(Path.Combine(_folder["onnx"], RunFolder.BestOnnx));
        Assert.True(NetworkSize.IsSame(origin.ToGraph(batch: 2), written.ToGraph(batch: 2)));
    }

    [Theory]
    [InlineData("BF16")]
    [InlineData("F16")]
    public async Task Half_precision_is_kept_and_what_is_measured_is_what_is_written(string type)
    {
        DType half = type == "BF16" ? DType.BF16 : DType.F16;
        string a = Halved(Trained("a", 1), half), b = Halved(Trained("b", 2), half);
        await Succeeds("splice", a, b, "--model", ResNet, "--train", Describe(""), "-o", _folder["out"], "-q");
        Assert.All(TestModel.Read(Path.Combine(_folder["out"], RunFolder.Best)).Values, t => Assert.Equal(half, t.DType));
        await AssertMeasured(Path.Combine(_folder["out"], RunFolder.Best));
    }

    [Fact]
    public async Task Threads_change_nothing_where_they_share_the_work()
    {
        string a = Drawn("a", 1), b = Drawn("b", 2), run = Describe("train: all\n");
        foreach (string threads in (string[])["1", "2"]) await Succeeds("splice", a, b, "--train", run, "-o", _folder[threads], "-j", threads, "-q");
        foreach (string name in (string[])[RunFolder.Best, RunFolder.Model, RunFolder.BestOnnx, RunFolder.Result, SpliceFolder.Weights, SpliceFolder.Baseline, SpliceFolder.Recipe])
            Assert.Equal(File.ReadAllBytes(Path.Combine(_folder["1"], name)), File.ReadAllBytes(Path.Combine(_folder["2"], name)));
    }

    private static async Task AssertMeasured(string model)
    {
        string folder = Directory.Exists(model) ? model : Path.GetDirectoryName(model)!;
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, RunFolder.Result)));
        using JsonDocument eval = JsonDocument.Parse(await Succeeds("eval", model, "--data", "glyphs:train=90,test=40", "--json"));
        JsonElement learned = json.RootElement.GetProperty("networks").EnumerateArray().Last().GetProperty("test");
        Assert.Equal("learned splice", json.RootElement.GetProperty("networks").EnumerateArray().Last().GetProperty("name").GetString());
        double Of(JsonElement of, string name) => of.GetProperty(name).GetDouble();
        Assert.Equal(Of(learned, "accuracy"), Of(eval.RootElement.GetProperty("models")[0], "accuracy"));
        Assert.Equal(Of(learned, "loss"), Of(eval.RootElement.GetProperty("models")[0], "loss"), 1e-6);
    }

    private string Describe(string more)
    {
        File.WriteAllText(_folder["run.yml"], $"{Data}optimizer: adam\nlr: 0.02\nepochs: 2\nbatch: 30\nseed: 7\n{more}");
        return _folder["run.yml"];
    }

    private string Trained(string name, int seed)
    {
        new TrainingRun(RunDescription.Parse($"{Data}model: {{name: resnet20, image: [1, 28, 28], width: 0.25}}\noptimizer: adam\nlr: 0.01\nepochs: 2\nbatch: 30\nseed: {seed}\n", "run.yml"), _folder[name]).Train();
        return _folder[name];
    }

    /// <summary>A network with its first weights.</summary>
    private string Drawn(string name, int seed)
    {
        Graph network = ModelLoader.Build(ModelDescription.Parse(Wide), 2, seed);
        GraphWeights.Save(network, _folder[$"{name}.safetensors"], overwrite: true, new Dictionary<string, string> { [ModelLoader.ArchitectureKey] = Wide });
        return _folder[$"{name}.safetensors"];
    }

    private string Halved(string run, DType type) =>
        TestModel.Write(_folder[$"{Path.GetFileName(run)}.safetensors"], type, [.. TestModel.Read(Path.Combine(run, RunFolder.Best)).Select(t => (t.Key, t.Value.Shape, t.Value.Values))]);
}
