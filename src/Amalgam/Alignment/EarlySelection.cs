using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Alignment;

/// <summary>
/// Selections of one position, moved before the reshape that made the axis they select from. A layer that makes queries, keys and values at once is followed by a reshape to
/// [3, heads, units] and three selections; seen after the reshape the three share their heads and units, seen before it they are three segments of the layer, each with its own.
/// </summary>
internal static class EarlySelection
{
    /// <summary>The graph with selections as early as they can be, without what is then not used.</summary>
    public static GraphCopy Apply(Graph graph) => Rewrite.Then(Rewrite.Apply(graph, Rule), copy => Rewrite.Prune(copy, [.. copy.Outputs.Values, .. copy.Parameters.Values]));

    private static Node? Rule(Graph to, Node node, ReadOnlySpan<Node> inputs)
    {
        if (Selected(node) is not var (axis, start, count)) return null;
        return Move(inputs[0], axis, start, count) is { } moved ? moved.Shape == node.Shape ? moved : moved.Reshape([.. node.Shape.Sizes]) : null;
    }

    /// <summary>The axis and the run of positions that a node selects, where it does no more.</summary>
    private static (int Axis, int Start, int Count)? Selected(Node node)
    {
        if (node is { Op: Gather gather, Inputs: [var from, { Known: { Count: 1 } index }] })
        {
            int axis = Arguments.Axis(gather.Axis, from.Shape.Rank), at = (int)index.Span[0];
            return (axis, at < 0 ? at + from.Shape.Size(axis) : at, 1);
        }

        if (node.Op is not Slice || node.Known is not null) return null;
        int[] changed = [.. Enumerable.Range(0, node.Shape.Rank).Where(i => node.Shape[i] != node.Inputs[0].Shape[i])];
        AxisLinks links = new();
        links.Ask(node);
        if (changed.Length != 1 || links.Links.OfType<TakenAxis>().ToArray() is not [var taken] || taken.Positions.Length == 0) return null;
        bool isRun = taken.Positions[^1] - taken.Positions[0] == taken.Positions.Length - 1 && (taken.Positions.Length == 1 || taken.Positions[1] > taken.Positions[0]);
        return isRun ? (changed[0], taken.Positions[0], taken.Positions.Length) : null;
    }

    /// <summary>What a selection of x gives, selected earlier; null where that is no gain.</summary>
    private static Node? Move(Node x, int axis, int start, int count)
    {
        if (x.Known is not null || x.Inputs.IsEmpty) return null;
        long[] sizes = x.Shape.Sizes.ToArray();
        sizes[axis] = count;
        switch (x.Op)
        {
            case Transpose transpose:
                return Move(x.Inputs[0], transpose.From(axis, x.Shape.Rank), start, count) is { } moved ? x.Graph.Add(transpose, moved) : null;
            case View when Block(x, axis) is var (outer, inner, from):
                Node source = x.Inputs[0];
                if (outer == 1 && inner == 1) return Move(source, from, start, count)?.Reshape(sizes);
                long[] apart = [.. source.Shape.Sizes[..from], outer, x.Shape[axis] * inner, .. source.Shape.Sizes[(from + 1)..]];
                Node split = outer == 1 ? source : source.Reshape(apart);
                return split.Slice(outer == 1 ? from : from + 1, start * inner, (start + count) * inner).Reshape(sizes);
            default:
                return null;
        }
    }

    /// <summary>Where an axis of a view comes from: the axis of the source of which it is a digit, with the products of the digits before and after it; null where it comes from several.</summary>
    private static (long Outer, long Inner, int From)? Block(Node view, int axis)
    {
        AxisLinks links = new();
        links.Ask(view);
        foreach (SameAxis same in links.Links.OfType<SameAxis>())
        {
            int at = -1;
            for (int i = 0; i < same.Left.Length; i++)
            {
                if (same.Left[i].Node == view && same.Left[i].Index == axis) at = i;
            }

            if (at < 0) continue;
            if (same.Right.Length != 1) return null;
            long outer = 1, inner = 1;
            for (int i = 0; i < at; i++) outer *= same.Left[i].Size;
            for (int i = at + 1; i < same.Left.Length; i++) inner *= same.Left[i].Size;
            return (outer, inner, same.Right[0].Index);
        }

        return null;
    }
}
