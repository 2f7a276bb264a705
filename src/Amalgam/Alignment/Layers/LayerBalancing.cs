using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Training.Data;

namespace Amalgam.Alignment.Layers;

/// <summary>Two networks of one structure: the same layers in the same order, of other widths.</summary>
/// <param name="A">The first network.</param>
/// <param name="B">The second one.</param>
/// <param name="Notes">What was added or merged, and what is to be known of it, for people.</param>
public sealed record BalancedNetworks(Graph A, Graph B, ImmutableArray<string> Notes);

/// <summary>
/// Makes networks of different depth equally deep, given which of their layers belong together (Nguyen et al., On Cross-Layer Alignment for Model Fusion of Heterogeneous Neural Networks,
/// 2023, section 3.2). The networks given stay as they are; what is kept of them shares their weights.
/// </summary>
public static class LayerBalancing
{
    private const int MostNamed = 4;

    /// <summary>
    /// Adds identity layers to whichever network has fewer in a group, beside the layers of the other one that have no partner. Each network computes what it did, to the last bit; that is proved from the
    /// operations and tried on random inputs. Layers with activations that are no identity on their own results are refused.
    /// </summary>
    /// <param name="mapping">Which layers belong together.</param>
    /// <param name="cancel">Looked at while the networks are tried.</param>
    /// <exception cref="GraphException">A layer cannot be an identity: the reason is given. Or layers that are to be partners are of different kinds.</exception>
    public static BalancedNetworks Add(LayerMapping mapping, CancellationToken cancel = default)
    {
        List<string> notes = [.. mapping.Notes];
        foreach (var (a, b) in mapping.Pairs)
        {
            if (a.Signature != b.Signature) throw LayerDifference.OfLayers(mapping.A, a, mapping.B, b);
        }

        Graph first = Grow(mapping, true, notes, cancel), second = Grow(mapping, false, notes, cancel);
        return new(first, second, [.. notes]);
    }

    /// <summary>
    /// Merges the layers of the deeper network that have no partner into the next one: W = W_next D W_removed, b = W_next (D b_removed) + b_next, where the diagonal D stands for the activation between them.
    /// Dense layers with Relu or no activation only.
    /// </summary>
    /// <param name="mapping">Which layers belong together.</param>
    /// <param name="gate">How D follows from the pre-activations of the network as it was.</param>
    /// <param name="data">Samples that the networks take.</param>
    /// <param name="samples">How many of them are looked at.</param>
    /// <param name="cancel">Looked at between operations.</param>
    /// <exception cref="GraphException">A layer cannot be merged: the reason is given.</exception>
    public static BalancedNetworks Merge(LayerMapping mapping, Gate gate, Dataset data, int samples = 200, CancellationToken cancel = default)
    {
        List<string> notes = [.. mapping.Notes];
        LayerMerging first = new(mapping.A), second = new(mapping.B);
        foreach (GroupMapping group in mapping.Groups)
        {
            NetworkLayer[] removed = [.. Unmatched(group)];
            if (removed.Length > 0) (group.AIsDeeper ? first : second).Remove(group.AIsDeeper ? group.A : group.B, removed);
            if (removed.Length > 0) notes.Add($"{(group.AIsDeeper ? mapping.Names.A : mapping.Names.B)}: {(removed.Length == 1 ? "a layer is merged into what follows it" : $"{removed.Length} layers are merged into what follows them")} ({Word(gate)} gate): {Listed([.. removed.Select(layer => $"{layer} of {layer.Width} units")])}");
        }

        Graph a = first.Run(gate, data, samples, cancel), b = second.Run(gate, data, samples, cancel);
        foreach (var (name, before, after) in new[] { ("A", mapping.A.Graph, a), ("B", mapping.B.Graph, b) })
        {
            if (before != after && FunctionProbe.Difference(before, after, cancel: cancel) is { } difference) notes.Add($"{name}: the outputs on random inputs change by {difference:0.###e+0} of the largest number");
        }

        return new(a, b, [.. notes]);
    }

    /// <summary>Adds identity layers to a network by itself (Chen, Goodfellow and Shlens, Net2Net, ICLR 2016, Net2DeeperNet). It computes what it did, to the last bit.</summary>
    /// <param name="network">The network; it stays as it is, and the new one shares its weights.</param>
    /// <param name="after">Numbers of layers, after each of which one is added; one number may come several times.</param>
    /// <param name="cancel">Looked at while the new network is tried.</param>
    /// <exception cref="GraphException">A layer cannot be an identity: the reason is given.</exception>
    public static Graph Deepen(NetworkLayers network, IEnumerable<int> after, CancellationToken cancel = default)
    {
        NetworkGrowth growth = new(network.Graph);
        foreach (NetworkLayer layer in after.Select(number => network.Layers[number]))
        {
            LayerGroup group = network.Groups.First(group => group.Layers.Contains(layer));
            NetworkLayer like = layer.IsTransition ? group.Layers.FirstOrDefault(other => !other.IsTransition) ?? layer : layer;
            if (like.IsTransition) throw new GraphException($"no identity layer can stand after '{layer}': it changes the resolution or the width, and '{group}' has no other layer to repeat");
            growth.After(layer, Plan(group, like, layer.Width));
        }

        return growth.IsEmpty ? network.Graph : Checked(network.Graph, growth, "the network", [], cancel);
    }

    private static string Word(Gate gate) => gate.ToString().ToLowerInvariant();

    private static IEnumerable<NetworkLayer> Unmatched(GroupMapping group)
    {
        HashSet<int> matched = [.. group.Map];
        return (group.AIsDeeper ? group.A : group.B).Layers.Where((_, i) => !matched.Contains(i));
    }

    private static Graph Grow(LayerMapping mapping, bool isA, List<string> notes, CancellationToken cancel)
    {
        Graph graph = (isA ? mapping.A : mapping.B).Graph;
        NetworkGrowth growth = new(graph);
        List<(NetworkLayer Like, string At)> added = [];
        var (name, other) = isA ? mapping.Names : (mapping.Names.B, mapping.Names.A);
        foreach (GroupMapping group in mapping.Groups.Where(group => isA ? group.BIsDeeper : group.AIsDeeper))
        {
            LayerGroup into = isA ? group.A : group.B, deeper = isA ? group.B : group.A;
            foreach (var (at, like) in Gaps(group, deeper))
            {
                if (like.IsTransition) throw new GraphException($"{like} of {other} changes the resolution or the width and has no partner in {name}; no identity layer can stand beside it");
                if (into.Count == 0) throw new GraphException($"{name} has no layer in the group '{deeper}' of {other}, so there is no place for an identity layer");
                Insertion insertion = Plan(into, like, at < 0 ? WidthOf(into.Layers[0]) : into.Layers[at].Width);
                if (at < 0) growth.Before(into.Layers[0], insertion);
                else growth.After(into.Layers[at], insertion);
                added.Add((like, at < 0 ? $"before {into.Layers[0]}" : $"after {into.Layers[at]}"));
            }
        }

        if (growth.IsEmpty) return graph;
        string[] places = [.. Runs(added).Select(run => $"{run.Layers} {run.At}")];
        notes.Add($"{name}: {(added.Count == 1 ? $"an identity layer for one of {other}" : $"{added.Count} identity layers for those of {other}")} without a partner: {Listed(places)}");
        return Checked(graph, growth, name, notes, cancel);
    }

    /// <summary>Layers that come one after the other at one place, as the first and the last.</summary>
    private static IEnumerable<(string Layers, string At)> Runs(List<(NetworkLayer Like, string At)> added)
    {
        for (int i = 0, next; i < added.Count; i = next)
        {
            for (next = i + 1; next < added.Count && added[next].At == added[i].At && added[next].Like.Index == added[next - 1].Like.Index + 1;) next++;
            yield return (next == i + 1 ? $"{added[i].Like}" : $"{added[i].Like} to {added[next - 1].Like}", added[i].At);
        }
    }

    private static string Listed(string[] what) => $"{string.Join(", ", what.Take(MostNamed))}{(what.Length > MostNamed ? $" and {what.Length - MostNamed} more" : "")}";

    /// <summary>The deeper group's layers without a partner, each with the shallower one's layer that it comes after, -1 before the first.</summary>
    private static IEnumerable<(int At, NetworkLayer Like)> Gaps(GroupMapping group, LayerGroup deeper)
    {
        int at = -1;
        for (int i = 0; i < deeper.Count; i++)
        {
            if (at + 1 < group.Map.Length && group.Map[at + 1] == i) at++;
            else yield return (at, deeper.Layers[i]);
        }
    }

    private static int WidthOf(NetworkLayer first) => first.Entry.Shape.Size(first.Axis);

    /// <summary>A layer of the group itself is repeated where it has one of the same kind, one whose sizes stay if possible; else the other network's.</summary>
    private static Insertion Plan(LayerGroup into, NetworkLayer like, int width)
    {
        LayerPattern other = new(like);
        LayerPattern[] own = [.. into.Layers.Where(layer => layer.Signature == like.Signature && !layer.IsTransition).Select(layer => new LayerPattern(layer))];
        foreach (LayerPattern pattern in own.OrderBy(pattern => !pattern.Keeps(width)))
        {
            if (pattern.Beside(other) is { } beside) return new(like, pattern, beside);
        }

        return new(like, other, []);
    }

    private static Graph Checked(Graph graph, NetworkGrowth growth, string name, List<string> notes, CancellationToken cancel)
    {
        Graph grown = growth.Run();
        double? difference = FunctionProbe.Difference(graph, grown, cancel: cancel);
        foreach (var (insertion, doubt) in growth.Doubts)
            notes.Add($"{name}: warning: the identity layer beside {insertion.Like} is the first of its group and may be given any number, but {doubt}: the function is not kept");
        string change = $"{difference:0.###e+0} of the largest number";
        if (growth.Doubts.Count == 0 && difference > 0) throw new GraphException($"the network with identity layers has other outputs than {name} on random inputs, by {change}");
        notes.Add(difference is null ? $"{name}: the outputs on random inputs are not finite, so it was not tried whether they stay"
            : difference == 0 ? $"{name}: the outputs on random inputs are the same to the last bit"
            : $"{name}: the outputs on random inputs change by {change}");
        return grown;
    }
}
