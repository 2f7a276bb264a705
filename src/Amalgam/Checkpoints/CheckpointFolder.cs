using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace Amalgam.Checkpoints;

/// <summary>
/// A folder that holds a checkpoint, in one file or in shards with an index (<c>*.index.json</c>), as Hugging Face lays them out. safetensors is taken before
/// PyTorch files when a folder has both.
/// </summary>
internal static class CheckpointFolder
{
    private const string IndexEnding = ".index.json";
    private const long IndexLimit = 64L << 20;
    private const int TensorLimit = 500_000, NoteLimit = 100_000;

    /// <exception cref="FileNotFoundException">The folder holds no checkpoint, or more than one.</exception>
    /// <exception cref="InvalidDataException">The index or a shard breaks a rule.</exception>
    public static Checkpoint Open(string folder)
    {
        string file = FindMain(folder);
        if (file.EndsWith(IndexEnding, StringComparison.Ordinal)) return OpenSharded(folder, file);
        Checkpoint single = CheckpointFormat.Open(file);
        return new(folder, single.Format, single.Tensors, single.Storages, single.Metadata, single.Notes);
    }

    /// <summary>The one index or checkpoint file of a folder: the usual names first, then the only candidate of a format.</summary>
    private static string FindMain(string folder)
    {
        foreach (string usual in (string[])["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"])
        {
            string path = Path.Combine(folder, usual);
            if (File.Exists(path)) return path;
        }

        string[] files = [.. Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)];
        if (files.Select(Path.GetFileName).FirstOrDefault(f => f == "adapter_config.json" || f!.StartsWith("adapter_model.", StringComparison.Ordinal)) is { } adapter)
            throw new FileNotFoundException($"{folder} holds an adapter ({adapter}) and no model.safetensors or pytorch_model.bin; Amalgam does not apply adapters, so merge it into its model first, as PEFT's merge_and_unload does");
        foreach (CheckpointFormat format in CheckpointFormat.All)
        {
            foreach (string ending in (IEnumerable<string>)[.. format.Extensions.Select(e => e + IndexEnding), .. format.Extensions])
            {
                string[] found = [.. files.Where(f => f.EndsWith(ending, StringComparison.OrdinalIgnoreCase))];
                if (found.Length == 1) return found[0];
                if (found.Length > 1)
                    throw new FileNotFoundException($"{folder} has {found.Length} files that end in {ending} and no index that says which belong together; name one of them: {Names(found)}");
            }
        }

        string[] inside = [.. Directory.EnumerateDirectories(folder).Where(inner => File.Exists(Path.Combine(inner, "model.safetensors"))).Order(StringComparer.Ordinal)];
        if (inside.Length > 0) throw new FileNotFoundException($"{folder} holds no checkpoint itself; the folders in it do: {string.Join(", ", inside)}");
        throw new FileNotFoundException($"{folder} holds no checkpoint ({string.Join(", ", CheckpointFormat.All.SelectMany(f => f.Extensions).Distinct())}); it has {(files.Length == 0 ? "no files" : Names(files))}");
    }

    private static string Names(string[] files) =>
        string.Join(", ", files.Take(6).Select(Path.GetFileName)) + (files.Length > 6 ? $" and {files.Length - 6} more" : "");

    private static Checkpoint OpenSharded(string folder, string index)
    {
        var (map, metadata) = ReadIndex(index);
        Dictionary<string, Checkpoint> shards = new(StringComparer.Ordinal);
        try
        {
            foreach (string file in map.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
            {
                string path = Path.Combine(folder, file);
                if (!File.Exists(path)) throw Invalid(index, $"it names the shard '{file}', which does not exist in {folder}");
                shards.Add(file, CheckpointFormat.Open(path));
            }

            var tensors = ImmutableArray.CreateBuilder<TensorEntry>(map.Count);
            foreach (var (name, file) in map)
            {
                if (!shards[file].TryFind(name, out TensorEntry? tensor)) throw Invalid(index, $"it says that '{name}' is in {file}, which has no such tensor");
                tensors.Add(tensor);
            }

            var notes = shards.SelectMany(s => s.Value.Tensors.Where(t => !map.TryGetValue(t.Name, out string? file) || file != s.Key).Select(t => $"{s.Key} holds '{t.Name}', which the index does not list there; it is left out"));
            var all = shards.Values.SelectMany(s => s.Notes).Concat(notes);
            return new(folder, shards.Values.First().Format, tensors.ToImmutable(), [.. shards.Values.SelectMany(s => s.Storages)], metadata, [.. all]);
        }
        catch
        {
            foreach (Checkpoint shard in shards.Values) shard.Dispose();
            throw;
        }
    }

    private static (Dictionary<string, string> Map, ImmutableDictionary<string, string> Metadata) ReadIndex(string index)
    {
        if (new FileInfo(index).Length > IndexLimit) throw Invalid(index, $"it is larger than {IndexLimit} bytes");
        try
        {
            return ParseIndex(index, File.ReadAllBytes(index));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Invalid(index, e.Message, e);
        }
    }

    /// <summary>Token by token: a document model takes several times the file, and would hide duplicates.</summary>
    private static (Dictionary<string, string> Map, ImmutableDictionary<string, string> Metadata) ParseIndex(string index, ReadOnlySpan<byte> bytes)
    {
        Utf8JsonReader json = new(bytes, new() { MaxDepth = 8 });
        Dictionary<string, string>? map = null, metadata = null;
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject) throw Invalid(index, "it has no object 'weight_map'");
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string? part = json.ValueTextEquals("weight_map"u8) ? "weight_map" : json.ValueTextEquals("metadata"u8) ? "metadata" : null;
            json.Read();
            if (part is null || json.TokenType != JsonTokenType.StartObject) json.Skip();
            else if ((part == "metadata" ? metadata : map) is not null) throw Invalid(index, $"Duplicate '{part}'");
            else if (part == "metadata") metadata = ParseNotes(index, ref json, bytes);
            else map = ParseMap(index, ref json, bytes);
        }

        json.Read(); // only white space may follow: the reader throws at anything else
        if (map is null) throw Invalid(index, "it has no object 'weight_map'");
        if (map.Count == 0) throw Invalid(index, "its weight_map is empty");
        return (map, metadata is null ? ImmutableDictionary<string, string>.Empty : metadata.ToImmutableDictionary(StringComparer.Ordinal));
    }

    private static Dictionary<string, string> ParseMap(string index, ref Utf8JsonReader json, ReadOnlySpan<byte> bytes)
    {
        Dictionary<string, string> map = new(StringComparer.Ordinal), files = new(StringComparer.Ordinal);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!;
            json.Read();
            string text = Text(ref json, bytes, out bool isString);
            if (!isString || !IsPlainName(text)) throw Invalid(index, $"'{name}' is said to be in '{text}', which is not a plain file name");
            if (!files.TryGetValue(text, out string? file)) files.Add(text, file = text); // one string for all of a shard's tensors
            if (!map.TryAdd(name, file)) throw Invalid(index, $"Duplicate '{name}' in its weight_map");
            if (map.Count > TensorLimit) throw Invalid(index, $"it lists more than {TensorLimit} tensors");
        }

        return map;
    }

    private static Dictionary<string, string> ParseNotes(string index, ref Utf8JsonReader json, ReadOnlySpan<byte> bytes)
    {
        Dictionary<string, string> notes = new(StringComparer.Ordinal);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!;
            json.Read();
            if (!notes.TryAdd(name, Text(ref json, bytes, out _))) throw Invalid(index, $"Duplicate '{name}' in its metadata");
            if (notes.Count > NoteLimit) throw Invalid(index, $"it has more than {NoteLimit} metadata entries");
        }

        return notes;
    }

    /// <summary>A string's text, or the JSON of another value.</summary>
    private static string Text(ref Utf8JsonReader json, ReadOnlySpan<byte> bytes, out bool isString)
    {
        isString = json.TokenType == JsonTokenType.String;
        if (isString) return json.GetString()!;
        int begin = (int)json.TokenStartIndex;
        json.Skip();
        return Encoding.UTF8.GetString(bytes[begin..(int)json.BytesConsumed]);
    }

    /// <summary>No way out of the folder: no separators of any system, no drive, no dots alone.</summary>
    private static bool IsPlainName(string file) => file.Length > 0 && file is not ("." or "..") && file.AsSpan().IndexOfAny("/\\:\0") < 0;

    private static InvalidDataException Invalid(string index, string why, Exception? inner = null) => new($"{index} is not a valid checkpoint index: {why}", inner);
}
