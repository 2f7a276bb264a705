using System.Text;
using System.Text.Json;

namespace Amalgam.Zoo.Data.Tokenizers;

/// <summary>Reads the files of tokenizers: bounded in size, valid UTF-8, valid JSON without duplicates.</summary>
internal static class TokenizerFile
{
    private const long MostBytes = 256L << 20;
    private const int MostShown = 60;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>A text file.</summary>
    /// <exception cref="InvalidDataException">It is too large, or not UTF-8.</exception>
    public static string ReadText(string path)
    {
        byte[] bytes = ReadBytes(path);
        try
        {
            return Strict.GetString(bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? bytes.AsSpan(3) : bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"{path} is not UTF-8 text: byte {e.Index} is none of a character", e);
        }
    }

    /// <summary>A JSON object; what it is read for happens within the call, so that no wrong kind of value gets out as another exception.</summary>
    /// <exception cref="InvalidDataException">It is too large, or not a JSON object.</exception>
    public static T ReadJson<T>(string path, Func<JsonElement, T> read)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(ReadBytes(path), new() { MaxDepth = 64, AllowDuplicateProperties = false });
            if (json.RootElement.ValueKind != JsonValueKind.Object) throw new InvalidDataException($"{path} is not a JSON object");
            return read(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{path} is not valid JSON: {e.Message}", e);
        }
    }

    /// <summary>The value of a key, none where it is not there or null.</summary>
    public static JsonElement? Find(JsonElement of, string key) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>The text of a key, null where it is not there.</summary>
    /// <exception cref="InvalidDataException">It is no text.</exception>
    public static string? Text(string path, JsonElement of, string key) => Find(of, key) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : throw new InvalidDataException($"{path}: '{key}' must be a text, found {Brief(value)}");

    /// <summary>A flag, null where it is not there.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static bool? Flag(string path, JsonElement of, string key) => Find(of, key) is not { } value ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw new InvalidDataException($"{path}: '{key}' must be true or false, found {Brief(value)}");

    /// <summary>An id.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static int Id(string path, JsonElement value, string what, int most = 1 << 24) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int id) && id >= 0 && id < most
        ? id : throw new InvalidDataException($"{path}: {what} must have a whole number from 0 up to {most} as its id, found {Brief(value)}");

    /// <summary>A value as messages show it.</summary>
    public static string Brief(JsonElement value) => value.GetRawText() is { Length: > MostShown } text ? text[..MostShown] + " ..." : value.GetRawText();

    private static byte[] ReadBytes(string path)
    {
        long length = new FileInfo(path).Length;
        return length <= MostBytes ? File.ReadAllBytes(path) : throw new InvalidDataException($"{path} has {length:N0} bytes, more than any tokenizer's file ({MostBytes:N0})");
    }
}
