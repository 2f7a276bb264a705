using System.Globalization;
using System.Text;

namespace Amalgam.Zoo.Data.Tokenizers;

/// <summary>BERT's cleaning of a text and its taking apart into words and marks (J. Devlin et al., 2019, and the code published with it).</summary>
/// <param name="Lower">Lower case.</param>
/// <param name="StripAccents">Accents are taken off.</param>
/// <param name="Clean">Control characters go, white space becomes a space.</param>
/// <param name="Chinese">Chinese characters are words of their own.</param>
internal sealed record BertText(bool Lower = true, bool StripAccents = true, bool Clean = true, bool Chinese = true)
{
    private const int DottedCapitalI = 0x130;

    /// <summary>The cleaned text.</summary>
    public string Normalize(string text)
    {
        StringBuilder cleaned = new(text.Length + 16), stripped = StripAccents ? new(text.Length + 16) : cleaned;
        foreach (Rune c in text.EnumerateRunes())
        {
            if (Clean && IsControl(c)) continue;
            if (Chinese && IsChinese(c.Value)) cleaned.Append(' ').Append(c.ToString()).Append(' ');
            else if (Clean && IsSpace(c)) cleaned.Append(' ');
            else cleaned.Append(c.ToString());
        }

        if (StripAccents) foreach (Rune c in cleaned.ToString().EnumerateRunes()) Decomposition.Append(c, stripped);
        return Lower ? ToLower(stripped.ToString()) : stripped.ToString();
    }

    /// <summary>Calls for each word and each mark of a cleaned text.</summary>
    public static void Split(string text, Action<ReadOnlySpan<char>> word)
    {
        int from = 0;
        for (int i = 0; i < text.Length;)
        {
            Rune.DecodeFromUtf16(text.AsSpan(i), out Rune c, out int size);
            bool space = IsSpace(c), mark = !space && IsMark(c);
            if (space || mark)
            {
                if (i > from) word(text.AsSpan(from, i - from));
                if (mark) word(text.AsSpan(i, size));
                from = i + size;
            }

            i += size;
        }

        if (from < text.Length) word(text.AsSpan(from));
    }

    /// <summary>Character by character; one of them has two in lower case.</summary>
    private static string ToLower(string text)
    {
        StringBuilder lower = new(text.Length + 16);
        foreach (Rune c in text.EnumerateRunes()) lower.Append(c.Value == DottedCapitalI ? "i\u0307" : Rune.ToLowerInvariant(c).ToString());
        return lower.ToString();
    }

    private static bool IsControl(Rune c) => c.Value is 0 or 0xFFFD || (c.Value is not ('\t' or '\n' or '\r')
        && Rune.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);

    private static bool IsSpace(Rune c) => Rune.IsWhiteSpace(c);

    private static bool IsMark(Rune c) => c.Value is (>= 33 and <= 47) or (>= 58 and <= 64) or (>= 91 and <= 96) or (>= 123 and <= 126) || (c.Value > 126 && Rune.IsPunctuation(c));

    private static bool IsChinese(int c) => c is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F)
        or (>= 0x2B820 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);
}
