using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Amalgam.Zoo.Data.Tokenizers;

/// <summary>
/// Takes accents off as BERT does: canonical decomposition (NFD) without non-spacing marks. .NET normalises only with the platform's Unicode library, which Amalgam does without, so the
/// table is its own.
/// </summary>
internal static class Decomposition
{
    private const int HangulFirst = 0xAC00, HangulCount = 11172, Vowels = 21, Finals = 28;

    private static readonly Lazy<FrozenDictionary<Rune, Rune[]>> Table = new(Read);

    /// <summary>Adds a character without its accents.</summary>
    public static void Append(Rune character, StringBuilder to)
    {
        if (character.IsAscii) to.Append((char)character.Value);
        else if (Rune.GetUnicodeCategory(character) == UnicodeCategory.NonSpacingMark) return;
        else if (character.Value - HangulFirst is >= 0 and < HangulCount and int syllable) AppendHangul(syllable, to);
        else if (Table.Value.TryGetValue(character, out Rune[]? parts)) foreach (Rune part in parts) to.Append(part.ToString());
        else to.Append(character.ToString());
    }

    /// <summary>A syllable is a lead, a vowel and perhaps a final (The Unicode Standard, section 3.12).</summary>
    private static void AppendHangul(int syllable, StringBuilder to)
    {
        to.Append((char)(0x1100 + syllable / (Vowels * Finals))).Append((char)(0x1161 + syllable / Finals % Vowels));
        if (syllable % Finals > 0) to.Append((char)(0x11A7 + syllable % Finals));
    }

    private static FrozenDictionary<Rune, Rune[]> Read()
    {
        using Stream stream = typeof(Decomposition).Assembly.GetManifestResourceStream("Decompositions.txt")!;
        using StreamReader reader = new(stream);
        Dictionary<Rune, Rune[]> table = [];
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#')) continue;
            Rune[] runes = [.. line.Split(' ').Select(hex => new Rune(int.Parse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)))];
            table.Add(runes[0], runes[1..]);
        }

        return table.ToFrozenDictionary();
    }
}
