using System.CommandLine;
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

    public static ModelDescription? Of(string? text) => text is null ? null : ModelDescription.Parse(text);
}
