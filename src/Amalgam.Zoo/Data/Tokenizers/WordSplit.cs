using System.Text;

namespace Amalgam.Zoo.Data.Tokenizers;

/// <summary>
/// Takes a text apart as GPT-2's pattern does: <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>. Written out, since .NET's regular expressions see
/// characters beyond U+FFFF as two.
/// </summary>
internal static class WordSplit
{
    private static readonly string[] Contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

    private enum Kind
    {
        Space,
        Letter,
        Number,
        Other,
    }

    /// <summary>Where the word ends that begins at a place of a text.</summary>
    public static int End(string text, int from)
    {
        foreach (string contraction in Contractions)
        {
            if (text[from] == '\'' && string.CompareOrdinal(text, from, contraction, 0, contraction.Length) == 0) return from + contraction.Length;
        }

        int first = text[from] == ' ' && from + 1 < text.Length && KindAt(text, from + 1, out _) != Kind.Space ? from + 1 : from;
        Kind kind = KindAt(text, first, out int size);
        int end = first + size, last = first;
        while (end < text.Length && KindAt(text, end, out size) == kind) (last, end) = (end, end + size);
        // The last of several spaces before a word is left to the word.
        return kind == Kind.Space && end < text.Length && last > first ? last : end;
    }

    private static Kind KindAt(string text, int at, out int size)
    {
        Rune.DecodeFromUtf16(text.AsSpan(at), out Rune c, out size);
        return Rune.IsLetter(c) ? Kind.Letter : Rune.IsNumber(c) ? Kind.Number : Rune.IsWhiteSpace(c) ? Kind.Space : Kind.Other;
    }
}
