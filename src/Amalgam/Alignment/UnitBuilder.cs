using System.Collections.Immutable;
using System.IO.Enumeration;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Alignment;

/// <summary>Makes unit classes of the leaves that a network's axes are made of.</summary>
internal sealed class UnitBuilder
{
    private readonly Graph _graph;
    private readonly UnitOptions _options;
    private readonly IReadOnlySet<int> _pinned;
    private readonly GraphCopy _analysed;
    private readonly Dictionary<Node, Node> _original = [];
    private readonly AxisTerms _terms;
    private readonly WeightSides _sides;
    private readonly Dictionary<Node, ImmutableArray<ImmutableArray<LeafPart>>> _parts = [];
    private readonly Dictionary<PositionTerm, UnitClass> _classes = [];

    /// <param name="graph">The network.</param>
    /// <param name="options">What else is free or pinned.</param>
    /// <param name="pinned">Classes that are pinned by their index, whatever their names match.</param>
    public UnitBuilder(Graph graph, UnitOptions options, IReadOnlySet<int> pinned)
    {
        (_graph, _options, _pinned) = (graph, options, pinned);
        _analysed = EarlySelection.Apply(graph);
        foreach (var (from, to) in _analysed.Map) _original.TryAdd(to, from);
        _terms = new(_analysed.Graph, options.FreeOutputs);
        _sides = new(_analysed.Graph, _terms);
        PinParameters();
        foreach (Node node in _analysed.Graph.Nodes.Where(node => node.Known is null)) _parts[node] = [.. _terms.Of(node).Select(LeafPart.Of)];
        PinUnused();
        MakeClasses();
    }

    /// <summary>Outer classes before inner ones, else in the order of the parameters.</summary>
    public ImmutableArray<UnitClass> Classes => [.. _classes.Values.OrderBy(units => units.Index)];

    /// <summary>What must be matched together.</summary>
    public ImmutableArray<UnitGroup> Groups => [.. Classes.Where(units => units.Outer is null).Select(root => new UnitGroup(root.Name, [.. Classes.Where(units => units.Chain[0] == root)]))];

    /// <summary>Axes of parameters that stay as they are.</summary>
    public ImmutableArray<PinnedAxis> Pinned()
    {
        List<PinnedAxis> pinned = [];
        foreach (var (name, node) in _analysed.Graph.Parameters)
        {
            for (int axis = 0; axis < node.Shape.Rank; axis++)
            {
                var leaves = _parts[node][axis].SelectMany(part => part.Digits).Select(d => d.Leaf).Distinct().Where(leaf => leaf.Reason is not null && !_classes.ContainsKey(leaf));
                pinned.AddRange(leaves.Select(leaf => new PinnedAxis(name, axis, (int)leaf.Size, leaf.Reason!)).Distinct());
            }
        }

        return [.. pinned];
    }

    /// <summary>Every value of the graph that has units, with its axes as digits of them.</summary>
    public IReadOnlyDictionary<Node, ImmutableArray<AxisLayout>> Layouts() =>
        _parts.Where(p => _original.ContainsKey(p.Key)).ToDictionary(p => _original[p.Key], p => p.Value.Select(Layout).ToImmutableArray());

    private AxisLayout Layout(ImmutableArray<LeafPart> parts) => new([.. parts.Select(Part)]);

    private AxisPart Part(LeafPart part) => new(part.Offset, [.. part.Digits.Select(d => new UnitDigit(_classes.GetValueOrDefault(d.Leaf), d.Size, d.Stride))]);

    private void MakeClasses()
    {
        LeafOrder order = new(_parts.Where(p => p.Key.Op is not Input).Select(p => p.Value), Uses(), _terms.Links.OfType<MixedAxes>().Select(mixed =>
            (mixed.Axes.SelectMany(axis => _terms[axis].Leaves()).ToHashSet(), _terms.Of(mixed.Source).SelectMany(term => term.Leaves()))));
        List<PositionTerm> leaves = [];
        foreach (Node parameter in _analysed.Graph.Parameters.Values.OrderBy(p => _sides.IsStatistic(p)))
        {
            foreach (PositionTerm leaf in _parts[parameter].SelectMany(axis => axis).SelectMany(part => part.Digits).Select(d => d.Leaf)) Add(leaf, order, leaves);
        }

        for (int i = 0; i < leaves.Count; i++)
            _classes[leaves[i]] = new(i, "", (int)leaves[i].Size, leaves[i].Reason) { Outer = order.OuterOf(leaves[i]) is { } outer ? _classes[outer] : null };
        ILookup<UnitClass, UnitPlace> parameters = ParameterPlaces(), values = ValuePlaces();
        HashSet<string> names = [];
        foreach (UnitClass units in Classes)
        {
            units.Parameters = [.. parameters[units]];
            units.Values = [.. values[units]];
            units.Inner = [.. Classes.Where(other => other.Outer == units)];
            units.IsTied = units.Parameters.Any(place => units.Parameters.Any(other => other.Node == place.Node && other.Axis == place.Axis && other.Side != place.Side));
        }

        foreach (UnitClass units in Classes) units.Name = NameOf(units, names);
        SetTaps();
        PinClasses();
    }

    /// <summary>
    /// Each axis of every operation's inputs, among those that reach the result: axes that are summed over, looked up, reduced or windowed do not, even if the result has others of the same leaves.
    /// An axis that is summed over must be in the same order in all factors, so it is among leaves that the result has once, as a batch that they share.
    /// </summary>
    private IEnumerable<(int Axis, ImmutableArray<ImmutableArray<LeafPart>> Axes)> Uses()
    {
        foreach (IGrouping<Node, AxisLink> said in _terms.Links.GroupBy(link => link.Source))
        {
            var (passed, summed) = Reach(said);
            PositionTerm[] result = [.. _terms.Of(said.Key).SelectMany(term => term.Leaves())];
            foreach (Node input in said.Key.Inputs.Where(_parts.ContainsKey).Distinct())
            {
                ImmutableArray<ImmutableArray<LeafPart>> all = _parts[input], reaching = [.. all.Select((parts, axis) => passed.Contains((input, axis)) && !summed.Contains((input, axis)) ? parts : [])];
                ImmutableArray<ImmutableArray<LeafPart>> shared = [.. reaching.Select(parts => parts.Select(part => part with { Digits = [.. part.Digits.Where(d => result.Count(leaf => leaf == d.Leaf) == 1)] }).ToImmutableArray())];
                for (int axis = 0; axis < all.Length; axis++)
                {
                    if (summed.Contains((input, axis))) yield return (axis, shared.SetItem(axis, all[axis]));
                    else if (passed.Contains((input, axis))) yield return (axis, reaching);
                }
            }
        }
    }

    /// <summary>The axes that an operation ties to others, and those that it sums over.</summary>
    private static (HashSet<(Node?, int)> Passed, HashSet<(Node?, int)> Summed) Reach(IEnumerable<AxisLink> said)
    {
        HashSet<(Node?, int)> passed = [], summed = [];
        foreach (AxisLink link in said)
        {
            IEnumerable<Axis> axes = link switch
            {
                SameAxis same => [.. same.Left, .. same.Right],
                JoinedAxis joined => joined.Parts,
                TakenAxis taken when AxisTerms.StepOf(taken) is not null => [taken.Whole],
                _ => [],
            };
            (link is SameAxis { Contracted: true } ? summed : passed).UnionWith(axes.Select(axis => (axis.Node, axis.Index)));
        }

        return (passed, summed);
    }

    /// <summary>Notes a leaf that makes a class: free, or what a free one depends on; outer ones first.</summary>
    private static void Add(PositionTerm leaf, LeafOrder order, List<PositionTerm> to)
    {
        if (leaf.Reason is not null || leaf.Size < 2 || to.Contains(leaf)) return;
        Stack<PositionTerm> chain = new([leaf]);
        while (order.OuterOf(chain.Peek()) is { } outer && !chain.Contains(outer)) chain.Push(outer);
        to.AddRange(chain.Where(term => !to.Contains(term)));
    }

    private ILookup<UnitClass, UnitPlace> ParameterPlaces() => _analysed.Graph.Parameters.Values
        .SelectMany(node => Enumerable.Range(0, node.Shape.Rank).SelectMany(axis => new[] { UnitSide.Out, UnitSide.In }
            .SelectMany(side => Places(node, axis, side, leaf => _sides.IsOn(side, node, axis, leaf)))))
        .ToLookup(pair => pair.Units, pair => pair.Place);

    private ILookup<UnitClass, UnitPlace> ValuePlaces() => _parts.Keys.Where(node => node.Op is not Parameter && !_sides.IsWeight(node) && _original.ContainsKey(node))
        .SelectMany(node => Enumerable.Range(0, node.Shape.Rank).SelectMany(axis => Places(node, axis, UnitSide.Out))).ToLookup(pair => pair.Units, pair => pair.Place);

    private IEnumerable<(UnitClass Units, UnitPlace Place)> Places(Node node, int axis, UnitSide side, Func<PositionTerm, bool>? only = null)
    {
        foreach (LeafPart part in _parts[node][axis])
        {
            foreach (LeafDigit digit in part.Digits.DistinctBy(d => d.Leaf))
            {
                if (only?.Invoke(digit.Leaf) != false && _classes.TryGetValue(digit.Leaf, out UnitClass? units) && ChainOf(units, node, axis, Part(part)) is { IsDefault: false } chain)
                    yield return (units, new(units, _original[node], axis, Part(part), side, _sides.IsStatistic(node), chain));
            }
        }
    }

    /// <summary>Where the digits of a class's chain are, seen from a part of an axis; default where one is in no place or in several.</summary>
    private ImmutableArray<ChainDigit> ChainOf(UnitClass units, Node node, int axis, AxisPart part)
    {
        List<ChainDigit> chain = [];
        foreach (UnitClass link in units.Chain)
        {
            if (part.IndexOf(link) is >= 0 and var own)
            {
                chain.Add(new(axis, part, own));
                continue;
            }

            ChainDigit[] elsewhere = [.. Enumerable.Range(0, node.Shape.Rank).Where(i => i != axis && _parts[node][i].Length == 1).Select(i => (Axis: i, Part: Part(_parts[node][i][0])))
                .Where(found => found.Part.IndexOf(link) >= 0).Select(found => new ChainDigit(found.Axis, found.Part, found.Part.IndexOf(link)))];
            if (elsewhere.Length != 1) return default;
            chain.Add(elsewhere[0]);
        }

        return [.. chain];
    }

    private static string NameOf(UnitClass units, HashSet<string> taken)
    {
        UnitPlace place = units.Parameters.FirstOrDefault(p => p.Side == UnitSide.Out && !p.IsStatistic) ?? units.Parameters[0];
        string name = place.Node.Name!;
        foreach (string ending in (string[])[".weight", ".bias", "_weight", "_bias"])
        {
            if (name.EndsWith(ending, StringComparison.Ordinal)) name = name[..^ending.Length];
        }

        if (!units.Inner.IsEmpty) name += ":blocks";
        if (place.Part.Count < place.Node.Shape[place.Axis]) name = $"{name}[{place.Part.Offset}..{place.Part.Offset + place.Part.Count}]";
        string free = name;
        for (int i = 2; !taken.Add(free); i++) free = $"{name}#{i}";
        return free;
    }

    /// <summary>What layers that sum over units are given.</summary>
    private void SetTaps()
    {
        List<(Node Reader, Node Value, int Axis)> read = [];
        foreach (SameAxis same in _terms.Links.OfType<SameAxis>().Where(same => same.Contracted && !_sides.IsWeight(same.Source)))
        {
            foreach (Axis axis in same.Left.Concat(same.Right))
            {
                if (axis.Node is { Known: null } value && !_sides.IsWeight(value)) read.Add((same.Source, value, axis.Index));
            }
        }

        Dictionary<UnitClass, List<(Node Reader, UnitPlace Place)>> found = _classes.Values.ToDictionary(units => units, _ => new List<(Node, UnitPlace)>());
        foreach (var (reader, value, axis) in read.OrderBy(r => r.Reader.Id))
        {
            foreach (UnitClass units in _parts[value][axis].SelectMany(part => part.Digits).Select(d => _classes.GetValueOrDefault(d.Leaf)).OfType<UnitClass>().Distinct())
            {
                if (Tap(units, value, axis) is { } place) found[units].Add((reader, place));
            }
        }

        foreach (UnitClass units in Classes)
        {
            List<(Node Reader, UnitPlace Place)> taps = found[units];
            units.Taps = [.. taps.Select(t => t.Place).Distinct()];
            units.LastTaps = taps.Count > 0 ? [.. taps.Where(t => t.Reader == taps[^1].Reader).Select(t => t.Place).Distinct()] : units.Values.IsEmpty ? [] : [units.Values[^1]];
        }
    }

    /// <summary>Where to observe: before means over other axes, as each position of an image then counts.</summary>
    private UnitPlace? Tap(UnitClass units, Node value, int axis)
    {
        UnitPlace? place = PlaceOn(units, value, axis);
        Node at = value;
        while (at.Op is View or Transpose or ReduceMean or GlobalAveragePool)
        {
            bool isMean = at.Op is ReduceMean or GlobalAveragePool;
            at = at.Inputs[0];
            UnitPlace? before = Enumerable.Range(0, at.Shape.Rank).Select(i => PlaceOn(units, at, i)).FirstOrDefault(p => p is not null);
            if (before is null) break;
            if (isMean || place is null) place = before;
        }

        return place;
    }

    private UnitPlace? PlaceOn(UnitClass units, Node node, int axis) =>
        _original.ContainsKey(node) && _parts.ContainsKey(node) ? Places(node, axis, UnitSide.Out, leaf => _classes.GetValueOrDefault(leaf) == units).FirstOrDefault().Place : null;

    private void PinParameters()
    {
        foreach (string pin in _options.Pins.IsDefault ? [] : _options.Pins)
        {
            foreach (var (name, node) in _analysed.Graph.Parameters.Where(p => FileSystemName.MatchesSimpleExpression(pin, p.Key, ignoreCase: false)))
            {
                for (int axis = 0; axis < node.Shape.Rank; axis++)
                {
                    foreach (PositionTerm leaf in _terms.Of(node)[axis].Leaves().Where(leaf => _sides.IsOn(UnitSide.Out, node, axis, leaf))) leaf.Fix($"pinned by '{pin}'");
                }
            }
        }
    }

    /// <summary>Positions that one parameter alone has, such as those of texts longer than the network is now made for: nothing shows that their order is free.</summary>
    private void PinUnused()
    {
        var users = _parts.SelectMany(p => p.Value.SelectMany(axis => axis).SelectMany(part => part.Digits).Select(d => (d.Leaf, p.Key))).Distinct().CountBy(pair => pair.Leaf);
        foreach (PositionTerm leaf in users.Where(pair => pair.Value == 1).Select(pair => pair.Key)) leaf.Fix("no operation uses these positions");
    }

    private void PinClasses()
    {
        foreach (UnitClass units in Classes.Where(units => _pinned.Contains(units.Index))) units.Pinned ??= $"pinned by '{units.Name}'";
        foreach (string pin in _options.Pins.IsDefault ? [] : _options.Pins)
        {
            UnitClass[] named = [.. Classes.Where(units => FileSystemName.MatchesSimpleExpression(pin, units.Name, ignoreCase: false))];
            foreach (UnitClass units in named) units.Pinned ??= $"pinned by '{pin}'";
            if (named.Length == 0 && !_graph.Parameters.Keys.Any(name => FileSystemName.MatchesSimpleExpression(pin, name, ignoreCase: false)))
                throw new GraphException($"the pin '{pin}' names no units and no parameter; units are {string.Join(", ", Classes.Take(8).Select(units => $"'{units.Name}'"))}{(Classes.Length > 8 ? " ..." : "")}");
        }
    }
}
