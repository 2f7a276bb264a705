using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Alignment;

/// <summary>
/// How the network uses the digits of its parameters' axes: whether it is summed over them, or they make units. A parameter may reach its layer through operations, such as a transpose
/// or a reshape, and weights may be products of parameters.
/// </summary>
internal sealed class WeightSides
{
    private readonly HashSet<(Node, int, PositionTerm)> _in = [], _out = [];
    private readonly HashSet<Node> _statistics = [];
    private readonly AxisTerms _terms;
    private readonly bool[] _isWeight;

    public WeightSides(Graph graph, AxisTerms terms)
    {
        _terms = terms;
        _isWeight = new bool[graph.Nodes.Count];
        foreach (Node node in graph.Nodes)
            _isWeight[node.Id] = node.Op is Parameter || (node.Known is null && !node.Inputs.IsEmpty && node.Inputs.All(x => _isWeight[x.Id] || x.Known is not null));
        ILookup<Node, AxisLink> bySource = terms.Links.ToLookup(link => link.Source);
        foreach (Node node in graph.Nodes.Where(node => !_isWeight[node.Id])) Use(node, bySource[node]);
        foreach (Node node in graph.Nodes.Reverse().Where(node => _isWeight[node.Id]))
        {
            foreach (AxisLink link in bySource[node]) HandDown(link);
            foreach (SameAxis same in bySource[node].OfType<SameAxis>().Where(same => same.Contracted)) Multiply(same);
        }

        Node[] running = [.. graph.Nodes.Where(node => node.Op is BatchNormalization).SelectMany(node => node.Inputs.Skip(3))];
        ILookup<Node, Node> users = graph.Users();
        _statistics.UnionWith(running.Where(node => users[node].All(user => user.Op is BatchNormalization && user.Inputs.IndexOf(node) >= 3)));
    }

    /// <summary>Whether a value is computed from parameters alone.</summary>
    public bool IsWeight(Node node) => _isWeight[node.Id];

    /// <summary>Whether a digit of a parameter's axis is on a side: it is on both where the parameter is used twice, and makes units where no use says more.</summary>
    public bool IsOn(UnitSide side, Node parameter, int axis, PositionTerm leaf)
    {
        bool isIn = _in.Contains((parameter, axis, leaf));
        return side == UnitSide.In ? isIn : !isIn || _out.Contains((parameter, axis, leaf));
    }

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
            for (int axis = 0; axis < weight.Shape.Rank; axis++) Put(summed.Contains((weight, axis)) ? _in : _out, AxisLinks.Of(weight, axis));
        }
    }

    /// <summary>What is true of the digits of a value that is computed from parameters is true of theirs.</summary>
    private void HandDown(AxisLink link)
    {
        var (from, to) = link switch
        {
            SameAxis { Contracted: false } same => (same.Left.AsEnumerable(), same.Right.AsEnumerable()),
            JoinedAxis joined => ([joined.Whole], joined.Parts),
            TakenAxis taken => ([taken.Part], [taken.Whole]),
            _ => ([], []),
        };
        foreach (Axis axis in from.Where(axis => axis.Node is not null))
        {
            foreach (PositionTerm leaf in Leaves(axis))
            {
                foreach (Axis below in to.Where(below => below.Node is not null && Leaves(below).Contains(leaf)))
                {
                    if (_in.Contains((axis.Node!, axis.Index, leaf))) (IsSummed(link.Source, below.Node!, leaf) ? _in : _out).Add((below.Node!, below.Index, leaf));
                    if (_out.Contains((axis.Node!, axis.Index, leaf))) _out.Add((below.Node!, below.Index, leaf));
                }
            }
        }
    }

    /// <summary>Of factors that all have a digit one is summed over, and the others scale it.</summary>
    private bool IsSummed(Node node, Node input, PositionTerm leaf) =>
        node.Op is not (Mul or Div) || input == node.Inputs.FirstOrDefault(x => x.Known is null && _terms.Of(x).Any(term => term.Leaves().Contains(leaf)));

    /// <summary>A matrix product of weights is a layer that makes units and one that reads them: the reader is the one that has what the product makes.</summary>
    private void Multiply(SameAxis same)
    {
        bool isLeft = same.Left.Any(axis => axis.Node is { } node && Enumerable.Range(0, node.Shape.Rank).Any(other =>
            other != axis.Index && _terms.Of(node)[other].Leaves().Any(leaf => _out.Contains((node, other, leaf)))));
        foreach (Axis axis in same.Left) Put(isLeft ? _in : _out, axis);
        foreach (Axis axis in same.Right) Put(isLeft ? _out : _in, axis);
    }

    private void Put(HashSet<(Node, int, PositionTerm)> side, Axis axis)
    {
        if (axis.Node is { } node) side.UnionWith(Leaves(axis).Select(leaf => (node, axis.Index, leaf)));
    }

    private IEnumerable<PositionTerm> Leaves(Axis axis) => _terms[axis].Leaves();
}
