using Amalgam.Graphs;

namespace Amalgam.Checkpoints;

/// <summary>Moves weights between checkpoints and the parameters of graphs, by name.</summary>
public static class GraphWeights
{
    /// <summary>PyTorch's count of the batches that a normalisation has seen; no graph has it, as nothing is computed from it.</summary>
    private const string BatchCounter = ".num_batches_tracked";

    private const int MostNamed = 20;

    /// <summary>Reads every parameter of a graph from a checkpoint, into the tensors that it has. Nothing is changed when something does not fit.</summary>
    /// <param name="graph">The graph; instances that share its parameters see the new weights too.</param>
    /// <param name="checkpoint">Floating-point tensors of any type.</param>
    /// <param name="prefix">Taken off the names of the checkpoint's tensors, such as <c>module.</c>; tensors without it are unexpected.</param>
    /// <param name="ignore">Which of the checkpoint's tensors, by their names without the prefix, the graph need not have; PyTorch's batch counters are always among them.</param>
    /// <exception cref="InvalidDataException">Tensors are missing, unexpected, of another shape or not of numbers; of each kind the first twenty are named, the others counted.</exception>
    public static void Load(Graph graph, Checkpoint checkpoint, string prefix = "", Func<string, bool>? ignore = null)
    {
        List<string> problems = [];
        List<(TensorEntry From, Tensor To)> pairs = [];
        Say(problems, "missing", graph.Parameters.Where(p => !checkpoint.TryFind(prefix + p.Key, out _)).Select(p => $"'{p.Key}' {p.Value.Shape}"));
        Say(problems, "unexpected", checkpoint.Tensors.Where(t => IsUnexpected(graph, t.Name, prefix, ignore)).Select(t => $"'{t.Name}' {t.Shape}"));
        foreach (var (name, node) in graph.Parameters)
        {
            if (checkpoint.TryFind(prefix + name, out TensorEntry? tensor)) pairs.Add((tensor, node.Value!));
        }

        Say(problems, "of another shape", pairs.Where(p => p.From.Shape != p.To.Shape).Select(p => $"'{p.From.Name}' {p.From.Shape}, expected {p.To.Shape}"));
        Say(problems, "of a type that is not read", pairs.Where(p => !p.From.DType.IsReadable).Select(p => p.From.ToString()));
        if (problems.Count > 0) throw new InvalidDataException($"{checkpoint.Path} does not fit the network: {string.Join("; ", problems)}{Hint(graph, checkpoint, prefix)}");
        foreach (var (from, to) in pairs) Read(from, to);
    }

    /// <summary>Writes every parameter of a graph as a checkpoint, in the order of declaration.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="path">A folder, or a file whose ending names its format (<c>.safetensors</c>).</param>
    /// <param name="overwrite">Replace what is there.</param>
    /// <param name="metadata">Notes to store in the file.</param>
    /// <exception cref="IOException">The path cannot be written.</exception>
    public static void Save(Graph graph, string path, bool overwrite = false, IReadOnlyDictionary<string, string>? metadata = null)
    {
        Dictionary<string, string> notes = new(metadata ?? new Dictionary<string, string>());
        notes.TryAdd("format", "pt");
        TensorSpec[] specs = [.. graph.Parameters.Select(p => new TensorSpec(p.Key, p.Value.Type.IsFloat ? p.Value.Type : DType.F32, p.Value.Shape))];
        using CheckpointOutput output = CheckpointOutput.Create(path, specs, notes, new(Overwrite: overwrite), "weights of a graph");
        foreach (TensorSpec spec in specs) Write(output, spec, graph.Parameters[spec.Name].Value!.Span);
        output.Commit();
    }

    /// <summary>Writes one tensor, narrowed to its type.</summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="spec">The tensor, one of the output's.</param>
    /// <param name="values">Its values.</param>
    public static void Write(CheckpointOutput output, TensorSpec spec, ReadOnlySpan<float> values)
    {
        byte[] bytes = new byte[spec.DType.BytesOf(TensorBlocks.LargestOf(spec.Shape))];
        foreach (var (first, count) in TensorBlocks.Of(spec.Shape))
        {
            Span<byte> block = bytes.AsSpan(0, (int)spec.DType.BytesOf(count));
            spec.DType.Narrow(values.Slice((int)first, count), block);
            output.Write(spec.Name, first, block);
        }
    }

    /// <summary>Reads one tensor as floats.</summary>
    /// <param name="from">A tensor of a type that can be read.</param>
    /// <param name="to">Of the same number of elements.</param>
    public static void Read(TensorEntry from, Tensor to)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(to.Count, from.Shape.Count, nameof(to));
        byte[] bytes = new byte[from.DType.BytesOf(TensorBlocks.LargestOf(from.Shape))];
        foreach (var (first, count) in TensorBlocks.Of(from.Shape))
        {
            Span<byte> block = bytes.AsSpan(0, (int)from.DType.BytesOf(count));
            from.Read(first, block);
            from.DType.Widen(block, to.Span.Slice((int)first, count));
        }
    }

    private static bool IsUnexpected(Graph graph, string name, string prefix, Func<string, bool>? ignore)
    {
        if (!name.StartsWith(prefix, StringComparison.Ordinal)) return true;
        string own = name[prefix.Length..];
        return !graph.Parameters.ContainsKey(own) && !own.EndsWith(BatchCounter, StringComparison.Ordinal) && ignore?.Invoke(own) != true;
    }

    private static void Say(List<string> problems, string what, IEnumerable<string> tensors)
    {
        string[] all = [.. tensors];
        if (all.Length == 0) return;
        string rest = all.Length > MostNamed ? $" and {all.Length - MostNamed} more" : "";
        problems.Add($"{all.Length} {what}: {string.Join(", ", all.Take(MostNamed))}{rest}");
    }

    /// <summary>What to do when all names of the checkpoint begin alike and would fit without it.</summary>
    private static string Hint(Graph graph, Checkpoint checkpoint, string prefix)
    {
        if (prefix != "" || graph.Parameters.Count == 0) return "";
        string own = graph.Parameters.Keys.First();
        string? found = checkpoint.Tensors.Select(t => t.Name).FirstOrDefault(n => n.EndsWith("." + own, StringComparison.Ordinal));
        return found is null ? "" : $"; '{found}' looks like '{own}' with the prefix '{found[..^own.Length]}'";
    }
}
