using System.Text.Json;

namespace Amalgam.Zoo.Models;

/// <summary>The values of a Hugging Face <c>config.json</c>. What is wrong with them is collected, so that all of it is told at once.</summary>
internal sealed class HuggingFaceConfig
{
    private const long Largest = 64L << 20;

    private readonly JsonElement _root;
    private readonly List<string> _problems = [];

    private HuggingFaceConfig(string path, JsonElement root) => (Path, _root) = (path, root);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Reads <c>config.json</c> of a folder.</summary>
    /// <exception cref="InvalidDataException">There is none, or it is not a JSON object.</exception>
    public static HuggingFaceConfig Read(string folder)
    {
        string path = System.IO.Path.Combine(folder, "config.json");
        if (!File.Exists(path)) throw new InvalidDataException($"{folder} has no config.json, which says what the model is");
        if (new FileInfo(path).Length > Largest) throw new InvalidDataException($"{path} is larger than {Largest} bytes");
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(path), new() { MaxDepth = 32 });
            if (json.RootElement.ValueKind != JsonValueKind.Object) throw new InvalidDataException($"{path} is not a JSON object");
            return new(path, json.RootElement.Clone());
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} is not JSON: {e.Message}", e);
        }
    }

    /// <summary>Throws what was found wrong so far.</summary>
    /// <exception cref="InvalidDataException">Something was.</exception>
    public void Check()
    {
        if (_problems.Count > 0) throw new InvalidDataException($"{Path}: {string.Join("; ", _problems)}");
    }

    /// <summary>Notes something that is wrong.</summary>
    public void Refuse(string problem) => _problems.Add(problem);

    /// <summary>A whole number from 1 on.</summary>
    public int Whole(string key, int? fallback = null)
    {
        if (!Find(key, out JsonElement value)) return fallback ?? Missing(key, 1);
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int whole) && whole > 0) return whole;
        Refuse($"'{key}' must be a whole number from 1 on, found {value}");
        return 1;
    }

    /// <summary>An id from 0 on.</summary>
    public int Id(string key, int fallback)
    {
        if (!Find(key, out JsonElement value)) return fallback;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int id) && id >= 0) return id;
        Refuse($"'{key}' must be a whole number from 0 on, found {value}");
        return 0;
    }

    /// <summary>A number from 0 on, below a limit.</summary>
    public float Number(string key, float fallback, double limit = 1)
    {
        if (!Find(key, out JsonElement value)) return fallback;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= 0 && number < limit) return (float)number;
        Refuse($"'{key}' must be a number from 0 on, below {limit}, found {value}");
        return 0;
    }

    /// <summary>True or false.</summary>
    public bool Flag(string key, bool fallback)
    {
        if (!Find(key, out JsonElement value)) return fallback;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False) return value.GetBoolean();
        Refuse($"'{key}' must be true or false, found {value}");
        return fallback;
    }

    /// <summary>One of a few words.</summary>
    public string Word(string key, string fallback, params IEnumerable<string> known)
    {
        if (!Find(key, out JsonElement value)) return fallback;
        if (value.ValueKind == JsonValueKind.String && known.Contains(value.GetString())) return value.GetString()!;
        Refuse($"'{key}' {value} is not supported; supported: {string.Join(", ", known)}");
        return fallback;
    }

    /// <summary>Refuses keys that change what a model computes in ways that are not built, unless they hold what leaves it unchanged: null, false, or nothing.</summary>
    public void RefuseUnlessEmpty(params ReadOnlySpan<string> keys)
    {
        foreach (string key in keys)
        {
            if (!Find(key, out JsonElement value)) continue;
            bool empty = value.ValueKind == JsonValueKind.False
                || (value.ValueKind == JsonValueKind.Object && !value.EnumerateObject().Any())
                || (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0);
            if (!empty) Refuse($"'{key}' {value} is not supported");
        }
    }

    /// <summary>The text of a key, null when it has none.</summary>
    public string? Text(string key) => Find(key, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>The first text of a list, null when there is none.</summary>
    public string? FirstOf(string key) =>
        Find(key, out JsonElement value) && value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0 && value[0].ValueKind == JsonValueKind.String ? value[0].GetString() : null;

    /// <summary>Whether the labels have names.</summary>
    public bool NamesLabels => Find("id2label", out JsonElement labels) && labels.ValueKind == JsonValueKind.Object;

    /// <summary>Number of a classifier's classes: the labels', or <c>num_labels</c>, or two.</summary>
    public int Labels => Find("id2label", out JsonElement labels) && labels.ValueKind == JsonValueKind.Object && labels.EnumerateObject().Any() ? labels.EnumerateObject().Count() : Whole("num_labels", 2);

    private int Missing(string key, int standIn)
    {
        Refuse($"'{key}' is missing");
        return standIn;
    }

    private bool Find(string key, out JsonElement value) => _root.TryGetProperty(key, out value) && value.ValueKind != JsonValueKind.Null;
}
