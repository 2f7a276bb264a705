using Amalgam.Checkpoints.OnnxProtos;
using Amalgam.Graphs;
using Dimension = Amalgam.Checkpoints.OnnxProtos.TensorShapeProto.Types.Dimension;

namespace Amalgam.Checkpoints;

/// <summary>What an ONNX file says beyond its graph: names of nodes, symbolic sizes, notes. It comes from the model that the graph was imported from, where there is one.</summary>
/// <param name="like">That model; null for a graph that was built.</param>
/// <param name="batch">Symbol for the leading size of the inputs.</param>
internal sealed class OnnxNotes(ModelProto? like, string? batch)
{
    private readonly Dictionary<string, NodeProto> _nodes = Makers(like);

    /// <summary>A model with nothing but notes.</summary>
    public ModelProto Model()
    {
        if (like is null) return new() { ProducerName = "amalgam", ProducerVersion = typeof(OnnxNotes).Assembly.GetName().Version!.ToString(3) };
        ModelProto model = new() { ProducerName = like.ProducerName, ProducerVersion = like.ProducerVersion, Domain = like.Domain, ModelVersion = like.ModelVersion, DocString = like.DocString };
        model.MetadataProps.AddRange(like.MetadataProps);
        return model;
    }

    /// <summary>Gives a node the name and notes that belong to the value it makes. Several nodes may come of one with several results; the first is named.</summary>
    public void Describe(NodeProto node, string value)
    {
        if (like is null) node.Name = value;
        if (!_nodes.TryGetValue(value, out NodeProto? original)) return;
        (node.Name, node.DocString) = (original.Name, original.DocString);
        node.MetadataProps.AddRange(original.MetadataProps);
    }

    /// <summary>Declares inputs and outputs, and what the original said of values in between.</summary>
    /// <exception cref="GraphException">The graph does not take another number of samples.</exception>
    public void Describe(Graph graph, GraphProto to)
    {
        Graph? other = batch is null ? null : Resized(graph);
        to.Name = like is null ? "amalgam" : like.Graph.Name;
        foreach (var (name, node) in graph.Inputs) to.Input.Add(Value(name, node, other?.Inputs[name], like?.Graph.Input));
        foreach (var (name, node) in graph.Outputs) to.Output.Add(Value(name, node, other?.Outputs[name], like?.Graph.Output));
        if (like is null) return;
        to.DocString = like.Graph.DocString;
        to.MetadataProps.AddRange(like.Graph.MetadataProps);
        HashSet<string> made = [.. to.Node.SelectMany(n => n.Output)];
        to.ValueInfo.AddRange(like.Graph.ValueInfo.Where(v => made.Contains(v.Name)));
    }

    private static Graph Resized(Graph graph)
    {
        long size = graph.Inputs.Values.Where(i => i.Shape.Rank > 0).Select(i => i.Shape[0]).DefaultIfEmpty(1).First();
        try
        {
            return Rewrite.Resize(graph, checked((int)size + 1)).Graph;
        }
        catch (GraphException e)
        {
            throw new GraphException($"the graph takes {size} samples and no other number, so it cannot be written for any ({e.Message})", e);
        }
    }

    private ValueInfoProto Value(string name, Node node, Node? other, IEnumerable<ValueInfoProto>? originals)
    {
        ValueInfoProto? original = originals?.FirstOrDefault(v => v.Name == name);
        TensorShapeProto shape = new();
        for (int axis = 0; axis < node.Shape.Rank; axis++) shape.Dim.Add(Size(node, axis, other, original?.Type?.TensorType?.Shape));
        ValueInfoProto value = new() { Name = name, Type = new() { TensorType = new() { ElemType = OnnxTypes.NumberOf(node.Type), Shape = shape } } };
        if (original is null) return value;
        value.DocString = original.DocString;
        value.Type.Denotation = original.Type?.Denotation ?? "";
        value.MetadataProps.AddRange(original.MetadataProps);
        return value;
    }

    private Dimension Size(Node node, int axis, Node? other, TensorShapeProto? original)
    {
        if (original?.Dim.Count == node.Shape.Rank && !OnnxShapes.IsFixed(original.Dim[axis])) return original.Dim[axis].Clone();
        if (other is not null && other.Shape[axis] != node.Shape[axis]) return new() { DimParam = axis == 0 ? batch : $"{batch}_{axis}" };
        return new() { DimValue = node.Shape[axis], Denotation = original?.Dim.Count == node.Shape.Rank ? original.Dim[axis].Denotation : "" };
    }

    private static Dictionary<string, NodeProto> Makers(ModelProto? model)
    {
        Dictionary<string, NodeProto> makers = new(StringComparer.Ordinal);
        foreach (NodeProto node in model?.Graph.Node ?? [])
        {
            if (node.Output.FirstOrDefault(o => o.Length > 0) is { } name) makers.TryAdd(name, node);
        }

        return makers;
    }
}
