using Amalgam.Graphs;

namespace Amalgam.Tests.Graphs;

/// <summary>
/// A random permutation of every axis of a graph's values that goes with what the operators say: axes tied one to one are permuted alike, those without a say as
/// they like, and those that are part of a product, a join, a selection, or fixed, or of a known value, not at all.
/// </summary>
internal sealed class AxisPermutations
{
    private readonly Dictionary<(Node Node, int Index), (Node Node, int Index)> _parents = [];
    private readonly Dictionary<(Node Node, int Index), int[]> _permutations = [];

    public AxisPermutations(Graph graph, Random random)
    {
        HashSet<(Node, int)> still = [];
        void Stay(IEnumerable<Axis> axes) => still.UnionWith(axes.Where(axis => axis.Node is not null).Select(axis => (axis.Node!, axis.Index)));
        foreach (AxisLink link in AxisLinks.Of(graph).Links)
        {
            switch (link)
            {
                case SameAxis { Left: [{ Node: not null } a], Right: [{ Node: not null } b] }: _parents[Root((a.Node, a.Index))] = Root((b.Node, b.Index)); break;
                case SameAxis same: Stay([.. same.Left, .. same.Right]); break;
                case JoinedAxis joined: Stay([joined.Whole, .. joined.Parts]); break;
                case TakenAxis taken: Stay([taken.Part, taken.Whole]); break;
                case FixedAxis f: Stay([f.Axis]); break;
            }
        }

        foreach (Node node in graph.Nodes.Where(node => node.Known is not null)) Stay(Enumerable.Range(0, node.Shape.Rank).Select(axis => AxisLinks.Of(node, axis)));
        HashSet<(Node, int)> stillRoots = [.. still.Select(Root)];
        foreach (Node node in graph.Nodes)
        {
            for (int axis = 0; axis < node.Shape.Rank; axis++)
            {
                (Node, int) root = Root((node, axis));
                int[] positions = [.. Enumerable.Range(0, node.Shape.Size(axis))];
                if (!stillRoots.Contains(root)) random.Shuffle(positions);
                _permutations.TryAdd(root, positions);
            }
        }
    }

    /// <summary>A value with its axes permuted.</summary>
    public float[] Apply(Node node, float[] values)
    {
        Grid grid = new(node.Shape, [.. values.Select(v => (double)v)]);
        int[][] permutations = [.. Enumerable.Range(0, node.Shape.Rank).Select(axis => _permutations[Root((node, axis))])];
        return [.. Grid.Of(node.Shape, at => grid[[.. at.Select((position, axis) => permutations[axis][position])]]).Values.Select(v => (float)v)];
    }

    private (Node, int) Root((Node, int) axis)
    {
        while (_parents.TryGetValue(axis, out var parent) && parent != axis) axis = parent;
        return axis;
    }
}
