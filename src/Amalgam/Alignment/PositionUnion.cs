namespace Amalgam.Alignment;

/// <summary>
/// Makes terms one: two axes that run through the same positions have the same digits and segments. Where they cannot be (8 blocks against 12) the positions are pinned, which
/// is always right, as then neither moves. Every split refines a leaf, so it ends.
/// </summary>
internal static class PositionUnion
{
    private const string Conflict = "two operations divide these positions in ways that do not fit each other";

    /// <summary>Two terms are the same positions.</summary>
    public static void Unite(PositionTerm left, PositionTerm right)
    {
        PositionTerm a = left.Canonical(), b = right.Canonical();
        if (a == b || a.Size <= 1) return;
        if (a.Size != b.Size) throw new InvalidOperationException($"{a.Size} positions cannot be {b.Size}");
        if (a.IsFixed) b.Fix(ReasonOf(a));
        else if (b.IsFixed) a.Fix(ReasonOf(b));
        if (a.Kind == TermKind.Leaf) a.Become(b);
        else if (b.Kind == TermKind.Leaf) b.Become(a);
        else if (a.Kind == TermKind.Sum || b.Kind == TermKind.Sum) UniteSums(a, b);
        else UniteProducts(a, b);
    }

    private static string ReasonOf(PositionTerm term) => term.Leaves().Select(leaf => leaf.Reason).FirstOrDefault(reason => reason is not null) ?? "its positions are told apart one by one";

    /// <summary>A part of an axis is a run of positions of another.</summary>
    public static void Take(PositionTerm part, PositionTerm whole, long start, long count)
    {
        if (Cut(whole, start) is var (_, rest) && Cut(rest, count) is var (taken, _)) Unite(part, taken);
        else Fix(part, whole);
    }

    /// <summary>A part of an axis is every step-th position of another.</summary>
    public static void Stride(PositionTerm part, PositionTerm whole, long step)
    {
        if (Divide(whole, step) is not var (outer, inner))
        {
            Fix(part, whole);
            return;
        }

        inner.Fix($"every {step} positions are told apart");
        Unite(part, outer);
    }

    private static void UniteSums(PositionTerm a, PositionTerm b)
    {
        Stack<PositionTerm> left = new([a]), right = new([b]);
        while (left.Count > 0)
        {
            PositionTerm x = Next(left), y = Next(right);
            long size = Math.Min(x.Size, y.Size);
            if (x.Size != y.Size)
            {
                if (Cut(x.Size > y.Size ? x : y, size) is not var (first, rest))
                {
                    foreach (PositionTerm open in (IEnumerable<PositionTerm>)[x, y, .. left, .. right]) open.Fix(Conflict, isMixed: true);
                    return;
                }

                (x.Size > y.Size ? left : right).Push(rest);
                (x, y) = x.Size > y.Size ? (first, y) : (x, first);
            }

            Unite(x, y);
        }

        static PositionTerm Next(Stack<PositionTerm> from)
        {
            PositionTerm term = from.Pop().Canonical();
            if (term.Kind != TermKind.Sum) return term;
            for (int i = term.Parts.Length - 1; i > 0; i--) from.Push(term.Parts[i]);
            return term.Parts[0].Canonical();
        }
    }

    private static void UniteProducts(PositionTerm a, PositionTerm b)
    {
        Stack<PositionTerm> left = new([a]), right = new([b]);
        while (left.Count > 0 && right.Count > 0)
        {
            PositionTerm x = Last(left), y = Last(right);
            long size = Math.Min(x.Size, y.Size);
            if (x.Size != y.Size)
            {
                if (Divide(x.Size > y.Size ? x : y, size) is not var (outer, inner))
                {
                    foreach (PositionTerm open in (IEnumerable<PositionTerm>)[x, y, .. left, .. right]) open.Fix(Conflict, isMixed: true);
                    return;
                }

                (x.Size > y.Size ? left : right).Push(outer);
                (x, y) = x.Size > y.Size ? (inner, y) : (x, inner);
            }

            Unite(x, y);
        }

        static PositionTerm Last(Stack<PositionTerm> from)
        {
            PositionTerm term = from.Pop().Canonical();
            if (term.Kind != TermKind.Product) return term;
            for (int i = 0; i < term.Parts.Length - 1; i++) from.Push(term.Parts[i]);
            return term.Parts[^1].Canonical();
        }
    }

    /// <summary>The first positions of a term, and the rest; null where its digits do not allow the cut.</summary>
    private static (PositionTerm First, PositionTerm Others)? Cut(PositionTerm of, long at)
    {
        PositionTerm term = of.Canonical();
        if (at == 0) return (PositionTerm.Leaf(0), term);
        if (at == term.Size) return (term, PositionTerm.Leaf(0));
        if (term.Kind == TermKind.Leaf)
        {
            PositionTerm first = PositionTerm.Leaf(at, term.Reason), rest = PositionTerm.Leaf(term.Size - at, term.Reason);
            term.Become(PositionTerm.Sum(first, rest));
            return (first, rest);
        }

        if (term.Kind == TermKind.Product)
        {
            PositionTerm inner = PositionTerm.Product(term.Parts.Skip(1));
            if (at % inner.Size != 0 || Cut(term.Parts[0], at / inner.Size) is not var (first, rest)) return null;
            return (PositionTerm.Product(first, inner), PositionTerm.Product(rest, inner));
        }

        int i = 0;
        for (; at >= term.Parts[i].Size; i++) at -= term.Parts[i].Size;
        if (at == 0) return (PositionTerm.Sum(term.Parts[..i]), PositionTerm.Sum(term.Parts[i..]));
        if (Cut(term.Parts[i], at) is not var (head, tail)) return null;
        return (PositionTerm.Sum([.. term.Parts[..i], head]), PositionTerm.Sum([tail, .. term.Parts[(i + 1)..]]));
    }

    /// <summary>A term as a product whose inner factor has a number of positions; null where its digits and segments do not allow it.</summary>
    private static (PositionTerm Outer, PositionTerm Inner)? Divide(PositionTerm of, long inner)
    {
        PositionTerm term = of.Canonical();
        if (inner == 1) return (term, PositionTerm.Leaf(1));
        if (inner == term.Size) return (PositionTerm.Leaf(1), term);
        if (inner <= 0 || term.Size % inner != 0) return null;
        if (term.Kind == TermKind.Leaf)
        {
            PositionTerm outer = PositionTerm.Leaf(term.Size / inner, term.Reason), within = PositionTerm.Leaf(inner, term.Reason);
            term.Become(PositionTerm.Product(outer, within));
            return (outer, within);
        }

        if (term.Kind == TermKind.Product)
        {
            PositionTerm last = term.Parts[^1], before = PositionTerm.Product(term.Parts[..^1]);
            if (last.Size > inner) return Divide(last, inner) is var (o, i) ? (PositionTerm.Product(before, o), i) : null;
            if (inner % last.Size != 0) return null;
            return Divide(before, inner / last.Size) is var (outer, rest) ? (outer, PositionTerm.Product(rest, last)) : null;
        }

        List<PositionTerm> outers = [];
        PositionTerm? common = null;
        foreach (PositionTerm part in term.Parts)
        {
            if (Divide(part, inner) is not var (outer, own)) return null;
            outers.Add(outer);
            if (common is null) common = own;
            else Unite(common, own);
        }

        return (PositionTerm.Sum(outers), common!);
    }

    private static void Fix(PositionTerm part, PositionTerm whole)
    {
        const string reason = "some of its positions are taken";
        part.Fix(reason, isMixed: true);
        whole.Fix(reason, isMixed: true);
    }
}
