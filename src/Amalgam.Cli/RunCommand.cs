using System.CommandLine;
using System.Runtime.InteropServices;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary><c>amalgam run</c>: runs a network on arrays.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        Argument<string> path = new("model") { Description = "An .onnx file, or a checkpoint" };
        Argument<string> input = new("input") { Description = "Arrays, each named as the input that it fills: .npz, or any other format that Amalgam reads" };
        Option<string> to = new("--output", "-o") { Description = "Where the outputs go: .npz or .safetensors", Required = true };
        Option<string?> model = ArchitectureOption.Create();
        Option<bool> overwrite = new("--overwrite") { Description = "Replace what is at the output" };
        Option<bool> profile = new("--profile") { Description = "Print the time of each operator, after a run that is not counted" };
        Option<int?> repeat = CountOption.Create("--repeat", "Run so often, to measure [default: 1]");
        Option<int?> threads = CountOption.Create("--threads", "Number of threads; the result does not depend on it", "-j");
        Verb verb = new(
            "run", "Run a network on the arrays of a file and write its outputs.",
            [
                "amalgam run model.onnx input.npz -o output.npz",
                "amalgam run weights.safetensors input.npz -o output.npz --model mlp:hidden=400/200/100",
                "amalgam run model.onnx input.npz -o output.npz --profile --repeat 10",
            ])
        {
            path, input, to, model, overwrite, profile, repeat, threads,
        };
        verb.Runs((parse, cancel) =>
        {
            string target = parse.GetValue(to)!;
            CheckpointOutput.CheckTarget(target, parse.GetValue(overwrite));
            Dictionary<string, Tensor> arrays = Read(parse.GetValue(input)!);
            Graph graph = Load(parse.GetValue(path)!, ArchitectureOption.Of(parse.GetValue(model)), arrays);
            Executor executor = new(graph, new(Threads: parse.GetValue(threads), Frozen: true, Profile: parse.GetValue(profile)));
            foreach (var (name, node) in graph.Inputs) arrays[name].Span.CopyTo(executor[node].Span);
            CheckEnding(target);
            if (parse.GetValue(profile))
            {
                executor.Run(cancel);
                executor.ClearProfile();
            }

            for (int i = 0; i < (parse.GetValue(repeat) ?? 1); i++) executor.Run(cancel);
            Write(graph, executor, target, parse.GetValue(overwrite));

            TextWriter output = parse.InvocationConfiguration.Output;
            foreach (var (name, node) in graph.Outputs) output.WriteLine($"{Printable.Line(name)} {node.Type}{node.Shape}");
            if (parse.GetValue(profile)) WriteProfile(output, executor);
        });
        return verb;
    }

    private static void CheckEnding(string target)
    {
        if (Path.GetExtension(target) is not (".npz" or ".safetensors")) throw new InvalidDataException($"{target}: outputs are written to .npz or .safetensors");
    }

    /// <summary>The arrays of a file, by name.</summary>
    internal static Dictionary<string, Tensor> Read(string path)
    {
        using Checkpoint file = Checkpoint.Open(path);
        Dictionary<string, Tensor> arrays = [];
        foreach (TensorEntry entry in file.Tensors)
        {
            if (!entry.DType.IsReadable) throw new InvalidDataException($"{path}: {entry} is of a type that networks do not take");
            Tensor tensor = new(entry.Shape);
            GraphWeights.Read(entry, tensor);
            arrays.Add(entry.Name, tensor);
        }

        return arrays;
    }

    /// <summary>The network for arrays of these shapes. Where there is one input and one array, their names need not agree.</summary>
    internal static Graph Load(string path, ModelDescription? model, Dictionary<string, Tensor> arrays)
    {
        string[] names;
        Graph graph;
        if (path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
        {
            using OnnxModel file = OnnxModel.Open(path);
            names = [.. file.Inputs.Select(i => i.Name)];
            Match(path, names, arrays);
            graph = Import(file, arrays);
        }
        else
        {
            graph = ModelLoader.Load(path, model);
            names = [.. graph.Inputs.Keys];
            Match(path, names, arrays);
        }

        if (graph.Inputs.All(i => i.Value.Shape == arrays[i.Key].Shape)) return graph;
        return Rewrite.Resize(graph, graph.Inputs.Keys.ToDictionary(name => name, name => arrays[name].Shape)).Graph;
    }

    /// <summary>Where the network's form depends on integers that it is given (a rate, a shape), they are taken as known.</summary>
    private static Graph Import(OnnxModel file, Dictionary<string, Tensor> arrays)
    {
        Dictionary<string, Shape> shapes = file.Inputs.ToDictionary(i => i.Name, i => arrays[i.Name].Shape);
        Dictionary<string, Tensor> integers = file.Inputs.Where(i => i.Type is { IsFloat: false } && arrays[i.Name].Shape.Rank < 2).ToDictionary(i => i.Name, i => arrays[i.Name]);
        try
        {
            return file.ToGraph(shapes);
        }
        catch (GraphException) when (integers.Count > 0)
        {
            foreach (string name in integers.Keys) shapes.Remove(name);
            return file.ToGraph(shapes, known: integers);
        }
    }

    private static void Match(string path, string[] names, Dictionary<string, Tensor> arrays)
    {
        if (names.Length == 1 && arrays.Count == 1) arrays[names[0]] = arrays.Values.Single();
        string[] missing = [.. names.Where(name => !arrays.ContainsKey(name))];
        if (missing.Length > 0)
            throw new InvalidDataException($"{path} needs the inputs {string.Join(", ", names.Select(n => $"'{n}'"))}; there is no array '{missing[0]}' among {string.Join(", ", arrays.Keys.Select(n => $"'{n}'"))}");
        if (names.Length > 1 && arrays.Keys.FirstOrDefault(name => !names.Contains(name)) is { } strange)
            throw new InvalidDataException($"{path} has no input '{strange}'; its inputs are {string.Join(", ", names.Select(n => $"'{n}'"))}");
    }

    private static void Write(Graph graph, Executor executor, string path, bool overwrite)
    {
        TensorSpec[] specs = [.. graph.Outputs.Select(o => new TensorSpec(o.Key, o.Value.Type == DType.I64 || o.Value.Type == DType.I32 || o.Value.Type == DType.Bool ? DType.I64 : DType.F32, o.Value.Shape))];
        using CheckpointOutput file = CheckpointOutput.Create(path, specs, new Dictionary<string, string>(), new(Overwrite: overwrite), "outputs of a network");
        foreach (TensorSpec spec in specs)
        {
            Tensor value = executor[graph.Outputs[spec.Name]];
            if (spec.DType == DType.F32) file.Write(spec.Name, 0, MemoryMarshal.AsBytes(value.Span));
            else file.Write(spec.Name, 0, MemoryMarshal.AsBytes(Array.ConvertAll(value.Span.ToArray(), x => (long)x).AsSpan()));
        }

        file.Commit();
    }

    private static void WriteProfile(TextWriter output, Executor executor)
    {
        IReadOnlyList<OperationTime> times = executor.Profile();
        double total = times.Sum(t => t.Time.TotalMilliseconds), runs = Math.Max(1, times.Count > 0 ? times[0].Runs : 1);
        output.WriteLine();
        Table table = new(1, "OPERATOR", ">NODES", ">MS PER RUN", ">SHARE", ">GFLOP/S", "SLOWEST");
        foreach (var group in times.GroupBy(t => t.Node.Op.Name).OrderByDescending(g => g.Sum(t => t.Time.Ticks)))
        {
            double milliseconds = group.Sum(t => t.Time.TotalMilliseconds), work = group.Sum(t => (double)t.Node.Op.Work(t.Node)) * runs;
            OperationTime slowest = group.MaxBy(t => t.Time);
            table.Add(
                group.Key, $"{group.Count()}", $"{milliseconds / runs:0.000}", Printable.Percent(total > 0 ? milliseconds / total : 0), work > 0 && milliseconds > 0 ? $"{work / milliseconds / 1e6:0.0}" : "",
                Printable.Line($"{slowest.Node.Name ?? $"%{slowest.Node.Id}"} {slowest.Node.Shape}"));
        }

        table.Add("all", $"{times.Count}", $"{total / runs:0.000}", "", "", "");
        table.Write(output, Screen.WidthOf(output));
    }
}
