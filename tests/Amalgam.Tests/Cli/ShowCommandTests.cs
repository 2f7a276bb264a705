using System.Text;
using System.Text.Json;
using static Amalgam.Tests.Cli.CommandLine;

namespace Amalgam.Tests.Cli;

public class ShowCommandTests
{
    [Fact]
    public async Task A_resnet_has_the_parameters_that_arithmetic_gives()
    {
        // 3x3 convolutions 3-16, 6 of 16-16, 16-32, 5 of 32-32, 32-64, 5 of 64-64; a linear layer; scale and shift of 19 normalisations, and as many statistics.
        const int Norms = 2 * (7 * 16 + 6 * 32 + 6 * 64), Trainable = 9 * (3 * 16 + 6 * 16 * 16 + 16 * 32 + 5 * 32 * 32 + 32 * 64 + 5 * 64 * 64) + 65 * 10 + Norms;
        string path = RealData.At("models", "resnet20-cifar10", "resnet20-cifar10.onnx");
        string output = await Succeeds("show", path);
        Assert.Contains($"parameters  {Trainable + Norms:N0}, of which {Trainable:N0} trainable", output);
        Assert.Matches(@"\n\S+ +Conv +\[1,16,32,32\] +432 +884\.74 k", output);

        using JsonDocument json = JsonDocument.Parse(await Succeeds("show", path, "--json", "--batch", "2"));
        Assert.Equal(Trainable, json.RootElement.GetProperty("trainable").GetInt64());
        JsonElement[] layers = [.. json.RootElement.GetProperty("layers").EnumerateArray()];
        Assert.Equal(Trainable + Norms, layers.Sum(l => l.GetProperty("parameters").GetInt64()));
        Assert.All(layers, l => Assert.Equal(2, l.GetProperty("shape")[0].GetInt64()));
        Assert.Equal(21 - 2 + 0, layers.Count(l => l.GetProperty("operator").GetString() == "Conv"));
    }

    [Fact]
    public async Task Operators_that_are_not_known_are_listed_and_end_with_2()
    {
        using TemporaryFolder folder = new();
        byte[] file = File.ReadAllBytes(RealData.At("models", "small-onnx", "opt-mnist.onnx"));
        byte[] known = Encoding.ASCII.GetBytes("MaxPool"), strange = Encoding.ASCII.GetBytes("MaxPoem");
        for (int at; (at = file.AsSpan().IndexOf(known)) >= 0;) strange.CopyTo(file, at);
        File.WriteAllBytes(folder["strange.onnx"], file);

        var (code, output, error) = await Run("show", folder["strange.onnx"]);
        Assert.Equal(2, code);
        Assert.Equal(2, output.Split("MaxPoem").Length - 1);
        Assert.Contains("2 of its nodes have operators that Amalgam does not know", error);

        (code, output, _) = await Run("show", folder["strange.onnx"], "--json");
        Assert.Equal(2, code);
        using JsonDocument json = JsonDocument.Parse(output);
        Assert.All(json.RootElement.GetProperty("unsupported").EnumerateArray(), p => Assert.Equal("MaxPoem", p.GetProperty("operator").GetString()));
    }

    [Fact]
    public async Task Weights_alone_are_no_network()
    {
        await Refuses("does not exist", "show", "none.onnx");
        await Refuses("name it with --model", "show", RealData.At("models", "mlp-mnist-pair", "mlp-mnist-a.safetensors"));
        await Refuses("there is no model 'resnet21'", "show", "resnet21");
    }

    [Fact]
    public async Task An_architecture_is_shown_by_its_name()
    {
        string output = await Succeeds("show", "mlp:hidden=400/200/100,bias=false");
        Assert.Contains("414,600", output);
        Assert.Matches(@"\nfc1 +MatMul +\[1,400\] +313,600 +627\.2 k", output);
    }

    [Theory]
    [InlineData(0, "0 ")]
    [InlineData(9_999, "9,999 ")]
    [InlineData(627_200, "627.2 k")]
    [InlineData(41_000_000_000, "41 G")]
    public void Numbers_of_operations_are_short(long count, string text) => Assert.Equal(text, Amalgam.Cli.ShowCommand.Count(count));
}
