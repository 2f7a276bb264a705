namespace Amalgam.Merging.Planning;

/// <summary>A tensor name that counts layers: the first part that is a number is the layer.</summary>
/// <param name="Stack">What stands before the number, with its dot; one stack of layers has one such prefix.</param>
/// <param name="Layer">The number.</param>
/// <param name="Rest">What follows, with its dot.</param>
internal readonly record struct LayerName(string Stack, int Layer, string Rest)
{
    /// <summary>Takes a name apart; null for one without a layer number.</summary>
    public static LayerName? Parse(string name)
    {
        for (int start = 0; start < name.Length;)
        {
            int dot = name.IndexOf('.', start), end = dot < 0 ? name.Length : dot;
            ReadOnlySpan<char> part = name.AsSpan(start, end - start);
            if (part.Length is > 0 and < 7 && part.IndexOfAnyExceptInRange('0', '9') < 0)
                return new(name[..start], int.Parse(part), name[end..]);
            start = end + 1;
        }

        return null;
    }
}

/// <summary>What is known of tensors by the names that architectures give them.</summary>
internal static class TensorNames
{
    private static readonly string[] Embeddings =
        ["embed_tokens.weight", "wte.weight", "word_embeddings.weight", "tok_embeddings.weight", "embed_in.weight", "shared.weight", "token_embedding.weight", "embeddings.weight"];

    private static readonly string[] Heads = ["lm_head.weight", "embed_out.weight", "output.weight", "lm_head.decoder.weight", "decoder.weight"];

    /// <summary>Words in the names of what stands before the layers of a network; every other tensor without a layer number stands after them.</summary>
    private static readonly string[] Before =
    [
        "embed", "embedder", "embedding", "embeddings", "emb", "wte", "wpe", "cls_token", "class_token", "mask_token", "register_tokens", "patch", "patches", "stem", "conv1", "ln_pre",
        "pre_layrnorm", "pre_layernorm", "pos",
    ];

    /// <summary>Rows of tokens: an input embedding or a language head, whose number of rows may differ between models.</summary>
    public static bool IsVocabulary(string name) => IsEmbedding(name) || IsHead(name);

    /// <summary>Stands before the layers.</summary>
    public static bool IsBeforeLayers(string name) => IsEmbedding(name) || (!IsHead(name) && Before.Any(word => HasWord(name, word)));

    /// <summary>A tensor that networks have or leave out.</summary>
    public static bool IsOptional(string name) => name.EndsWith(".bias", StringComparison.Ordinal);

    /// <summary>A language head, which a network may tie to its embedding and then not store.</summary>
    public static bool IsHead(string name) => EndsWithPart(name, Heads);

    /// <summary>An input embedding.</summary>
    public static bool IsEmbedding(string name) => EndsWithPart(name, Embeddings);

    /// <summary>Contains a word: it begins and ends at the end of the name, at a dot, '_' or '-', at a digit, or where a small letter meets a capital one.</summary>
    private static bool HasWord(string name, string word)
    {
        for (int at = 0; (at = name.IndexOf(word, at, StringComparison.OrdinalIgnoreCase)) >= 0; at++)
            if (IsBorder(name, at) && IsBorder(name, at + word.Length)) return true;
        return false;
    }

    private static bool IsBorder(string name, int at)
    {
        if (at == 0 || at == name.Length) return true;
        char before = name[at - 1], after = name[at];
        return !char.IsLetterOrDigit(before) || !char.IsLetterOrDigit(after) || char.IsDigit(before) != char.IsDigit(after) || (char.IsLower(before) && char.IsUpper(after));
    }

    /// <summary>What stands before the head's own name: the embedding that it is tied to has a name that begins so.</summary>
    public static string PrefixOfHead(string name) => name[..^Heads.Where(h => name.EndsWith(h, StringComparison.Ordinal)).Max(h => h.Length)];

    /// <summary>Ends in one of the endings, as whole parts; what belongs to a layer ('layers.3.attention.output.weight') does not count.</summary>
    private static bool EndsWithPart(string name, string[] endings) =>
        endings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal) && (name.Length == ending.Length || name[^(ending.Length + 1)] == '.')) && LayerName.Parse(name) is null;
}
