using Amalgam.Tests.Zoo.Runs;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

/// <summary>What cannot be fused, and what is written where something is: one sentence, exit code 2, nothing left behind.</summary>
public sealed class FuseRefusalTests(DepthFiles files) : IClassFixture<DepthFiles>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Shallow => files["shallow.safetensors"];

    private string Deep => files["deep.safetensors"];

    private string Data => files["data.npz"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Files_that_are_not_there_or_not_whole()
    {
        await Refuses("does not exist", "fuse", Deep, _folder["none.safetensors"], "--data", Data);
        await Refuses("there is one", "fuse", Deep, "--data", Data);
        File.WriteAllBytes(_folder["cut.onnx"], File.ReadAllBytes(files["deep.onnx"])[..3000]);
        File.WriteAllBytes(_folder["cut.safetensors"], File.ReadAllBytes(Deep)[..2000]);
        await Refuses("cut.onnx", "fuse", _folder["cut.onnx"], files["shallow.onnx"], "--data", files["images.npz"]);
        await Refuses("cut.safetensors", "fuse", _folder["cut.safetensors"], Shallow, "--data", Data);
    }

    [Fact]
    public async Task Networks_that_do_not_read_or_answer_the_same()
    {
        await Refuses("networks to fuse answer for the same classes", "fuse", files["few-classes.safetensors"], Shallow, "--data", Data);
        await Refuses("networks to fuse read the same", "fuse", files["other-input.safetensors"], Shallow, "--data", Data);
        await Refuses("groups", "fuse", files["vgg.onnx"], files["shallow.onnx"], "--data", files["images.npz"]);
        await Refuses("use ot or sinkhorn, which transport between widths", "fuse", Deep, Shallow, "--data", Data, "--match", "mudsc");
        await Refuses("is filled by no field", "fuse", Deep, Shallow, "--data", files["images.npz"]);
        await Refuses("merge", "fuse", files["deep.onnx"], files["shallow.onnx"], "--data", files["images.npz"], "--balance", "merge-sum");
    }

    [Theory]
    [InlineData("there is no way to match units 'mudcs' (did you mean 'mudsc'?)", "--match", "mudcs")]
    [InlineData("there is no way to balance layers 'ad' (did you mean 'add'?)", "--balance", "ad")]
    [InlineData("(did you mean 'merge-majority'?)", "--balance", "merge-majorty")]
    [InlineData("--seed must be a whole number", "--seed", "x")]
    [InlineData("takes two or more", "--samples", "1")]
    [InlineData("--iterative is about more than two networks", "--iterative")]
    [InlineData("--tasks is about measuring", "--tasks", "0/1")]
    [InlineData("--test-samples is about measuring", "--test-samples", "10")]
    [InlineData("slerp has no parameter 'tt'", "--merge", "slerp:tt=1")]
    [InlineData("--merge", "--merge", "ties:density=9")]
    [InlineData("--lambda must be a number from 0 to 1", "--lambda", "1.5")]
    [InlineData("--lambda must be a number from 0 to 1", "--lambda", "NaN")]
    [InlineData("'ckA' not recognized", "--layers", "ckA")]
    [InlineData("--samples must be a whole number from 1 on, or all, got '0'", "--samples", "0")]
    [InlineData("--pin-first must be a whole number from 0 on", "--pin-first", "-1")]
    [InlineData("--regularisation must be a number above 0", "--match", "sinkhorn", "--regularisation", "0")]
    [InlineData("--regularisation is about sinkhorn", "--regularisation", "0.1")]
    [InlineData("--ground is about transport", "--ground", "weights", "--match", "mudsc")]
    [InlineData("--squared is about distances", "--squared", "--metric", "cosine")]
    [InlineData("--normalise-weights is about weights", "--normalise-weights")]
    [InlineData("--reset-samples is about statistics", "--reset-samples", "10", "--reset", "none")]
    [InlineData("merges units of both networks", "--match", "zipit", "--lambda", "0.3")]
    [InlineData("the pin 'nothing' names no units", "--pin", "nothing")]
    [InlineData("there are 3 architectures for 2 networks", "-m", "mlp", "-m", "mlp", "-m", "mlp")]
    public async Task Settings_that_are_wrong_or_do_not_go_together(string phrase, params string[] options) => await Refuses(phrase, ["fuse", Deep, Shallow, "--data", Data, .. options]);

    [Fact]
    public async Task Data_that_is_needed_and_not_named()
    {
        await Refuses("ot looks at what units compute: name data", "fuse", Deep, Shallow);
        await Refuses("(--data NAME), or compare weights and widths, which need none (--ground weights --layers width)", "fuse", files["deep.onnx"], files["shallow.onnx"]);
        await Refuses("mudsc looks at what units compute: name data", "fuse", Deep, Shallow, "--match", "mudsc");
        await Refuses("merge-sum looks at what units compute to merge layers", "fuse", Deep, Shallow, "--balance", "merge-sum", "--ground", "weights");
        await Refuses("cka looks at what layers compute", "fuse", Deep, Shallow, "--ground", "weights");
        await Refuses("statistics are estimated anew on data", "fuse", Deep, Shallow, "--ground", "weights", "--layers", "width", "--reset", "repair");
        await Refuses("--evaluate needs --data", "fuse", Deep, Shallow, "--ground", "weights", "--layers", "width", "--evaluate");
        await Refuses("needs --data with labels", "fuse", Deep, Shallow, "--data", files["unlabelled.npz"], "--evaluate");
        await Refuses("--tasks is about networks on data", "fuse", Deep, Shallow, "--ground", "weights", "--layers", "width", "--tasks", "0/1");
    }

    [Fact]
    public async Task Nothing_that_is_read_or_there_is_overwritten()
    {
        byte[] deep = File.ReadAllBytes(Deep), data = File.ReadAllBytes(Data);
        await Refuses("itself a model", "fuse", Deep, Shallow, "--data", Data, "-o", Deep, "--overwrite");
        await Refuses("is a file that is read", "fuse", Deep, Shallow, "--data", Data, "-o", Data, "--overwrite");
        await Refuses("name it .html", "fuse", Deep, Shallow, "--data", Data, "--report", _folder["page.txt"]);
        File.WriteAllText(_folder["f.onnx"], "mine");
        await Refuses("--overwrite replaces it", "fuse", Deep, Shallow, "--data", Data, "-o", _folder["f.onnx"]);
        Assert.Equal("mine", File.ReadAllText(_folder["f.onnx"]));
        Assert.Equal(deep, File.ReadAllBytes(Deep));
        Assert.Equal(data, File.ReadAllBytes(Data));
    }

    [Fact]
    public async Task Methods_are_suggested()
    {
        const string Line = "amalgam fuse a b --match m";
        var (_, output, _) = await Run($"[suggest:{Line.Length}]", Line);
        Assert.Contains("mudsc", output);
    }
}
