using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Merging.Recipes;
using Amalgam.Zoo.Models;

namespace Amalgam.Zoo.Runs;

/// <summary>Makes graphs of models: of ONNX files, of Hugging Face folders, and of checkpoints together with the architecture that they are of.</summary>
public static class ModelLoader
{
    /// <summary>Key of a checkpoint's metadata that names its architecture, as <see cref="ModelDescription.Parse"/> reads it.</summary>
    public const string ArchitectureKey = "amalgam.model";

    private const int MostNamed = 10;

    /// <summary>The network of a run before its first step: weights drawn, or read from a checkpoint, and some frozen.</summary>
    /// <exception cref="GraphException">There is no such architecture or it has no such option, or the ONNX file has unsupported operators.</exception>
    /// <exception cref="InvalidDataException">A file is not what it claims to be, or the weights do not fit.</exception>
    public static Graph Build(ModelDescription model, int batch, long seed)
    {
        Graph graph = Make(model, batch, model.Weights is null ? seed : null);
        if (model.Weights is { } weights)
        {
            using Checkpoint checkpoint = Checkpoint.Open(weights);
            GraphWeights.Load(graph, checkpoint);
        }

        foreach (NamePattern pattern in model.Freeze.Select(text => NamePattern.Parse(text, plainIsGlob: false)))
        {
            Node[] meant = [.. graph.Parameters.Values.Where(node => pattern.Matches(node.Name!))];
            if (meant.Length == 0) throw new GraphException($"freeze: no parameter matches {Nearest.Quote(pattern.Text)}; there are {Names(graph)}");
            foreach (Node node in meant) node.Trainable = false;
        }

        return graph;
    }

    /// <summary>A trained network.</summary>
    /// <param name="path">An ONNX file, a folder of Hugging Face, or a checkpoint in any format that Amalgam reads.</param>
    /// <param name="architecture">What the checkpoint is of; null where its metadata says it, and for what is a network by itself.</param>
    /// <param name="batch">Samples at a time.</param>
    /// <exception cref="GraphException">There is no such architecture, or the ONNX file has unsupported operators.</exception>
    /// <exception cref="InvalidDataException">A file is not what it claims to be, or nothing says of which architecture the checkpoint is.</exception>
    public static Graph Load(string path, ModelDescription? architecture = null, int batch = 1)
    {
        if (architecture is null && ModelDescription.IsOnnxFile(path)) return Make(new(path), batch, null);
        if (architecture is null && Directory.Exists(path) && HuggingFace.IsModel(path)) return HuggingFace.Load(path, batch).Graph;
        using Checkpoint checkpoint = Checkpoint.Open(path);
        if (architecture is null)
        {
            string text = checkpoint.Metadata.GetValueOrDefault(ArchitectureKey)
                ?? throw new InvalidDataException($"{path} has weights and does not say of which architecture: name it with --model ({string.Join(", ", ZooModel.All.Select(m => m.Name))})");
            architecture = ModelDescription.Parse(text);
        }

        Graph graph = Make(architecture, batch, null);
        GraphWeights.Load(graph, checkpoint);
        return graph;
    }

    /// <summary>The network with its first weights: an ONNX file's own, else drawn by the seed, zero without one.</summary>
    private static Graph Make(ModelDescription model, int batch, long? seed)
    {
        if (model.IsOnnx)
        {
            using OnnxModel file = OnnxModel.Open(model.Name);
            return file.ToGraph(batch: batch);
        }

        return (model.IsLayers ? Sequential.Read(model.Name) : ZooModel.Find(model.Name).With(model.Options)).Build(batch, seed);
    }

    private static string Names(Graph graph) =>
        string.Join(", ", graph.Parameters.Keys.Take(MostNamed)) + (graph.Parameters.Count > MostNamed ? $" and {graph.Parameters.Count - MostNamed} more" : "");
}
