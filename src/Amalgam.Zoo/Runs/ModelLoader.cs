using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Merging.Recipes;
using Amalgam.Zoo.Models;

namespace Amalgam.Zoo.Runs;

/// <summary>Makes graphs of models: of ONNX files, and of checkpoints together with the architecture that they are of.</summary>
public static class ModelLoader
{
    /// <summary>Key of a checkpoint's metadata that names its architecture, as <see cref="ModelDescription.Parse"/> reads it.</summary>
    public const string ArchitectureKey = "amalgam.model";

    /// <summary>The network of a run before its first step: weights drawn, or read from a checkpoint, and some frozen.</summary>
    /// <exception cref="GraphException">There is no such architecture or it has no such option, or the ONNX file has unsupported operators.</exception>
    /// <exception cref="InvalidDataException">A file is not what it claims to be, or the weights do not fit.</exception>
    public static Graph Build(ModelDescription model, int batch, long seed)
    {
        Graph graph;
        if (model.IsOnnx)
        {
            using OnnxModel file = OnnxModel.Open(model.Name);
            graph = file.ToGraph(batch: batch);
        }
        else
        {
            graph = ZooModel.Find(model.Name).With(model.Options).Build(batch, model.Weights is null ? seed : null);
        }

        if (model.Weights is { } weights)
        {
            using Checkpoint checkpoint = Checkpoint.Open(weights);
            GraphWeights.Load(graph, checkpoint);
        }

        foreach (NamePattern pattern in model.Freeze.Select(text => NamePattern.Parse(text, plainIsGlob: false)))
        {
            Node[] meant = [.. graph.Parameters.Values.Where(node => pattern.Matches(node.Name!))];
            if (meant.Length == 0) throw new GraphException($"freeze: no parameter matches {Nearest.Quote(pattern.Text)}; there are {string.Join(", ", graph.Parameters.Keys.Take(10))} ...");
            foreach (Node node in meant) node.Trainable = false;
        }

        return graph;
    }

    /// <summary>A trained network.</summary>
    /// <param name="path">An ONNX file, or a checkpoint in any format that Amalgam reads.</param>
    /// <param name="architecture">What the checkpoint is of; null where its metadata says it, and for ONNX files.</param>
    /// <param name="batch">Samples at a time.</param>
    /// <exception cref="GraphException">There is no such architecture, or the ONNX file has unsupported operators.</exception>
    /// <exception cref="InvalidDataException">A file is not what it claims to be, or nothing says of which architecture the checkpoint is.</exception>
    public static Graph Load(string path, ModelDescription? architecture = null, int batch = 1)
    {
        if (path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
        {
            using OnnxModel file = OnnxModel.Open(path);
            return file.ToGraph(batch: batch);
        }

        using Checkpoint checkpoint = Checkpoint.Open(path);
        if (architecture is null)
        {
            string text = checkpoint.Metadata.GetValueOrDefault(ArchitectureKey)
                ?? throw new InvalidDataException($"{path} has weights and does not say of which architecture: name it with --model ({string.Join(", ", ZooModel.All.Select(m => m.Name))})");
            architecture = ModelDescription.Parse(text);
        }

        Graph graph = architecture.IsOnnx ? Load(architecture.Name, null, batch) : ZooModel.Find(architecture.Name).With(architecture.Options).Build(batch, seed: null);
        GraphWeights.Load(graph, checkpoint);
        return graph;
    }
}
