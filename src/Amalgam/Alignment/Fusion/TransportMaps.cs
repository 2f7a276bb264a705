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
public sealed record UnitTransportSummary(string Name, UnitClass A, UnitClass B, TransportPlan? Plan, double Cost, double? Before)
{
    /// <summary>Whether all of its transports are exact or came within the tolerance (<see cref="TransportPlan.Converged"/>).</summary>
    public bool Converged { get; init; } = true;
}

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
        foreach (var of in Pair.Parameters.GroupBy(pair => pair.B))
            weights[of.Key.Name!] = Rearrangement.Mean([.. of.Select(pair => Transport(pair.A, null) ?? throw new InvalidOperationException($"{pair.A} has units without a map"))]);
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
    /// <param name="except">A place whose units, and the blocks that they are in, stay where they are; null for none.</param>
    /// <param name="lenient">Other units stay, too, whose map is not known yet and that are as many in both networks.</param>
    /// <returns>Null where an axis has no map yet, or, of one with an exception, has other units of another size beside.</returns>
    internal Tensor? Transport(Node parameter, UnitPlace? except, bool lenient = false)
    {
        ImmutableArray<AxisLayout> from = Pair.A.LayoutOf(parameter), to = Pair.B.LayoutOf(Pair.InB(parameter));
        if (CoupledAxes.IsNeeded(from, Moves)) return except is null ? Coupled(parameter, from, to) : null;
        Tensor value = parameter.Value!;
        for (int axis = 0; axis < from.Length; axis++)
        {
            (int on, bool isExcepted) = (axis, axis == except?.Axis);
            UnitClass[] moved = [.. from[axis].Parts.SelectMany(part => part.Digits.Where(digit => digit.Class is { } units && Moves(on, part, units)).Select(digit => digit.Class!))];
            if (moved.Length == 0) continue;
            if (isExcepted && moved.Any(units => Pair.Of(units).B.Size != units.Size)) return null;
            DigitMaps maps = new(this, parameter, (part, _) => (on, part.Offset), (part, units) => Moves(on, part, units), lenient);
            AxisTransport move = AxisTransport.Of(axis, from[axis], (isExcepted ? from : to)[axis], (isExcepted ? parameter : Pair.InB(parameter)).Shape.Size(axis), maps.SharesOf);
            if (maps.IsMissing) return null;
            if (!move.IsIdentity) value = move.Apply(value);
        }

        return value;

        // Of an excepted axis only what lies beside the units matters.
        bool Moves(int axis, AxisPart part, UnitClass units) =>
            units.Pinned is null && (axis != except?.Axis || (part.Offset == except.Part.Offset && !except.Units.Chain.Contains(units)));
    }

    /// <summary>A parameter whose units on one axis lie in blocks that another axis tells: all its axes at once.</summary>
    private Tensor? Coupled(Node parameter, ImmutableArray<AxisLayout> from, ImmutableArray<AxisLayout> to)
    {
        Shape shape = Pair.InB(parameter).Shape;
        CoupledAxes a = CoupledAxes.Of(parameter, from, parameter.Shape), b = CoupledAxes.Of(parameter, to, shape);
        DigitMaps maps = new(this, parameter, (_, digit) => (a.Axes[digit], from[a.Axes[digit]].Parts[0].Offset), (_, units) => units.Pinned is null);
        AxisTransport move = AxisTransport.Of(0, a.Layout, b.Layout, checked((int)shape.Count), maps.SharesOf);
        return maps.IsMissing ? null : move.Apply(parameter.Value!.Reshape(new(parameter.Value.Count))).Reshape(shape);
    }

    internal UnitTransport? MapOf(UnitPlace place, int blockOfA, int blockOfB)
    {
        List<UnitTransport> maps = [];
        foreach (UnitStream stream in _streams.Of(place))
        {
            if (!_maps.TryGetValue((stream, blockOfA, blockOfB), out UnitTransport? map)) return null;
            maps.Add(map);
        }

        return UnitTransport.Mean(maps);
    }
}
