using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Alignment;

/// <summary>
/// Moves a tensor element by element, where axes cannot be moved one after the other: units of an axis whose blocks are told by several others, or by one that has its own blocks elsewhere.
/// </summary>
internal sealed class CoupledMove
{
    /// <summary>A digit of an axis: the class that it runs through and where the digits of that class's chain are, or none.</summary>
    private readonly record struct Turn(UnitClass? Units, int Stride, bool IsMean, (int Axis, int Digit)[] Chain);

    /// <summary>A position of an axis.</summary>
    private readonly record struct Place(int Offset, int[] Digits, Turn[] Turns);

    private readonly UnitMaps _maps;
    private readonly int _model;
    private readonly Place[][] _places;
    private readonly bool _arePermutations;

    public CoupledMove(UnitMaps maps, int model, Node parameter, ImmutableArray<AxisLayout> layout, Gathering how, UnitPlace? except)
    {
        (_maps, _model) = (maps, model);
        _arePermutations = maps.ArePermutations;
        _places = [.. layout.Select((axis, i) => new Place[parameter.Shape.Size(i)])];
        for (int axis = 0; axis < layout.Length; axis++)
        {
            foreach (AxisPart part in layout[axis].Parts)
            {
                Turn[] turns = [.. part.Digits.Select((_, own) => TurnOf(parameter, layout, axis, part, own, how, except))];
                for (int i = 0; i < part.Count; i++)
                {
                    int[] digits = [.. Enumerable.Range(0, part.Digits.Length).Select(d => AxisMove.DigitAt(part, d, i))];
                    _places[axis][part.Offset + digits.Select((digit, d) => digit * part.Digits[d].Stride).Sum()] = new(part.Offset, digits, turns);
                }
            }
        }
    }

    /// <summary>The axes, whose positions say in which blocks the units of an axis are.</summary>
    public static HashSet<int> GuidesOf(ImmutableArray<AxisLayout> layout, int axis) =>
        [.. layout[axis].Parts.SelectMany(part => part.Digits.SelectMany(digit => digit.Class?.Chain ?? []).Where(link => part.IndexOf(link) < 0)).Select(link => AxisOf(layout, axis, link))];

    /// <summary>Whether the axes of a tensor must be moved at once.</summary>
    public static bool IsNeeded(ImmutableArray<AxisLayout> layout)
    {
        HashSet<int>[] guides = [.. Enumerable.Range(0, layout.Length).Select(axis => GuidesOf(layout, axis))];
        return guides.Any(of => of.Count > 1 || of.Any(guide => guides[guide].Count > 0));
    }

    /// <summary>The tensor with all axes moved.</summary>
    public Tensor Apply(Tensor x)
    {
        Tensor y = new(x.Shape);
        int rank = x.Shape.Rank;
        int[] at = new int[rank];
        for (int i = 0; i < x.Count; i++)
        {
            for (int axis = rank - 1, rest = i; axis >= 0; rest /= x.Shape.Size(axis--)) at[axis] = rest % x.Shape.Size(axis);
            int goal = 0;
            float scale = 1;
            for (int axis = 0; axis < rank; axis++) goal = goal * x.Shape.Size(axis) + Goal(at, axis, ref scale);
            // A sum would make of -0 a 0.
            if (_arePermutations) y.Span[goal] = x.Span[i];
            else y.Span[goal] += scale * x.Span[i];
        }

        return y;
    }

    private int Goal(int[] at, int axis, ref float scale)
    {
        Place place = _places[axis][at[axis]];
        int goal = place.Offset;
        for (int d = 0; d < place.Digits.Length; d++)
        {
            Turn turn = place.Turns[d];
            if (turn.Units is not { } units)
            {
                goal += place.Digits[d] * turn.Stride;
                continue;
            }

            int unit = 0;
            for (int link = 0; link < turn.Chain.Length; link++)
            {
                var (of, digit) = turn.Chain[link];
                unit = unit * units.Chain[link].Size + _places[of][at[of]].Digits[digit];
            }

            goal += _maps.To(units, _model)[unit] * turn.Stride;
            if (turn.IsMean) scale *= (float)_maps.Models / _maps.Members(units)[_maps.Target(units, _model, unit)];
        }

        return goal;
    }

    private static Turn TurnOf(Node parameter, ImmutableArray<AxisLayout> layout, int axis, AxisPart part, int own, Gathering how, UnitPlace? except)
    {
        UnitDigit digit = part.Digits[own];
        if (digit.Class is not { } units || (except is not null && AxisMove.Stays(except, units, axis, part))) return new(null, digit.Stride, false, []);
        return new(units, digit.Stride, AxisMove.IsMean(units, parameter, axis, how), [.. units.Chain.Select(link =>
        {
            if (link == units) return (axis, own);
            if (part.IndexOf(link) is >= 0 and var here) return (axis, here);
            int other = AxisOf(layout, axis, link);
            return (other, layout[other].Parts[0].IndexOf(link));
        })]);
    }

    private static int AxisOf(ImmutableArray<AxisLayout> layout, int axis, UnitClass link) =>
        Enumerable.Range(0, layout.Length).First(other => other != axis && layout[other].Parts.Length == 1 && layout[other].Parts[0].IndexOf(link) >= 0);
}
