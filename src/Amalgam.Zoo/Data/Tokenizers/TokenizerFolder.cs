namespace Amalgam.Zoo.Data.Tokenizers;

/// <summary>
/// Opens the tokenizer of a Hugging Face folder: <c>tokenizer.json</c>, or <c>vocab.txt</c> (WordPiece of BERT and DistilBERT), or <c>vocab.json</c> with <c>merges.txt</c> (byte-level
/// BPE of RoBERTa).
/// </summary>
public static class TokenizerFolder
{
    private const string Json = "tokenizer.json", Lines = "vocab.txt", Pieces = "vocab.json", Merges = "merges.txt";

    /// <summary>Whether a folder has a tokenizer that can be read.</summary>
    public static bool Has(string folder) => Exists(folder, Json) || Exists(folder, Lines) || (Exists(folder, Pieces) && Exists(folder, Merges));

    /// <summary>Opens it.</summary>
    /// <exception cref="InvalidDataException">There is none that can be read, or its files are damaged.</exception>
    public static Tokenizer Open(string folder)
    {
        if (!Directory.Exists(folder)) throw new InvalidDataException($"{folder} is no folder, expected one with {Json}, {Lines}, or {Pieces} and {Merges}");
        TokenizerConfig config = TokenizerConfig.Read(folder);
        if (Exists(folder, Json)) return TokenizerJson.Read(Path.Combine(folder, Json), config);
        if (Exists(folder, Lines)) return OfLines(Path.Combine(folder, Lines), config);
        if (Has(folder)) return OfPairs(Path.Combine(folder, Pieces), Path.Combine(folder, Merges), config);
        string found = Directory.EnumerateFiles(folder).Select(f => Path.GetFileName(f)).FirstOrDefault(f => f is Pieces or Merges or "tokenizer.model" or "spiece.model" or "sentencepiece.bpe.model") switch
        {
            null => "",
            Pieces => $"; {Pieces} is there without {Merges}",
            Merges => $"; {Merges} is there without {Pieces}",
            string model => $"; {model} is SentencePiece's, which is not read",
        };
        throw new InvalidDataException($"{folder} has no tokenizer, which is {Json}, {Lines}, or {Pieces} and {Merges}{found}");
    }

    private static WordPiece OfLines(string path, TokenizerConfig config)
    {
        PieceTable pieces = PieceTable.ReadLines(path);
        bool lower = config.Flag("do_lower_case") ?? true;
        BertText text = new(lower, config.Flag("strip_accents") ?? lower, Chinese: config.Flag("tokenize_chinese_chars") ?? true);
        int Id(string key, string usual) => pieces.Need(config.Special(key, usual), $"the {key}");
        TextTemplate template = TextTemplate.Bert(Id("cls_token", "[CLS]"), Id("sep_token", "[SEP]"), Id("pad_token", "[PAD]"));
        return new(pieces, text, template, Added(config, pieces, ["[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"]), Id("unk_token", "[UNK]"));
    }

    private static ByteLevelBpe OfPairs(string vocabulary, string merges, TokenizerConfig config)
    {
        PieceTable pieces = TokenizerFile.ReadJson(vocabulary, root => PieceTable.Read(vocabulary, root));
        int Id(string key, string usual) => pieces.Need(config.Special(key, usual), $"the {key}");
        TextTemplate template = TextTemplate.Roberta(Id("cls_token", "<s>"), Id("sep_token", "</s>"), Id("pad_token", "<pad>"));
        string[] lines = TokenizerFile.ReadText(merges).Split('\n');
        List<(int, int, int)> pairs = [];
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].TrimEnd('\r');
            if (line.Length == 0 || (i == 0 && line.StartsWith("#version", StringComparison.Ordinal))) continue;
            pairs.Add(TokenizerJson.Merge($"{merges}, line {i + 1}", line.Split(' '), pieces));
        }

        return new(pieces, pairs, template, Added(config, pieces, ["<unk>", "</s>", "<pad>", "<s>", "<mask>"]), Id("unk_token", "<unk>"), config.Flag("add_prefix_space") ?? false);
    }

    /// <summary>The special tokens, which are never taken apart, and what the small files add; the mask of RoBERTa takes the space before it.</summary>
    private static AddedToken[] Added(TokenizerConfig config, PieceTable pieces, string[] usual)
    {
        string[] keys = ["unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];
        var special = keys.Zip(usual, config.Special).Where(pieces.Ids.ContainsKey).Select(name => new AddedToken(name, pieces.Ids[name], Left: name == "<mask>"));
        return [.. config.Added.Concat(special).DistinctBy(t => t.Text)];
    }

    private static bool Exists(string folder, string name) => File.Exists(Path.Combine(folder, name));
}
