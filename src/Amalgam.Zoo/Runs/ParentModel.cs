using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Merging.Planning;
using Amalgam.Numerics;
using Amalgam.Training.Data;
using Amalgam.Zoo.Models;

namespace Amalgam.Zoo.Runs;

/// <summary>A trained network that takes part in a splice.</summary>
/// <param name="Path">What was named: a checkpoint, the folder of a run, an ONNX file, a folder of Hugging Face.</param>
/// <param name="File">Where its weights are.</param>
/// <param name="Model">What it is.</param>
/// <param name="Graph">The network.</param>
internal sealed record ParentModel(string Path, string File, ModelDescription Model, Graph Graph)
{
    /// <summary>Opens a model.</summary>
    /// <param name="path">A checkpoint, the folder of a run, whose best epoch counts, an ONNX file, or a folder of Hugging Face.</param>
    /// <param name="architecture">What a checkpoint is of that does not say it; null where all say it.</param>
    /// <param name="batch">Samples at a time.</param>
    /// <exception cref="InvalidDataException">A file is not what it claims to be, or nothing says of which architecture it is.</exception>
    /// <exception cref="GraphException">There is no such architecture, or an ONNX file has unsupported operators.</exception>
    /// <param name="data">Samples whose shapes inputs get that an ONNX file leaves open; null where there are none.</param>
    public static ParentModel Open(string path, ModelDescription? architecture, int batch, Dataset? data = null)
    {
        string file = RunFolder.FileOf(path);
        bool saysAll = ModelDescription.IsOnnxFile(file) || IsHuggingFace(path);
        ModelDescription? said = saysAll ? null : RunFolder.Find(path)?.Model ?? SaidBy(file) ?? architecture;
        Graph graph = ModelLoader.Load(file, said, batch, data);
        foreach (var (name, node) in graph.Parameters)
        {
            if (NonFinite.IndexOf(node.Value!.Span) is >= 0 and var at)
                throw new InvalidDataException($"{file}: tensor '{name}' has {node.Value!.Span[at]} at element {at}; nothing can be learned from weights that are not finite");
        }

        return new(path, file, said ?? new(saysAll ? file : ""), graph);
    }

    /// <summary>Opens a model of a merge: of the very files that the plan reads.</summary>
    public static ParentModel Open(PlannedModel model, ModelDescription? architecture, int batch, Dataset? data = null)
    {
        string path = model.Checkpoint.Path;
        bool isOneFile = Directory.Exists(path) && !IsHuggingFace(path) && model.Checkpoint.Files.Count() == 1;
        return Open(isOneFile ? model.Checkpoint.Files.First() : path, architecture, batch, data);
    }

    /// <summary>Whether a path is a folder that a network is built of by its configuration.</summary>
    public static bool IsHuggingFace(string path) => Directory.Exists(path) && HuggingFace.IsModel(path);

    /// <summary>Whether it is a folder that a network is built of by its configuration.</summary>
    public bool IsFolder => IsHuggingFace(Path);

    /// <summary>A short name for tables: the last part of the path, or of a file in the folder of a run that folder's.</summary>
    public string Name => NameOf(Path);

    /// <summary>Tells these weights from others.</summary>
    public string Digest => DigestOf(Graph);

    /// <summary>Tells a network's weights from others.</summary>
    public static string DigestOf(Graph network)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, node) in network.Parameters)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name} {node.Shape}\n"));
            hash.AppendData(MemoryMarshal.AsBytes<float>(node.Value!.Span));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    /// <summary>Names of models that differ: the short ones where they do, else the paths, and numbers for a model that takes part twice.</summary>
    public static ImmutableArray<string> NamesOf(IReadOnlyList<ParentModel> models)
    {
        string[] names = [.. models.Select(m => m.Name)];
        if (names.Distinct().Count() < names.Length) names = [.. models.Select(m => m.Path)];
        return [.. names.Select((name, k) => names[..k].Count(before => before == name) is > 0 and var count ? $"{name} ({count + 1})" : name)];
    }

    private static string NameOf(string path)
    {
        string trimmed = System.IO.Path.TrimEndingDirectorySeparator(path), name = System.IO.Path.GetFileName(trimmed);
        return name is RunFolder.Best or RunFolder.Model or RunFolder.BestOnnx or RunFolder.Onnx && System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(trimmed)) is { Length: > 0 } folder ? $"{folder}/{name}" : name;
    }

    private static ModelDescription? SaidBy(string file)
    {
        using Checkpoint checkpoint = Checkpoint.Open(file);
        return checkpoint.Metadata.TryGetValue(ModelLoader.ArchitectureKey, out string? text) ? ModelDescription.Parse(text) : null;
    }
}
