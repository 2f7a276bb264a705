using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Alignment;

/// <summary>How the network uses the axes of its parameters: whether it is summed over them, or they make units. A parameter may reach its layer through operations, such as a transpose.</summary>
internal sealed class WeightSides
{
    private readonly HashSet<(Node, int)> _in = [], _out = [];
    private readonly HashSet<Node> _statistics = [];
    private readonly bool[] _isWeight;

    public WeightSides(Graph graph, IReadOnlyList<AxisLink> links)
    {
        _isWeight = new bool[graph.Nodes.Count];
        foreach (Node node in graph.Nodes)
            _isWeight[node.Id] = node.Op is Parameter || (node.Known is null && !node.Inputs.IsEmpty && node.Inputs.All(x => _isWeight[x.Id] || x.Known is not null));
        ILookup<Node, AxisLink> bySource = links.ToLookup(link => link.Source);
        foreach (Node node in graph.Nodes.Where(node => !_isWeight[node.Id])) Use(node, bySource[node]);
        foreach (Node node in graph.Nodes.Reverse().Where(node => _isWeight[node.Id])) HandDown(bySource[node]);
        Node[] running = [.. graph.Nodes.Where(node => node.Op is BatchNormalization).SelectMany(node => node.Inputs.Skip(3))];
        ILookup<Node, Node> users = graph.Nodes.SelectMany(node => node.Inputs.Select(input => (input, node))).ToLookup(pair => pair.input, pair => pair.node);
        _statistics.UnionWith(running.Where(node => users[node].All(user => user.Op is BatchNormalization && user.Inputs.IndexOf(node) >= 3)));
    }

    /// <summary>Whether a value is computed from parameters alone.</summary>
    public bool IsWeight(Node node) => _isWeight[node.Id];

    /// <summary>Whether the network is summed over an axis of a parameter.</summary>
    public bool IsIn(Node parameter, int axis) => _in.Contains((parameter, axis));

    /// <summary>Whether an axis of a parameter makes units.</summary>
    public bool IsOut(Node parameter, int axis) => _out.Contains((parameter, axis));

    /// <summary>Whether a parameter is a running mean or variance.</summary>
    public bool IsStatistic(Node parameter) => _statistics.Contains(parameter);

    private void Use(Node node, IEnumerable<AxisLink> links)
    {
        HashSet<(Node, int)> summed = [];
        foreach (SameAxis same in links.OfType<SameAxis>().Where(same => same.Contracted))
        {
            foreach (Axis axis in same.Left.Concat(same.Right).Where(axis => axis.Node is not null)) summed.Add((axis.Node!, axis.Index));
        }

        foreach (Node weight in node.Inputs.Where(IsWeight))
        {
            for (int axis = 0; axis < weight.Shape.Rank; axis++) (summed.Contains((weight, axis)) ? _in : _out).Add((weight, axis));
        }
    }

    /// <summary>What is true of the axes of a value that is computed from parameters is true of theirs.</summary>
    private void HandDown(IEnumerable<AxisLink> links)
    {
        foreach (AxisLink link in links)
        {
            var (from, to) = link switch
            {
                SameAxis same => (same.Left.AsEnumerable(), same.Right.AsEnumerable()),
                JoinedAxis joined => ([joined.Whole], joined.Parts),
                TakenAxis taken => ([taken.Part], [taken.Whole]),
                _ => ([], []),
            };
            foreach (HashSet<(Node, int)> side in new[] { _in, _out })
            {
                if (from.Any(axis => axis.Node is not null && side.Contains((axis.Node, axis.Index)))) side.UnionWith(to.Where(axis => axis.Node is not null).Select(axis => (axis.Node!, axis.Index)));
            }
        }
    }
}
