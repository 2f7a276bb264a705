namespace Amalgam.Zoo.Runs;

/// <summary>What a run leaves behind, by file name.</summary>
public static class RunFolder
{
    /// <summary>The description, with every key.</summary>
    public const string Description = "run.yaml";

    /// <summary>The weights after the last epoch.</summary>
    public const string Model = "model.safetensors";

    /// <summary>The network after the last epoch.</summary>
    public const string Onnx = "model.onnx";

    /// <summary>The weights after the epoch that did best on the validation data.</summary>
    public const string Best = "best.safetensors";

    /// <summary>The network after that epoch.</summary>
    public const string BestOnnx = "best.onnx";

    /// <summary>A line of JSON for each epoch.</summary>
    public const string Metrics = "metrics.jsonl";

    /// <summary>Accuracy and loss on the test data.</summary>
    public const string Result = "result.json";

    /// <summary>What a run needs to go on.</summary>
    public const string State = "state.safetensors";

    /// <summary>The weights after the last epoch, where the run trains a folder of Hugging Face and another epoch is best: <see cref="Model"/> has that one's.</summary>
    public const string Last = "last.safetensors";

    /// <summary>The network after the last epoch, in that case.</summary>
    public const string LastOnnx = "last.onnx";

    /// <summary>Every file that a run may leave.</summary>
    public static readonly System.Collections.Immutable.ImmutableArray<string> All = [Description, Model, Onnx, Best, BestOnnx, Metrics, Result, State];

    /// <summary>Every file that the run which a folder is of may have left there: that of a folder of Hugging Face leaves one again.</summary>
    internal static IEnumerable<string> NamesIn(string folder) => File.Exists(Path.Combine(folder, Description)) ? [.. All, Last, LastOnnx, .. Models.HuggingFaceOutput.Names] : All;

    /// <summary>The description of the run that a folder is of; null where the path is no such folder.</summary>
    /// <exception cref="InvalidDataException">The description is damaged, or the folder is that of a transfer of several networks.</exception>
    public static RunDescription? Find(string path)
    {
        TransferFolder.CheckIsNone(path);
        return File.Exists(Path.Combine(path, Description)) ? RunDescription.Read(Path.Combine(path, Description)) : null;
    }

    /// <summary>The file, or the folder of Hugging Face, that a model's weights are in: of the folder of a run those that the run is known by.</summary>
    /// <exception cref="FileNotFoundException">The run has not ended.</exception>
    public static string FileOf(string path) => !ModelDescription.IsOnnxFile(path) && !ParentModel.IsHuggingFace(path) && Find(path) is not null ? ModelOf(path) : path;

    /// <summary>A model as it is built: a folder of a run, named as the model or for its weights, stands for the network that the run is known by. Others stay as they are.</summary>
    /// <exception cref="InvalidDataException">The folder says what its model is, and there are options beside.</exception>
    /// <exception cref="FileNotFoundException">The run has not ended.</exception>
    internal static ModelDescription Resolve(ModelDescription model)
    {
        if (model.MayBeFolder && !ParentModel.IsHuggingFace(model.Name) && Find(model.Name) is { } run)
        {
            if (model.Options.Keys.FirstOrDefault() is { } option) throw new InvalidDataException($"{model.Name} is the folder of a run, which says what its model is; leave out '{option}'");
            string file = ModelOf(model.Name);
            model = ModelDescription.IsOnnxFile(file) ? new(file) { Weights = model.Weights, Freeze = model.Freeze } : run.Model with { Weights = model.Weights ?? file, Freeze = model.Freeze };
        }

        return model.Weights is { } weights && Directory.Exists(weights) ? model with { Weights = FileOf(weights) } : model;
    }

    /// <summary>The network that a run is known by.</summary>
    /// <param name="folder">Its folder.</param>
    /// <param name="run">What it was.</param>
    /// <exception cref="FileNotFoundException">The run has not ended.</exception>
    public static Graphs.Graph Load(string folder, RunDescription run) =>
        ModelOf(folder) is var file && ModelDescription.IsOnnxFile(file) ? ModelLoader.Load(file) : ModelLoader.Load(file, run.Model);

    /// <summary>
    /// The weights that a run is known by: those of the best epoch where there is one, else the last. Of a splice whose weights are made for each sample there is the ONNX file alone.
    /// </summary>
    /// <exception cref="FileNotFoundException">The run has not ended.</exception>
    public static string ModelOf(string folder)
    {
        foreach (string name in (string[])[Best, Model, BestOnnx, Onnx])
        {
            if (Path.Combine(folder, name) is var path && File.Exists(path)) return path;
        }

        throw new FileNotFoundException($"{folder} has no {Model}: its run has not ended; amalgam train {Path.Combine(folder, Description)} --resume goes on with it", folder);
    }
}
