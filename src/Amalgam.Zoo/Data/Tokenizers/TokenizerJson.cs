using System.Collections.Immutable;
using System.Text.Json;

namespace Amalgam.Zoo.Data.Tokenizers;

/// <summary>Reads a <c>tokenizer.json</c> whose parts are those of BERT or of RoBERTa; any other part is refused by its name, since ids would differ in silence.</summary>
internal static class TokenizerJson
{
    /// <exception cref="InvalidDataException">The file is damaged, or has parts that are not built.</exception>
    public static Tokenizer Read(string path, TokenizerConfig config) => TokenizerFile.ReadJson(path, Tokenizer (root) =>
    {
        JsonElement model = TokenizerFile.Find(root, "model") ?? throw new InvalidDataException($"{path} has no 'model'");
        string type = TokenizerFile.Text(path, model, "type") ?? (TokenizerFile.Find(model, "merges") is null ? "WordPiece" : "BPE");
        if (type is not ("WordPiece" or "BPE")) throw Refuse(path, "model", type, "WordPiece, BPE");
        PieceTable pieces = PieceTable.Read(path, TokenizerFile.Find(model, "vocab") ?? throw new InvalidDataException($"{path}: its model has no 'vocab'"));
        AddedToken[] added = [.. Items(path, root, "added_tokens").Select(t => TokenizerConfig.ReadToken(path, t, TokenizerFile.Find(t, "id") is { } id ? TokenizerFile.Id(path, id, "an added token") : throw new InvalidDataException($"{path}: an added token has no 'id'")))];
        string pad = config.Special("pad_token", type == "BPE" ? "<pad>" : "[PAD]");
        int padding = added.FirstOrDefault(t => t.Text == pad)?.Id ?? pieces.Need(pad, "the pad_token");
        TextTemplate template = TokenizerTemplate.Read(path, TokenizerFile.Find(root, "post_processor"), padding);
        return type == "BPE" ? Bpe(path, root, model, pieces, template, added, config) : Pieces(path, root, model, pieces, template, added, config);
    });

    /// <summary>A pair that may be joined, and what it becomes.</summary>
    /// <exception cref="InvalidDataException">It is no pair, or one of the three is not in the vocabulary.</exception>
    public static (int Left, int Right, int Piece) Merge(string where, string[] pair, PieceTable pieces)
    {
        if (pair.Length != 2 || pair.Any(p => p.Length == 0)) throw new InvalidDataException($"{where}: expected a pair of pieces, found '{string.Join(' ', pair)}'");
        foreach (string piece in (string[])[pair[0], pair[1], pair[0] + pair[1]])
        {
            if (!pieces.Ids.ContainsKey(piece)) throw new InvalidDataException($"{where}: the pair '{pair[0]} {pair[1]}' needs the piece '{piece}', which the vocabulary does not have");
        }

        return (pieces.Ids[pair[0]], pieces.Ids[pair[1]], pieces.Ids[pair[0] + pair[1]]);
    }

    private static WordPiece Pieces(string path, JsonElement root, JsonElement model, PieceTable pieces, TextTemplate template, AddedToken[] added, TokenizerConfig config)
    {
        Only(path, root, "pre_tokenizer", "BertPreTokenizer");
        JsonElement? normalizer = TokenizerFile.Find(root, "normalizer") is null ? null : Only(path, root, "normalizer", "BertNormalizer");
        bool? Of(string key) => normalizer is { } n ? TokenizerFile.Flag(path, n, key) : null;
        bool lower = config.Flag("do_lower_case") ?? Of("lowercase") ?? normalizer is not null;
        bool strip = config.Flag("strip_accents") ?? Of("strip_accents") ?? lower, chinese = config.Flag("tokenize_chinese_chars") ?? Of("handle_chinese_chars") ?? normalizer is not null;
        BertText text = new(lower, strip, Of("clean_text") ?? normalizer is not null, chinese);
        string unknown = TokenizerFile.Text(path, model, "unk_token") ?? "[UNK]", prefix = TokenizerFile.Text(path, model, "continuing_subword_prefix") ?? "##";
        int most = TokenizerFile.Find(model, "max_input_chars_per_word") is { } value ? TokenizerFile.Id(path, value, "max_input_chars_per_word", 10_000) : 100;
        return new(pieces, text, template, added, pieces.Need(unknown, "the unk_token"), prefix, most);
    }

    private static ByteLevelBpe Bpe(string path, JsonElement root, JsonElement model, PieceTable pieces, TextTemplate template, AddedToken[] added, TokenizerConfig config)
    {
        JsonElement words = Only(path, root, "pre_tokenizer", "ByteLevel");
        if (TokenizerFile.Flag(path, words, "use_regex") == false) throw new InvalidDataException($"{path}: use_regex false, words that are not taken apart, is not supported");
        if (TokenizerFile.Find(root, "normalizer") is { } normalizer) throw Refuse(path, "normalizer", TokenizerFile.Text(path, normalizer, "type"), "none beside BPE");
        foreach (string key in (string[])["dropout", "byte_fallback", "ignore_merges", "continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (TokenizerFile.Find(model, key) is { } value && value.GetRawText() is not ("false" or "\"\"" or "0" or "0.0")) throw new InvalidDataException($"{path}: the model's {key} {TokenizerFile.Brief(value)} is not supported");
        }

        // RoBERTa's fast tokenizer sets this part's flag to its own, which is false where the configuration says nothing: that of tokenizer.json never counts.
        bool prefix = config.Flag("add_prefix_space") ?? false;
        int? unknown = TokenizerFile.Text(path, model, "unk_token") is { } name ? pieces.Need(name, "the unk_token") : null;
        (int, int, int)[] merges = [.. Items(path, model, "merges").Select((pair, i) => Merge($"{path}, merge {i + 1}", Pair(path, pair), pieces))];
        return new(pieces, merges, template, added, unknown, prefix);
    }

    /// <summary>A pair is a text with a space between, or since 2024 a list of two.</summary>
    private static string[] Pair(string path, JsonElement pair) => pair.ValueKind switch
    {
        JsonValueKind.String => pair.GetString()!.Split(' '),
        JsonValueKind.Array when pair.EnumerateArray().All(p => p.ValueKind == JsonValueKind.String) => [.. pair.EnumerateArray().Select(p => p.GetString()!)],
        _ => throw new InvalidDataException($"{path}: a merge must be a pair of pieces, found {TokenizerFile.Brief(pair)}"),
    };

    private static ImmutableArray<JsonElement> Items(string path, JsonElement of, string key) => TokenizerFile.Find(of, key) is not { } list ? []
        : list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()] : throw new InvalidDataException($"{path}: '{key}' must be a list, found {TokenizerFile.Brief(list)}");

    private static JsonElement Only(string path, JsonElement root, string part, string type)
    {
        JsonElement found = TokenizerFile.Find(root, part) ?? throw new InvalidDataException($"{path} has no '{part}', expected {type}");
        return TokenizerFile.Text(path, found, "type") is var name && name == type ? found : throw Refuse(path, part, name, type);
    }

    private static InvalidDataException Refuse(string path, string part, string? type, string supported) => new($"{path}: the {part} '{type}' is not supported; supported: {supported}");
}
