namespace Amalgam.Numerics;

/// <summary>
/// A spanning tree of the rows and columns of a transport problem: a basis of its simplex. Every node but the root has an arc to its parent with a flow on it, and every node has a price;
/// along an arc the two prices add up to the arc's cost. Rows are nodes 0 to rows - 1, columns come after them.
/// </summary>
internal sealed class TransportTree
{
    private readonly Node[] _nodes;
    private readonly int _rows, _root;

    /// <summary>Makes the tree of as many arcs as there are nodes, less one.</summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Number of columns; the last one is the root.</param>
    /// <param name="arcs">Row, column and flow of each arc.</param>
    public TransportTree(int rows, int columns, List<(int Row, int Column, long Flow)> arcs)
    {
        (_rows, _root, _nodes) = (rows, rows + columns - 1, new Node[rows + columns]);
        foreach (ref Node node in _nodes.AsSpan()) node = new() { Parent = -1, First = -1, Next = -1, Previous = -1, Size = 1 };
        ILookup<int, (int Other, long Flow)> ends = arcs.SelectMany(arc => new[] { (From: arc.Row, To: (arc.Column + rows, arc.Flow)), (From: arc.Column + rows, To: (arc.Row, arc.Flow)) })
            .ToLookup(end => end.From, end => end.To);
        List<int> order = [_root];
        for (int i = 0; i < order.Count; i++)
        {
            foreach (var (other, flow) in ends[order[i]])
            {
                if (other == _nodes[order[i]].Parent) continue;
                Attach(other, order[i]);
                _nodes[other].Flow = flow;
                order.Add(other);
            }
        }

        for (int i = order.Count - 1; i > 0; i--) _nodes[_nodes[order[i]].Parent].Size += _nodes[order[i]].Size;
    }

    /// <summary>Number of nodes.</summary>
    public int Count => _nodes.Length;

    /// <summary>Brings an arc between a row and a column into the tree and takes one out, so that flows stay at least 0 and prices fit the arc.</summary>
    /// <param name="row">The arc's row.</param>
    /// <param name="column">The arc's column.</param>
    /// <param name="reduced">The arc's cost less the prices of its ends.</param>
    /// <param name="rowPrices">Prices of rows, which change.</param>
    /// <param name="columnPrices">Prices of columns, which change.</param>
    public void Pivot(int row, int column, double reduced, Span<double> rowPrices, Span<double> columnPrices)
    {
        int target = _rows + column;
        (int join, int leaving, bool onRowSide) = Cycle(row, target);
        long flow = _nodes[leaving].Flow;
        for (int at = row; at != join; at = _nodes[at].Parent) _nodes[at].Flow += at < _rows ? -flow : flow;
        for (int at = target; at != join; at = _nodes[at].Parent) _nodes[at].Flow += at < _rows ? flow : -flow;

        int size = _nodes[leaving].Size;
        (int inside, int outside) = onRowSide ? (row, target) : (target, row);
        for (int at = _nodes[leaving].Parent; at != join; at = _nodes[at].Parent) _nodes[at].Size -= size;
        for (int at = outside; at != join; at = _nodes[at].Parent) _nodes[at].Size += size;
        Detach(leaving);

        // Only sums of a row's and a column's price count, so either part may move.
        double shift = onRowSide ? reduced : -reduced;
        if (2 * size <= Count) Shift(leaving, shift, rowPrices, columnPrices);
        else Shift(_root, -shift, rowPrices, columnPrices);
        Turn(inside, leaving, outside, flow);
    }

    /// <summary>Where the paths from both ends of an arc to the root meet, and of the arcs on the way whose flow shrinks the one with the least, by its lower end.</summary>
    private (int Join, int Leaving, bool OnRowSide) Cycle(int row, int column)
    {
        (int a, int b, int leaving, bool onRowSide, long least) = (row, column, -1, true, long.MaxValue);
        while (a != b)
        {
            // A node's subtree is larger than those of all nodes below it, so of two different nodes the smaller one is above neither.
            bool climbA = _nodes[a].Size <= _nodes[b].Size, climbB = _nodes[b].Size <= _nodes[a].Size;
            if (climbA)
            {
                if (a < _rows && _nodes[a].Flow < least) (leaving, onRowSide, least) = (a, true, _nodes[a].Flow);
                a = _nodes[a].Parent;
            }

            if (climbB)
            {
                if (b >= _rows && _nodes[b].Flow < least) (leaving, onRowSide, least) = (b, false, _nodes[b].Flow);
                b = _nodes[b].Parent;
            }
        }

        return (a, leaving, onRowSide);
    }

    /// <summary>Adds to the prices of the rows of a subtree and takes from those of its columns.</summary>
    private void Shift(int top, double by, Span<double> rowPrices, Span<double> columnPrices)
    {
        int node = top;
        while (true)
        {
            if (node < _rows) rowPrices[node] += by;
            else columnPrices[node - _rows] -= by;
            node = After(node, top);
            if (node < 0) return;
        }
    }

    /// <summary>The node that follows in a subtree when parents come before children, -1 after the last.</summary>
    private int After(int node, int top)
    {
        if (_nodes[node].First >= 0) return _nodes[node].First;
        while (node != top)
        {
            if (_nodes[node].Next >= 0) return _nodes[node].Next;
            node = _nodes[node].Parent;
        }

        return -1;
    }

    /// <summary>Hangs a part that has been cut off below a node, by one of its own nodes: the arcs from that one up to the part's old top turn round.</summary>
    private void Turn(int node, int top, int below, long flow)
    {
        int size = _nodes[top].Size, taken = 0;
        while (true)
        {
            ref Node turned = ref _nodes[node];
            (int above, long flowAbove, int sizeBefore) = (turned.Parent, turned.Flow, turned.Size);
            if (node != top) Detach(node);
            Attach(node, below);
            (turned.Flow, turned.Size) = (flow, size - taken);
            if (node == top) return;
            (below, node, flow, taken) = (node, above, flowAbove, sizeBefore);
        }
    }

    private void Attach(int node, int parent)
    {
        int first = _nodes[parent].First;
        (_nodes[node].Parent, _nodes[node].Next, _nodes[node].Previous) = (parent, first, -1);
        if (first >= 0) _nodes[first].Previous = node;
        _nodes[parent].First = node;
    }

    private void Detach(int node)
    {
        ref Node of = ref _nodes[node];
        if (of.Previous >= 0) _nodes[of.Previous].Next = of.Next;
        else _nodes[of.Parent].First = of.Next;
        if (of.Next >= 0) _nodes[of.Next].Previous = of.Previous;
    }

    /// <summary>Prices anew from the costs, so that the rounding of many shifts does not add up. The root's is 0.</summary>
    public void Price(ReadOnlySpan<double> cost, int stride, Span<double> rowPrices, Span<double> columnPrices)
    {
        columnPrices[_root - _rows] = 0;
        for (int node = After(_root, _root); node >= 0; node = After(node, _root))
        {
            int parent = _nodes[node].Parent;
            if (node < _rows) rowPrices[node] = cost[node * stride + parent - _rows] - columnPrices[parent - _rows];
            else columnPrices[node - _rows] = cost[parent * stride + node - _rows] - rowPrices[parent];
        }
    }

    /// <summary>Rows, columns and flows of the arcs when these masses flow through the tree, by row and then by column; flows of 0 are left out.</summary>
    public List<(int Row, int Column, long Flow)> Flows(TransportMasses masses)
    {
        long[] surplus = [.. masses.Rows, .. masses.Columns.Select(mass => -mass)];
        List<int> order = [];
        for (int node = After(_root, _root); node >= 0; node = After(node, _root)) order.Add(node);
        List<(int Row, int Column, long Flow)> arcs = [];
        for (int i = order.Count - 1; i >= 0; i--)
        {
            (int node, int parent, long flow) = (order[i], _nodes[order[i]].Parent, surplus[order[i]]);
            surplus[parent] += flow;
            if (flow != 0) arcs.Add(node < _rows ? (node, parent - _rows, flow) : (parent, node - _rows, -flow));
        }

        arcs.Sort();
        return arcs;
    }

    /// <summary>Links of a node; siblings form a list. 32 bytes, two to a cache line.</summary>
    private struct Node
    {
        public int Parent, First, Next, Previous, Size;
        public long Flow;
    }
}
