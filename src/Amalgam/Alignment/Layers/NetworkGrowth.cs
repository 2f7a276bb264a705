using Amalgam.Graphs;

namespace Amalgam.Alignment.Layers;

/// <summary>An identity layer to be inserted.</summary>
/// <param name="Like">The layer of the other network that it stands beside.</param>
/// <param name="Pattern">What is repeated for it.</param>
/// <param name="Beside">For nodes of the pattern, those of the other network's layer, whose names they take.</param>
internal sealed record Insertion(NetworkLayer Like, LayerPattern Pattern, Dictionary<Node, Node> Beside);

/// <summary>A network with identity layers inserted after some layers, and before others.</summary>
internal sealed class NetworkGrowth(Graph graph)
{
    private readonly Dictionary<Node, List<Insertion>> _after = [];
    private readonly Dictionary<Node, (NetworkLayer Layer, List<Insertion> Insertions)> _before = [];
    private readonly Dictionary<Node, Node> _made = [];
    private readonly HashSet<string> _taken = [.. graph.Nodes.Select(node => node.Name).OfType<string>()];

    /// <summary>Whether anything is inserted.</summary>
    public bool IsEmpty => _after.Count == 0 && _before.Count == 0;

    /// <summary>Activations that leave only some inputs alone, where it does not show that theirs are such.</summary>
    public List<(Insertion Insertion, string Doubt)> Doubts { get; } = [];

    /// <summary>Inserts a layer after another one, and after those that were inserted there before.</summary>
    public void After(NetworkLayer layer, Insertion insertion)
    {
        if (!_after.TryGetValue(layer.Exit, out var list)) _after.Add(layer.Exit, list = []);
        list.Add(insertion);
    }

    /// <summary>Inserts a layer before another one, after those that were inserted there before.</summary>
    public void Before(NetworkLayer layer, Insertion insertion)
    {
        Node first = layer.Nodes.First(node => node.Inputs.Contains(layer.Entry));
        if (!_before.ContainsKey(first)) _before.Add(first, (layer, []));
        _before[first].Insertions.Add(insertion);
    }

    /// <summary>Makes the new network; the old one stays as it is and shares its weights.</summary>
    /// <exception cref="GraphException">A layer cannot be an identity.</exception>
    public Graph Run()
    {
        Dictionary<NetworkLayer, Node> entries = [];
        Dictionary<Node, NetworkLayer> readers = _before.Values.SelectMany(b => b.Layer.Nodes.Where(node => node.Inputs.Contains(b.Layer.Entry)).Select(node => (node, b.Layer))).ToDictionary();
        return Rewrite.Apply(graph, Order(), (to, node, inputs) =>
        {
            if (_before.TryGetValue(node, out var before)) entries[before.Layer] = Insert(_made[before.Layer.Entry], before.Insertions, isFirst: true);
            Node[] read = inputs.ToArray();
            if (readers.TryGetValue(node, out NetworkLayer? layer))
            {
                for (int i = 0; i < read.Length; i++) read[i] = node.Inputs[i] == layer.Entry ? entries[layer] : read[i];
            }

            Node made = node.Op is Input ? to.Input(node.Name!, node.Shape, node.Type) : Rewrite.Replay(to, node, read, node.Name);
            return _made[node] = _after.TryGetValue(node, out var after) ? Insert(made, after, isFirst: false) : made;
        }).Graph;
    }

    /// <summary>The nodes in their order, but for what inserted layers read, such as a mask, which comes before them.</summary>
    private List<Node> Order()
    {
        HashSet<Node> placed = [];
        List<Node> order = [];
        void Place(Node node)
        {
            if (!placed.Add(node)) return;
            foreach (Node input in node.Inputs) Place(input);
            order.Add(node);
        }

        foreach (Node node in graph.Nodes)
        {
            IEnumerable<Insertion> here = _after.GetValueOrDefault(node) ?? (_before.TryGetValue(node, out var before) ? before.Insertions : []);
            foreach (Node read in here.SelectMany(insertion => insertion.Pattern.Outside).Where(read => read.Graph == graph)) Place(read);
            Place(node);
        }

        return order;
    }

    private Node Insert(Node x, List<Insertion> insertions, bool isFirst)
    {
        foreach (Insertion insertion in insertions)
        {
            try
            {
                x = Insert(x, insertion, isFirst);
            }
            catch (GraphException e)
            {
                throw new GraphException($"no identity layer can stand beside '{insertion.Like}': {e.Message}", e);
            }
        }

        return x;
    }

    private Node Insert(Node x, Insertion insertion, bool isFirst)
    {
        LayerPattern pattern = insertion.Pattern;
        foreach (Node read in pattern.Outside.Where(read => read.Graph != graph)) throw new GraphException($"it reads {read}, which the shallower network does not compute");
        Dictionary<string, string> names = Names(insertion);
        Node y = IdentityLayer.Add(pattern, x, pattern.Outside.ToDictionary(read => read, read => _made[read]), node => NameOf(insertion, node) is { } name ? names[name] : null);
        IdentityProof proof = IdentityProof.Of(x, y);
        if (proof.Refusal is { } refusal) throw new GraphException(refusal);
        if (proof.Doubt is { } doubt && !isFirst) throw new GraphException($"{doubt}, and what it is given may be outside");
        if (proof.Doubt is not null) Doubts.Add((insertion, proof.Doubt));
        return y;
    }

    private static string? NameOf(Insertion insertion, Node node) => insertion.Beside.GetValueOrDefault(node, node).Name ?? (node.Op is Parameter ? node.Name : null);

    /// <summary>The other network's names where none of them is taken, else all with one word before them.</summary>
    private Dictionary<string, string> Names(Insertion insertion)
    {
        string[] names = [.. insertion.Pattern.Nodes.Select(node => NameOf(insertion, node)).OfType<string>().Distinct()];
        string prefix = "";
        for (int i = 1; names.Any(name => _taken.Contains(prefix + name)); i++) prefix = i == 1 ? "added." : $"added{i}.";
        _taken.UnionWith(names.Select(name => prefix + name));
        return names.ToDictionary(name => name, name => prefix + name);
    }
}
