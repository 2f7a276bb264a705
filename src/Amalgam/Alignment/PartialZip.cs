using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Alignment;

/// <summary>
/// Networks merged up to a cut and left apart after it (Stoica et al., ZipIt!, ICLR 2024, section 4.3): one trunk, and a head for each network, whose layers next to the cut read
/// the merged units. What late layers do differs more between tasks than what early ones do, so a cut trades the cost of several heads for accuracy.
/// </summary>
public static class PartialZip
{
    /// <summary>Where a network can be cut, in its order; of several values between the same layers the last.</summary>
    public static ImmutableArray<NetworkCut> Cuts(UnitGroups groups) => new NetworkCuts(groups).All();

    /// <summary>The cut of that name.</summary>
    /// <exception cref="GraphException">There is none, or the network cannot be cut there; those that it has are named.</exception>
    public static NetworkCut Cut(UnitGroups groups, string name)
    {
        NetworkCuts cuts = new(groups);
        ImmutableArray<NetworkCut> all = cuts.All();
        if (all.FirstOrDefault(cut => cut.Name == name) is { } found) return found;
        Node? node = groups.Graph.Find(name) ?? groups.Graph.Outputs.GetValueOrDefault(name);
        if (node is not null && cuts.Refusal(node) is null) return cuts.At(node);
        throw new GraphException($"the network cannot be cut at '{name}': {(node is null ? "it has no value of that name" : cuts.Refusal(node))}; {Admissible(all)}");
    }

    /// <summary>Merges up to a cut.</summary>
    /// <param name="models">The networks.</param>
    /// <param name="maps">Which of their units belong together; those after the cut do not matter.</param>
    /// <param name="cut">The value that the heads are computed from, a node of the groups' graph.</param>
    /// <returns>A network of its own tensors, with the outputs <c>NAME.a</c>, <c>NAME.b</c> of the networks' names. Parameters of heads are named <c>heads.a.NAME</c>.</returns>
    /// <exception cref="GraphException">The network cannot be cut there; the places where it can are named.</exception>
    public static Graph Build(Siblings models, UnitMaps maps, Node cut)
    {
        NetworkCuts cuts = new(models.Groups);
        if (cuts.Refusal(cut) is { } reason) throw new GraphException($"the network cannot be cut at {cut}: {reason}; {Admissible(cuts.All())}");
        UnitMaps read = Only(maps, cuts.On(cut));
        bool[] after = cuts.After(cut), before = Rewrite.Needed(models.Groups.Graph, [cut]);
        Graph graph = new();
        Dictionary<Node, Node> trunk = [];
        foreach (Node node in models.Groups.Graph.Nodes.Where(node => !after[node.Id] && (before[node.Id] || node.Op is Input)))
            trunk[node] = Add(graph, node, trunk, node.Name, () => Rearrangement.Merge(maps, models, node));
        for (int model = 0; model < models.Count; model++) AddHead(graph, models, model, read, trunk, cut, after);
        return graph;
    }

    /// <summary>The rest of a network on the merged value, with all that it needs of its own.</summary>
    private static void AddHead(Graph graph, Siblings models, int model, UnitMaps read, Dictionary<Node, Node> trunk, Node cut, bool[] after)
    {
        Graph from = models.Groups.Graph;
        bool[] shared = [.. from.Nodes.Select(node => node == cut || node.Op is Input)];
        bool[] wanted = Wanted(from, after, shared);
        Dictionary<Node, Node> head = [];
        foreach (Node node in from.Nodes.Where(node => wanted[node.Id]))
        {
            head[node] = shared[node.Id] ? trunk[node] : Add(graph, node, head, node.Name is null ? null : $"heads.{models.Names[model]}.{node.Name}",
                () => Moved(read, model, node, models.Weights[model][node.Name!]));
        }

        foreach (var (name, node) in from.Outputs) graph.Output($"{name}.{models.Names[model]}", head[node]);
    }

    /// <summary>A head's own parameter, even where nothing moves: statistics of the merged network may be overwritten, and its parents' must stay.</summary>
    private static Tensor Moved(UnitMaps maps, int model, Node parameter, Tensor value) => Rearrangement.Apply(maps, model, parameter, value) is var moved && moved == value ? value.Copy() : moved;

    /// <summary>What a head is made of: what depends on the cut, and what that needs, short of the cut and the inputs.</summary>
    private static bool[] Wanted(Graph from, bool[] after, bool[] shared)
    {
        bool[] wanted = [.. after];
        foreach (Node output in from.Outputs.Values) wanted[output.Id] = true;
        for (int id = wanted.Length - 1; id >= 0; id--)
        {
            if (!wanted[id] || shared[id]) continue;
            foreach (Node input in from.Nodes[id].Inputs) wanted[input.Id] = true;
        }

        return wanted;
    }

    private static Node Add(Graph graph, Node node, Dictionary<Node, Node> map, string? name, Func<Tensor> value) => node.Op switch
    {
        Input => graph.Input(node.Name!, node.Shape, node.Type),
        Parameter => graph.Parameter(name!, value(), node.Trainable, node.Type),
        _ => Rewrite.Replay(graph, node, [.. node.Inputs.Select(input => map[input])], name),
    };

    /// <summary>Maps of some classes; the units of all others stay in their places.</summary>
    private static UnitMaps Only(UnitMaps maps, HashSet<UnitClass> some)
    {
        UnitMaps only = UnitMaps.Identity(maps.Groups, maps.Models);
        foreach (UnitClass units in maps.Groups.Classes.Where(units => units.Pinned is null && some.Contains(units)))
            only.Set(units, [.. Enumerable.Range(0, maps.Models).Select(model => maps.To(units, model).ToArray())]);
        return only;
    }

    private static string Admissible(ImmutableArray<NetworkCut> cuts) =>
        cuts.IsEmpty ? "there is no value that everything after it depends on and that only layers read" : $"it can be cut at {string.Join(", ", cuts.Select(cut => $"'{cut.Name}'"))}";
}
