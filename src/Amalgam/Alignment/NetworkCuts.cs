using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Alignment;

/// <summary>A place where a network can be cut in two: everything that the rest computes, it computes from this value.</summary>
/// <param name="Node">The value, a node of the groups' graph.</param>
/// <param name="Name">What it is called: the last value with a name up to it, for people and to choose it by.</param>
/// <param name="Trunk">Parameters before it.</param>
/// <param name="Head">Parameters after it, by name; one that is used on both sides is among both.</param>
public sealed record NetworkCut(Node Node, string Name, ImmutableArray<string> Trunk, ImmutableArray<string> Head)
{
    /// <summary>Name, and how much is before it.</summary>
    public override string ToString() => Head.IsEmpty ? $"{Name} (all layers)" : $"{Name} (before '{Head[0]}')";
}

/// <summary>Where a network can be cut in two.</summary>
internal sealed class NetworkCuts
{
    private readonly UnitGroups _groups;
    private readonly Graph _graph;
    private readonly bool[] _needed, _varies;
    private readonly int[] _lastUse;

    public NetworkCuts(UnitGroups groups)
    {
        (_groups, _graph) = (groups, groups.Graph);
        _needed = Rewrite.Needed(_graph, _graph.Outputs.Values);
        int count = _graph.Nodes.Count;
        (_lastUse, _varies) = (new int[count], new bool[count]);
        bool[] ofInput = new bool[count], ofParameter = new bool[count];
        foreach (Node node in _graph.Nodes)
        {
            ofInput[node.Id] = node.Op is Input || node.Inputs.Any(input => ofInput[input.Id]);
            ofParameter[node.Id] = node.Op is Parameter || node.Inputs.Any(input => ofParameter[input.Id]);
            // What inputs alone say, such as a mask, is the same in all networks, and may reach the heads past the cut.
            _varies[node.Id] = _needed[node.Id] && ofInput[node.Id] && ofParameter[node.Id];
            if (!_needed[node.Id]) continue;
            foreach (Node input in node.Inputs) _lastUse[input.Id] = node.Id;
        }

        foreach (Node output in _graph.Outputs.Values) _lastUse[output.Id] = Math.Max(_lastUse[output.Id], _varies[output.Id] ? count : 0);
    }

    /// <summary>All places: of several values between the same parameters the last, and none within a layer, between its product and its bias.</summary>
    public ImmutableArray<NetworkCut> All()
    {
        List<NetworkCut> cuts = [];
        foreach (Node node in _graph.Nodes.Where(node => Refusal(node) is null))
        {
            NetworkCut cut = At(node);
            bool isSame = cuts.Count > 0 && cuts[^1].Head.SequenceEqual(cut.Head) && cuts[^1].Trunk.SequenceEqual(cut.Trunk);
            if (isSame) cuts.RemoveAt(cuts.Count - 1);
            if (isSame || cuts.All(other => other.Name != cut.Name)) cuts.Add(cut);
        }

        return [.. cuts];
    }

    /// <summary>Why a network cannot be cut after a value; null where it can.</summary>
    public string? Refusal(Node cut)
    {
        if (cut.Graph != _graph || !_varies[cut.Id]) return "it is no value that the network computes from its inputs and its parameters";
        if (_graph.Nodes.FirstOrDefault(node => node.Id < cut.Id && _varies[node.Id] && _lastUse[node.Id] > cut.Id) is { } past) return $"{past} is used both before and after it";
        bool[] after = After(cut);
        if (_graph.Nodes.FirstOrDefault(node => node.Id > cut.Id && _varies[node.Id] && !after[node.Id]) is { } beside) return $"{beside} does not depend on it";
        foreach (UnitClass units in On(cut))
        {
            foreach (UnitPlace place in units.Parameters)
            {
                if (place.Side == UnitSide.Out && IsUsed(place.Node, after)) return $"'{place.Node.Name}', which is used after it, makes or scales the same units";
            }
        }

        return null;
    }

    /// <summary>The nodes that depend on a value.</summary>
    public bool[] After(Node cut)
    {
        bool[] after = new bool[_graph.Nodes.Count];
        foreach (Node node in _graph.Nodes.Skip(cut.Id + 1)) after[node.Id] = _needed[node.Id] && node.Inputs.Any(input => input == cut || after[input.Id]);
        return after;
    }

    /// <summary>The classes whose units a value has, with the outer ones that they depend on.</summary>
    public HashSet<UnitClass> On(Node cut) =>
        [.. _groups.LayoutOf(cut).SelectMany(axis => axis.Parts).SelectMany(part => part.Digits).Select(digit => digit.Class).OfType<UnitClass>().SelectMany(units => units.Chain)];

    /// <summary>The cut after a value.</summary>
    public NetworkCut At(Node cut)
    {
        bool[] after = After(cut), needed = Rewrite.Needed(_graph, [cut]);
        Node? named = _graph.Nodes.LastOrDefault(node => node.Id <= cut.Id && needed[node.Id] && _varies[node.Id] && node.Name is not null);
        string name = named?.Name ?? _graph.Outputs.FirstOrDefault(output => output.Value == cut).Key ?? $"{cut.Op.Name}{cut.Id}";
        return new(cut, name, [.. _graph.Parameters.Values.Where(node => needed[node.Id]).Select(node => node.Name!)], [.. _graph.Parameters.Values.Where(node => IsUsed(node, after)).Select(node => node.Name!)]);
    }

    /// <summary>Whether a parameter has a part, directly or through other parameters' expressions, in what depends on the cut.</summary>
    private bool IsUsed(Node parameter, bool[] after)
    {
        bool[] reached = new bool[_graph.Nodes.Count];
        reached[parameter.Id] = true;
        foreach (Node node in _graph.Nodes.Skip(parameter.Id + 1))
        {
            if (!_needed[node.Id] || !node.Inputs.Any(input => reached[input.Id])) continue;
            if (after[node.Id]) return true;
            reached[node.Id] = !_varies[node.Id];
        }

        return false;
    }
}
