using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Alignment.Fusion;

/// <summary>All axes of a tensor as one: units of one axis may lie in blocks that another axis tells, as those that a grouped convolution reads.</summary>
/// <param name="Layout">The one axis: its digits are those of all axes, outer classes before inner ones.</param>
/// <param name="Axes">The axis that each digit is on.</param>
internal sealed record CoupledAxes(AxisLayout Layout, ImmutableArray<int> Axes)
{
    /// <summary>Whether axes cannot be moved one after the other: the block of units is told by another axis, or by a digit after theirs.</summary>
    /// <param name="layout">The axes.</param>
    /// <param name="moves">Whether units of a part of an axis move at all.</param>
    public static bool IsNeeded(ImmutableArray<AxisLayout> layout, Func<int, AxisPart, UnitClass, bool> moves) => layout.Index().Any(axis => axis.Item.Parts.Any(part => part.Digits.Index().Any(digit =>
        digit.Item.Class is { } units && moves(axis.Index, part, units) && units.Chain[..^1].Any(outer => part.IndexOf(outer) is var at && (at < 0 || at >= digit.Index)))));

    /// <summary>Makes one axis of all.</summary>
    /// <exception cref="GraphException">An axis consists of several parts.</exception>
    public static CoupledAxes Of(Node parameter, ImmutableArray<AxisLayout> layout, Shape shape)
    {
        if (layout.Any(axis => axis.Parts.Length > 1)) throw new GraphException($"'{parameter.Name}' {parameter.Shape} joins several kinds of units on one axis and has units in blocks on another, which cannot be transported; match them by a method of 'amalgam align'");
        List<(UnitDigit Digit, int Axis)> digits = [];
        int offset = 0;
        for (int axis = shape.Rank - 1, step = 1; axis >= 0; step *= shape.Size(axis--))
        {
            AxisPart part = layout[axis].Parts[0];
            offset += part.Offset * step;
            digits.InsertRange(0, part.Digits.Select(digit => (digit with { Stride = digit.Stride * step }, axis)));
        }

        (UnitDigit Digit, int Axis)[] ordered = [.. digits.OrderBy(digit => digit.Digit.Class?.Chain.Length ?? 0)];
        return new(new([new(offset, [.. ordered.Select(digit => digit.Digit)])]), [.. ordered.Select(digit => digit.Axis)]);
    }
}
