using Amalgam.Checkpoints;
using Amalgam.Graphs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

public class RunCommandTests
{
    [Fact]
    public async Task Outputs_are_those_of_the_network_for_any_number_of_samples()
    {
        using TemporaryFolder folder = new();
        string model = Affine(folder), input = TestModel.Write(folder["in.npz"], DType.F32, ("x", new(2, 3), [1, 2, 3, 4, 5, 6]));
        string output = await Succeeds("run", model, input, "-o", folder["out.npz"]);
        Assert.Contains("y F32[2,3]", output);
        Assert.Equal([11, 24, 39, 14, 30, 48], TestModel.Read(folder["out.npz"])["y"].Values.Select((v, i) => v));

        await Refuses("--overwrite", "run", model, input, "-o", folder["out.npz"]);
        await Succeeds("run", model, input, "-o", folder["out.npz"], "--overwrite", "--threads", "1", "--repeat", "3");
    }

    [Fact]
    public async Task An_only_array_needs_no_name_and_may_be_of_another_type()
    {
        using TemporaryFolder folder = new();
        string input = TestModel.Write(folder["in.npz"], DType.F64, ("data", new(1, 3), [1, 1, 1]));
        await Succeeds("run", Affine(folder), input, "-o", folder["out.safetensors"]);
        Assert.Equal([11, 22, 33], TestModel.Read(folder["out.safetensors"])["y"].Values);
    }

    [Fact]
    public async Task A_network_whose_form_depends_on_a_number_takes_it_from_the_arrays()
    {
        using TemporaryFolder folder = new();
        string model = RealData.At("models", "small-onnx", "silero_vad_16k_op15.onnx");
        float[] sine = [.. Enumerable.Range(0, 576).Select(i => (float)(0.5 * Math.Sin(2 * Math.PI * 440 * i / 16000)))];
        string input = TestModel.Write(folder["in.npz"], DType.F64, ("input", new(1, 576), sine), ("state", new(2, 1, 128), new float[256]), ("sr", default, [16000]));
        await Succeeds("run", model, input, "-o", folder["out.npz"]);
        Assert.Equal(0.003295660f, TestModel.Read(folder["out.npz"])["output"].Values[0], 1e-5f); // reference-outputs.tsv
        Assert.Contains("state F32[2,1,128]", await Succeeds("show", model, "--input", input));
        await Refuses("does not say the shape of its input 'input'", "show", model);
    }

    [Fact]
    public async Task Time_of_each_operator_is_printed()
    {
        using TemporaryFolder folder = new();
        string input = TestModel.Write(folder["in.npz"], DType.F32, ("x", new(1, 3), [1, 1, 1]));
        string output = await Succeeds("run", Affine(folder), input, "-o", folder["out.npz"], "--profile");
        Assert.Contains("MS PER RUN", output);
        Assert.Matches(@"\nall +\d+ +\d+\.\d{3}", output);
    }

    [Fact]
    public async Task What_does_not_fit_is_refused()
    {
        using TemporaryFolder folder = new();
        string model = Affine(folder), two = TestModel.Write(folder["two.npz"], DType.F32, ("a", new(1, 3), [1, 1, 1]), ("b", new(1, 3), [1, 1, 1]));
        await Refuses("there is no array 'x' among 'a', 'b'", "run", model, two, "-o", folder["out.npz"]);
        string wrong = TestModel.Write(folder["wrong.npz"], DType.F32, ("x", new(1, 4), [1, 1, 1, 1]));
        await Refuses("takes", "run", model, wrong, "-o", folder["out.npz"]);
        Assert.False(File.Exists(folder["out.npz"]));
        await Refuses("does not exist", "run", folder["none.onnx"], wrong, "-o", folder["out.npz"]);
        await Refuses("--repeat must be a whole number from 1 on", "run", model, two, "-o", folder["out.npz"], "--repeat", "0");
    }

    /// <summary>y = 10 [1,2,3] + x [1,2,3].</summary>
    private static string Affine(TemporaryFolder folder)
    {
        Graph graph = new();
        Node x = graph.Input("x", new(1, 3)), w = graph.Parameter("w", Tensor.Vector(1, 2, 3));
        graph.Output("y", x * w + w * 10);
        OnnxModel.Write(graph, folder["affine.onnx"], new("batch"));
        return folder["affine.onnx"];
    }
}
