using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Alignment.Fusion;

/// <summary>Which map each digit of a parameter's axes goes by.</summary>
/// <param name="maps">The maps as they are known so far.</param>
/// <param name="parameter">A parameter of the first network.</param>
/// <param name="placeOf">The axis that a digit of a part is on, and the first position of its part there.</param>
/// <param name="moves">Whether units of a part go by a map; others stay.</param>
/// <param name="lenient">Units stay, too, whose map is not known yet and that are as many in both networks.</param>
internal sealed class DigitMaps(TransportMaps maps, Node parameter, Func<AxisPart, int, (int Axis, int Offset)> placeOf, Func<AxisPart, UnitClass, bool> moves, bool lenient = false)
{
    private readonly Dictionary<(int Offset, int Digit, int BlockOfA, int BlockOfB), (UnitTransport? Map, UnitSide Side)> _known = [];

    /// <summary>Whether a map was asked for that is not known yet.</summary>
    public bool IsMissing { get; private set; }

    /// <summary>What a digit takes: see <see cref="DigitShares"/>.</summary>
    public ReadOnlySpan<UnitShare> SharesOf(AxisPart part, int digit, ImmutableArray<int> from, ReadOnlySpan<int> to)
    {
        if (part.Digits[digit].Class is not { } units || !moves(part, units)) return (UnitShare[])[new(to[digit], 1)];
        var (blockOfA, blockOfB) = Blocks(units, part, from, to);
        var (axis, offset) = placeOf(part, digit);
        if (!_known.TryGetValue((offset, digit, blockOfA, blockOfB), out var known))
        {
            UnitPlace place = PlaceOf(units, axis, offset);
            _known[(offset, digit, blockOfA, blockOfB)] = known = (maps.MapOf(place, blockOfA, blockOfB), place.Side);
        }

        if (known.Map is not null) return known.Map.SharesOf(to[digit], known.Side);
        if (lenient && maps.Pair.Of(units).B.Size == units.Size) return (UnitShare[])[new(to[digit], 1)];
        IsMissing = true;
        return [];
    }

    /// <summary>A parameter that is used on both sides is moved as what is summed over.</summary>
    private UnitPlace PlaceOf(UnitClass units, int axis, int offset) =>
        units.Parameters.Where(place => place.Node == parameter && place.Axis == axis && place.Part.Offset == offset).OrderBy(place => place.Side == UnitSide.Out).First();

    /// <summary>In which blocks of a class a position is in both networks: the digits of its outer classes say so.</summary>
    private (int OfA, int OfB) Blocks(UnitClass units, AxisPart part, ImmutableArray<int> from, ReadOnlySpan<int> to)
    {
        int ofA = 0, ofB = 0;
        foreach (UnitClass outer in units.Chain[..^1])
        {
            int at = part.IndexOf(outer);
            (ofA, ofB) = (ofA * outer.Size + from[at], ofB * maps.Pair.Of(outer).B.Size + to[at]);
        }

        return (ofA, ofB);
    }
}
