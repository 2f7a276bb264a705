using System.Collections.Immutable;

namespace Amalgam.Zoo.Data.Tokenizers;

/// <summary>GPT-2's letters for bytes: those that print stand for themselves, the others for U+0100 and on, in their order. A space is Ġ.</summary>
internal static class ByteAlphabet
{
    private const int FirstOther = 0x100;

    private static readonly ImmutableArray<char> Letters = Make();
    private static readonly ImmutableDictionary<char, byte> Bytes = Letters.Select((letter, b) => (letter, b)).ToImmutableDictionary(p => p.letter, p => (byte)p.b);

    /// <summary>The letter of a byte.</summary>
    public static char Letter(byte value) => Letters[value];

    /// <summary>The letters of bytes.</summary>
    public static string Write(ReadOnlySpan<byte> bytes)
    {
        Span<char> letters = new char[bytes.Length];
        for (int i = 0; i < bytes.Length; i++) letters[i] = Letters[bytes[i]];
        return letters.ToString();
    }

    /// <summary>The bytes of letters; what is none of the alphabet is left out.</summary>
    public static IEnumerable<byte> Read(string letters) => letters.Where(Bytes.ContainsKey).Select(c => Bytes[c]);

    private static ImmutableArray<char> Make()
    {
        char other = (char)FirstOther;
        return [.. Enumerable.Range(0, 256).Select(b => b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE ? (char)b : other++)];
    }
}
