using Amalgam.Numerics;

namespace Amalgam.Graphs;

/// <summary>
/// Gives every value of a graph its place. Values that live at the same time lie apart; the largest are placed first, each at the lowest place that is free
/// over its life (greedy by size: Pisarchyk and Lee, Efficient Memory Management for Deep Neural Net Inference, 2020).
/// </summary>
internal sealed class MemoryPlan
{
    private readonly Dictionary<Node, Tensor> _tensors = [];
    private readonly Dictionary<Node, Place> _places = [];

    /// <param name="graph">A graph of which everything is needed.</param>
    /// <param name="results">Nodes whose values stay until the end.</param>
    public MemoryPlan(Graph graph, IReadOnlyList<Node> results)
    {
        Node[] order = [.. graph.Nodes.Where(node => node.Op is not Leaf && node.Value is null)];
        int[] lastUse = LastUses(graph, order, results);
        List<Place> places = [];
        for (int at = 0; at < order.Length; at++)
        {
            Node node = order[at];
            if (node.Op.Reuse == Reuse.View)
            {
                if (_places.TryGetValue(node.Inputs[0], out Place? viewed)) Join(node, viewed, lastUse[node.Id]);
                continue;
            }

            if (node.Op.Reuse == Reuse.InPlace && Overwritable(node, at) is { } dying)
            {
                Join(node, dying, lastUse[node.Id]);
                continue;
            }

            Place place = new(Count(node), at) { Last = lastUse[node.Id] };
            places.Add(place);
            _places[node] = place;
        }

        int total = Arrange(places) ?? throw new GraphException(
            $"the values of this graph need more than {(long)Array.MaxLength * sizeof(float) >> 30} GiB at a time, the largest being {graph.Nodes.MaxBy(n => n.Shape.Count)} {graph.Nodes.Max(n => n.Shape.Count) * sizeof(float) >> 20} MiB; take a smaller batch");
        float[] arena = AlignedBuffer.Allocate(total, out int start);
        ArenaBytes = sizeof(float) * (long)total;
        foreach (Node node in graph.Nodes)
        {
            _tensors[node] = node switch
            {
                { Value: { } value } => value,
                _ when _places.TryGetValue(node, out Place? place) => new(node.Shape, arena, start + place.Offset),
                { Op: Leaf } => Aligned(node.Shape),
                _ => _tensors[node.Inputs[0]].Reshape(node.Shape),
            };
        }

        Steps = [.. order.Where(node => node.Op.Reuse != Reuse.View).Select(node => new Step(node, [.. node.Inputs.Select(input => _tensors[input])], _tensors[node]))];
    }

    public Step[] Steps { get; }

    public long ArenaBytes { get; }

    public Tensor this[Node node] => _tensors[node];

    private static int Count(Node node) => node.Shape.Count <= Array.MaxLength - 2 * AlignedBuffer.Line
        ? (int)node.Shape.Count
        : throw new GraphException($"{node} {node.Shape} has {node.Shape.Count:N0} elements, more than an array holds; take a smaller batch");

    private static Tensor Aligned(Shape shape)
    {
        float[] buffer = AlignedBuffer.Allocate(checked((int)shape.Count), out int offset);
        return new(shape, buffer, offset);
    }

    /// <summary>For each node, the position of the last operation that reads it, through views too; beyond the end for results.</summary>
    private static int[] LastUses(Graph graph, Node[] order, IReadOnlyList<Node> results)
    {
        int[] last = new int[graph.Nodes.Count];
        foreach (Node node in results) last[node.Id] = order.Length;
        for (int at = order.Length - 1; at >= 0; at--)
        {
            int use = order[at].Op.Reuse == Reuse.View ? last[order[at].Id] : at;
            last[order[at].Id] = Math.Max(last[order[at].Id], at);
            foreach (Node input in order[at].Inputs) last[input.Id] = Math.Max(last[input.Id], Math.Max(use, at));
        }

        return last;
    }

    private void Join(Node node, Place place, int last)
    {
        place.Last = Math.Max(place.Last, last);
        _places[node] = place;
    }

    /// <summary>The memory of an input that nobody reads after this operation and that is as large as the result.</summary>
    private Place? Overwritable(Node node, int at)
    {
        foreach (Node input in node.Inputs)
        {
            if (input.Shape.Count == node.Shape.Count && _places.TryGetValue(input, out Place? place) && place.Last == at) return place;
        }

        return null;
    }

    /// <returns>Elements in all; null when they are more than an array holds.</returns>
    private static int? Arrange(List<Place> places)
    {
        List<Place> placed = [];
        long total = 0;
        foreach (Place place in places.OrderByDescending(p => p.Count).ThenBy(p => p.First))
        {
            long offset = 0;
            foreach (Place other in placed.Where(p => p.First <= place.Last && place.First <= p.Last).OrderBy(p => p.Offset))
            {
                if (offset + place.Padded <= other.Offset) break;
                offset = Math.Max(offset, (long)other.Offset + other.Padded);
            }

            if (offset + place.Padded > Array.MaxLength - AlignedBuffer.Line) return null;
            place.Offset = (int)offset;
            placed.Add(place);
            total = Math.Max(total, offset + place.Padded);
        }

        return (int)total;
    }

    /// <summary>A stretch of memory: from the operation that makes it to the last that reads it, both included.</summary>
    private sealed class Place(int count, int first)
    {
        public int Count => count;

        public int Padded { get; } = (count + AlignedBuffer.Line - 1) / AlignedBuffer.Line * AlignedBuffer.Line;

        public int First => first;

        public int Last { get; set; }

        public int Offset { get; set; }
    }
}
