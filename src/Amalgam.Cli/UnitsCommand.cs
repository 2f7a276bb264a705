using System.Collections.Immutable;
using System.CommandLine;
using Amalgam.Alignment;
using Amalgam.Graphs;

namespace Amalgam.Cli;

/// <summary><c>amalgam units</c>: which units of a network may change places.</summary>
internal static class UnitsCommand
{
    public static Command Create()
    {
        Argument<string> path = new("model") { Description = "An .onnx file, a Hugging Face folder, a checkpoint, the folder of a run, or an architecture: a name of the Zoo, or a .yml file of layers" };
        Option<string?> model = ArchitectureOption.Create();
        Option<string?> input = new("--input") { Description = "Arrays, as for amalgam run, whose shapes the inputs get; for files that leave sizes open", HelpName = "file" };
        Option<string[]> pins = PinOption();
        Option<bool> noCheck = new("--no-check") { Description = "Do not run the network to see that permuted units leave its outputs alone" };
        Option<bool> verbose = new("--verbose", "-v") { Description = "Print every axis of every tensor" };
        Option<bool> json = new("--json") { Description = "Print JSON" };
        Verb verb = new(
            "units", "Show the units of a network that may change places, such as channels and heads, which are found from its operations: where they are, what observes them, what is pinned and why.",
            [
                "amalgam units model.onnx",
                "amalgam units resnet20 -v                      # an architecture, every axis of every tensor",
                "amalgam units bert-folder --pin 'embeddings.*'",
                "amalgam units weights.safetensors --model mlp:bias=false --json | jq '.groups[].name'",
            ])
        {
            path, model, input, pins, noCheck, verbose, json,
        };
        verb.Runs((parse, cancel) =>
        {
            string name = parse.GetValue(path)!;
            Graph graph = parse.GetValue(input) is { } arrays ? RunCommand.Load(name, ArchitectureOption.Of(parse.GetValue(model)), RunCommand.Read(arrays)) : ArchitectureOption.Load(name, parse.GetValue(model), 2);
            if (graph.Parameters.Count == 0) throw new GraphException($"{name} is a graph without weights, so it has no units");
            UnitOptions options = new(Pins: PinsOf(parse.GetValue(pins)));
            UnitGroups groups = UnitGroups.Of(graph, options);
            SelfCheckResult? check = parse.GetValue(noCheck) ? null : SelfCheck.Run(groups, options, cancel: cancel);
            TextWriter output = parse.InvocationConfiguration.Output;
            if (parse.GetValue(json)) UnitsJson.Write(output, name, check?.Groups ?? groups, check);
            else UnitsText.Write(output, name, check?.Groups ?? groups, check, parse.GetValue(verbose));
        });
        return verb;
    }

    /// <summary>The option that names units which stay.</summary>
    internal static Option<string[]> PinOption() => new("--pin")
    {
        Description = "Units of such a name, or made by a tensor of such a name, stay in their places; * is any run of characters; several with commas, or the option once for each",
        HelpName = "patterns",
    };

    /// <summary>What <see cref="PinOption"/> names.</summary>
    internal static ImmutableArray<string> PinsOf(string[]? given) => [.. (given ?? []).SelectMany(text => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];
}
