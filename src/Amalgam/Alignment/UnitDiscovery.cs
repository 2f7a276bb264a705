using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Alignment;

/// <summary>One leaf among the digits of some positions of an axis.</summary>
internal readonly record struct LeafDigit(PositionTerm Leaf, int Size, int Stride);

/// <summary>Positions of an axis that fall into digits.</summary>
internal sealed record LeafPart(int Offset, ImmutableArray<LeafDigit> Digits)
{
    /// <summary>An axis as such parts.</summary>
    public static ImmutableArray<LeafPart> Of(PositionTerm axis)
    {
        PositionTerm term = axis.Canonical();
        if (term.Kind == TermKind.Leaf) return [new(0, term.Size == 1 ? [] : [new(term, checked((int)term.Size), 1)])];
        if (term.Kind == TermKind.Sum)
        {
            List<LeafPart> parts = [];
            int offset = 0;
            foreach (PositionTerm segment in term.Parts)
            {
                parts.AddRange(Of(segment).Select(part => part with { Offset = part.Offset + offset }));
                offset += checked((int)segment.Size);
            }

            return [.. parts];
        }

        ImmutableArray<LeafPart> product = [new(0, [])];
        int stride = checked((int)term.Size);
        foreach (PositionTerm factor in term.Parts)
        {
            int step = stride /= checked((int)factor.Size);
            ImmutableArray<LeafPart> own = Of(factor);
            product = [.. product.SelectMany(outer => own.Select(inner =>
                new LeafPart(outer.Offset + inner.Offset * step, [.. outer.Digits, .. inner.Digits.Select(d => d with { Stride = d.Stride * step })])))];
        }

        return product;
    }

    /// <summary>The digit of a leaf; -1 when it has none.</summary>
    public int IndexOf(PositionTerm leaf)
    {
        for (int i = 0; i < Digits.Length; i++)
        {
            if (Digits[i].Leaf == leaf) return i;
        }

        return -1;
    }
}

/// <summary>
/// Which leaves' orders depend on which other's. The order of an inner digit may be another one for each position of an outer digit when, wherever the inner one occurs, the outer one does too:
/// the units of a head never occur without their head, so each head may have an order of its own. Where it occurs alone, or an operation puts values at different positions of the outer one
/// together, one order must serve all. Two that always occur together have the outer one that comes first in an axis, or that is pinned.
/// </summary>
internal sealed class LeafOrder
{
    private readonly Dictionary<PositionTerm, List<PositionTerm>> _around = [];
    private readonly HashSet<(PositionTerm Outer, PositionTerm Inner)> _nested = [];
    private readonly Dictionary<PositionTerm, PositionTerm?> _outer = [];

    /// <param name="values">The axes of every value of the network.</param>
    /// <param name="uses">An axis of an operation's input, among those of its axes whose positions can be told in the result: a leaf on the axis depends on no other.</param>
    /// <param name="mixed">For each operation that puts values at different positions together: the leaves of those positions, and all leaves of its result.</param>
    public LeafOrder(
        IEnumerable<ImmutableArray<ImmutableArray<LeafPart>>> values, IEnumerable<(int Axis, ImmutableArray<ImmutableArray<LeafPart>> Axes)> uses,
        IEnumerable<(HashSet<PositionTerm> Along, IEnumerable<PositionTerm> All)> mixed)
    {
        foreach (var axes in values)
        {
            for (int axis = 0; axis < axes.Length; axis++) Note(axis, axes);
        }

        foreach (var (axis, axes) in uses) Note(axis, axes);
        foreach (var (along, all) in mixed)
        {
            foreach (PositionTerm leaf in all.Where(leaf => !along.Contains(leaf) && _around.ContainsKey(leaf))) _around[leaf].RemoveAll(along.Contains);
        }
    }

    private void Note(int axis, ImmutableArray<ImmutableArray<LeafPart>> axes)
    {
        foreach (LeafPart part in axes[axis])
        {
            for (int i = 0; i < part.Digits.Length; i++)
            {
                for (int j = i + 1; j < part.Digits.Length; j++) _nested.Add((part.Digits[i].Leaf, part.Digits[j].Leaf));
                Meet(part.Digits[i].Leaf, Around(axes, axis, part));
            }
        }
    }

    /// <summary>The leaf on whose position the order of another depends; null for none.</summary>
    public PositionTerm? OuterOf(PositionTerm leaf)
    {
        if (_outer.TryGetValue(leaf, out PositionTerm? known)) return known;
        _outer[leaf] = null;
        if (!_around.TryGetValue(leaf, out List<PositionTerm>? always)) return null;
        PositionTerm[] candidates = [.. always.Where(outer => outer != leaf && !outer.IsMixed && IsOuter(outer, leaf) && Chain(outer).All(always.Contains))];
        return _outer[leaf] = candidates.MaxBy(outer => Chain(outer).Count());
    }

    /// <summary>Which of two leaves that occur together is the outer one.</summary>
    private bool IsOuter(PositionTerm outer, PositionTerm inner) => !_nested.Contains((inner, outer))
        && (_nested.Contains((outer, inner)) || !_around[outer].Contains(inner) || (outer.Reason is not null && inner.Reason is null));

    private IEnumerable<PositionTerm> Chain(PositionTerm leaf)
    {
        for (PositionTerm? at = leaf; at is not null; at = OuterOf(at)) yield return at;
    }

    /// <summary>Leaves whose position is known at every position of a part: its own digits, and those of other axes that are all one part; where there is one such digit and not two.</summary>
    private static List<PositionTerm> Around(ImmutableArray<ImmutableArray<LeafPart>> axes, int axis, LeafPart part)
    {
        List<PositionTerm> found = [.. part.Digits.Select(d => d.Leaf).GroupBy(leaf => leaf).Where(same => same.Count() == 1).Select(same => same.Key)];
        List<PositionTerm> others = [];
        for (int other = 0; other < axes.Length; other++)
        {
            if (other != axis && axes[other].Length == 1) others.AddRange(axes[other][0].Digits.Select(d => d.Leaf));
        }

        found.AddRange(others.Where(leaf => part.IndexOf(leaf) < 0 && others.Count(other => other == leaf) == 1));
        return found;
    }

    private void Meet(PositionTerm leaf, List<PositionTerm> around)
    {
        if (!_around.TryGetValue(leaf, out List<PositionTerm>? always)) _around[leaf] = [.. around];
        else always.RemoveAll(other => !around.Contains(other));
    }
}
