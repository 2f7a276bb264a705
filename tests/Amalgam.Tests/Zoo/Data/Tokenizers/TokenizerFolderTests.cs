using Amalgam.Zoo.Data.Tokenizers;

namespace Amalgam.Tests.Zoo.Data.Tokenizers;

public class TokenizerFolderTests
{
    private static readonly string[] Merges = ["t h", "th e", "Ġ the", "f i", "fi l"];
    private static readonly string[] Texts = ["The film is badly not good!", "thé  FILMS \n[SEP] <mask>the", "中 unknown\u0301 🙂", ""];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_json_file_says_the_same_as_a_list_of_pieces(bool lower)
    {
        using TemporaryFolder lines = new(), json = new();
        TinyTokenizers.WriteBert(lines.Path, lower);
        File.WriteAllText(json["tokenizer.json"], TinyTokenizers.BertJson(lower));
        Same(TokenizerFolder.Open(lines.Path), TokenizerFolder.Open(json.Path));

        // What tokenizer_config.json says counts before the file, as in transformers.
        File.WriteAllText(json["tokenizer_config.json"], """{"do_lower_case": true, "pad_token": "[MASK]"}""");
        TinyTokenizers.WriteBert(lines.Path, true);
        Tokenizer changed = TokenizerFolder.Open(json.Path);
        Assert.Equal(TokenizerFolder.Open(lines.Path).Encode(Texts[0]), changed.Encode(Texts[0]));
        Assert.Equal(4, changed.Template.Padding);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_json_file_says_the_same_as_pieces_and_pairs(bool pairs)
    {
        using TemporaryFolder files = new(), json = new();
        TinyTokenizers.WriteRoberta(files.Path, Merges);
        File.WriteAllText(json["tokenizer.json"], TinyTokenizers.RobertaJson(Merges, pairs));
        Same(TokenizerFolder.Open(files.Path), TokenizerFolder.Open(json.Path));
    }

    [Fact]
    public void A_prefix_space_is_added_where_the_configuration_asks_for_it()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["tokenizer.json"], TinyTokenizers.RobertaJson(Merges, true).Replace("\"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\"", "\"add_prefix_space\": true, \"use_regex\""));
        Tokenizer without = TokenizerFolder.Open(folder.Path);
        Assert.NotEqual(without.Encode(" the"), without.Encode("the"));
        File.WriteAllText(folder["tokenizer_config.json"], """{"add_prefix_space": true}""");
        Tokenizer with = TokenizerFolder.Open(folder.Path);
        Assert.Equal(with.Encode(" the"), with.Encode("the"));
        Assert.Equal(without.Encode(" the"), with.Encode("the"));
    }

    [Fact]
    public void Added_tokens_beyond_the_vocabulary_are_found()
    {
        using TemporaryFolder folder = new();
        TinyTokenizers.WriteBert(folder.Path);
        File.WriteAllText(folder["added_tokens.json"], """{"<user>": 20, "<users>": 21}""");
        Tokenizer tokenizer = TokenizerFolder.Open(folder.Path);
        Assert.Equal([20, 6, 21], tokenizer.Encode("<user>film <users>"));
        Assert.Equal(22, tokenizer.Count);
        Assert.Equal([20], tokenizer.Encode("<USER>")); // looked for in the text in lower case, which special tokens are not
        File.WriteAllText(folder["special_tokens_map.json"], """{"additional_special_tokens": ["<user>", {"content": "<item>"}]}""");
        Assert.DoesNotContain(20, TokenizerFolder.Open(folder.Path).Encode("<USER>"));
        Assert.Equal([21, 20], TokenizerFolder.Open(folder.Path).Encode("<USERS><user>"));
        File.Delete(folder["special_tokens_map.json"]);

        File.WriteAllText(folder["tokenizer_config.json"], """{"added_tokens_decoder": {"22": {"content": "<Film>", "normalized": true}, "0": {"content": "[PAD]", "special": true}}}""");
        Assert.Equal([6, 22], TokenizerFolder.Open(folder.Path).Encode("film <FILM>"));
    }

    [Theory]
    [InlineData("vocab.txt", "film\nfilm\n", "line 2: the piece 'film' stands twice, first in line 1")]
    [InlineData("vocab.txt", "", "is empty")]
    [InlineData("vocab.txt", "[PAD]\n[UNK]\n[SEP]\n", "has no piece '[CLS]', which is the cls_token")]
    [InlineData("vocab.json", "{}", "vocab.json is there without merges.txt")]
    [InlineData("tokenizer.model", "x", "tokenizer.model is SentencePiece's, which is not read")]
    [InlineData("notes.txt", "", "has no tokenizer, which is tokenizer.json, vocab.txt, or vocab.json and merges.txt")]
    [InlineData("tokenizer.json", "[]", "is not a JSON object")]
    [InlineData("tokenizer.json", "{\"model\": {\"type\": \"Unigram\"}}", "the model 'Unigram' is not supported")]
    [InlineData("tokenizer.json", "{\"model\": {\"type\": \"BPE\", \"vocab\": [1]}}", "expected a vocabulary")]
    [InlineData("tokenizer.json", "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1, \"b\": 1}}}", "the id 1 belongs to 'b' and to 'a'")]
    [InlineData("tokenizer.json", "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": -1}}}", "the piece 'a' must have a whole number from 0")]
    [InlineData("tokenizer.json", "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 1, \"a\": 2}}}", "is not valid JSON")]
    [InlineData("tokenizer.json", "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"\\ud800\": 1}}}", "is not valid JSON")]
    [InlineData("tokenizer.json", "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"<pad>\": 1}}}", "has no post_processor")]
    public void What_is_no_tokenizer_is_refused(string name, string content, string phrase)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder[name], content);
        string message = Assert.Throws<InvalidDataException>(() => TokenizerFolder.Open(folder.Path)).Message;
        Assert.Contains(phrase, message);
        Assert.Contains(folder.Path, message);
    }

    [Theory]
    [InlineData("\"lowercase\": true", "\"lowercase\": 1", "'lowercase' must be true or false, found 1")]
    [InlineData("BertPreTokenizer", "Whitespace", "the pre_tokenizer 'Whitespace' is not supported; supported: BertPreTokenizer")]
    [InlineData("BertNormalizer", "Sequence", "the normalizer 'Sequence' is not supported")]
    [InlineData("TemplateProcessing", "Other", "the post_processor 'Other' is not supported")]
    [InlineData("\"ids\": [2]", "\"ids\": 2", "no ids of '[CLS]'")]
    [InlineData("{\"Sequence\": {\"id\": \"B\", \"type_id\": 1}}, ", "", "'pair' must have the text B once")]
    [InlineData("\"id\": \"A\"", "\"id\": \"C\"", "a text 'C', expected A or B")]
    [InlineData("\"unk_token\": \"[UNK]\"", "\"unk_token\": \"[NO]\"", "has no piece '[NO]'")]
    [InlineData("\"content\": \"[PAD]\"", "\"content\": \"\"", "has no content")]
    [InlineData("\"single_word\": false", "\"single_word\": true", "as a single word only")]
    public void Parts_that_are_damaged_or_not_built_are_refused(string from, string to, string phrase)
    {
        using TemporaryFolder folder = new();
        string json = TinyTokenizers.BertJson();
        Assert.Contains(from, json);
        File.WriteAllText(folder["tokenizer.json"], json.Replace(from, to));
        Assert.Contains(phrase, Assert.Throws<InvalidDataException>(() => TokenizerFolder.Open(folder.Path)).Message);
    }

    [Theory]
    [InlineData("t h e", "line 2: expected a pair of pieces, found 't h e'")]
    [InlineData("t x", "needs the piece 'tx', which the vocabulary does not have")]
    public void Pairs_that_fit_no_vocabulary_are_refused(string merge, string phrase)
    {
        using TemporaryFolder folder = new();
        TinyTokenizers.WriteRoberta(folder.Path, Merges);
        File.WriteAllText(folder["merges.txt"], $"#version: 0.2\n{merge}\n");
        Assert.Contains(phrase, Assert.Throws<InvalidDataException>(() => TokenizerFolder.Open(folder.Path)).Message);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_refused()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["vocab.txt"], [(byte)'a', 10, 0xFF, 10]);
        Assert.Contains("is not UTF-8 text: byte 2", Assert.Throws<InvalidDataException>(() => TokenizerFolder.Open(folder.Path)).Message);
    }

    /// <summary>A file that was cut, or changed anywhere, is read or refused; nothing else happens.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Mutated_files_are_read_or_refused(bool bert) => Property.Holds(generator =>
    {
        using TemporaryFolder folder = new();
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(bert ? TinyTokenizers.BertJson() : TinyTokenizers.RobertaJson(Merges, generator.Random.Next(2) == 0));
        if (generator.Random.Next(3) == 0) bytes = bytes[..generator.Random.Next(bytes.Length)];
        for (int i = generator.Random.Next(4); i > 0 && bytes.Length > 0; i--) bytes[generator.Random.Next(bytes.Length)] = (byte)generator.Random.Next(256);
        File.WriteAllBytes(folder["tokenizer.json"], bytes);
        try
        {
            TokenizerFolder.Open(folder.Path).Encode(["the film <mask> [SEP]", "x"], 12);
        }
        catch (InvalidDataException e)
        {
            Assert.Contains("tokenizer.json", e.Message);
        }
    }, runs: 150);

    private static void Same(Tokenizer expected, Tokenizer actual)
    {
        foreach (string text in Texts) Assert.Equal(expected.Encode(text), actual.Encode(text));
        var (a, b) = (expected.Encode([Texts[0], Texts[1]], 14), actual.Encode([Texts[0], Texts[1]], 14));
        Assert.Equal(a.Ids, b.Ids);
        Assert.Equal(a.Segments, b.Segments);
        Assert.Equal((expected.Count, expected.Template.Padding), (actual.Count, actual.Template.Padding));
    }
}
