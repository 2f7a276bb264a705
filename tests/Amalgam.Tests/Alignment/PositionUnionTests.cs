using Amalgam.Alignment;

namespace Amalgam.Tests.Alignment;

/// <summary>Terms that became one have the same digits and segments.</summary>
public class PositionUnionTests
{
    [Fact]
    public void A_leaf_becomes_the_product_that_it_is()
    {
        PositionTerm axis = PositionTerm.Leaf(12), head = PositionTerm.Leaf(3), unit = PositionTerm.Leaf(4);
        PositionUnion.Unite(axis, PositionTerm.Product(head, unit));
        Assert.Equal("3*4", Text(axis));
        Assert.Same(head.Canonical(), axis.Canonical().Parts[0]);
    }

    [Fact]
    public void Nested_divisions_refine_each_other()
    {
        PositionTerm axis = PositionTerm.Leaf(24);
        PositionUnion.Unite(axis, PositionTerm.Product(PositionTerm.Leaf(4), PositionTerm.Leaf(6)));
        PositionUnion.Unite(axis, PositionTerm.Product(PositionTerm.Leaf(2), PositionTerm.Leaf(12)));
        Assert.Equal("2*2*6", Text(axis));
        Assert.False(axis.IsFixed);
    }

    [Fact]
    public void Divisions_that_do_not_fit_pin()
    {
        PositionTerm axis = PositionTerm.Leaf(24);
        PositionUnion.Unite(axis, PositionTerm.Product(PositionTerm.Leaf(8), PositionTerm.Leaf(3)));
        PositionTerm other = PositionTerm.Product(PositionTerm.Leaf(12), PositionTerm.Leaf(2));
        PositionUnion.Unite(axis, other);
        Assert.True(axis.IsFixed);
        Assert.True(other.IsFixed);
    }

    [Fact]
    public void Segments_are_cut_where_either_has_a_boundary()
    {
        PositionTerm left = PositionTerm.Sum(PositionTerm.Leaf(3), PositionTerm.Leaf(5)), right = PositionTerm.Sum(PositionTerm.Leaf(6), PositionTerm.Leaf(2));
        PositionUnion.Unite(left, right);
        Assert.Equal("3+3+2", Text(left));
        Assert.Equal("3+3+2", Text(right));
        Assert.True(left.Canonical().Leaves().SequenceEqual(right.Canonical().Leaves()));
    }

    [Fact]
    public void A_cut_through_whole_blocks_cuts_the_outer_digit()
    {
        PositionTerm blocks = PositionTerm.Leaf(4), unit = PositionTerm.Leaf(5), axis = PositionTerm.Product(blocks, unit), part = PositionTerm.Leaf(10);
        PositionUnion.Take(part, axis, 5, 10);
        Assert.Equal("2*5", Text(part));
        Assert.Equal("1+2+1", Text(blocks));
        Assert.Equal([0, 5, 15], LeafPart.Of(axis).Select(segment => segment.Offset));
    }

    [Fact]
    public void A_cut_through_a_block_pins()
    {
        PositionTerm axis = PositionTerm.Product(PositionTerm.Leaf(4), PositionTerm.Leaf(5)), part = PositionTerm.Leaf(7);
        PositionUnion.Take(part, axis, 0, 7);
        Assert.True(axis.IsFixed);
        Assert.True(part.IsFixed);
    }

    [Fact]
    public void What_is_pinned_pins_what_it_becomes_one_with()
    {
        PositionTerm axis = PositionTerm.Leaf(6, "an input"), other = PositionTerm.Product(PositionTerm.Leaf(2), PositionTerm.Leaf(3));
        PositionUnion.Unite(other, axis);
        Assert.All(other.Leaves(), leaf => Assert.Equal("an input", leaf.Reason));
    }

    [Fact]
    public void Every_second_position_is_a_digit()
    {
        PositionTerm axis = PositionTerm.Leaf(10), part = PositionTerm.Leaf(5);
        PositionUnion.Stride(part, axis, 2);
        Assert.Equal("5*2", Text(axis));
        Assert.Null(part.Canonical().Reason);
        Assert.NotNull(axis.Canonical().Parts[1].Reason);
    }

    /// <summary>Whatever is united in whatever order, sizes stay, and two that were united have the same leaves or all of both are pinned.</summary>
    [Fact]
    public void Unions_in_any_order_agree() => Property.Holds(generator =>
    {
        PositionTerm[] axes = [.. Enumerable.Range(0, 5).Select(_ => Random(generator.Random))];
        List<(PositionTerm, PositionTerm)> united = [];
        for (int i = 0; i < 6; i++)
        {
            PositionTerm a = axes[generator.Random.Next(axes.Length)], b = axes[generator.Random.Next(axes.Length)];
            PositionUnion.Unite(a, b);
            united.Add((a, b));
        }

        foreach (var (a, b) in united)
        {
            Assert.Equal(24, a.Canonical().Size);
            Assert.Equal(Free(a), Free(b));
            foreach (PositionTerm term in (IEnumerable<PositionTerm>)[a, b]) Assert.Equal(24, SizeOf(term));
        }
    }, 300);

    /// <summary>For each position, the digits that may move: which leaf, and where in it.</summary>
    private static string[] Free(PositionTerm term)
    {
        string[] digits = new string[term.Canonical().Size];
        foreach (LeafPart part in LeafPart.Of(term))
        {
            int count = part.Digits.Aggregate(1, (product, d) => product * d.Size);
            for (int i = 0; i < count; i++)
            {
                int at = part.Offset, rest = i;
                string text = "";
                foreach (LeafDigit digit in part.Digits.Reverse())
                {
                    at += rest % digit.Size * digit.Stride;
                    if (digit.Leaf.Reason is null) text += $"{digit.Leaf.GetHashCode()}:{rest % digit.Size} ";
                    rest /= digit.Size;
                }

                digits[at] = text;
            }
        }

        return digits;
    }

    private static PositionTerm Random(Random random) => random.Next(4) switch
    {
        0 => PositionTerm.Leaf(24),
        1 => PositionTerm.Product(Digits(random, 24).Select(size => PositionTerm.Leaf(size))),
        2 => PositionTerm.Sum(PositionTerm.Leaf(8), PositionTerm.Product(PositionTerm.Leaf(4), PositionTerm.Leaf(4))),
        _ => PositionTerm.Sum(PositionTerm.Product(Digits(random, 12).Select(size => PositionTerm.Leaf(size))), PositionTerm.Leaf(12)),
    };

    private static IEnumerable<long> Digits(Random random, long size)
    {
        while (size > 1)
        {
            long[] divisors = [.. Enumerable.Range(2, (int)size - 1).Where(d => size % d == 0).Select(d => (long)d)];
            long digit = divisors[random.Next(divisors.Length)];
            yield return digit;
            size /= digit;
        }
    }

    private static long SizeOf(PositionTerm term)
    {
        PositionTerm known = term.Canonical();
        return known.Kind switch
        {
            TermKind.Leaf => known.Size,
            TermKind.Product => known.Parts.Aggregate(1L, (size, part) => size * SizeOf(part)),
            _ => known.Parts.Sum(SizeOf),
        };
    }

    private static string Text(PositionTerm term)
    {
        PositionTerm known = term.Canonical();
        return known.Kind switch
        {
            TermKind.Leaf => $"{known.Size}",
            TermKind.Product => string.Join('*', known.Parts.Select(Text)),
            _ => string.Join('+', known.Parts.Select(Text)),
        };
    }
}
