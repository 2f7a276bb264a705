using System.Text.Json;

namespace Amalgam.Zoo.Data.Tokenizers;

/// <summary>What the small files beside a vocabulary say: <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c>, <c>added_tokens.json</c>. None of them need be there.</summary>
internal sealed class TokenizerConfig
{
    private readonly Dictionary<string, string> _special = [];
    private readonly List<string> _otherSpecial = [];
    private readonly Dictionary<string, bool> _flags = [];
    private readonly List<AddedToken> _added = [];

    /// <summary>Tokens beyond the vocabulary, and how they are found.</summary>
    public IReadOnlyList<AddedToken> Added => _added;

    /// <summary>Reads those of a folder that are there.</summary>
    /// <exception cref="InvalidDataException">One is damaged.</exception>
    public static TokenizerConfig Read(string folder)
    {
        TokenizerConfig config = new();
        config.ReadNames(Path.Combine(folder, "special_tokens_map.json"));
        config.ReadNames(Path.Combine(folder, "tokenizer_config.json"));
        config.ReadAdded(Path.Combine(folder, "added_tokens.json"));
        return config;
    }

    /// <summary>A special token by its key, such as <c>cls_token</c>.</summary>
    public string Special(string key, string usual) => _special.GetValueOrDefault(key, usual);

    /// <summary>A flag, null where no file has it.</summary>
    public bool? Flag(string key) => _flags.TryGetValue(key, out bool value) ? value : null;

    private void ReadNames(string path)
    {
        if (!File.Exists(path)) return;
        TokenizerFile.ReadJson(path, root =>
        {
            foreach (string key in (string[])["cls_token", "sep_token", "pad_token", "unk_token", "mask_token", "bos_token", "eos_token"])
            {
                if (TokenizerFile.Find(root, key) is { } value) _special[key] = NameOf(path, key, value);
            }

            if (TokenizerFile.Find(root, "additional_special_tokens") is { ValueKind: JsonValueKind.Array } others)
                _otherSpecial.AddRange(others.EnumerateArray().Select(token => NameOf(path, "additional_special_tokens", token)));

            foreach (string key in (string[])["do_lower_case", "strip_accents", "tokenize_chinese_chars", "add_prefix_space", "do_basic_tokenize"])
            {
                if (TokenizerFile.Flag(path, root, key) is { } flag) _flags[key] = flag;
            }

            if (TokenizerFile.Find(root, "added_tokens_decoder") is { ValueKind: JsonValueKind.Object } added)
            {
                foreach (JsonProperty token in added.EnumerateObject())
                    _added.Add(ReadToken(path, token.Value, int.TryParse(token.Name, out int id) && id >= 0 ? id : throw new InvalidDataException($"{path}: added_tokens_decoder has the key '{token.Name}', expected an id")));
            }

            return root.ValueKind;
        });
        if (Flag("do_basic_tokenize") == false) throw new InvalidDataException($"{path}: do_basic_tokenize false, texts that are in words already, is not supported");
    }

    private void ReadAdded(string path)
    {
        if (!File.Exists(path) || _added.Count > 0) return;
        HashSet<string> special = [.. _special.Values, .. _otherSpecial];
        TokenizerFile.ReadJson(path, root =>
        {
            foreach (JsonProperty token in root.EnumerateObject())
                _added.Add(new(token.Name, TokenizerFile.Id(path, token.Value, $"the token '{token.Name}'"), Normalized: !special.Contains(token.Name)));
            return _added.Count;
        });
    }

    /// <summary>A token as an entry of <c>added_tokens</c> or <c>added_tokens_decoder</c>.</summary>
    /// <exception cref="InvalidDataException">It has no text, or is found in a way that is not built.</exception>
    internal static AddedToken ReadToken(string path, JsonElement token, int id)
    {
        string text = TokenizerFile.Text(path, token, "content") is { Length: > 0 } content ? content : throw new InvalidDataException($"{path}: the added token {id} has no content");
        if (TokenizerFile.Flag(path, token, "single_word") == true) throw new InvalidDataException($"{path}: the added token '{text}' is to be found as a single word only, which is not supported");
        bool Is(string key) => TokenizerFile.Flag(path, token, key) ?? false;
        return new(text, id, Is("normalized"), Is("lstrip"), Is("rstrip"));
    }

    /// <summary>A name is a text, or an object with one.</summary>
    private static string NameOf(string path, string key, JsonElement value) =>
        (value.ValueKind == JsonValueKind.String ? value.GetString() : TokenizerFile.Text(path, value, "content")) ?? throw new InvalidDataException($"{path}: '{key}' must be a token, found {TokenizerFile.Brief(value)}");
}
