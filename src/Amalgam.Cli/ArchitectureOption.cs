using System.CommandLine;
using Amalgam.Graphs;
using Amalgam.Training.Data;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary>The option that says of which architecture a checkpoint is.</summary>
internal static class ArchitectureOption
{
    public static Option<string?> Create(bool shortName = true) => new("--model", shortName ? ["-m"] : [])
    {
        Description = "Architecture of a checkpoint that does not say it: a name of the Zoo with its options, mlp:hidden=400/200/100,bias=false, or a .yml file of layers, or an .onnx file",
        HelpName = "architecture",
    };

    /// <summary>A network by what people name: a file or folder that holds one, or an architecture, whose weights are then drawn.</summary>
    /// <param name="name">The file, the folder or the architecture.</param>
    /// <param name="model">What a checkpoint is of that does not say it; null where it does.</param>
    /// <param name="samples">Samples at a time.</param>
    /// <param name="data">Samples whose shapes inputs get that a file leaves open; null where there are none.</param>
    public static Graph Load(string name, string? model, int samples, Dataset? data = null)
    {
        bool isArchitecture = model is null && (ModelDescription.IsLayersFile(name) || (!Path.Exists(name) && !Path.HasExtension(name.Split(':')[0])));
        return isArchitecture ? ModelLoader.Build(ModelDescription.Parse(name), samples, 0)
            : model is null && RunFolder.Find(name) is { } run ? RunFolder.Load(name, run)
            : ModelLoader.Load(name, Of(model), samples, data);
    }

    public static ModelDescription? Of(string? text) => text is null ? null : ModelDescription.Parse(text);
}
