using Amalgam.Alignment.Layers;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

/// <summary>Files of small networks of several depths and widths, and data for them.</summary>
public sealed class DepthFiles : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public DepthFiles()
    {
        Graph shallow = Mlp("24,20", 1), deep = Grown(Mlp("24,24,20", 2), shallow);
        Write("shallow.safetensors", shallow, "24/20");
        Write("twin.safetensors", TwinFiles.Moved(shallow, 3), "24/20");
        Write("twin2.safetensors", TwinFiles.Moved(shallow, 4), "24/20");
        OnnxModel.Write(TwinFiles.Moved(deep, 5), this["deep-twin.onnx"], new("batch"));
        Write("deep.safetensors", Mlp("30,26,18", 6), "30/26/18");
        Write("deeper.safetensors", Mlp("28,28,22,18", 7), "28/28/22/18");
        Write("few-classes.safetensors", Mlp("24,20", 8, classes: 12), "24/20", classes: 12);
        Write("other-input.safetensors", Mlp("24,20", 9, input: 40), "24/20", input: 40);
        Graph blind = Surgery.Copy(shallow);
        blind.Parameters["fc3.bias"].Value!.Span[..12].Fill(-100);
        Write("blind.safetensors", blind, "24/20");

        OnnxModel.Write(ResNet(3, 0.5, 1), this["deep.onnx"], new("batch"));
        OnnxModel.Write(ResNet(2, 0.25, 2), this["shallow.onnx"], new("batch"));
        OnnxModel.Write(Vgg(3), this["vgg.onnx"], new("batch"));
        Samples("images.npz", "image", new(60, 3, 8, 8), [.. Enumerable.Range(0, 60).Select(i => i % 10)]);
        Tensor x = Initialisation.Normal(1).Draw(new(400, 32), 11, "samples");
        TestModel.Write(this["unlabelled.npz"], DType.F32, ("x", x.Shape, x.Span.ToArray()));
        int[] known = Predicted(shallow, this["unlabelled.npz"]);
        Samples("data.npz", "x", x.Shape, known);
    }

    /// <summary>Path of a file.</summary>
    public string this[string name] => _folder[name];

    public void Dispose() => _folder.Dispose();

    private static Graph Mlp(string hidden, long seed, int classes = 16, int input = 32) =>
        ZooModel.Find("mlp").With(new Dictionary<string, string> { ["input"] = $"{input}", ["hidden"] = hidden, ["classes"] = $"{classes}" }).Build(2, seed);

    private static Graph ResNet(int blocks, double width, long seed) =>
        Living(ZooModel.Find("resnet20").With(new Dictionary<string, string> { ["image"] = "3,8,8", ["blocks"] = $"{blocks}", ["width"] = FormattableString.Invariant($"{width}"), ["shortcut"] = "1x1" }).Build(2, seed));

    private static Graph Vgg(long seed) => ZooModel.Find("cnn").With(new Dictionary<string, string> { ["image"] = "3,8,8" }).Build(2, seed);

    /// <summary>Statistics that say something, as after training.</summary>
    private static Graph Living(Graph network)
    {
        foreach (var (name, node) in network.Parameters.Where(p => p.Key.EndsWith("running_var", StringComparison.Ordinal))) node.Value!.Span.Fill(1.5f);
        return network;
    }

    /// <summary>A network with an identity layer where another one has a layer more.</summary>
    private static Graph Grown(Graph like, Graph network) => LayerBalancing.Add(LayerAlignment.Given(NetworkLayers.Of(like), NetworkLayers.Of(network), [[0, 2]])).B;

    private static int[] Predicted(Graph network, string data) => new ClassScores(Predictions.Of(network, RunData.Open(new(data)).Train!, 100)).Predictions();

    private void Write(string name, Graph network, string hidden, int classes = 16, int input = 32) =>
        GraphWeights.Save(network, this[name], metadata: new Dictionary<string, string> { [ModelLoader.ArchitectureKey] = $"mlp:classes={classes},hidden={hidden},input={input}" });

    private void Samples(string name, string input, Shape shape, int[] labels)
    {
        Tensor values = Initialisation.Normal(1).Draw(shape, 11, "samples");
        TestModel.Write(this[name], DType.F32, (input, shape, values.Span.ToArray()), ("label", new(shape.Size(0)), [.. labels.Select(l => (float)l)]));
    }
}
