using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Numerics;

namespace Amalgam.Alignment.Fusion;

/// <summary>How the units of a layer, or of all layers that write into one stream, were transported.</summary>
/// <param name="Name">The layer or class.</param>
/// <param name="A">Its units in the network that is moved.</param>
/// <param name="B">Its units in the other network.</param>
/// <param name="Plan">Mass from units of the first to those of the second; of classes with blocks null, as there is a plan for each two.</param>
/// <param name="Cost">What the transport costs: the mean distance of units that come together.</param>
/// <param name="Before">The same where each unit stays in its place; null where the sizes differ.</param>
public sealed record UnitTransportSummary(string Name, UnitClass A, UnitClass B, TransportPlan? Plan, double Cost, double? Before);

/// <summary>Where the units of one network go in another: the transport maps of all their classes.</summary>
public sealed class TransportMaps
{
    private readonly UnitStreams _streams;
    private readonly Dictionary<(UnitStream, int BlockOfA, int BlockOfB), UnitTransport> _maps = [];
    private readonly List<UnitTransportSummary> _summaries = [];

    internal TransportMaps(Homologues pair, UnitStreams streams) => (Pair, _streams) = (pair, streams);

    /// <summary>The networks.</summary>
    public Homologues Pair { get; }

    /// <summary>What was transported, in the order of the network.</summary>
    public ImmutableArray<UnitTransportSummary> Classes => [.. _summaries];

    /// <summary>The first network's weights with its units where they go: in the shapes and under the names of the second.</summary>
    /// <remarks>What makes units is multiplied by the transposed map, what is summed over them by the map, biases and statistics of normalisations like the units that they belong to.</remarks>
    public IReadOnlyDictionary<string, Tensor> Transported()
    {
        Dictionary<string, Tensor> weights = new(StringComparer.Ordinal);
        foreach (var (a, b) in Pair.Parameters) weights[b.Name!] = Transport(a, null) ?? throw new InvalidOperationException($"{a} has units without a map");
        foreach (var (name, node) in Pair.B.Graph.Parameters) weights.TryAdd(name, node.Value!);
        return weights;
    }

    /// <summary>The second network and the first one brought to it, as networks of one architecture: for averages and every other merge method.</summary>
    /// <param name="names">What the second and the first are called.</param>
    public Siblings Siblings(params ReadOnlySpan<string> names) => new(Pair.B, [Alignment.Siblings.WeightsOf(Pair.B.Graph), Transported()], names.IsEmpty ? null : names.ToArray());

    internal void Set(UnitStream stream, int blockOfA, int blockOfB, UnitTransport map) => _maps[(stream, blockOfA, blockOfB)] = map;

    internal void Add(UnitTransportSummary summary) => _summaries.Add(summary);

    /// <summary>A parameter with its axes in the units of the second network.</summary>
    /// <param name="parameter">Of the first network.</param>
    /// <param name="except">A place whose axis stays as it is; null for none.</param>
    /// <returns>Null where an axis has no map yet.</returns>
    internal Tensor? Transport(Node parameter, UnitPlace? except)
    {
        ImmutableArray<AxisLayout> from = Pair.A.LayoutOf(parameter), to = Pair.B.LayoutOf(Pair.InB(parameter));
        Tensor value = parameter.Value!;
        for (int axis = 0; axis < from.Length; axis++)
        {
            if (axis == except?.Axis || from[axis].Parts.All(part => part.Digits.All(digit => digit.Class is not { Pinned: null }))) continue;
            Dictionary<(int Offset, int Digit, int, int), UnitTransport?> known = [];
            bool isMissing = false;
            int on = axis;
            AxisTransport move = AxisTransport.Of(axis, from[axis], to[axis], Pair.InB(parameter).Shape.Size(axis), (part, digit, before, at) =>
            {
                if (part.Digits[digit].Class is not { Pinned: null } units) return (UnitShare[])[new(at[digit], 1)];
                var (blockOfA, blockOfB) = Blocks(parameter, units, part, digit, before, at);
                UnitPlace place = PlaceOf(parameter, on, part, units);
                if (!known.TryGetValue((part.Offset, digit, blockOfA, blockOfB), out UnitTransport? map)) known[(part.Offset, digit, blockOfA, blockOfB)] = map = MapOf(place, blockOfA, blockOfB);
                isMissing |= map is null;
                return map is null ? [] : map.SharesOf(at[digit], place.Side);
            });
            if (isMissing) return null;
            if (!move.IsIdentity) value = move.Apply(value);
        }

        return value;
    }

    private UnitTransport? MapOf(UnitPlace place, int blockOfA, int blockOfB)
    {
        List<UnitTransport> maps = [];
        foreach (UnitStream stream in _streams.Of(place))
        {
            if (!_maps.TryGetValue((stream, blockOfA, blockOfB), out UnitTransport? map)) return null;
            maps.Add(map);
        }

        return UnitTransport.Mean(maps);
    }

    /// <summary>A parameter that is used on both sides is moved as what is summed over.</summary>
    private static UnitPlace PlaceOf(Node parameter, int axis, AxisPart part, UnitClass units) =>
        units.Parameters.Where(place => place.Node == parameter && place.Axis == axis && place.Part.Offset == part.Offset).OrderBy(place => place.Side == UnitSide.Out).First();

    /// <summary>In which blocks of a class a position is in both networks: the digits of its outer classes say so.</summary>
    private (int OfA, int OfB) Blocks(Node parameter, UnitClass units, AxisPart part, int digit, ImmutableArray<int> from, ReadOnlySpan<int> to)
    {
        int ofA = 0, ofB = 0;
        foreach (UnitClass outer in units.Chain[..^1])
        {
            int at = part.IndexOf(outer);
            if (at < 0 || at >= digit) throw new GraphException($"'{parameter.Name}' {parameter.Shape} has {units} on another axis than {outer} that they lie in, which cannot be transported; match them by a method of 'amalgam align'");
            (ofA, ofB) = (ofA * outer.Size + from[at], ofB * Pair.Of(outer).B.Size + to[at]);
        }

        return (ofA, ofB);
    }
}
