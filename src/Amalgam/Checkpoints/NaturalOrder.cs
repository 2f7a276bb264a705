namespace Amalgam.Checkpoints;

/// <summary>Names as people order them: runs of digits by their value, so that layer 2 stands before layer 10.</summary>
public static class NaturalOrder
{
    /// <summary>Orders names so; names that only differ in leading zeros are ordered by their characters.</summary>
    public static readonly IComparer<string> Comparer = Comparer<string>.Create(Compare);

    private static int Compare(string? a, string? b)
    {
        if (a is null || b is null) return string.CompareOrdinal(a, b);
        int i = 0, j = 0;
        while (i < a.Length && j < b.Length)
        {
            if (char.IsAsciiDigit(a[i]) && char.IsAsciiDigit(b[j]))
            {
                ReadOnlySpan<char> x = Digits(a, ref i), y = Digits(b, ref j);
                int byValue = x.Length != y.Length ? x.Length.CompareTo(y.Length) : x.SequenceCompareTo(y);
                if (byValue != 0) return byValue;
            }
            else if (a[i] != b[j])
            {
                return a[i].CompareTo(b[j]);
            }
            else
            {
                (i, j) = (i + 1, j + 1);
            }
        }

        int rest = (a.Length - i).CompareTo(b.Length - j);
        return rest != 0 ? rest : string.CompareOrdinal(a, b);
    }

    /// <summary>A run of digits without leading zeros.</summary>
    private static ReadOnlySpan<char> Digits(string text, ref int at)
    {
        int start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
        return text.AsSpan(start, at - start).TrimStart('0');
    }
}
