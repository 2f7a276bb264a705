using System.Text.Json;
using Amalgam.Zoo.Data.Tokenizers;

namespace Amalgam.Tests.Zoo.Data.Tokenizers;

/// <summary>Small tokenizers in the layouts of Hugging Face.</summary>
internal static class TinyTokenizers
{
    public static readonly string[] BertPieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "film", "is", "good", "bad", "not", "##ly", "!", ".", "a", "very", "##s", "great", "awful", "plot"];

    /// <summary>The special tokens, the alphabet of bytes, and what the merges make, by id.</summary>
    public static string[] RobertaPieces(string[] merges) =>
        [.. ((string[])["<s>", "<pad>", "</s>", "<unk>", "<mask>", .. Enumerable.Range(0, 256).Select(b => ByteAlphabet.Letter((byte)b).ToString()), .. merges.Select(m => m.Replace(" ", ""))]).Distinct()];

    public static void WriteBert(string folder, bool lower = true)
    {
        File.WriteAllText(Path.Combine(folder, "vocab.txt"), string.Join('\n', BertPieces) + "\n");
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), $$"""{"do_lower_case": {{(lower ? "true" : "false")}}, "tokenizer_class": "BertTokenizer", "cls_token": "[CLS]", "sep_token": {"content": "[SEP]", "lstrip": false} }""");
    }

    public static void WriteRoberta(string folder, string[] merges)
    {
        string[] pieces = RobertaPieces(merges);
        File.WriteAllText(Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(pieces.Select((p, i) => (p, i)).ToDictionary(p => p.p, p => p.i)));
        File.WriteAllText(Path.Combine(folder, "merges.txt"), $"#version: 0.2\n{string.Join('\n', merges)}\n");
    }

    /// <summary>The same tokenizer as <see cref="WriteBert"/>, in one file.</summary>
    public static string BertJson(bool lower = true) => $$$"""
        {
          "version": "1.0", "truncation": {"max_length": 3}, "padding": null,
          "added_tokens": [{{{Added(BertPieces[..5], 0)}}}],
          "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": {{{(lower ? "true" : "false")}}}},
          "pre_tokenizer": {"type": "BertPreTokenizer"},
          "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
            "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}, "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}
          },
          "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
          "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": {{{Vocabulary(BertPieces)}}}}
        }
        """;

    /// <summary>The same tokenizer as <see cref="WriteRoberta"/>, in one file; merges as texts or as pairs.</summary>
    public static string RobertaJson(string[] merges, bool pairs) => $$$"""
        {
          "added_tokens": [{{{Added(["<s>", "<pad>", "</s>", "<unk>"], 0)}}}, {"id": 4, "content": "<mask>", "single_word": false, "lstrip": true, "rstrip": false, "normalized": false, "special": true}],
          "normalizer": null,
          "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
          "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": true, "add_prefix_space": false},
          "decoder": {"type": "ByteLevel"},
          "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false,
            "vocab": {{{Vocabulary(RobertaPieces(merges))}}}, "merges": {{{JsonSerializer.Serialize<object>(pairs ? merges.Select(m => m.Split(' ')) : merges)}}}}
        }
        """;

    private static string Vocabulary(string[] pieces) => JsonSerializer.Serialize(pieces.Select((p, i) => (p, i)).ToDictionary(p => p.p, p => p.i));

    private static string Added(string[] tokens, int first) =>
        string.Join(", ", tokens.Select((t, i) => $$"""{"id": {{first + i}}, "content": "{{t}}", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}"""));
}
