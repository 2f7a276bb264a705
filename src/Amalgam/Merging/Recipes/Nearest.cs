namespace Amalgam.Merging.Recipes;

/// <summary>Finds the known word that a mistyped one was meant to be, and quotes what was found.</summary>
internal static class Nearest
{
    private const int LongestQuote = 60;

    /// <summary><c> (did you mean 'density'?)</c>, or nothing when no known word is near.</summary>
    public static string Hint(string text, IEnumerable<string> known) => Of(text, known) is { } word ? $" (did you mean '{word}'?)" : "";

    /// <summary>The known word at the smallest distance; null when more than a third of the letters would have to change.</summary>
    public static string? Of(string text, IEnumerable<string> known)
    {
        if (text.Length > LongestQuote) return null;
        int most = Math.Max(1, text.Length / 3);
        return known.Select(word => (Word: word, Distance: Distance(text, word)))
            .Where(k => k.Distance <= most && k.Distance < k.Word.Length)
            .OrderBy(k => k.Distance)
            .Select(k => k.Word)
            .FirstOrDefault();
    }

    /// <summary>The text in quotes, shortened, without line breaks.</summary>
    public static string Quote(string text)
    {
        string line = string.Concat(text.Take(LongestQuote).Select(c => char.IsControl(c) ? ' ' : c));
        return text.Length > LongestQuote ? $"'{line}...'" : $"'{line}'";
    }

    /// <summary>Letters to insert, delete, change or swap with their neighbour; upper and lower case are the same.</summary>
    private static int Distance(string a, string b)
    {
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (int j = 0; j <= b.Length; j++) d[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int change = Same(a[i - 1], b[j - 1]) ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + change);
                bool swapped = i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1]);
                if (swapped) d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }

        return d[a.Length, b.Length];
    }

    private static bool Same(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}
