using Amalgam.Checkpoints;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Runs;

/// <summary>Writes networks as the models that they came from: the same tensors in the same types, the same ONNX file, the same folder.</summary>
internal static class NetworkFile
{
    private const string Onnx = ".onnx", Safetensors = ".safetensors";

    /// <summary>The name of a file or folder that holds a network as a model does.</summary>
    /// <param name="model">The model.</param>
    /// <param name="name">The name without an ending.</param>
    public static string NameLike(ParentModel model, string name) => model.IsFolder ? name : name + (ModelDescription.IsOnnxFile(model.File) ? Onnx : Safetensors);

    /// <summary>Refuses, before any work, a path that cannot be written or is a model itself.</summary>
    /// <exception cref="IOException">Something is there already, or it is a model.</exception>
    public static void CheckTarget(string path, IEnumerable<ParentModel> models, bool overwrite)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        foreach (ParentModel model in models)
        {
            if (Path.GetFullPath(model.File) == full || Path.TrimEndingDirectorySeparator(Path.GetFullPath(model.Path)) == full || Path.GetDirectoryName(Path.GetFullPath(model.File)) == full)
                throw new IOException($"{path} is {(File.Exists(full) ? "itself a model" : $"where {model.Path} is")} that is read; write to another place");
        }

        CheckpointOutput.CheckTarget(path, overwrite);
    }

    /// <summary>Writes a network where a user wants it: an ONNX file, a file of weights, or a folder, as the path ends.</summary>
    /// <param name="network">The network.</param>
    /// <param name="like">The model that it came from.</param>
    /// <param name="path">Where it goes.</param>
    /// <param name="overwrite">Replace what is there.</param>
    /// <exception cref="GraphException">An operation has no ONNX form.</exception>
    /// <exception cref="IOException">The path cannot be written.</exception>
    public static void Save(Graph network, ParentModel like, string path, bool overwrite)
    {
        bool isOnnx = ModelDescription.IsOnnxFile(path), wasOnnx = ModelDescription.IsOnnxFile(like.File);
        if (isOnnx == wasOnnx && HasSameWeights(network, like)) SaveLike(network, like, path, overwrite);
        else if (!isOnnx) GraphWeights.Save(network, path, overwrite, new Dictionary<string, string> { [ModelLoader.ArchitectureKey] = like.Model.Text });
        else if (!wasOnnx) OnnxModel.Write(network, path, new("batch", Overwrite: overwrite));
        else
        {
            using OnnxModel origin = OnnxModel.Open(like.File);
            origin.Save(network, path, new(Overwrite: overwrite));
        }
    }

    /// <summary>Writes a network with the tensors of a model's checkpoint: the same names, in the same order, in the same types. What the network does not know of is copied.</summary>
    /// <param name="network">The network.</param>
    /// <param name="like">The model.</param>
    /// <param name="path">A file, or a folder, which gets the files around the tensors too where the model is one of Hugging Face.</param>
    /// <param name="overwrite">Replace what is there.</param>
    public static void SaveLike(Graph network, ParentModel like, string path, bool overwrite)
    {
        using Checkpoint origin = Checkpoint.Open(like.File);
        Dictionary<string, string> notes = new() { ["format"] = "pt" };
        if (!like.IsFolder && like.Model.Text != "") notes[ModelLoader.ArchitectureKey] = like.Model.Text;
        using CheckpointOutput output = CheckpointOutput.Create(path, [.. origin.Tensors.Select(t => new TensorSpec(t.Name, t.DType, t.Shape))], notes, new(Overwrite: overwrite), "a network", origin.ModelFile);
        foreach (string file in SpliceFolder.SideFilesOf(like)) output.AddCopy(Path.Combine(like.Path, file));
        foreach (TensorEntry tensor in origin.Tensors)
        {
            if (tensor.DType.IsFloat && network.Parameters.TryGetValue(tensor.Name, out Node? own))
            {
                GraphWeights.Write(output, new(tensor.Name, tensor.DType, tensor.Shape), own.Value!.Span);
                continue;
            }

            byte[] bytes = new byte[tensor.DType.BytesOf(TensorBlocks.LargestOf(tensor.Shape))];
            foreach (var (first, count) in TensorBlocks.Of(tensor.Shape))
            {
                Span<byte> block = bytes.AsSpan(0, (int)tensor.DType.BytesOf(count));
                tensor.Read(first, block);
                output.Write(tensor.Name, first, block);
            }
        }

        output.Commit();
    }

    /// <summary>Tensors of a model with axes of units that its network does not know of, such as those of a head that was not built: they stay in the order that they have.</summary>
    public static IEnumerable<string> Unknown(ParentModel model)
    {
        using Checkpoint origin = Checkpoint.Open(model.File);
        return [.. origin.Tensors.Where(t => t.DType.IsFloat && t.Shape.Rank > 0 && !model.Graph.Parameters.ContainsKey(t.Name)).Select(t => t.Name)];
    }

    /// <summary>Whether a model's checkpoint has a place for every parameter of a network.</summary>
    private static bool HasSameWeights(Graph network, ParentModel like)
    {
        using Checkpoint origin = Checkpoint.Open(like.File);
        return network.Parameters.All(p => origin.TryFind(p.Key, out TensorEntry? tensor) && tensor.Shape == p.Value.Shape);
    }
}
