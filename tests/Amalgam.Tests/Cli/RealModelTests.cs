using Amalgam.Checkpoints;
using Amalgam.Merging;
using Amalgam.Merging.Recipes;

namespace Amalgam.Tests.Cli;

/// <summary>What a user does, on real trained networks: every method by command and by recipe, and the original PyTorch files against their safetensors twins.</summary>
public class RealModelTests
{
    public static TheoryData<string> Methods => [.. MergeMethod.All.Select(m => m.Name)];

    [Theory, MemberData(nameof(Methods))]
    public async Task Every_method_merges_the_mnist_pair(string method) =>
        await MergesBothWays(method, RealData.At("models", "mlp-mnist-pair", "mlp-mnist-a.safetensors"), RealData.At("models", "mlp-mnist-pair", "mlp-mnist-b.safetensors"));

    [Theory, MemberData(nameof(Methods))]
    public async Task Every_method_merges_the_convolutional_pair(string method) =>
        await MergesBothWays(method, RealData.At("models", "cnn-mnist-fashion-pair", "cnn-mnist.safetensors"), RealData.At("models", "cnn-mnist-fashion-pair", "cnn-fashion-mnist.safetensors"));

    [Fact]
    public async Task The_average_is_the_average()
    {
        using TemporaryFolder folder = new();
        string a = RealData.At("models", "mlp-mnist-pair", "mlp-mnist-a.safetensors"), b = RealData.At("models", "mlp-mnist-pair", "mlp-mnist-b.safetensors");
        await Succeeds("merge", "-m", "linear", a, b, "-o", folder["ab.safetensors"]);
        var (ofA, ofB, merged) = (TestModel.Read(a), TestModel.Read(b), TestModel.Read(folder["ab.safetensors"]));
        Assert.Equal(ofA.Keys.Order(), merged.Keys.Order());
        foreach (var (name, tensor) in merged)
            for (int i = 0; i < tensor.Values.Length; i++)
                Assert.Equal((float)((ofA[name].Values[i] + (double)ofB[name].Values[i]) / 2), tensor.Values[i], 0f);
    }

    [Theory]
    [InlineData("cnn-mnist-fashion-pair/mnist.pth", "cnn-mnist-fashion-pair/cnn-mnist.safetensors", null)]
    [InlineData("resnet20-cifar10/resnet20-12fca82f.th", "resnet20-cifar10/resnet20-cifar10.safetensors", "module.")]
    [InlineData("resnet20-cifar10-halves/a.pt", "resnet20-cifar10-halves/a.safetensors", null)]
    public async Task An_original_converts_to_the_tensors_of_its_twin(string original, string twin, string? prefix)
    {
        using TemporaryFolder folder = new();
        string[] strip = prefix is null ? [] : ["--strip-prefix", prefix];
        await Succeeds(["convert", RealData.At("models", original), folder["out.safetensors"], .. strip]);
        using Checkpoint converted = Checkpoint.Open(folder["out.safetensors"]), expected = Checkpoint.Open(RealData.At("models", twin));
        Assert.Equal(expected.Tensors.Select(t => t.ToString()).Order(), converted.Tensors.Select(t => t.ToString()).Order());
        foreach (TensorEntry tensor in expected.Tensors)
        {
            Assert.True(converted.TryFind(tensor.Name, out TensorEntry? other));
            Assert.True(Bytes(tensor).AsSpan().SequenceEqual(Bytes(other)), tensor.Name);
        }

        var inspected = await Succeeds("inspect", RealData.At("models", original));
        Assert.All(expected.Tensors, t => Assert.Contains(t.Name, inspected));
    }

    [Fact]
    public async Task A_sequential_recommender_is_inspected_and_converted_from_its_original()
    {
        using TemporaryFolder folder = new();
        string original = RealData.At("models", "iclrec-sequential", "ICLRec-ml-1m-1.pt");
        Assert.Contains("item_embeddings.weight", await Succeeds("inspect", original, "--stats"));
        await Succeeds("convert", original, folder["npz.npz"]);
        await Succeeds("convert", folder["npz.npz"], folder["back.pt"]);
        Assert.Contains("identical: all", await Succeeds("diff", original, folder["back.pt"]));
    }

    private static async Task MergesBothWays(string method, string a, string b)
    {
        using TemporaryFolder folder = new();
        MethodEntry entry = MergeMethod.Find(method)!;
        string average = folder["average.safetensors"];
        await Succeeds("merge", "-m", "linear", a, b, "-o", average);
        string[] models = entry.Most == 1 ? [b] : [a, b];
        string? origin = entry.Base switch { BaseRole.Origin => entry.Least == 2 ? average : a, BaseRole.First => a, _ => null };
        if (origin == a && entry.Base == BaseRole.Origin) models = [b];
        string call = entry.Parameters.Any(p => p is { Name: "t", Required: true }) ? $"{method}:t=0.5"
            : entry.Parameters.Any(p => p.Name == "density") ? $"{method}:density=0.5" : method;

        string byCommand = folder["command.safetensors"];
        await Succeeds(["merge", "-m", call, .. models, .. origin is null ? (string[])[] : ["--base", origin], "-o", byCommand]);

        string recipe = folder["recipe.yml"];
        File.WriteAllText(recipe, SimpleRecipe.Write(call, models, origin));
        await Succeeds("merge", recipe, folder["folder"], "--threads", "1", "--shard-size", "500kB");
        Assert.Contains(method, File.ReadAllText(Path.Combine(folder["folder"], "README.md")));

        var (first, second, parent) = (TestModel.Read(byCommand), TestModel.Read(folder["folder"]), TestModel.Read(a));
        Assert.Equal(parent.Keys.Order(), first.Keys.Order());
        foreach (var (name, tensor) in first)
        {
            Assert.Equal(parent[name].Shape, tensor.Shape);
            Assert.True(tensor.Values.AsSpan().SequenceEqual(second[name].Values), $"{name} differs between command and recipe");
            Assert.All(tensor.Values, v => Assert.True(float.IsFinite(v)));
        }
    }

    private static byte[] Bytes(TensorEntry tensor)
    {
        byte[] bytes = new byte[tensor.ByteCount];
        tensor.Read(0, bytes);
        return bytes;
    }

    private static Task<string> Succeeds(params string[] line) => CommandLine.Succeeds(line);
}
