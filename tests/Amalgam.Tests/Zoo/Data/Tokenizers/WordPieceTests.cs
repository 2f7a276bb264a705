using System.Globalization;
using System.Text;
using Amalgam.Zoo.Data.Tokenizers;

namespace Amalgam.Tests.Zoo.Data.Tokenizers;

public class WordPieceTests
{
    private static readonly string[] Pieces =
    [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##aff", "##able", "a", "##b", "##bc", "##c", "naive", "cafe", "!", "'", "don", "t", "中", "文", "i", "ss", "ß", "##x", "¿", "é", "##é", "[", "]", "mask", "##0",
        "각", "\u1100\u1161\u11A8",
    ];

    [Theory]
    [InlineData("unaffable", "un ##aff ##able")]
    [InlineData("UNAFFABLE", "un ##aff ##able")]
    [InlineData("abc ab", "a ##bc a ##b")] // the longest piece first, not the fewest
    [InlineData("abd a", "[UNK] a")] // one piece that is missing makes the word unknown
    [InlineData("Naïve CAFÉ!", "naive cafe !")]
    [InlineData("don't", "don ' t")]
    [InlineData("中文a", "中 文 a")]
    [InlineData(" \t a\u00A0\r\n a\u200B\u0000b ", "a a ##b")]
    [InlineData("a [MASK] a[SEP]a", "a [MASK] a [SEP] a")]
    [InlineData("[mask]", "[ mask ]")] // only as it is written
    [InlineData("¿a?", "¿ a [UNK]")]
    [InlineData("각", "\u1100\u1161\u11A8")] // without accents syllables are taken apart too
    [InlineData("", "")]
    public void Words_are_taken_apart_from_the_left(string text, string pieces) => Assert.Equal(pieces, Encode(Uncased(), text));

    [Theory]
    [InlineData("Café É é", "[UNK] [UNK] é")]
    [InlineData("aé ß", "a ##é ß")]
    public void A_cased_tokenizer_keeps_accents_and_case(string text, string pieces) => Assert.Equal(pieces, Encode(Open("""{"do_lower_case": false}"""), text));

    [Fact]
    public void A_word_of_more_than_a_hundred_characters_is_unknown()
    {
        Tokenizer tokenizer = Uncased();
        Assert.Equal(100, tokenizer.Encode("a" + string.Concat(Enumerable.Repeat("b", 99))).Length);
        Assert.Equal([1], tokenizer.Encode("a" + string.Concat(Enumerable.Repeat("b", 100))));
        Assert.Equal([1], tokenizer.Encode(string.Concat(Enumerable.Repeat("𝐀", 60)))); // 60 characters in 120 UTF-16 units: looked up, and unknown
    }

    [Fact]
    public void Pairs_have_two_segments_and_the_longer_text_is_cut()
    {
        Tokenizer tokenizer = Uncased();
        var (ids, segments) = tokenizer.Encode(["a i", "un"], 9);
        Assert.Equal([2, 8, 20, 3, 5, 3], ids);
        Assert.Equal([0, 0, 0, 0, 1, 1], segments);
        // Room for five: both are as long as the shorter one and then cut alike, the odd id left to the text that was longer.
        Assert.Equal([2, 8, 8, 8, 3, 5, 5, 3], tokenizer.Encode(["a a a a a a", "un un un"], 8).Ids);
        Assert.Equal([2, 5, 5, 3, 8, 8, 8, 3], tokenizer.Encode(["un un un", "a a a a a a"], 8).Ids);
        Assert.Equal([2, 8, 8, 8, 8, 3, 5, 3], tokenizer.Encode(["a a a a a a", "un"], 8).Ids);
        Assert.Equal([2, 8, 8, 3], tokenizer.Encode(["a a a"], 4).Ids);
    }

    /// <summary>The splitting of BERT's published code, written out plainly, on random text.</summary>
    [Fact]
    public void Random_text_gives_what_the_published_rules_say() => Property.Holds(generator =>
    {
        string alphabet = "ab cé!'中 \t\u0301É[.,\u00ADßİ𝐀文ñ ";
        Rune[] runes = [.. alphabet.EnumerateRunes()];
        string text = string.Concat(Enumerable.Range(0, generator.Size(60)).Select(_ => runes[generator.Random.Next(runes.Length)].ToString()));
        Tokenizer tokenizer = Uncased();
        Assert.Equal(Naive(text).Select(piece => Array.IndexOf(Pieces, piece)), tokenizer.Encode(text));
    });

    private static List<string> Naive(string text)
    {
        // Accents of the alphabet above, by hand: the platform's normalisation is off in this process.
        text = text.Replace("É", "é").Replace("é", "e\u0301").Replace("ñ", "n\u0303").Replace("İ", "I\u0307");
        List<string> words = [""];
        foreach (Rune c in text.EnumerateRunes())
        {
            UnicodeCategory category = Rune.GetUnicodeCategory(c);
            if (c.Value == '\t' || category is UnicodeCategory.SpaceSeparator) words.Add("");
            else if (category is UnicodeCategory.Format or UnicodeCategory.NonSpacingMark) continue;
            else if (Rune.IsPunctuation(c) || c.Value is 0x4E2D or 0x6587) words.AddRange([c.ToString(), ""]);
            else words[^1] += c.ToString().ToLowerInvariant();
        }

        List<string> pieces = [];
        foreach (string word in words.Where(w => w.Length > 0))
        {
            List<string> own = [];
            for (string rest = word; rest.Length > 0;)
            {
                string? longest = Enumerable.Range(1, rest.Length).Select(n => (own.Count > 0 ? "##" : "") + rest[..n]).LastOrDefault(Pieces.Contains);
                if (longest is null)
                {
                    own = ["[UNK]"];
                    break;
                }

                rest = rest[(longest.Length - (own.Count > 0 ? 2 : 0))..];
                own.Add(longest);
            }

            pieces.AddRange(own);
        }

        return pieces;
    }

    private static string Encode(Tokenizer tokenizer, string text) => string.Join(' ', tokenizer.Encode(text).Select(id => Pieces[id]));

    private static Tokenizer Uncased() => Open("{}");

    private static Tokenizer Open(string config)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["vocab.txt"], string.Join('\n', Pieces) + "\n");
        File.WriteAllText(folder["tokenizer_config.json"], config);
        return TokenizerFolder.Open(folder.Path);
    }
}
