using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Merging.Recipes;
using Amalgam.Training.Data;
using Amalgam.Zoo.Models;

namespace Amalgam.Zoo.Runs;

/// <summary>Makes graphs of models: of ONNX files, of Hugging Face folders, and of checkpoints together with the architecture that they are of.</summary>
public static class ModelLoader
{
    /// <summary>Key of a checkpoint's metadata that names its architecture, as <see cref="ModelDescription.Parse"/> reads it.</summary>
    public const string ArchitectureKey = "amalgam.model";

    /// <summary>What a refusal tells a user of the command line to do.</summary>
    internal const string NameIt = "name it with --model";

    /// <summary>The network of a run before its first step: weights drawn, or read from a checkpoint or a folder of Hugging Face, and some frozen.</summary>
    /// <param name="model">What it is.</param>
    /// <param name="batch">Samples at a time.</param>
    /// <param name="seed">Draws the weights.</param>
    /// <param name="data">What it learns from: a folder's model takes the length of its texts and the number of its classes; null where there is none.</param>
    /// <param name="notes">Hears what a user should know; null for nobody.</param>
    /// <exception cref="GraphException">There is no such architecture or it has no such option, or the ONNX file has unsupported operators.</exception>
    /// <exception cref="InvalidDataException">A file is not what it claims to be, or the weights do not fit.</exception>
    public static Graph Build(ModelDescription model, int batch, long seed, Dataset? data = null, ICollection<string>? notes = null)
    {
        Graph graph = model.IsFolder ? OfFolder(model, batch, seed, data, notes) : Make(model, batch, model.Weights is null ? seed : null);
        if (model.Weights is { } weights)
        {
            using Checkpoint checkpoint = Checkpoint.Open(weights);
            GraphWeights.Load(graph, checkpoint);
        }

        new NamedParameters(graph).Freeze(model.Freeze);
        return graph;
    }

    /// <summary>A trained network.</summary>
    /// <param name="path">An ONNX file, a folder of Hugging Face, or a checkpoint in any format that Amalgam reads.</param>
    /// <param name="architecture">What the checkpoint is of; null where its metadata or the configuration beside it says it, and for what is a network by itself.</param>
    /// <param name="batch">Samples at a time.</param>
    /// <exception cref="GraphException">There is no such architecture, or the ONNX file has unsupported operators.</exception>
    /// <exception cref="InvalidDataException">A file is not what it claims to be, or nothing says of which architecture the checkpoint is.</exception>
    /// <param name="data">Samples whose shapes inputs get that an ONNX file leaves open, such as the length of texts; null where there are none.</param>
    public static Graph Load(string path, ModelDescription? architecture = null, int batch = 1, Dataset? data = null)
    {
        if (architecture is null && ModelDescription.IsOnnxFile(path)) return Make(new(path), batch, null, data);
        if ((architecture is null || architecture.MayBeFolder) && Configured(path, architecture) is { } folder)
            return HuggingFace.Load(folder, batch, weights: path).Graph;
        using Checkpoint checkpoint = Checkpoint.Open(path);
        if (architecture is null)
        {
            string text = checkpoint.Metadata.GetValueOrDefault(ArchitectureKey)
                ?? throw new InvalidDataException($"{path} has weights and does not say of which architecture: {NameIt} ({string.Join(", ", ZooModel.All.Select(m => m.Name))})");
            architecture = ModelDescription.Parse(text);
        }

        Graph graph = Make(architecture, batch, null);
        GraphWeights.Load(graph, checkpoint);
        return graph;
    }

    /// <summary>
    /// The folder whose configuration says what a checkpoint is of: itself, that in which it lies, or the one named. A checkpoint that names its architecture itself needs none.
    /// </summary>
    private static string? Configured(string path, ModelDescription? named)
    {
        if (ModelText.FolderOf(path) is { } folder)
        {
            if (Directory.Exists(path) || named is not null) return folder;
            using Checkpoint checkpoint = Checkpoint.Open(path);
            return checkpoint.Metadata.ContainsKey(ArchitectureKey) ? null : folder;
        }

        return named is { IsFolder: true } && HuggingFace.IsModel(named.Name) ? named.Name : null;
    }

    private static Graph OfFolder(ModelDescription model, int batch, long seed, Dataset? data, ICollection<string>? notes)
    {
        TransferFolder.CheckIsNone(model.Name);
        const string Classes = "classes";
        if (model.Options.Keys.FirstOrDefault(o => o != Classes) is { } other)
            throw new GraphException($"{model.Name} is a folder, whose config.json says what its model is; it has the option {Classes} alone, found {Nearest.Quote(other)}");
        int? classes = data?.Classes.Length is > 0 and int known ? known : null;
        if (model.Options.TryGetValue(Classes, out string? text)) classes = int.TryParse(text, out int whole) && whole > 0 ? whole : throw new GraphException($"{model.Name}: {Classes} must be a whole number from 1 on, got {Nearest.Quote(text)}");
        int? length = data?.Fields.FirstOrDefault(f => f.Name == "input_ids")?.Shape.Size(0);
        HuggingFaceModel made = classes is { } count ? HuggingFace.Classifier(model.Name, count, seed, batch, length) : HuggingFace.Load(model.Name, batch, length);
        foreach (string note in made.Notes) notes?.Add(note);
        return made.Graph;
    }

    /// <summary>The network of a file, for one sample where it was written with one, which operations of it hold though the file leaves the number open.</summary>
    private static Graph OfFile(OnnxModel file, int batch, Dataset? data)
    {
        try
        {
            return file.ToGraph(ShapesBy(file, data, batch), batch);
        }
        catch (GraphException) when (batch != 1)
        {
            try
            {
                return file.ToGraph(ShapesBy(file, data, 1), 1);
            }
            catch (GraphException)
            {
            }

            throw;
        }
    }

    /// <summary>Shapes by the data, of inputs that have a field of their name and leave more open than the number of samples.</summary>
    private static Dictionary<string, Shape>? ShapesBy(OnnxModel file, Dataset? data, int batch)
    {
        Dictionary<string, Shape> shapes = [];
        foreach (OnnxValue input in file.Inputs.Where(i => !i.Sizes.IsDefaultOrEmpty && i.Sizes.Skip(1).Any(size => !int.TryParse(size, out _))))
        {
            if (data?.Fields.FirstOrDefault(f => f.Name == input.Name) is { } field && field.Shape.Rank == input.Sizes.Length - 1) shapes.Add(input.Name, new([batch, .. field.Shape.Sizes]));
        }

        return shapes.Count == 0 ? null : shapes;
    }

    /// <summary>That a path is not what a model can be made of.</summary>
    private static InvalidDataException NoModel(string path) => new(
        File.Exists(path) ? $"{path} is a file of weights, if it is a model at all: name the architecture that they are of and them beside it, {{name: ARCHITECTURE, weights: {path}}}"
        : $"{path} does not exist; a model is a name of the zoo, an .onnx file, a .yml file of layers, the folder of a run or a folder of Hugging Face");

    /// <summary>The network with its first weights: an ONNX file's own, else drawn by the seed, zero without one.</summary>
    private static Graph Make(ModelDescription model, int batch, long? seed, Dataset? data = null)
    {
        if (model.IsOnnx)
        {
            using OnnxModel file = OnnxModel.Open(model.Name);
            return OfFile(file, batch, data);
        }

        if (model.MayBeFolder && (File.Exists(model.Name) || Path.HasExtension(model.Name) || model.Name.AsSpan().ContainsAny('/', '\\'))) throw NoModel(model.Name);
        Architecture architecture = model.IsLayers ? Sequential.Read(model.Name) : ZooModel.Find(model.Name).With(model.Options);
        try
        {
            return architecture.Build(batch, seed);
        }
        catch (GraphException e) when (e.InnerException is OverflowException)
        {
            throw new GraphException($"{model.Text}: {e.Message}", e);
        }
    }
}
