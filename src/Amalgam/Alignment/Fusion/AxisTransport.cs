using System.Collections.Immutable;

namespace Amalgam.Alignment.Fusion;

/// <summary>What each position of an axis of a parameter takes of the positions that the axis has in another network.</summary>
internal sealed class AxisTransport
{
    private const int MostOnStack = 512;

    private readonly int _axis;
    private readonly UnitShare[][] _shares;

    /// <param name="axis">The axis.</param>
    /// <param name="shares">For each of its positions.</param>
    private AxisTransport(int axis, UnitShare[][] shares) => (_axis, _shares) = (axis, shares);

    /// <summary>Finds it.</summary>
    /// <param name="axis">The axis.</param>
    /// <param name="from">The axis in the network whose units are moved.</param>
    /// <param name="to">The axis in the other network, part by part and digit by digit as in the first.</param>
    /// <param name="size">Number of positions of the second.</param>
    /// <param name="shares">What a digit at a position takes: given the part of the first network's axis, the digit, and the positions of the digits before it in both networks.</param>
    public static AxisTransport Of(int axis, AxisLayout from, AxisLayout to, int size, DigitShares shares)
    {
        UnitShare[][] all = new UnitShare[size][];
        for (int part = 0; part < to.Parts.Length; part++)
        {
            AxisPart a = from.Parts[part], b = to.Parts[part];
            int[] at = new int[b.Digits.Length];
            for (int i = 0; i < b.Count; i++)
            {
                int position = b.Offset, rest = i;
                for (int d = at.Length - 1; d >= 0; d--)
                {
                    (rest, at[d]) = Math.DivRem(rest, b.Digits[d].Size);
                    position += at[d] * b.Digits[d].Stride;
                }

                List<UnitShare> found = [];
                Collect(a, at, 0, [], a.Offset, 1, shares, found);
                all[position] = [.. found];
            }
        }

        return new(axis, all);
    }

    /// <summary>Whether every position stays as it is.</summary>
    public bool IsIdentity => _shares.Index().All(p => p.Item is [var only] && only.Unit == p.Index && only.Weight == 1);

    /// <summary>The tensor with the axis as in the other network.</summary>
    public Tensor Apply(Tensor x)
    {
        long[] sizes = x.Shape.Sizes.ToArray();
        int before = x.Shape.Size(_axis), inner = 1;
        for (int i = _axis + 1; i < sizes.Length; i++) inner *= x.Shape.Size(i);
        sizes[_axis] = _shares.Length;
        Tensor y = new(new Shape(sizes));
        int rows = x.Count / Math.Max(1, before * inner);
        Numerics.Cores.ForRange(rows, Math.Max(1, Numerics.Cores.WorthSharing / Math.Max(1, before * inner)), (_shares, x, y, before, inner), static (s, first, end) =>
        {
            for (int row = first; row < end; row++) Row(s._shares, s.x.Span.Slice(row * s.before * s.inner, s.before * s.inner), s.y.Span.Slice(row * s._shares.Length * s.inner, s._shares.Length * s.inner), s.inner);
        });
        return y;
    }

    private static void Row(UnitShare[][] shares, ReadOnlySpan<float> x, Span<float> y, int inner)
    {
        Span<double> sums = inner <= MostOnStack ? stackalloc double[inner] : new double[inner];
        for (int to = 0; to < shares.Length; to++)
        {
            sums.Clear();
            foreach (UnitShare share in shares[to])
            {
                ReadOnlySpan<float> from = x.Slice(share.Unit * inner, inner);
                for (int i = 0; i < from.Length; i++) sums[i] += share.Weight * from[i];
            }

            for (int i = 0; i < inner; i++) y[to * inner + i] = (float)sums[i];
        }
    }

    private static void Collect(AxisPart a, ReadOnlySpan<int> at, int digit, ImmutableArray<int> from, int position, double weight, DigitShares shares, List<UnitShare> found)
    {
        if (digit == at.Length)
        {
            found.Add(new(position, weight));
            return;
        }

        foreach (UnitShare share in shares(a, digit, from, at)) Collect(a, at, digit + 1, from.Add(share.Unit), position + share.Unit * a.Digits[digit].Stride, weight * share.Weight, shares, found);
    }
}

/// <summary>What a digit at a position takes of the positions of the first network's digit.</summary>
/// <param name="part">The part of the first network's axis.</param>
/// <param name="digit">Which of its digits.</param>
/// <param name="from">Positions of the digits before it in the first network.</param>
/// <param name="to">Positions of all digits in the second.</param>
internal delegate ReadOnlySpan<UnitShare> DigitShares(AxisPart part, int digit, ImmutableArray<int> from, ReadOnlySpan<int> to);
