using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Alignment.Fusion;

/// <summary>Layers whose units have one map.</summary>
/// <param name="Index">Number among all.</param>
/// <param name="Units">Their class.</param>
/// <param name="Producers">The layers, in the order of the network.</param>
internal sealed record UnitStream(int Index, UnitClass Units, ImmutableArray<UnitProducer> Producers);

/// <summary>
/// Which layers share a map of their units, and by which maps each place of a parameter goes. Where a class is one residual stream, the rule of the public code gives each layer that writes
/// into it a map of its own (<see cref="ResidualMaps.Upstream"/>): a value then has the map of the layer that made it, a sum with an older value of the stream that of the block, and a sum of
/// two new values the mean of both.
/// </summary>
internal sealed class UnitStreams
{
    private readonly UnitGroups _groups;
    private readonly ILookup<Node, Node> _users;
    private readonly Dictionary<(UnitClass, Node), ImmutableArray<int>> _producersOf = [];
    private readonly Dictionary<UnitPlace, ImmutableArray<UnitStream>> _streamsOf = [];
    private readonly List<UnitProducer> _producers = [];
    private readonly HashSet<UnitClass> _isShared = [];

    /// <param name="groups">Units of a network.</param>
    /// <param name="residual">Which layers share a map.</param>
    public UnitStreams(UnitGroups groups, ResidualMaps residual)
    {
        _groups = groups;
        _users = groups.Graph.Users();
        UnitClass[] free = [.. groups.Classes.Where(units => units.Pinned is null)];
        foreach (UnitClass units in free)
        {
            if (residual == ResidualMaps.Shared || units.Outer is not null || !units.Inner.IsEmpty) _isShared.Add(units);
            Follow(units);
        }

        Dictionary<int, UnitStream> byProducer = [];
        List<UnitStream> streams = [];
        foreach (var made in _producers.Index().GroupBy(p => _isShared.Contains(p.Item.Units) ? (p.Item.Units, -1) : (p.Item.Units, p.Index)).ToArray())
        {
            UnitStream stream = new(streams.Count, made.Key.Units, [.. made.Select(p => p.Item)]);
            streams.Add(stream);
            foreach (var (index, _) in made) byProducer[index] = stream;
        }

        All = [.. streams];
        foreach (UnitClass units in free)
        {
            foreach (UnitPlace place in units.Parameters) Assign(place, byProducer);
        }
    }

    /// <summary>All streams, by class.</summary>
    public ImmutableArray<UnitStream> All { get; }

    /// <summary>The streams by the mean of whose maps a place of a parameter goes.</summary>
    public ImmutableArray<UnitStream> Of(UnitPlace place) => _streamsOf[place];

    /// <summary>Finds by which layers each value that has the units was made.</summary>
    private void Follow(UnitClass units)
    {
        HashSet<Node> values = [.. units.Values.Select(place => place.Node)];
        foreach (Node value in units.Values.Select(place => place.Node).Distinct().OrderBy(node => node.Id))
        {
            ImmutableArray<int>[] given = units.Values.Any(place => place.Node == value && UnitProducer.IsMade(place))
                ? []
                : [.. value.Inputs.Where(values.Contains).Distinct().OrderBy(input => input.Id).Select(input => _producersOf[(units, input)]).DistinctBy(made => string.Join(',', made))];
            _producersOf[(units, value)] = given.Length switch
            {
                0 => [Produce(units, value)],
                1 => given[0],
                _ => Join(units, value, values),
            };
        }

        // Two values of which positions are multiplied pairwise, as queries and keys, have one order.
        foreach (Node node in _groups.Graph.Nodes.Where(node => node.Op is not Add && node.Inputs.Length > 1))
        {
            if (node.Inputs.Where(values.Contains).Select(input => string.Join(',', _producersOf[(units, input)])).Distinct().Count() > 1) _isShared.Add(units);
        }
    }

    private ImmutableArray<int> Join(UnitClass units, Node sum, HashSet<Node> values)
    {
        Node[] parts = [.. sum.Inputs.Where(values.Contains).Distinct()];
        Node? younger = sum.Op is Add && parts.Length == 2 ? Younger(parts[0], parts[1]) : null;
        return younger is not null ? _producersOf[(units, younger)] : [.. parts.SelectMany(part => _producersOf[(units, part)]).Distinct().Order()];
    }

    /// <summary>Of two values the one that is computed from the other; null where neither is.</summary>
    private static Node? Younger(Node x, Node y)
    {
        (Node older, Node younger) = x.Id < y.Id ? (x, y) : (y, x);
        HashSet<Node> seen = [younger];
        Stack<Node> open = new([younger]);
        while (open.TryPop(out Node? node))
        {
            foreach (Node input in node.Inputs.Where(input => input.Id >= older.Id))
            {
                if (input == older) return younger;
                if (seen.Add(input)) open.Push(input);
            }
        }

        return null;
    }

    private int Produce(UnitClass units, Node value)
    {
        _producers.Add(new(units, value, UnitProducer.TapOf(units, value, _users)));
        return _producers.Count - 1;
    }

    /// <summary>A parameter's units go by the map of the value that its layer makes of them, or reads them from.</summary>
    private void Assign(UnitPlace place, Dictionary<int, UnitStream> byProducer)
    {
        if (_isShared.Contains(place.Units))
        {
            UnitStream? only = byProducer.Values.FirstOrDefault(stream => stream.Units == place.Units);
            _streamsOf[place] = only is null ? throw Unread(place) : [only];
        }

        HashSet<Node> seen = [place.Node];
        Queue<Node> open = new([place.Node]);
        while (open.TryDequeue(out Node? weight))
        {
            foreach (Node user in _users[weight])
            {
                Node? at = place.Side == UnitSide.In ? user.Inputs.FirstOrDefault(Has) : Has(user) ? user : null;
                if (at is null)
                {
                    if (seen.Add(user)) open.Enqueue(user);
                    continue;
                }

                ImmutableArray<int> made = _producersOf[(place.Units, at)];
                if (place.Side == UnitSide.Out && !place.IsStatistic && made is [var one] && user.Id <= _producers[one].Tap.Node.Id) _producers[one].Weights.Add(place);
                _streamsOf.TryAdd(place, [.. made.Select(producer => byProducer[producer]).Distinct()]);
                return;
            }
        }

        if (!_streamsOf.ContainsKey(place)) throw Unread(place);

        bool Has(Node node) => _producersOf.ContainsKey((place.Units, node));
    }

    private static GraphException Unread(UnitPlace place) => new($"'{place.Node.Name}' has units {place.Units} that no computed value has, so there is nothing to match them by");
}
