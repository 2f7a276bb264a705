using System.CommandLine;
using Amalgam.Checkpoints;
using Amalgam.Graphs;

namespace Amalgam.Cli;

/// <summary><c>amalgam show</c>: the layers of a network.</summary>
internal static class ShowCommand
{
    public static Command Create()
    {
        Argument<string> path = new("model") { Description = "An .onnx file, a Hugging Face folder, a checkpoint, or an architecture: a name of the Zoo, or a .yml file of layers" };
        Option<string?> model = ArchitectureOption.Create();
        Option<int?> batch = CountOption.Create("--batch", "Samples at a time [default: 1]");
        Option<string?> input = new("--input") { Description = "Arrays, as for amalgam run, whose shapes the inputs get; for files that leave sizes open", HelpName = "file" };
        Option<bool> json = new("--json") { Description = "Print JSON" };
        Verb verb = new(
            "show", "Show a network: its layers with shapes, parameters and floating-point operations; operators that Amalgam does not know end with exit code 2.",
            [
                "amalgam show model.onnx",
                "amalgam show resnet20                          # an architecture",
                "amalgam show mlp:hidden=400/200/100,bias=false",
                "amalgam show weights.safetensors --model resnet20",
                "amalgam show model.onnx --input input.npz      # for the shapes of these arrays",
                "amalgam show model.onnx --json | jq '.parameters'",
            ])
        {
            path, model, batch, input, json,
        };
        verb.Runs((parse, _) =>
        {
            TextWriter output = parse.InvocationConfiguration.Output;
            string name = parse.GetValue(path)!;
            IReadOnlyList<OnnxProblem> unknown = Unknown(name);
            if (unknown.Count > 0)
            {
                WriteUnknown(output, name, unknown, parse.GetValue(json));
                throw new GraphException($"{name}: {unknown.Count} of its nodes have operators that Amalgam does not know");
            }

            int samples = parse.GetValue(batch) ?? 1;
            Graph graph = parse.GetValue(input) is { } arrays ? RunCommand.Load(name, ArchitectureOption.Of(parse.GetValue(model)), RunCommand.Read(arrays)) : ArchitectureOption.Load(name, parse.GetValue(model), samples);
            Layer[] layers = Layers(graph);
            if (parse.GetValue(json)) WriteJson(output, name, graph, layers);
            else Write(output, name, graph, layers);
        });
        return verb;
    }

    private static IReadOnlyList<OnnxProblem> Unknown(string path)
    {
        if (!path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase)) return [];
        using OnnxModel file = OnnxModel.Open(path);
        return file.Unsupported;
    }

    /// <summary>The operations that are run, in their order; a parameter counts where it is first used.</summary>
    private static Layer[] Layers(Graph graph)
    {
        bool[] needed = new bool[graph.Nodes.Count];
        foreach (Node output in graph.Outputs.Values) needed[output.Id] = true;
        HashSet<Node> counted = [];
        foreach (Node node in graph.Nodes.Reverse().Where(node => needed[node.Id]))
        {
            foreach (Node input in node.Inputs) needed[input.Id] = true;
        }

        return [.. graph.Nodes.Where(node => needed[node.Id] && node.Op is not Leaf && node.Known is null).Select(node =>
        {
            Node[] own = [.. node.Inputs.Where(input => input.Op is Parameter && counted.Add(input))];
            return new Layer(node, NameOf(node, own), own.Sum(p => p.Shape.Count), node.Op.Work(node));
        })];
    }

    /// <summary>The node's own name, or what its parameters' names begin with.</summary>
    private static string NameOf(Node node, Node[] parameters)
    {
        if (node.Name is not null) return node.Name;
        string name = parameters.FirstOrDefault()?.Name ?? "";
        return name.LastIndexOf('.') is > 0 and var dot ? name[..dot] : name;
    }

    private static void Write(TextWriter output, string name, Graph graph, Layer[] layers)
    {
        output.WriteLine(Printable.Line(name));
        foreach (var (input, node) in graph.Inputs) output.WriteLine($"  input       {Printable.Line(input)} {node.Type}{node.Shape}");
        foreach (var (result, node) in graph.Outputs) output.WriteLine($"  output      {Printable.Line(result)} {node.Type}{node.Shape}");
        output.WriteLine($"  parameters  {graph.Parameters.Values.Sum(p => p.Shape.Count):N0}, of which {graph.Parameters.Values.Where(p => p.Trainable).Sum(p => p.Shape.Count):N0} trainable");
        output.WriteLine($"  operations  {layers.Length:N0}, {Count(layers.Sum(l => l.Work))}FLOP for {(graph.Inputs.Count == 0 ? "a run" : "these inputs")}");
        if (layers.Length == 0) return;
        output.WriteLine();
        Table table = new(2, "NAME", "OPERATOR", "OUTPUT", ">PARAMETERS", ">FLOP");
        foreach (Layer layer in layers)
            table.Add(Printable.Line(layer.Name), layer.Node.Op.Name, layer.Node.Shape.ToString(), layer.Parameters == 0 ? "" : $"{layer.Parameters:N0}", layer.Work == 0 ? "" : Count(layer.Work));
        table.Write(output, Screen.WidthOf(output));
    }

    private static void WriteUnknown(TextWriter output, string name, IReadOnlyList<OnnxProblem> unknown, bool json)
    {
        if (json)
        {
            Json.Write(output, writer =>
            {
                writer.WriteString("path", name);
                writer.WriteStartArray("unsupported");
                foreach (OnnxProblem problem in unknown)
                {
                    writer.WriteStartObject();
                    writer.WriteString("node", problem.Node);
                    writer.WriteString("operator", problem.Operator);
                    writer.WriteString("domain", problem.Domain);
                    writer.WriteNumber("opset", problem.Opset);
                    writer.WriteString("reason", problem.Reason);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
            });
            return;
        }

        Table table = new(1, "NODE", "OPERATOR", ">OPSET", "WHY");
        foreach (OnnxProblem problem in unknown) table.Add(Printable.Line(problem.Node), Printable.Line($"{problem.Domain}.{problem.Operator}"), $"{problem.Opset}", Printable.Line(problem.Reason));
        table.Write(output, Screen.WidthOf(output));
    }

    private static void WriteJson(TextWriter output, string name, Graph graph, Layer[] layers) => Json.Write(output, json =>
    {
        json.WriteString("path", name);
        foreach (var (what, values) in new[] { ("inputs", graph.Inputs), ("outputs", graph.Outputs) })
        {
            json.WriteStartArray(what);
            foreach (var (value, node) in values)
            {
                json.WriteStartObject();
                json.WriteString("name", value);
                json.WriteString("dtype", node.Type.Name);
                json.Numbers("shape", node.Shape.Sizes);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteNumber("parameters", graph.Parameters.Values.Sum(p => p.Shape.Count));
        json.WriteNumber("trainable", graph.Parameters.Values.Where(p => p.Trainable).Sum(p => p.Shape.Count));
        json.WriteNumber("flop", layers.Sum(l => l.Work));
        json.WriteStartArray("layers");
        foreach (Layer layer in layers)
        {
            json.WriteStartObject();
            json.WriteString("name", layer.Name);
            json.WriteString("operator", layer.Node.Op.Name);
            json.Numbers("shape", layer.Node.Shape.Sizes);
            json.WriteNumber("parameters", layer.Parameters);
            json.WriteNumber("flop", layer.Work);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    /// <summary>A number of operations to three digits, with the prefix that makes it short.</summary>
    internal static string Count(long count) => count switch
    {
        < 10_000 => $"{count:N0} ",
        < 10_000_000 => $"{count / 1e3:0.##} k",
        < 10_000_000_000 => $"{count / 1e6:0.##} M",
        < 10_000_000_000_000 => $"{count / 1e9:0.##} G",
        _ => $"{count / 1e12:0.##} T",
    };

    private sealed record Layer(Node Node, string Name, long Parameters, long Work);
}
