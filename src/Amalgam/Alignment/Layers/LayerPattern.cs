using Amalgam.Graphs;

namespace Amalgam.Alignment.Layers;

/// <summary>A layer or block as a pattern to repeat: what it computes, apart from the weights.</summary>
internal sealed class LayerPattern
{
    private readonly HashSet<Node> _data;

    public LayerPattern(NetworkLayer layer)
    {
        Layer = layer;
        Graph graph = layer.Entry.Graph;
        bool[] ofEntry = new bool[graph.Nodes.Count], ofInput = new bool[graph.Nodes.Count];
        foreach (Node node in graph.Nodes)
        {
            ofEntry[node.Id] = node == layer.Entry || node.Inputs.Any(input => ofEntry[input.Id]);
            ofInput[node.Id] = node.Op is Input || node.Inputs.Any(input => ofInput[input.Id]);
        }

        HashSet<Node> inside = [], read = [];
        Stack<Node> open = new([layer.Exit]);
        while (open.TryPop(out Node? node))
        {
            if (node == layer.Entry || !inside.Add(node)) continue;
            foreach (Node input in node.Inputs)
            {
                if (ofEntry[input.Id] || !ofInput[input.Id]) open.Push(input);
                else read.Add(input);
            }

            // What training sets a parameter of the layer to is part of the layer.
            if (node.Op is Parameter && graph.Updates.TryGetValue(node, out Node? update)) open.Push(update);
        }

        _data = [.. inside.Where(node => ofEntry[node.Id])];
        Nodes = [.. inside.OrderBy(node => node.Id)];
        Outside = [.. read.OrderBy(node => node.Id)];
    }

    /// <summary>The layer.</summary>
    public NetworkLayer Layer { get; }

    /// <summary>What the layer is made of, parameters and constants among it, in the graph's order.</summary>
    public Node[] Nodes { get; }

    /// <summary>Values that the layer reads beside its entry, such as a mask.</summary>
    public Node[] Outside { get; }

    /// <summary>Whether a node of the layer depends on its entry.</summary>
    public bool IsData(Node node) => _data.Contains(node) || node == Layer.Entry;

    /// <summary>Whether the layer's result has as many channels or units as its entry, so that none of its sizes has to change for a stream of that width.</summary>
    public bool Keeps(int width) => Layer.Width == width && Layer.Entry.Shape.Rank == Layer.Exit.Shape.Rank && Layer.Entry.Shape.Size(Layer.Axis) == width;

    /// <summary>The nodes of another layer that stand where this one's do; null where the two are not of one structure.</summary>
    public Dictionary<Node, Node>? Beside(LayerPattern other)
    {
        if (Nodes.Length != other.Nodes.Length) return null;
        Dictionary<Node, Node> pairs = [];
        Stack<(Node, Node)> open = new([(Layer.Exit, other.Layer.Exit)]);
        while (open.TryPop(out (Node Own, Node Other) pair))
        {
            if (pair.Own == Layer.Entry || Outside.Contains(pair.Own)) continue;
            if (pairs.TryGetValue(pair.Own, out Node? known))
            {
                if (known != pair.Other) return null;
                continue;
            }

            if (pair.Own.Op.GetType() != pair.Other.Op.GetType() || pair.Own.Inputs.Length != pair.Other.Inputs.Length) return null;
            pairs.Add(pair.Own, pair.Other);
            foreach (var inputs in pair.Own.Inputs.Zip(pair.Other.Inputs)) open.Push(inputs);
        }

        return pairs;
    }
}
