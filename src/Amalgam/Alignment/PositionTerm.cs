using System.Collections.Immutable;

namespace Amalgam.Alignment;

/// <summary>
/// The positions of an axis, as far as it is known what they are made of: a leaf, of which nothing is known but how many there are; a product of digits, most significant first; or a sum of
/// segments, one behind the other. A leaf becomes a product or a sum, or the same as another leaf, when an operation says so; then every axis that has it is refined with it.
/// </summary>
internal sealed class PositionTerm
{
    private PositionTerm? _same;
    private string? _reason;
    private bool _isMixed;

    private PositionTerm(long size, TermKind kind, ImmutableArray<PositionTerm> parts) => (Size, Kind, Parts) = (size, kind, parts);

    /// <summary>Number of positions.</summary>
    public long Size { get; }

    /// <summary>What is known.</summary>
    public TermKind Kind { get; }

    /// <summary>Digits or segments; a leaf has none.</summary>
    public ImmutableArray<PositionTerm> Parts { get; }

    /// <summary>Why a leaf's positions keep their order; null where they need not.</summary>
    public string? Reason => Kind == TermKind.Leaf ? _reason : null;

    /// <summary>Whether a leaf's positions are put together or change places somewhere, so that nothing can have an order of its own at each of them.</summary>
    public bool IsMixed => Kind == TermKind.Leaf && _isMixed;

    /// <summary>Positions of which nothing is known.</summary>
    public static PositionTerm Leaf(long size, string? reason = null) => new(size, TermKind.Leaf, []) { _reason = reason };

    /// <summary>A product of digits, in canonical form: no product within it and no digit of one position.</summary>
    public static PositionTerm Product(params IEnumerable<PositionTerm> digits)
    {
        ImmutableArray<PositionTerm> parts = [.. digits.Select(d => d.Canonical()).SelectMany(d => d.Kind == TermKind.Product ? d.Parts : [d]).Where(d => d.Size != 1)];
        return parts.Length switch
        {
            0 => Leaf(1),
            1 => parts[0],
            _ => new(parts.Aggregate(1L, (size, part) => size * part.Size), TermKind.Product, parts),
        };
    }

    /// <summary>A sum of segments, in canonical form: no sum within it and no empty segment.</summary>
    public static PositionTerm Sum(params IEnumerable<PositionTerm> segments)
    {
        ImmutableArray<PositionTerm> parts = [.. segments.Select(s => s.Canonical()).SelectMany(s => s.Kind == TermKind.Sum ? s.Parts : [s]).Where(s => s.Size != 0)];
        return parts.Length switch
        {
            0 => Leaf(0),
            1 => parts[0],
            _ => new(parts.Sum(part => part.Size), TermKind.Sum, parts),
        };
    }

    /// <summary>The term as it is known by now.</summary>
    public PositionTerm Canonical()
    {
        PositionTerm term = this;
        while (term._same is { } next) term = next;
        if (_same is not null && _same != term) _same = term;
        if (term.Kind == TermKind.Leaf || !term.Parts.Any(part => part.IsStale)) return term;
        PositionTerm fresh = term.Kind == TermKind.Product ? Product(term.Parts) : Sum(term.Parts);
        return term._same = fresh;
    }

    /// <summary>The leaves, in order.</summary>
    public IEnumerable<PositionTerm> Leaves()
    {
        PositionTerm term = Canonical();
        return term.Kind == TermKind.Leaf ? [term] : term.Parts.SelectMany(part => part.Leaves());
    }

    /// <summary>Whether all positions keep their places.</summary>
    public bool IsFixed => Leaves().All(leaf => leaf.Reason is not null || leaf.Size <= 1);

    /// <summary>Pins all positions.</summary>
    /// <param name="reason">What says so.</param>
    /// <param name="isMixed">They are put together or change places as well.</param>
    public void Fix(string reason, bool isMixed = false)
    {
        foreach (PositionTerm leaf in Leaves())
        {
            leaf._reason ??= reason;
            leaf._isMixed |= isMixed;
        }
    }

    /// <summary>Says that this leaf's positions are those of another term.</summary>
    public void Become(PositionTerm term)
    {
        if (Kind != TermKind.Leaf || _same is not null || term.Size != Size) throw new InvalidOperationException("only a leaf becomes another term of its size");
        if (term == this) return;
        _same = term;
        if (_isMixed) foreach (PositionTerm leaf in term.Leaves()) leaf._isMixed = true;
    }

    private bool IsStale => _same is not null || (Kind != TermKind.Leaf && Parts.Any(part => part.IsStale));
}

/// <summary>What is known of positions.</summary>
internal enum TermKind
{
    /// <summary>Nothing.</summary>
    Leaf,

    /// <summary>They are counted by digits.</summary>
    Product,

    /// <summary>They lie in segments.</summary>
    Sum,
}
