using System.Collections.Immutable;
using System.Text.Json;

namespace Amalgam.Zoo.Data.Tokenizers;

/// <summary>Reads what a <c>tokenizer.json</c> puts around texts: its post_processor.</summary>
internal static class TokenizerTemplate
{
    private const string Supported = "TemplateProcessing, BertProcessing, RobertaProcessing";

    /// <param name="path">The file, for messages.</param>
    /// <param name="processor">The post_processor; null when there is none.</param>
    /// <param name="padding">Id of the padding.</param>
    /// <exception cref="InvalidDataException">There is none, it is damaged, or it is of another kind.</exception>
    public static TextTemplate Read(string path, JsonElement? processor, int padding)
    {
        if (processor is not { } how) throw new InvalidDataException($"{path} has no post_processor, so nothing says which ids begin and end a text; supported: {Supported}");
        string? type = TokenizerFile.Text(path, how, "type");
        if (type == "Sequence" && TokenizerFile.Find(how, "processors") is { ValueKind: JsonValueKind.Array } all)
        {
            // ByteLevel only moves offsets, which nothing here uses.
            JsonElement[] others = [.. all.EnumerateArray().Where(p => TokenizerFile.Text(path, p, "type") != "ByteLevel")];
            return Read(path, others.Length == 1 ? others[0] : throw new InvalidDataException($"{path}: a post_processor of {others.Length} parts is not supported; supported: {Supported}"), padding);
        }

        return type switch
        {
            "TemplateProcessing" => new(Parts(path, how, "single", 1), Parts(path, how, "pair", 2), padding),
            "BertProcessing" => TextTemplate.Bert(Special(path, how, "cls"), Special(path, how, "sep"), padding),
            "RobertaProcessing" => TextTemplate.Roberta(Special(path, how, "cls"), Special(path, how, "sep"), padding),
            _ => throw new InvalidDataException($"{path}: the post_processor '{type}' is not supported; supported: {Supported}"),
        };
    }

    /// <summary>A pair of a token and its id.</summary>
    private static int Special(string path, JsonElement of, string key) =>
        TokenizerFile.Find(of, key) is { ValueKind: JsonValueKind.Array } pair && pair.GetArrayLength() == 2 ? TokenizerFile.Id(path, pair[1], $"the post_processor's {key}")
            : throw new InvalidDataException($"{path}: the post_processor's '{key}' must be a pair of a token and its id");

    private static ImmutableArray<TemplatePart> Parts(string path, JsonElement of, string key, int texts)
    {
        if (TokenizerFile.Find(of, key) is not { ValueKind: JsonValueKind.Array } list) throw new InvalidDataException($"{path}: the post_processor's '{key}' must be a list");
        ImmutableArray<TemplatePart> parts = [.. list.EnumerateArray().SelectMany(part => Part(path, of, part))];
        for (int text = 0; text < texts; text++)
        {
            if (parts.Count(p => p.Text == text) != 1) throw new InvalidDataException($"{path}: the post_processor's '{key}' must have the text {"AB"[text]} once");
        }

        return parts.All(p => p.Text < texts) ? parts : throw new InvalidDataException($"{path}: the post_processor's '{key}' has a text too many");
    }

    private static IEnumerable<TemplatePart> Part(string path, JsonElement of, JsonElement part)
    {
        if (TokenizerFile.Find(part, "Sequence") is { } text)
        {
            int number = TokenizerFile.Text(path, text, "id") switch { "A" => 0, "B" => 1, string other => throw new InvalidDataException($"{path}: the post_processor has a text '{other}', expected A or B"), null => throw Wrong(path, part) };
            return [TemplatePart.Of(number, Segment(path, text))];
        }

        if (TokenizerFile.Find(part, "SpecialToken") is not { } special || TokenizerFile.Text(path, special, "id") is not { } name) throw Wrong(path, part);
        if (TokenizerFile.Find(of, "special_tokens") is not { } tokens || TokenizerFile.Find(tokens, name) is not { } token || TokenizerFile.Find(token, "ids") is not { ValueKind: JsonValueKind.Array } ids)
            throw new InvalidDataException($"{path}: the post_processor's special_tokens have no ids of '{name}'");
        int segment = Segment(path, special);
        return ids.EnumerateArray().Select(id => TemplatePart.Special(TokenizerFile.Id(path, id, $"'{name}'"), segment));
    }

    private static int Segment(string path, JsonElement of) => TokenizerFile.Find(of, "type_id") is { } id ? TokenizerFile.Id(path, id, "a type_id", 16) : 0;

    private static InvalidDataException Wrong(string path, JsonElement part) => new($"{path}: the post_processor has a part {TokenizerFile.Brief(part)}, expected a Sequence or a SpecialToken with an id");
}
