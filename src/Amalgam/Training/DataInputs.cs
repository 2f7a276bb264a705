using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Training.Data;

namespace Amalgam.Training;

/// <summary>Which field of a data set fills which input of a graph.</summary>
public static class DataInputs
{
    /// <summary>
    /// An instance of a network for data: inputs take a number of samples, and lists of ids take the length of the field of their name. So a network that was built to
    /// score one item scores a hundred. Images and other features keep their shapes: a network for some sizes says nothing of others.
    /// </summary>
    /// <param name="network">The network; it stays as it is and shares its weights.</param>
    /// <param name="data">The data.</param>
    /// <param name="samples">Samples at a time.</param>
    /// <exception cref="GraphException">An operation does not allow the new shapes.</exception>
    public static Graph Fit(Graph network, Dataset data, int samples) => Resize(network, data, samples).Graph;

    /// <summary>The same with what became of the nodes.</summary>
    internal static GraphCopy Resize(Graph network, Dataset data, int samples)
    {
        Dictionary<string, Shape> shapes = [];
        List<string> changed = [];
        foreach (var (name, input) in network.Inputs)
        {
            if (input.Shape.Rank == 0) continue;
            Shape one = new(input.Shape.Sizes[1..]);
            if (data.Fields.FirstOrDefault(f => f.Name == name) is { } field && input.Type == DType.I64 && one.Rank == 1 && field.Shape.Rank == 1 && field.Shape != one)
            {
                changed.Add($"'{name}' {one} as {field.Shape}");
                one = field.Shape;
            }

            shapes[name] = new([samples, .. one.Sizes]);
        }

        try
        {
            return Rewrite.Resize(network, shapes);
        }
        catch (GraphException e) when (changed.Count > 0)
        {
            throw new GraphException($"the network does not take samples of {data.Name}, its {(changed.Count == 1 ? "input" : "inputs")} {string.Join(" and ", changed)}: {e.Message}", e);
        }
    }

    /// <summary>
    /// A field fills the input of its name. Where one input and one field are left over, as in networks from elsewhere, the field fills it if both have as many
    /// numbers for a sample. Every input must be filled; a field may stay unused.
    /// </summary>
    /// <param name="data">The data.</param>
    /// <param name="graph">The graph.</param>
    /// <param name="samples">Samples at a time.</param>
    /// <param name="truth">The input of the truth, which only the field of its name fills; null when there is none.</param>
    /// <param name="executor">Has the inputs' memory.</param>
    /// <returns>What each field fills, null for nothing, as <see cref="Batches.Fill"/> takes it.</returns>
    /// <exception cref="GraphException">An input is filled by no field, or is of another size; or a table has no row for some of the ids.</exception>
    public static Tensor?[] Bind(Dataset data, Graph graph, int samples, Node? truth, Executor executor)
    {
        Node?[] inputs = [.. data.Fields.Select(field => graph.Inputs.GetValueOrDefault(field.Name))];
        Node[] open = [.. graph.Inputs.Values.Where(node => !inputs.Contains(node) && !TrainingForm.Fills(node))];
        int[] unused = [.. Enumerable.Range(0, inputs.Length).Where(i => inputs[i] is null && !(data.Fields[i].Shape.Rank == 0 && data.Labels.Length > 0))];
        if (open.Length == 1 && unused.Length == 1 && open[0] != truth && open[0].Shape.Count == samples * data.Fields[unused[0]].Shape.Count) (inputs[unused[0]], open) = (open[0], []);
        if (open.Length > 0) throw new GraphException($"the input '{open[0].Name}' {open[0].Shape} is filled by no field of {data.Name}: {Describe(data)}");

        for (int i = 0; i < inputs.Length; i++)
        {
            long room = samples * data.Fields[i].Shape.Count;
            if (inputs[i] is { } node && node.Shape.Count != room)
                throw new GraphException($"the input '{node.Name}' {node.Shape} does not take {samples} samples of {data.Name}'s '{data.Fields[i].Name}' {data.Fields[i].Shape}");
        }

        CheckIds(data, graph, inputs);
        return [.. inputs.Select(node => node is null ? null : executor[node])];
    }

    /// <summary>A table that is read by ids needs a row for each, which would else be missed in the middle of a run.</summary>
    private static void CheckIds(Dataset data, Graph graph, Node?[] inputs)
    {
        if (ShortTable(data, graph, inputs) is { } table) throw new GraphException(table.Message);
    }

    /// <summary>The first table that has too few rows for the ids of a field.</summary>
    /// <param name="data">The data.</param>
    /// <param name="graph">The network.</param>
    /// <param name="inputs">The input that each field fills; null for none.</param>
    /// <returns>The table, its rows, the field, and all of that in a sentence; null where every table has enough.</returns>
    internal static (Node Table, long Rows, Field Field, string Message)? ShortTable(Dataset data, Graph graph, IReadOnlyList<Node?> inputs)
    {
        int[] ids = new int[graph.Nodes.Count];
        for (int i = 0; i < inputs.Count; i++)
        {
            if (inputs[i] is { } input && data.Fields[i].Ids is not null) ids[input.Id] = i + 1;
        }

        foreach (Node node in graph.Nodes)
        {
            if (HandsOnIds(node.Op) && ids[node.Inputs[0].Id] is > 0 and var read) ids[node.Id] = read;
            if (node is not { Op: Gather gather, Inputs: [var table, var index] } || ids[index.Id] is not (> 0 and var from)) continue;
            Field field = data.Fields[from - 1];
            long rows = table.Shape[gather.Axis < 0 ? gather.Axis + table.Shape.Rank : gather.Axis];
            if (field.Ids <= rows) continue;
            string name = table.Name ?? table.Inputs.Select(input => input.Name).FirstOrDefault(of => of is not null) ?? "a table";
            return (table, rows, field, $"'{name}' {table.Shape} has rows for {rows} ids, {data.Name} has {field.Ids}, 0 among them: a network for it is built with as many");
        }

        return null;
    }

    /// <summary>Whether an operation gives numbers of its first input as they are, in another form or some of them.</summary>
    private static bool HandsOnIds(Op op) => op is View or Cast or Transpose or Slice or Expand;

    /// <summary>
    /// Whether a network does not take a number of samples because it holds its own, as files do that were written for one batch.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="data">The data.</param>
    /// <param name="samples">The number.</param>
    /// <param name="own">The number that it takes.</param>
    /// <param name="why">What stands in the way of another.</param>
    /// <returns>False where it takes the number; also where it does not take its own, for then the number is not the reason.</returns>
    internal static bool HoldsSamples(Graph network, Dataset data, int samples, out int own, out string? why)
    {
        (own, why) = (network.Inputs.Values.FirstOrDefault(node => node.Shape.Rank > 0)?.Shape.Size(0) ?? samples, null);
        if (own == samples) return false;
        try
        {
            Fit(network, data, samples);
            return false;
        }
        catch (GraphException e)
        {
            why = e.Message;
        }

        try
        {
            Fit(network, data, own);
            return true;
        }
        catch (GraphException)
        {
            return false;
        }
    }

    /// <summary>The output of that name, or the first.</summary>
    /// <exception cref="GraphException">There is none.</exception>
    public static Node OutputOf(Graph graph, string? name = null)
    {
        if (graph.Outputs.Count == 0) throw new GraphException("the graph has no output");
        if (name is null) return graph.Outputs.Values.First();
        return graph.Outputs.TryGetValue(name, out Node? node) ? node
            : throw new GraphException($"the graph has no output '{name}'; its outputs are {string.Join(", ", graph.Outputs.Keys.Select(n => $"'{n}'"))}");
    }

    private static string Describe(Dataset data) => string.Join(", ", data.Fields.Select(f => $"'{f.Name}' {f.Shape}"));
}
