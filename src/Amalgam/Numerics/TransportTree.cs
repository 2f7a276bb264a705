namespace Amalgam.Numerics;

/// <summary>
/// A spanning tree of the columns and rows of a transport problem: a basis of its simplex. Columns are nodes 0 to columns - 1, rows come after them. Every node but the root, the first column, has an arc
/// to its parent with a flow on it. Every node has a potential: along an arc the row's less the column's is the arc's cost.
/// </summary>
/// <remarks>Nodes stand in a ring in which each is followed by all that are below it, with children in any order, so that a subtree is a stretch of the ring.</remarks>
internal sealed class TransportTree
{
    private readonly Node[] _nodes;
    private readonly int _columns;

    /// <summary>Makes the tree of as many arcs as there are nodes, less one.</summary>
    /// <param name="columns">Number of columns.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="arcs">Row, column and flow of each arc.</param>
    public TransportTree(int columns, int rows, List<(int Row, int Column, long Flow)> arcs)
    {
        (_columns, _nodes) = (columns, new Node[columns + rows]);
        ILookup<int, (int Other, long Flow)> ends = arcs.SelectMany(arc => new[] { (From: arc.Column, To: (arc.Row + columns, arc.Flow)), (From: arc.Row + columns, To: (arc.Column, arc.Flow)) })
            .ToLookup(end => end.From, end => end.To);
        Stack<(int Node, int Parent, long Flow)> open = new([(0, -1, 0)]);
        int before = 0;
        while (open.TryPop(out var next))
        {
            _nodes[next.Node] = new() { Parent = next.Parent, Flow = next.Flow, Size = 1, Last = next.Node };
            Link(before, next.Node);
            before = next.Node;
            foreach (var (other, flow) in ends[next.Node])
            {
                if (other != next.Parent) open.Push((other, next.Node, flow));
            }
        }

        Link(before, 0);
        for (int node = before; node != 0; node = _nodes[node].Before)
        {
            ref Node parent = ref _nodes[_nodes[node].Parent];
            parent.Size += _nodes[node].Size;
            if (parent.Last == _nodes[node].Parent) parent.Last = _nodes[node].Last;
        }
    }

    /// <summary>Number of nodes.</summary>
    public int Count => _nodes.Length;

    /// <summary>Brings an arc between a row and a column into the tree and takes one out, so that no flow falls below 0 and the potentials fit the arc.</summary>
    /// <param name="row">The arc's row.</param>
    /// <param name="column">The arc's column.</param>
    /// <param name="reduced">The arc's cost less the difference of its ends' potentials.</param>
    /// <param name="potentials">Potentials of all nodes, which change.</param>
    public void Pivot(int row, int column, double reduced, Span<double> potentials)
    {
        row += _columns;
        (int join, int leaving, bool onRowSide) = Cycle(row, column);
        long flow = _nodes[leaving].Flow;
        for (int at = row; at != join; at = _nodes[at].Parent) _nodes[at].Flow += at < _columns ? flow : -flow;
        for (int at = column; at != join; at = _nodes[at].Parent) _nodes[at].Flow += at < _columns ? -flow : flow;

        int size = _nodes[leaving].Size;
        (int inside, int outside) = onRowSide ? (row, column) : (column, row);
        for (int at = _nodes[leaving].Parent; at != join; at = _nodes[at].Parent) _nodes[at].Size -= size;
        for (int at = outside; at != join; at = _nodes[at].Parent) _nodes[at].Size += size;
        CutOff(leaving);

        // Only differences of potentials count, so that of the two parts the smaller one may move.
        double shift = onRowSide ? reduced : -reduced;
        if (2 * size <= Count) Shift(leaving, size, shift, potentials);
        else Shift(0, Count - size, -shift, potentials);
        Hang(inside, leaving, outside, flow);
    }

    /// <summary>Where the paths from both ends of an arc to the root meet, and of the arcs on the way whose flow shrinks the one with the least, by its lower end.</summary>
    private (int Join, int Leaving, bool OnRowSide) Cycle(int row, int column)
    {
        (int a, int b, int leaving, bool onRowSide, long least) = (row, column, -1, true, long.MaxValue);
        while (a != b)
        {
            // A subtree is larger than those within it, so of two different nodes the one with the smaller is not above the other.
            bool climbA = _nodes[a].Size <= _nodes[b].Size, climbB = _nodes[b].Size <= _nodes[a].Size;
            if (climbA)
            {
                if (a >= _columns && _nodes[a].Flow < least) (leaving, onRowSide, least) = (a, true, _nodes[a].Flow);
                a = _nodes[a].Parent;
            }

            if (climbB)
            {
                if (b < _columns && _nodes[b].Flow < least) (leaving, onRowSide, least) = (b, false, _nodes[b].Flow);
                b = _nodes[b].Parent;
            }
        }

        return (a, leaving, onRowSide);
    }

    /// <summary>Adds to the potentials of nodes that follow each other.</summary>
    private void Shift(int node, int count, double by, Span<double> potentials)
    {
        for (; count > 0; count--)
        {
            potentials[node] += by;
            node = _nodes[node].Next;
        }
    }

    /// <summary>Takes a subtree out of the ring of the others; within it nothing changes.</summary>
    private void CutOff(int top)
    {
        (int before, int last) = (_nodes[top].Before, _nodes[top].Last);
        Link(before, _nodes[last].Next);
        for (int above = _nodes[top].Parent; above >= 0 && _nodes[above].Last == last; above = _nodes[above].Parent) _nodes[above].Last = before;
    }

    /// <summary>Hangs a part that was cut off below a node, by one of its own nodes: the arcs from that one up to the part's top turn round.</summary>
    private void Hang(int node, int top, int below, long flow)
    {
        int size = _nodes[top].Size, follows = _nodes[below].Next, parent = below, end = below;
        (int Before, int Last, int Behind, int Size) inner = (-1, -1, -1, 0);
        while (true)
        {
            ref Node turned = ref _nodes[node];
            (int above, long flowAbove) = (turned.Parent, turned.Flow);
            (int Before, int Last, int Behind, int Size) outer = (turned.Before, turned.Last, turned.Last == inner.Last ? inner.Behind : _nodes[turned.Last].Next, turned.Size);
            Link(end, node);

            // The inner subtree, which was turned before, stood within the outer one: what was before and behind it closes up.
            end = outer.Last;
            if (inner.Last == outer.Last) end = inner.Before;
            else if (inner.Last >= 0) Link(inner.Before, inner.Behind);

            (turned.Parent, turned.Flow, turned.Size) = (parent, flow, size - inner.Size);
            if (node == top) break;
            (parent, node, flow, inner) = (node, above, flowAbove, outer);
        }

        Link(end, follows);
        for (; node != below; node = _nodes[node].Parent) _nodes[node].Last = end;
        for (int above = below; above >= 0 && _nodes[above].Last == below; above = _nodes[above].Parent) _nodes[above].Last = end;
    }

    private void Link(int node, int next) => (_nodes[node].Next, _nodes[next].Before) = (next, node);

    /// <summary>Potentials anew from the costs, so that the rounding of many shifts does not add up. The root's is 0.</summary>
    public void Fit(ReadOnlySpan<double> cost, int stride, Span<double> potentials)
    {
        potentials[0] = 0;
        for (int node = _nodes[0].Next; node != 0; node = _nodes[node].Next)
        {
            int parent = _nodes[node].Parent;
            if (node < _columns) potentials[node] = potentials[parent] - cost[(parent - _columns) * stride + node];
            else potentials[node] = potentials[parent] + cost[(node - _columns) * stride + parent];
        }
    }

    /// <summary>Rows, columns and flows of the arcs when these masses flow through the tree, by row and then by column; flows of 0 are left out.</summary>
    public List<(int Row, int Column, long Units)> Flows(TransportMasses masses)
    {
        long[] surplus = [.. masses.Columns.Select(mass => -mass), .. masses.Rows];
        List<(int Row, int Column, long Units)> arcs = [];
        for (int node = _nodes[0].Before; node != 0; node = _nodes[node].Before)
        {
            (int parent, long flow) = (_nodes[node].Parent, surplus[node]);
            surplus[parent] += flow;
            if (flow != 0) arcs.Add(node < _columns ? (parent - _columns, node, -flow) : (node - _columns, parent, flow));
        }

        arcs.Sort();
        return arcs;
    }

    /// <summary>Links of a node: its parent, its neighbours in the ring, the last node below it (or itself), the number of nodes down from it. 32 bytes, two to a cache line.</summary>
    private struct Node
    {
        public int Parent, Next, Before, Last, Size;
        public long Flow;
    }
}
