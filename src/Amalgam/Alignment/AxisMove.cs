using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Numerics;

namespace Amalgam.Alignment;

/// <summary>Where the positions of one axis of a parameter go, with the factor of each.</summary>
internal sealed class AxisMove
{
    private readonly int _axis;
    private readonly int[][] _to;
    private readonly float[][] _scale;
    private readonly bool _isPermutation;

    public AxisMove(UnitMaps maps, int model, Node parameter, ImmutableArray<AxisLayout> layout, int axis, Gathering how, UnitPlace? except)
    {
        _axis = axis;
        (_to, _scale, IsIdentity) = ([], [], true);
        if (layout[axis].Parts.All(part => part.Digits.All(digit => digit.Class is null))) return;
        HashSet<int> guidesOf = CoupledMove.GuidesOf(layout, axis);
        Guide = guidesOf.Count == 0 ? null : guidesOf.Single();
        int size = parameter.Shape.Size(axis), guides = Guide is { } guide ? parameter.Shape.Size(guide) : 1;
        (_to, _scale) = (new int[guides][], new float[guides][]);
        for (int g = 0; g < guides; g++)
        {
            (_to[g], _scale[g]) = (new int[size], new float[size]);
            foreach (AxisPart part in layout[axis].Parts) Fill(part, g, guide: Guide is { } other ? layout[other].Parts[0] : null);
        }

        _isPermutation = _scale.All(of => of.All(factor => factor == 1)) && _to.All(to => to.Distinct().Count() == size);
        IsIdentity = _isPermutation && _to.All(to => to.AsSpan().SequenceEqual([.. Enumerable.Range(0, size)]));

        void Fill(AxisPart part, int g, AxisPart? guide)
        {
            bool[] isMean = [.. part.Digits.Select(digit => digit.Class is { } units && IsMean(units, parameter, axis, how))];
            for (int i = 0; i < part.Count; i++)
            {
                int from = part.Offset, to = part.Offset, rest = i;
                float scale = 1;
                for (int d = part.Digits.Length - 1; d >= 0; d--)
                {
                    UnitDigit digit = part.Digits[d];
                    int at = rest % digit.Size, goal = at;
                    rest /= digit.Size;
                    if (digit.Class is { } units && !(except is not null && Stays(except, units, axis, part)))
                    {
                        int unit = Unit(units, part, d, i, guide, g);
                        goal = maps.To(units, model)[unit];
                        if (isMean[d]) scale *= (float)maps.Models / maps.Members(units)[maps.Target(units, model, unit)];
                    }

                    from += at * digit.Stride;
                    to += goal * digit.Stride;
                }

                (_to[g][from], _scale[g][from]) = (to, scale);
            }
        }
    }

    /// <summary>Another axis, whose position says in which block units of this axis are; null for none.</summary>
    public int? Guide { get; }

    /// <summary>Whether nothing moves.</summary>
    public bool IsIdentity { get; }

    /// <summary>The tensor with the axis moved.</summary>
    public Tensor Apply(Tensor x)
    {
        Tensor y = new(x.Shape);
        ReadOnlySpan<float> from = x.Span;
        Span<float> to = y.Span;
        int size = x.Shape.Size(_axis), inner = 1, guideInner = 1;
        for (int i = _axis + 1; i < x.Shape.Rank; i++) inner *= x.Shape.Size(i);
        for (int i = (Guide ?? 0) + 1; i < x.Shape.Rank; i++) guideInner *= x.Shape.Size(i);
        if (Guide is null)
        {
            int row = size * inner;
            Cores.ForRange(x.Count / Math.Max(1, row), Math.Max(1, Cores.WorthSharing / Math.Max(1, row)), (Move: this, x, y, inner), static (s, first, end) =>
            {
                for (int i = first; i < end; i++) s.Move.Row(s.x.Span, s.y.Span, i, s.inner);
            });
            return y;
        }

        // Where the guide is an inner axis, each element has a table of its own; else runs of inner elements go together.
        int run = Guide > _axis ? 1 : inner;
        for (int first = 0; first < from.Length; first += run)
        {
            int table = first / guideInner % x.Shape.Size(Guide.Value), at = first / inner % size;
            int goal = first + (_to[table][at] - at) * inner;
            Move(from.Slice(first, run), to.Slice(goal, run), _scale[table][at]);
        }

        return y;
    }

    /// <summary>Moves all positions of the axis at one place of the axes before it.</summary>
    private void Row(ReadOnlySpan<float> x, Span<float> y, int row, int inner)
    {
        int[] goals = _to[0];
        float[] scale = _scale[0];
        ReadOnlySpan<float> from = x.Slice(row * goals.Length * inner, goals.Length * inner);
        Span<float> to = y.Slice(row * goals.Length * inner, goals.Length * inner);
        if (inner > 1)
        {
            for (int i = 0; i < goals.Length; i++) Move(from.Slice(i * inner, inner), to.Slice(goals[i] * inner, inner), scale[i]);
        }
        else if (_isPermutation)
        {
            for (int i = 0; i < goals.Length; i++) to[goals[i]] = from[i];
        }
        else
        {
            for (int i = 0; i < goals.Length; i++) to[goals[i]] += scale[i] * from[i];
        }
    }

    private void Move(ReadOnlySpan<float> from, Span<float> to, float scale)
    {
        if (_isPermutation)
        {
            from.CopyTo(to);
            return;
        }

        for (int i = 0; i < from.Length; i++) to[i] += scale * from[i];
    }

    /// <summary>Whether a class's units keep their places on an axis: those of the excepted place, and the blocks that these are in.</summary>
    internal static bool Stays(UnitPlace except, UnitClass units, int axis, AxisPart part) =>
        except.Axis == axis && except.Part.Offset == part.Offset ? except.Units.Chain.Contains(units) : except.Chain.Any(at => at.Axis == axis && at.Part.Digits[at.Digit].Class == units);

    /// <summary>A unit's number over all blocks of its class, by one of the digits of a position of a part; a class may have two digits there.</summary>
    private static int Unit(UnitClass units, AxisPart part, int own, int position, AxisPart? guide, int guidePosition)
    {
        int unit = 0;
        foreach (UnitClass link in units.Chain)
        {
            int digit = link == units ? own : part.IndexOf(link);
            unit = unit * link.Size + (digit >= 0 ? DigitAt(part, digit, position) : GuideDigit(guide!, link, guidePosition));
        }

        return unit;
    }

    /// <summary>Whether units that become one have their mean on an axis, and not their sum.</summary>
    internal static bool IsMean(UnitClass units, Node parameter, int axis, Gathering how) =>
        units.Parameters.Any(p => p.Node == parameter && p.Axis == axis && p.Side == UnitSide.In) == (how == Gathering.Compare);

    /// <summary>A digit of a position of a part.</summary>
    internal static int DigitAt(AxisPart part, int digit, int position)
    {
        for (int d = part.Digits.Length - 1; d > digit; d--) position /= part.Digits[d].Size;
        return position % part.Digits[digit].Size;
    }

    /// <summary>The digit of a dense axis at one of its positions.</summary>
    private static int GuideDigit(AxisPart part, UnitClass units, int position)
    {
        UnitDigit digit = part.Digits[part.IndexOf(units)];
        return position / digit.Stride % digit.Size;
    }
}
