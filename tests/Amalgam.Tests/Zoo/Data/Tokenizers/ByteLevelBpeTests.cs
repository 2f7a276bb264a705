using System.Text;
using System.Text.RegularExpressions;
using Amalgam.Zoo.Data.Tokenizers;

namespace Amalgam.Tests.Zoo.Data.Tokenizers;

public class ByteLevelBpeTests
{
    [Fact]
    public void The_alphabet_is_that_of_the_published_code()
    {
        // bytes_to_unicode of GPT-2: three ranges stand for themselves, the other 68 bytes for U+0100 and on.
        List<int> bytes = [.. Enumerable.Range('!', '~' - '!' + 1), .. Enumerable.Range(0xA1, 0xAC - 0xA1 + 1), .. Enumerable.Range(0xAE, 0xFF - 0xAE + 1)], letters = [.. bytes];
        for (int b = 0, n = 0; b < 256; b++)
        {
            if (bytes.Contains(b)) continue;
            bytes.Add(b);
            letters.Add(256 + n++);
        }

        foreach (var (b, letter) in bytes.Zip(letters)) Assert.Equal((char)letter, ByteAlphabet.Letter((byte)b));
        Assert.Equal('Ġ', ByteAlphabet.Letter((byte)' '));
        Assert.Equal('Ċ', ByteAlphabet.Letter((byte)'\n'));
    }

    [Theory]
    [InlineData("Hello world!", "Hello| world|!")]
    [InlineData("it's they'll I'd we'Ve", "it|'s| they|'ll| I|'d| we|'|Ve")]
    [InlineData("a  b", "a| | b")]
    [InlineData("a\n\n b \n", "a|\n\n| b| \n")]
    [InlineData("a\tb", "a|\t|b")]
    [InlineData("x1½ $9,000", "x|1½| $|9|,|000")]
    [InlineData("  ", "  ")]
    [InlineData(" 's", " '|s")]
    [InlineData("e\u0301 𝐀b 🙂🙂", "e|\u0301| 𝐀b| 🙂🙂")]
    public void Text_is_taken_apart_as_the_pattern_says(string text, string words) => Assert.Equal(words.Split('|'), Split(text));

    [Fact]
    public void Within_the_first_plane_the_words_are_those_of_the_pattern() => Property.Holds(generator =>
    {
        const string Alphabet = "ab's 'tre ll1²\n\t\u00A0é中!?-_\u0301d m ve";
        string text = string.Concat(Enumerable.Range(0, generator.Size(80)).Select(_ => Alphabet[generator.Random.Next(Alphabet.Length)]));
        Assert.Equal(Regex.Matches(text, @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+").Select(m => m.Value), Split(text));
    }, runs: 200);

    [Fact]
    public void Pairs_are_joined_in_the_order_in_which_they_were_learned()
    {
        // In "lower" l and o join before o and w could; in "ower" they do, and leave no w for er.
        string[] merges = ["l o", "o w", "e r", "w er", "Ġ lo"];
        Assert.Equal(["lo", "wer", "Ġlo", "w", "Ġ", "ow", "er"], Encode(merges, "lower low ower"));
    }

    [Fact]
    public void Joining_equals_the_plain_algorithm() => Property.Holds(generator =>
    {
        // A merge list as training makes it: both parts exist, every result is new.
        List<string> pieces = ["a", "b", "c", "d"];
        List<(string, string)> merges = [];
        while (merges.Count < generator.Size(30))
        {
            string left = pieces[generator.Random.Next(pieces.Count)], right = pieces[generator.Random.Next(pieces.Count)];
            if (left.Length + right.Length > 9 || pieces.Contains(left + right)) continue;
            merges.Add((left, right));
            pieces.Add(left + right);
        }

        string word = string.Concat(Enumerable.Range(0, generator.Size(120)).Select(_ => "abcd"[generator.Random.Next(4)]));
        Assert.Equal(Naive(word, merges), Encode([.. merges.Select(m => $"{m.Item1} {m.Item2}")], word));
    }, runs: 150);

    [Fact]
    public void Every_text_is_given_back() => Property.Holds(generator =>
    {
        StringBuilder text = new();
        for (int i = generator.Size(100); i > 0; i--)
        {
            int limit = new[] { 0x80, 0x800, 0x10000, 0x110000 }[generator.Random.Next(4)], c = generator.Random.Next(limit);
            text.Append(Rune.IsValid(c) ? new Rune(c).ToString() : " ");
        }

        var tokenizer = (ByteLevelBpe)Open(["t h", "th e", "Ġ the"]);
        Assert.Equal(text.ToString(), tokenizer.Decode(tokenizer.Encode(text.ToString())));
    });

    [Fact]
    public void Special_tokens_stand_around_texts_and_are_found_in_them()
    {
        Tokenizer tokenizer = Open(["a b"]);
        int a = tokenizer.Encode("a")[0], ab = tokenizer.Encode("ab")[0];
        Assert.Equal([0, ab, 2], tokenizer.Encode(["ab"], 9).Ids);
        Assert.Equal([0, ab, 2, 2, a, 2], tokenizer.Encode(["ab", "a"], 9).Ids);
        Assert.All(tokenizer.Encode(["ab", "a"], 9).Segments, segment => Assert.Equal(0, segment));
        Assert.Equal([a, 4, a, 2, a], tokenizer.Encode("a <mask>a</s>a")); // the mask takes the space before it
        Assert.Equal(1, tokenizer.Template.Padding);
    }

    [Fact]
    public void A_word_of_a_million_letters_ends() =>
        Assert.Equal(125_000, Open(["a a", "aa aa", "aaaa aaaa"]).Encode(new string('a', 1_000_000)).Length); // n * n steps would take hours

    private static List<string> Split(string text)
    {
        List<string> words = [];
        for (int from = 0, to; from < text.Length; from = to) words.Add(text[from..(to = WordSplit.End(text, from))]);
        return words;
    }

    /// <summary>The algorithm as published: find the pair that was learned first, join it everywhere, again.</summary>
    private static List<string> Naive(string word, List<(string, string)> merges)
    {
        List<string> pieces = [.. word.Select(c => c.ToString())];
        while (true)
        {
            var pairs = pieces.Zip(pieces.Skip(1)).ToHashSet();
            var (left, right) = merges.FirstOrDefault(pairs.Contains);
            if (left is null) return pieces;
            List<string> next = [];
            for (int i = 0; i < pieces.Count; i++)
            {
                bool joins = i + 1 < pieces.Count && pieces[i] == left && pieces[i + 1] == right;
                next.Add(joins ? left + right : pieces[i]);
                if (joins) i++;
            }

            pieces = next;
        }
    }

    private static IEnumerable<string> Encode(string[] merges, string text)
    {
        string[] pieces = TinyTokenizers.RobertaPieces(merges);
        return Open(merges).Encode(text).Select(id => pieces[id]);
    }

    private static Tokenizer Open(string[] merges)
    {
        using TemporaryFolder folder = new();
        TinyTokenizers.WriteRoberta(folder.Path, merges);
        return TokenizerFolder.Open(folder.Path);
    }
}
