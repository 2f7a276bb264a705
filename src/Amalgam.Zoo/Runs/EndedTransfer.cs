using System.Collections.Immutable;
using System.Text.Json;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Runs;

/// <summary>What a transfer run that has ended left, read again: for another page, and for the comparison that was left out.</summary>
internal sealed class EndedTransfer
{
    private readonly string _folder;
    private readonly JsonElement _result;
    private readonly ILookup<string, TransferRecord> _transfers;
    private readonly Dictionary<string, RunResult> _together;

    /// <param name="folder">The run's folder.</param>
    /// <param name="trained">The networks that were trained.</param>
    /// <exception cref="InvalidDataException">What lies there is damaged.</exception>
    public EndedTransfer(string folder, IEnumerable<TransferMember> trained)
    {
        _folder = folder;
        _result = Parse(Path.Combine(folder, RunFolder.Result), File.ReadAllText, json => json);
        _transfers = Lines(Path.Combine(folder, TransferFolder.Transfers), json => (Name: json.GetProperty("transfer").GetString()!, Record: TransferRecord.Read(json))).ToLookup(line => line.Name, line => line.Record);
        (Times, First, Resumed, Notes) = Parse(Path.Combine(folder, RunFolder.Result), File.ReadAllText, json => (TimesOf(json.GetProperty("seconds")), FirstOf(json.GetProperty("seconds")), json.GetProperty("seconds").TryGetProperty(TransferJson.Resumed, out _), NotesOf(json)));
        _together = trained.ToDictionary(member => member.Model.Name, member => Read(Path.Combine(folder, member.Model.Name), member.Data!.MeritName));
    }

    /// <summary>Where the time of the training together went.</summary>
    public PhaseTimes Times { get; }

    /// <summary>What of it was in the first rounds.</summary>
    public FirstRounds First { get; }

    /// <summary>Whether the run had been interrupted.</summary>
    public bool Resumed { get; }

    /// <summary>What was said of it.</summary>
    public ImmutableArray<string> Notes { get; }

    /// <summary>What the transfers came to, epoch by epoch.</summary>
    public ImmutableArray<TransferRecord> HistoryOf(KnowledgeTransfer transfer) => [.. _transfers[transfer.Name]];

    /// <summary>What a network came to with the transfers.</summary>
    public RunResult Together(TransferMember member) => _together[member.Model.Name];

    /// <summary>What it came to by itself; null where it was not trained so to the end. One that no transfer changes trained as by itself.</summary>
    /// <exception cref="InvalidDataException">What lies there is damaged.</exception>
    public RunResult? Alone(TransferMember member, bool isChanged)
    {
        if (!isChanged) return ModelOf(member.Model.Name).TryGetProperty("solo", out _) ? Together(member) : null;
        string own = Path.Combine(_folder, TransferFolder.Solo, member.Model.Name);
        return IsWhole(own) ? Read(own, member.Data!.MeritName) : null;
    }

    /// <summary>Whether what was written of a network is the one that was given, operator for operator.</summary>
    public bool IsSameNetwork(string name) => ModelOf(name).TryGetProperty("same_network", out JsonElement same) && same.ValueKind == JsonValueKind.True;

    /// <summary>Whether a folder is that of a training that has ended: its result is the last that it writes.</summary>
    public static bool IsWhole(string folder) => File.Exists(Path.Combine(folder, RunFolder.Result)) && File.Exists(Path.Combine(folder, RunFolder.Metrics));

    private JsonElement ModelOf(string name) =>
        _result.TryGetProperty("models", out JsonElement models) && models.TryGetProperty(name, out JsonElement model) ? model : throw new InvalidDataException($"{Path.Combine(_folder, RunFolder.Result)} says nothing of {name}");

    private static RunResult Read(string folder, string meritName)
    {
        EpochRecord[] epochs = Lines(Path.Combine(folder, RunFolder.Metrics), EpochRecord.Read);
        return Parse(Path.Combine(folder, RunFolder.Result), File.ReadAllText, json => RunResult.Read(json, epochs, meritName));
    }

    private static PhaseTimes TimesOf(JsonElement seconds)
    {
        TimeSpan Of(string name) => seconds.GetProperty(name).GetDouble() is >= 0 and < 1e9 and var time ? TimeSpan.FromSeconds(time) : throw new FormatException($"{name} is no number of seconds");
        return new(Of("steps"), Of("transfers"), Of("adapter_updates"), Of("evaluation"));
    }

    private static FirstRounds FirstOf(JsonElement seconds) =>
        !seconds.TryGetProperty(TransferJson.First, out JsonElement first) ? default
        : first.GetProperty("rounds").GetInt64() is >= 0 and var rounds ? new(rounds, TimesOf(first)) : throw new FormatException("rounds is no number of rounds");

    private static ImmutableArray<string> NotesOf(JsonElement json) =>
        json.TryGetProperty("notes", out JsonElement notes) ? [.. notes.EnumerateArray().Select(note => note.GetString() ?? "")] : [];

    private static T[] Lines<T>(string path, Func<JsonElement, T> read) =>
        Parse(path, file => $"[{string.Join(',', File.ReadLines(file).Where(line => line.Length > 0))}]", json => json.EnumerateArray().Select(read).ToArray());

    private static T Parse<T>(string path, Func<string, string> text, Func<JsonElement, T> read)
    {
        if (!File.Exists(path)) throw new InvalidDataException($"{path} is missing, so what the run came to cannot be read again; --overwrite begins anew");
        try
        {
            using JsonDocument json = JsonDocument.Parse(text(path));
            return read(json.RootElement.Clone());
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            throw new InvalidDataException($"{path} is not what a run leaves: {e.Message}; --overwrite begins anew", e);
        }
    }
}
