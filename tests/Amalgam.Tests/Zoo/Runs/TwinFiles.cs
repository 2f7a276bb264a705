using Amalgam.Alignment;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Tests.Alignment;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

/// <summary>Files of small networks and of their twins, whose units are in another order, and data for them.</summary>
public sealed class TwinFiles : IDisposable
{
    /// <summary>The architecture of the perceptrons.</summary>
    public const string Mlp = "mlp:bias=true,classes=16,hidden=24/20,input=32";

    private readonly TemporaryFolder _folder = new();

    public TwinFiles()
    {
        Graph parent = Network(1);
        Write("parent.safetensors", parent);
        Write("twin.safetensors", Moved(parent, 3));
        Write("twin2.safetensors", Moved(parent, 4));
        Write("stranger.safetensors", Network(9));
        Graph wide = ZooModel.Find("mlp").With(new Dictionary<string, string> { ["input"] = "32", ["hidden"] = "24,22", ["classes"] = "16" }).Build(1, 5);
        GraphWeights.Save(wide, this["wide.safetensors"], metadata: new Dictionary<string, string> { [ModelLoader.ArchitectureKey] = Mlp.Replace("24/20", "24/22") });

        Graph images = SmallNetworks.Convolutional(1, 6);
        foreach (var (name, node) in images.Parameters.Where(p => p.Key.EndsWith("running_var", StringComparison.Ordinal))) node.Value!.Span.Fill(1.5f);
        OnnxModel.Write(images, this["parent.onnx"], new("batch"));
        OnnxModel.Write(Moved(images, 6), this["twin.onnx"], new("batch"));
        Samples("data.npz", "x", new(200, 32), 16);
        Samples("images.npz", "x", new(60, 3, 8, 8), 10);
    }

    /// <summary>Path of a file.</summary>
    public string this[string name] => _folder[name];

    /// <summary>The perceptron with weights drawn by a seed.</summary>
    internal static Graph Network(long seed)
    {
        ModelDescription model = ModelDescription.Parse(Mlp);
        return ZooModel.Find(model.Name).With(model.Options).Build(1, seed);
    }

    /// <summary>A network with its units in a random order.</summary>
    internal static Graph Moved(Graph network, int seed)
    {
        UnitGroups groups = UnitGroups.Of(network);
        IReadOnlyDictionary<string, Tensor> weights = Rearrangement.Apply(UnitMaps.Random(groups, 1, seed), 0, Siblings.WeightsOf(network));
        return Rewrite.Apply(network, (to, node, _) => node.Op is Parameter ? to.Parameter(node.Name!, weights[node.Name!], node.Trainable, node.Type) : null).Graph;
    }

    /// <summary>Writes a perceptron with what it is.</summary>
    internal void Write(string name, Graph network) => GraphWeights.Save(network, this[name], metadata: new Dictionary<string, string> { [ModelLoader.ArchitectureKey] = Mlp });

    public void Dispose() => _folder.Dispose();

    private void Samples(string name, string input, Shape shape, int classes)
    {
        Tensor values = Initialisation.Normal(1).Draw(shape, 11, "samples");
        int count = shape.Size(0);
        TestModel.Write(this[name], DType.F32, (input, shape, values.Span.ToArray()), ("label", new(count), [.. Enumerable.Range(0, count).Select(i => (float)(i % classes))]));
    }
}
