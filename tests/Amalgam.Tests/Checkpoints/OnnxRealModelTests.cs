using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using Amalgam.Checkpoints;
using Amalgam.Graphs;

namespace Amalgam.Tests.Checkpoints;

/// <summary>Trained networks of other people, imported: their outputs are those that a CPU reference runtime gave.</summary>
public class OnnxRealModelTests
{
    private static readonly float[] CifarMean = [0.485f, 0.456f, 0.406f], CifarDeviation = [0.229f, 0.224f, 0.225f];

    [Theory]
    [InlineData("small-onnx/opt-mnist", 1)]
    [InlineData("small-onnx/cnn_max_mninst2", 255)]
    [InlineData("small-onnx/cnn_max_mninst3", 255)]
    [InlineData("small-onnx/self-attention-mnist-pgd-medium-sim", 255)]
    [InlineData("cnn-mnist-fashion-pair/cnn-mnist", 255)]
    [InlineData("cnn-mnist-fashion-pair/cnn-fashion-mnist", 255)]
    [InlineData("resnet20-cifar10/resnet20-cifar10", 255)]
    public void Outputs_are_those_of_the_reference(string name, float scale)
    {
        using OnnxModel model = OnnxModel.Open(RealData.At("models", name + ".onnx"));
        Graph graph = model.ToGraph();
        Executor executor = new(graph);
        int tested = 0;
        foreach (var (image, expected) in References(name))
        {
            Pixels(image, scale, executor[graph.Inputs.Values.Single()].Span);
            executor.Run();
            OnnxRuntime.AssertClose(image, expected, executor[graph.Outputs.Values.First()].Span, 1e-4f);
            tested++;
        }

        Assert.True(tested >= 3);
    }

    [Fact]
    public void Outputs_of_the_collision_avoidance_networks_are_those_of_the_reference()
    {
        using TemporaryFolder folder = new();
        using GZipStream stream = new(File.OpenRead(RealData.At("models", "acasxu-45", "acasxu.tar.gz")), CompressionMode.Decompress);
        using TarReader tar = new(stream);
        int tested = 0;
        while (tar.GetNextEntry() is { } entry)
        {
            string file = Path.GetFileName(entry.Name);
            if (!file.EndsWith(".onnx", StringComparison.Ordinal)) continue;
            entry.ExtractToFile(folder[file], overwrite: true);
            using OnnxModel model = OnnxModel.Open(folder[file]);
            Executor executor = new(model.ToGraph());
            foreach (var (input, expected) in References($"acasxu-45/acasxu.tar.gz:{file}"))
            {
                Numbers(input.Trim('[', ']')).CopyTo(executor[model.Inputs[0].Name].Span);
                executor.Run();
                OnnxRuntime.AssertClose($"{file} {input}", expected, executor[model.Outputs[0].Name].Span, 1e-4f);
                tested++;
            }
        }

        Assert.Equal(90, tested);
    }

    /// <summary>All of its branches hang on shapes, and on constants; the LSTM lies four of them deep.</summary>
    [Fact]
    public void A_speech_detector_runs_through_its_nested_branches()
    {
        using OnnxModel model = OnnxModel.Open(RealData.At("models", "small-onnx", "silero_vad_16k_op15.onnx"));
        Graph graph = model.ToGraph(new Dictionary<string, Shape> { ["input"] = new(1, 576), ["state"] = new(2, 1, 128) });
        Executor executor = new(graph);
        Span<float> input = executor["input"].Span;
        for (int i = 0; i < input.Length; i++) input[i] = (float)(0.5 * Math.Sin(2 * Math.PI * 440 * i / 16000));
        executor["sr"].Span.Fill(16000);
        executor.Run();

        float[][] expected = [.. References("small-onnx/silero_vad_16k_op15").Select(r => r.Outputs)];
        OnnxRuntime.AssertClose("output", expected[0], executor["output"].Span, 1e-4f);
        OnnxRuntime.AssertClose("stateN", expected[1], executor["stateN"].Span[..8], 1e-4f);
    }

    [Fact]
    public void Weights_of_a_model_are_the_tensors_of_its_checkpoint()
    {
        using Checkpoint onnx = Checkpoint.Open(RealData.At("models", "resnet20-cifar10", "resnet20-cifar10.onnx"));
        using Checkpoint safetensors = Checkpoint.Open(RealData.At("models", "resnet20-cifar10", "resnet20-cifar10.safetensors"));
        foreach (TensorEntry tensor in safetensors.Tensors.Where(t => t.DType.IsFloat))
        {
            Assert.True(onnx.TryFind(tensor.Name, out TensorEntry? twin), tensor.Name);
            Assert.Equal(tensor.Bytes(), twin.Bytes());
        }
    }

    [Fact]
    public void A_model_as_torch_exports_it_trains_its_weights_and_not_its_statistics()
    {
        using OnnxModel model = OnnxModel.Open(RealData.At("models", "resnet20-cifar10-halves", "a.onnx"));
        Graph graph = model.ToGraph(batch: 3);
        Assert.Equal(3, graph.Outputs.Values.Single().Shape[0]);
        Assert.All(graph.Parameters, p => Assert.Equal(!p.Key.Contains("running_", StringComparison.Ordinal), p.Value.Trainable));
        using Checkpoint checkpoint = Checkpoint.Open(RealData.At("models", "resnet20-cifar10-halves", "a.safetensors"));
        // Tensors with equal values are written once.
        Assert.Empty(graph.Parameters.Keys.Except(checkpoint.Tensors.Select(t => t.Name)));
        Assert.All(checkpoint.Tensors.Where(t => t.DType.IsFloat), t => Assert.NotNull(graph.Find(t.Name)));
    }

    private static IEnumerable<(string Input, float[] Outputs)> References(string model) =>
        File.ReadLines(RealData.At("models", "reference-outputs.tsv")).Skip(1).Select(line => line.Split('\t')).Where(row => row[0] == model).Select(row => (row[1], Numbers(row[2])));

    private static float[] Numbers(string text) => [.. text.Split(' ').Select(n => float.Parse(n, CultureInfo.InvariantCulture))];

    /// <summary>An image such as <c>MNIST test image 3</c>, as its network takes it.</summary>
    private static void Pixels(string image, float scale, Span<float> to)
    {
        int number = int.Parse(image.Split(' ')[^1], CultureInfo.InvariantCulture);
        bool isCifar = image.StartsWith("CIFAR", StringComparison.Ordinal);
        string[] file = isCifar ? ["cifar10", "test_batch.bin.gz"] : [image.StartsWith("Fashion", StringComparison.Ordinal) ? "fashion-mnist" : "mnist", "t10k-images-idx3-ubyte.gz"];
        using GZipStream stream = new(File.OpenRead(RealData.At(file)), CompressionMode.Decompress);
        byte[] skipped = new byte[isCifar ? number * 3073 + 1 : 16 + number * 784], bytes = new byte[to.Length];
        stream.ReadExactly(skipped);
        stream.ReadExactly(bytes);
        for (int i = 0; i < bytes.Length; i++) to[i] = isCifar ? (bytes[i] / scale - CifarMean[i / 1024]) / CifarDeviation[i / 1024] : bytes[i] / scale;
    }
}
