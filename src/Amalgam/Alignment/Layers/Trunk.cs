using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Alignment.Layers;

/// <summary>What a network computes between two neighbouring values of its trunk.</summary>
/// <param name="From">The value that it reads; null before the first value of the trunk.</param>
/// <param name="To">The value that it makes.</param>
/// <param name="Data">All values of the data's way between the two, the last one included.</param>
internal sealed record Stretch(Node? From, Node To, ImmutableArray<Node> Data)
{
    /// <summary>Whether it is a single operation.</summary>
    public bool IsPlain => Data.Length == 1;
}

/// <summary>
/// The values of a network through which every way goes from the first values that depend on an input and a parameter to the outputs. What inputs alone say, such as a mask, and shapes are
/// no such values, and may be read anywhere.
/// </summary>
internal sealed class Trunk
{
    private readonly bool[] _ofInput, _ofParameter;
    private readonly Node[] _data;

    public Trunk(Graph graph)
    {
        Graph = graph;
        bool[] needed = Rewrite.Needed(graph, graph.Outputs.Values);
        (_ofInput, _ofParameter) = (new bool[graph.Nodes.Count], new bool[graph.Nodes.Count]);
        foreach (Node node in graph.Nodes.Where(node => node.Known is null))
        {
            _ofInput[node.Id] = node.Op is Input || node.Inputs.Any(input => _ofInput[input.Id]);
            _ofParameter[node.Id] = node.Op is Parameter || node.Inputs.Any(input => _ofParameter[input.Id]);
        }

        _data = [.. graph.Nodes.Where(node => needed[node.Id] && IsData(node))];
        (Stretches, Rest) = Cut();
    }

    /// <summary>The network.</summary>
    public Graph Graph { get; }

    /// <summary>What lies between the values of the trunk, in order; the first one ends with the trunk's first value.</summary>
    public ImmutableArray<Stretch> Stretches { get; }

    /// <summary>What is computed after the trunk's last value, where the network has several outputs.</summary>
    public ImmutableArray<Node> Rest { get; }

    /// <summary>Whether a value depends on an input and a parameter.</summary>
    public bool IsData(Node node) => _ofInput[node.Id] && _ofParameter[node.Id];

    /// <summary>Whether a value depends on an input, not only on its shape.</summary>
    public bool IsOfInput(Node node) => _ofInput[node.Id];

    /// <summary>Whether a value depends on parameters and on nothing else that changes from run to run.</summary>
    public bool IsWeight(Node node) => _ofParameter[node.Id] && !_ofInput[node.Id];

    /// <summary>Which input of a product by a parameter is not the parameter; null where the node is no such product.</summary>
    public int? ProductInput(Node node) => node.Op switch
    {
        Conv or ConvTranspose when IsWeight(node.Inputs[1]) => 0,
        MatMul when IsWeight(node.Inputs[1]) && IsOfInput(node.Inputs[0]) => 0,
        MatMul when IsWeight(node.Inputs[0]) && IsOfInput(node.Inputs[1]) => 1,
        _ => null,
    };

    /// <summary>Whether a node is a product by a parameter.</summary>
    public bool IsProduct(Node node) => ProductInput(node) is not null;

    /// <summary>Products after the trunk's last value that other products follow, so that they make no output by themselves.</summary>
    public ImmutableArray<Node> HiddenOfRest()
    {
        HashSet<Node> isFollowed = [];
        List<Node> hidden = [];
        foreach (Node node in Rest.Reverse())
        {
            bool isProduct = IsProduct(node);
            if (isProduct && isFollowed.Contains(node)) hidden.Insert(0, node);
            if (isProduct || isFollowed.Contains(node)) isFollowed.UnionWith(node.Inputs.Where(IsData));
        }

        return [.. hidden];
    }

    /// <summary>All that makes a value out of another, the first one excluded: values of the data's way, and the parameters, constants and shapes that they read and that depend on no input in another way.</summary>
    public ImmutableArray<Node> Between(Node entry, Node exit)
    {
        Dictionary<Node, bool> isInside = new() { [entry] = true };
        IsInside(exit);
        return [.. isInside.Where(pair => pair.Value && pair.Key != entry).Select(pair => pair.Key).OrderBy(node => node.Id)];

        bool IsInside(Node node)
        {
            if (isInside.TryGetValue(node, out bool known)) return known;
            if (IsData(node) && node.Id < entry.Id) return isInside[node] = false;
            isInside[node] = node.Op is not Input;
            bool all = true;
            foreach (Node input in node.Inputs) all &= IsInside(input);
            return isInside[node] = node.Op is not Input && (all || (IsData(node) && node.Id > entry.Id));
        }
    }

    /// <summary>A value is on the trunk when nothing before it is read after it: the order of nodes is one in which they can be run.</summary>
    private (ImmutableArray<Stretch>, ImmutableArray<Node>) Cut()
    {
        Dictionary<Node, int> lastUse = [];
        foreach (Node node in _data)
        {
            foreach (Node input in node.Inputs) lastUse[input] = node.Id;
        }

        foreach (Node output in Graph.Outputs.Values) lastUse[output] = int.MaxValue;
        List<Stretch> stretches = [];
        List<Node> open = [];
        int firstLast = _data.LastOrDefault(node => !node.Inputs.Any(IsData))?.Id ?? 0, reach = -1;
        foreach (Node node in _data)
        {
            open.Add(node);
            if (reach <= node.Id && node.Id >= firstLast)
            {
                stretches.Add(new(stretches.Count == 0 ? null : stretches[^1].To, node, [.. open]));
                open.Clear();
            }

            reach = Math.Max(reach, lastUse[node]);
        }

        return (JoinMoved(stretches), [.. open]);
    }

    /// <summary>A normalisation between two moves of axes that undo each other, as exporters write one by groups of channels, is one stretch.</summary>
    private static ImmutableArray<Stretch> JoinMoved(List<Stretch> stretches)
    {
        List<Stretch> joined = [];
        for (int i = 0; i < stretches.Count; i++)
        {
            Stretch[] three = [.. stretches.Skip(i).Take(3)];
            bool isMoved = three is [{ From: not null, IsPlain: true }, _, { IsPlain: true }] && TrunkOperations.IsMove(three[0].To.Op) && TrunkOperations.IsNormalisation(three[1])
                && TrunkOperations.IsMove(three[2].To.Op) && three[2].To.Shape == three[0].From!.Shape;
            joined.Add(isMoved ? new(three[0].From, three[2].To, [.. three.SelectMany(stretch => stretch.Data)]) : stretches[i]);
            if (isMoved) i += 2;
        }

        return [.. joined];
    }
}
