using System.Globalization;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Zoo.Models;

/// <summary>Networks that others trained, built here and filled by name: the outputs of a reference runtime, and the accuracies that were measured with it.</summary>
public class RealNetworkTests
{
    private const string Cnn = """
        input: [1, 28, 28]
        layers:
          - conv: {name: "0", channels: 16, kernel: 4, stride: 2, padding: 1}
          - relu
          - conv: {name: "2", channels: 32, kernel: 4, stride: 2, padding: 1}
          - relu
          - flatten
          - linear: {name: "5", features: 100}
          - relu
          - linear: {name: "7", features: 10}
        """;

    private static readonly Mlp MnistMlp = new([1, 28, 28], [400, 200, 100], 10) { Bias = false };
    private static readonly Architecture Halves = ZooModel.Find("resnet20").With(ZooModelTests.Options("shortcut=3x3;result=embedding;classes=512"));

    [Theory]
    [InlineData("mlp-mnist-a")]
    [InlineData("mlp-mnist-b")]
    public void Mlp_gives_the_reference_outputs(string model) =>
        CheckReferences($"mlp-mnist-pair/{model}", Load(MnistMlp, $"mlp-mnist-pair/{model}.safetensors"), RealSamples.Mnist("mnist").Images, MnistPixel);

    [Fact]
    public void Mlps_alone_together_and_averaged_have_the_measured_accuracies()
    {
        var (images, labels) = RealSamples.Mnist("mnist");
        Graph a = Load(MnistMlp, "mlp-mnist-pair/mlp-mnist-a.safetensors", 250), b = Load(MnistMlp, "mlp-mnist-pair/mlp-mnist-b.safetensors", 250);
        float[] ofA = Run(a, "logits", images, MnistPixel), ofB = Run(b, "logits", images, MnistPixel);
        foreach (var (name, node) in a.Parameters)
        {
            Span<float> w = node.Value!.Span, other = b.Parameters[name].Value!.Span;
            for (int i = 0; i < w.Length; i++) w[i] = (w[i] + other[i]) / 2;
        }

        Assert.Equal(0.9772, Accuracy(ofA, labels), 6);
        Assert.Equal(0.9775, Accuracy(ofB, labels), 6);
        Assert.Equal(0.9788, Accuracy([.. ofA.Zip(ofB, (x, y) => x + y)], labels), 6);
        Assert.InRange(Accuracy(Run(a, "logits", images, MnistPixel), labels), 0.7384 - 0.0002, 0.7384 + 0.0002);
    }

    [Theory]
    [InlineData("cnn-mnist", "mnist", 0.9820)]
    [InlineData("cnn-fashion-mnist", "fashion-mnist", 0.7827)]
    public void Cnn_of_a_description_gives_the_reference_outputs_and_accuracy(string model, string data, double accuracy)
    {
        var (images, labels) = RealSamples.Mnist(data);
        Graph graph = Load(Sequential.Parse(Cnn, "cnn.yml"), $"cnn-mnist-fashion-pair/{model}.safetensors", 100);
        CheckReferences($"cnn-mnist-fashion-pair/{model}", graph, images, static (p, _) => p / 255f);
        Assert.InRange(Accuracy(Run(graph, "logits", images, static (p, _) => p / 255f), labels), accuracy - 0.0002, accuracy + 0.0002);
    }

    [Fact]
    public void ResNet20_gives_the_reference_outputs_and_accuracy()
    {
        var (images, labels) = RealSamples.Cifar();
        Graph graph = Load(ZooModel.Find("resnet20").With(), "resnet20-cifar10/resnet20-cifar10.safetensors", 100);
        CheckReferences("resnet20-cifar10/resnet20-cifar10", graph, images, ImageNetPixel);
        Assert.InRange(Accuracy(Run(graph, "logits", images, ImageNetPixel), labels), 0.9173 - 0.0002, 0.9173 + 0.0002);
    }

    [Theory]
    [InlineData("a", new[] { 0, 1, 2, 6, 9 }, 0.8692)]
    [InlineData("b", new[] { 3, 4, 5, 7, 8 }, 0.7822)]
    public void Halves_of_Cifar_have_the_measured_accuracies(string model, int[] classes, double accuracy)
    {
        var (images, labels) = RealSamples.Cifar();
        int[] own = [.. Enumerable.Range(0, labels.Length).Where(i => classes.Contains(labels[i]))];
        Graph graph = Load(Halves, $"resnet20-cifar10-halves/{model}.safetensors", 100);
        float[] embeddings = Run(graph, "embedding", [.. own.Select(i => images[i])], HalvesPixel);
        float[] vectors = TestModel.Read(RealData.At("models", "resnet20-cifar10-halves", "class_vectors.safetensors"))["class_vectors"].Values;
        double right = own.Where((image, i) => labels[image] == classes.MaxBy(c => Dot(embeddings.AsSpan(i * 512, 512), vectors.AsSpan(c * 512, 512)))).Count();
        Assert.InRange(right / own.Length, accuracy - 0.0005, accuracy + 0.0005);
    }

    [Theory]
    [InlineData("resnet20-cifar10/resnet20-cifar10", "logits")]
    [InlineData("resnet20-cifar10-halves/a", "embedding")]
    [InlineData("cnn-mnist-fashion-pair/cnn-mnist", "logits")]
    public void A_network_built_here_and_one_read_from_Onnx_compute_the_same(string model, string output)
    {
        Architecture architecture = model.Contains("cnn", StringComparison.Ordinal) ? Sequential.Parse(Cnn, "cnn.yml") : model.Contains("halves", StringComparison.Ordinal) ? Halves : ZooModel.Find("resnet20").With();
        Graph built = Load(architecture, $"{model}.safetensors", 4);
        using OnnxModel file = OnnxModel.Open(RealData.At(["models", .. $"{model}.onnx".Split('/')]));
        Executor here = new(built), there = new(file.ToGraph(batch: 4));
        Node input = built.Inputs.Values.Single();
        Random random = new(1);
        foreach (ref float pixel in here[input].Span) pixel = (float)((random.NextDouble() * 4) - 2);
        here[input].Span.CopyTo(there[file.Inputs[0].Name].Span);
        here.Run();
        there.Run();
        ReadOnlySpan<float> expected = there[file.Outputs[0].Name].Span;
        CheckNear([.. expected.ToArray().Select(v => (double)v)], here[output].Span, model);
    }

    [Theory]
    [InlineData("resnet20-cifar10/resnet20-12fca82f.th", "resnet20-cifar10/resnet20-cifar10.safetensors", "module.")]
    [InlineData("resnet20-cifar10-halves/b.pt", "resnet20-cifar10-halves/b.safetensors", "")]
    [InlineData("cnn-mnist-fashion-pair/mnist.pth", "cnn-mnist-fashion-pair/cnn-mnist.safetensors", "")]
    public void Original_PyTorch_files_load_as_their_conversions_do(string original, string conversion, string prefix)
    {
        Architecture architecture = original.Contains("cnn", StringComparison.Ordinal) ? Sequential.Parse(Cnn, "cnn.yml") : original.Contains("halves", StringComparison.Ordinal) ? Halves : ZooModel.Find("resnet20").With();
        Graph expected = Load(architecture, conversion, 1), actual = architecture.Build(1, null);
        using Checkpoint checkpoint = Checkpoint.Open(RealData.At(["models", .. original.Split('/')]));
        GraphWeights.Load(actual, checkpoint, prefix);
        Assert.All(expected.Parameters, p => Assert.Equal(p.Value.Value!.Span.ToArray(), actual.Parameters[p.Key].Value!.Span.ToArray()));
    }

    [Fact]
    public void The_larger_IclRec_fits_its_architecture()
    {
        Graph graph = new IclRec(3418, 64, 200).Build(1, null);
        using Checkpoint checkpoint = Checkpoint.Open(RealData.At("models", "iclrec-sequential", "ICLRec-ml-1m-1.pt"));
        GraphWeights.Load(graph, checkpoint);
        Assert.All(graph.Parameters.Values, p => Assert.Contains(p.Value!.Span.ToArray(), v => v != 0));
    }

    [Fact]
    public void IclRec_gives_the_reference_outputs()
    {
        Graph graph = Load(Beauty, "iclrec-sequential/iclrec-beauty.safetensors", 1);
        Executor executor = new(graph);
        int[][] users = RealSamples.Sequences("amazon-beauty.txt.gz");
        foreach (var (input, values) in RealSamples.References("iclrec-sequential/iclrec-beauty"))
        {
            int[] items = users[int.Parse(input.Split(' ')[1].TrimEnd(':'), CultureInfo.InvariantCulture) - 1][..^1];
            FillItems(executor["items"].Span, items);
            executor.Run();
            if (input.Contains("hidden", StringComparison.Ordinal))
            {
                CheckNear(Numbers(values), executor["embedding"].Span[..8], input);
                continue;
            }

            float[] scores = executor["logits"].Span.ToArray();
            foreach (int item in items) scores[item] = 0;
            int[] best = [.. Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i]).Take(5)];
            string[][] expected = [.. values.Split(' ').Select(v => v.Split(':'))];
            Assert.Equal(expected.Select(e => int.Parse(e[0], CultureInfo.InvariantCulture)), best);
            CheckNear([.. expected.Select(e => double.Parse(e[1], CultureInfo.InvariantCulture))], [.. best.Select(i => scores[i])], input);
        }
    }

    private static readonly IclRec Beauty = new(12103, 64, 50) { Depth = 1 };

    private static float MnistPixel(byte pixel, int channel) => ((pixel / 255f) - 0.1307f) / 0.3081f;

    private static float ImageNetPixel(byte pixel, int channel) => ((pixel / 255f) - ((float[])[0.485f, 0.456f, 0.406f])[channel]) / ((float[])[0.229f, 0.224f, 0.225f])[channel];

    private static float HalvesPixel(byte pixel, int channel) => (pixel - ((float[])[125.307f, 122.961f, 113.8575f])[channel]) / ((float[])[51.5865f, 50.847f, 51.255f])[channel];

    private static Graph Load(Architecture architecture, string file, int batch = 5)
    {
        Graph graph = architecture.Build(batch, null);
        using Checkpoint checkpoint = Checkpoint.Open(RealData.At(["models", .. file.Split('/')]));
        GraphWeights.Load(graph, checkpoint);
        return graph;
    }

    private static float[] Run(Graph graph, string output, IReadOnlyList<byte[]> images, Func<byte, int, float> pixel)
    {
        Executor executor = new(graph, new() { Frozen = true });
        Tensor input = executor["image"], result = executor[output];
        int batch = input.Shape.Size(0), size = input.Count / batch, plane = size / input.Shape.Size(1), units = result.Count / batch;
        float[] table = [.. Enumerable.Range(0, 256 * input.Shape.Size(1)).Select(i => pixel((byte)i, i / 256))];
        float[] all = new float[images.Count * units];
        for (int first = 0; first < images.Count; first += batch)
        {
            int count = Math.Min(batch, images.Count - first);
            for (int i = 0; i < count; i++)
                for (int j = 0; j < size; j++) input.Span[(i * size) + j] = table[(j / plane * 256) + images[first + i][j]];
            executor.Run();
            result.Span[..(count * units)].CopyTo(all.AsSpan(first * units));
        }

        return all;
    }

    private static void CheckReferences(string model, Graph graph, byte[][] images, Func<byte, int, float> pixel)
    {
        var references = RealSamples.References(model).ToArray();
        Assert.NotEmpty(references);
        float[] all = Run(graph, "logits", images[..5], pixel);
        foreach (var (input, values) in references) CheckNear(Numbers(values), all.AsSpan(10 * int.Parse(input.Split(' ')[^1], CultureInfo.InvariantCulture), 10), input);
    }

    /// <summary>Equal to 1e-4 relative; a value near zero among large ones to a millionth of the largest.</summary>
    private static void CheckNear(double[] expected, ReadOnlySpan<float> actual, string what)
    {
        double largest = expected.Max(Math.Abs);
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(actual[i] - expected[i]) <= (1e-4 * Math.Abs(expected[i])) + (2e-6 * largest), $"{what}: value {i} is {actual[i]}, expected {expected[i]}");
    }

    private static double[] Numbers(string text) => [.. text.Split(' ').Select(v => double.Parse(v, CultureInfo.InvariantCulture))];

    private static double Accuracy(float[] logits, int[] labels)
    {
        int right = 0;
        for (int i = 0; i < labels.Length; i++) right += System.Numerics.Tensors.TensorPrimitives.IndexOfMax<float>(logits.AsSpan(i * 10, 10)) == labels[i] ? 1 : 0;
        return (double)right / labels.Length;
    }

    private static void FillItems(Span<float> x, int[] items)
    {
        x.Clear();
        for (int i = 1; i <= Math.Min(x.Length, items.Length); i++) x[^i] = items[^i];
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => System.Numerics.Tensors.TensorPrimitives.Dot(a, b);
}
