using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Alignment.Fusion;

/// <summary>A class of units of one network and the class that has its place in another, of perhaps another size.</summary>
/// <param name="A">Of the network whose units are moved.</param>
/// <param name="B">Of the network whose units they become.</param>
public sealed record HomologousUnits(UnitClass A, UnitClass B)
{
    /// <summary>Whether units may be moved in both networks.</summary>
    public bool IsFree => A.Pinned is null && B.Pinned is null;
}

/// <summary>Two networks of one structure and perhaps different widths: the same operations on each other's results, node for node. Layers of unequal depths are balanced before.</summary>
public sealed class Homologues
{
    private readonly IReadOnlyDictionary<Node, Node> _toB;
    private readonly Dictionary<UnitClass, HomologousUnits> _byA = [];

    private Homologues(UnitGroups a, UnitGroups b, IReadOnlyDictionary<Node, Node> toB, IReadOnlyList<(Node A, Node B)> parameters)
    {
        (A, B, _toB, Parameters) = (a, b, toB, parameters);
        foreach (var (of, other) in parameters) Pair(of, other);
    }

    /// <summary>Units of the network whose units are moved.</summary>
    public UnitGroups A { get; }

    /// <summary>Units of the network whose units they become.</summary>
    public UnitGroups B { get; }

    /// <summary>Classes of units by their places, in the order of <see cref="A"/>.</summary>
    public ImmutableArray<HomologousUnits> Classes => [.. A.Classes.Where(_byA.ContainsKey).Select(units => _byA[units])];

    /// <summary>Parameters that have each other's places, in the order of the first network; one may have those of several.</summary>
    internal IReadOnlyList<(Node A, Node B)> Parameters { get; }

    /// <summary>What has the place of a node of the first network in the second.</summary>
    public Node InB(Node ofA) => _toB[ofA];

    /// <summary>What has the place of a parameter's units in the second network: of several parts of an axis, such as queries and keys in one matrix, the one of the same number.</summary>
    internal UnitPlace InB(UnitPlace ofA)
    {
        Node node = InB(ofA.Node);
        int number = ofA.Units.Parameters.Count(place => IsBeside(place, ofA.Node) && place.Part.Offset < ofA.Part.Offset);
        return Of(ofA.Units).B.Parameters.Where(place => IsBeside(place, node)).OrderBy(place => place.Part.Offset).ElementAt(number);

        bool IsBeside(UnitPlace place, Node parameter) => (place.Node, place.Axis, place.Side) == (parameter, ofA.Axis, ofA.Side);
    }

    /// <summary>The pair that a class of the first network is in.</summary>
    public HomologousUnits Of(UnitClass ofA) => _byA[ofA];

    /// <summary>Pairs two networks.</summary>
    /// <param name="a">The network whose units are moved.</param>
    /// <param name="b">The network whose units they become.</param>
    /// <param name="options">What else is free or pinned, in both.</param>
    /// <param name="check">Whether units of both are checked (<see cref="SelfCheck"/>), and those that change outputs pinned.</param>
    /// <param name="cancel">Looked at while they are checked.</param>
    /// <exception cref="GraphException">They are not of one structure, or constants differ: the first difference is named. Or a fixed axis has other sizes in the two.</exception>
    public static Homologues Of(Graph a, Graph b, UnitOptions? options = null, bool check = true, CancellationToken cancel = default)
    {
        var (toB, parameters) = HomologousNodes.Of(a, b);
        return new(Groups(a), Groups(b), toB, parameters);

        UnitGroups Groups(Graph graph)
        {
            UnitGroups groups = UnitGroups.Of(graph, options);
            return check ? SelfCheck.Run(groups, options, cancel: cancel).Groups : groups;
        }
    }

    /// <summary>Pairs the classes of a parameter's axes, digit by digit.</summary>
    private void Pair(Node a, Node b)
    {
        string name = a.Name!;
        if (a.Shape.Rank != b.Shape.Rank) throw new GraphException($"'{name}' {a.Shape} has the place of '{b.Name}' {b.Shape} in the other network, which has other axes");
        ImmutableArray<AxisLayout> ofA = A.LayoutOf(a), ofB = B.LayoutOf(b);
        for (int axis = 0; axis < ofA.Length; axis++)
        {
            ImmutableArray<AxisPart> partsOfA = ofA[axis].Parts, partsOfB = ofB[axis].Parts;
            if (partsOfA.Length != partsOfB.Length || partsOfA.Zip(partsOfB).Any(part => part.First.Digits.Length != part.Second.Digits.Length))
            {
                if (a.Shape[axis] == b.Shape[axis] && partsOfA.Concat(partsOfB).All(part => part.Digits.All(digit => digit.Class is null))) continue;
                throw new GraphException($"axis {axis} of '{name}' {a.Shape} falls into other units than that of '{b.Name}' {b.Shape}, so its units cannot be brought to the other's");
            }

            foreach (var (x, y) in partsOfA.Zip(partsOfB).SelectMany(part => part.First.Digits.Zip(part.Second.Digits))) Pair(name, axis, a, b, x, y);
        }
    }

    private void Pair(string name, int axis, Node a, Node b, UnitDigit x, UnitDigit y)
    {
        bool isFree = x.Class is { Pinned: null } && y.Class is { Pinned: null };
        if (!isFree && x.Size != y.Size)
        {
            string reason = A.Pinned.FirstOrDefault(pin => pin.Parameter == name && pin.Axis == axis)?.Reason ?? B.Pinned.FirstOrDefault(pin => pin.Parameter == b.Name && pin.Axis == axis)?.Reason ?? "their order is fixed";
            throw new GraphException($"axis {axis} of '{name}' is {a.Shape} in one network and {b.Shape} in the other, and its positions cannot be matched: {reason}");
        }

        if (x.Class is null || y.Class is null)
        {
            if (isFree || (x.Class ?? y.Class) is not { Pinned: null } free) return;
            throw new GraphException($"{free} of '{name}' may be moved in one network and not in the other, so they cannot be brought together");
        }

        if (!_byA.TryGetValue(x.Class, out HomologousUnits? known)) _byA[x.Class] = new(x.Class, y.Class);
        else if (known.B != y.Class) throw new GraphException($"{x.Class} of one network are units of two kinds in the other, {known.B} and {y.Class}");
    }
}
