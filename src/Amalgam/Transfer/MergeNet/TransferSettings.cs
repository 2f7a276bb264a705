using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Amalgam.Training;
using static System.FormattableString;

namespace Amalgam.Transfer.MergeNet;

/// <summary>What a transfer's course depends on beside what its state holds, in texts by name that are the same under every culture. Functions among the settings have none and are left out.</summary>
internal sealed class TransferSettings
{
    private const int DigitsShown = 16;

    private readonly string _transfer;
    private readonly OrderedDictionary<string, string> _texts;

    /// <param name="transfer">The settings.</param>
    /// <param name="frozen">Of each source that training does not change, and whose numbers are in no state, what it is; null of another.</param>
    public TransferSettings(KnowledgeTransfer transfer, IEnumerable<Tensor?> frozen)
    {
        _transfer = transfer.Name;
        _texts = new()
        {
            ["source"] = string.Join(" + ", transfer.Sources.Select(Text)),
            ["frozen source"] = string.Join(" + ", frozen.Select(source => source is null ? "none" : Digest(source))),
            ["target"] = Text(transfer.Target),
            ["adapter"] = transfer.Adapter.Description,
            ["cycle"] = Invariant($"{transfer.Cycle}"),
            ["rule"] = Invariant($"{transfer.Rule}"),
            ["damping"] = Invariant($"{transfer.Damping ?? transfer.Adapter.UsualDamping}"),
            ["trust region"] = Invariant($"{transfer.TrustRegion ?? transfer.Adapter.UsualTrustRegion}"),
            ["optimizer"] = RuleText.Of(transfer.Optimizer),
            ["learning rate"] = Invariant($"{transfer.Rate}"),
            ["schedule"] = RuleText.Of(transfer.Schedule),
            ["largest norm"] = transfer.ClipNorm is { } most ? Invariant($"{most}") : "none",
            ["resets momentum"] = Invariant($"{transfer.ResetsMomentum}"),
            ["writes dropout"] = Invariant($"{transfer.WritesDropout}"),
            ["seed"] = Invariant($"{transfer.Seed}"),
        };
    }

    /// <summary>Writes them.</summary>
    public void Save(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        foreach (var (name, text) in _texts) json.WriteString(name, text);
        json.WriteEndObject();
    }

    /// <summary>Compares them with what <see cref="Save"/> wrote.</summary>
    /// <param name="saved">The settings in a state.</param>
    /// <param name="path">The state's file.</param>
    /// <exception cref="TrainingException">One differs.</exception>
    public void Check(JsonElement saved, string path)
    {
        foreach (var (name, text) in _texts)
        {
            string? other = saved.GetProperty(name).GetString();
            if (other == text) continue;
            var (was, now) = Differing(other ?? "", text);
            throw new TrainingException($"{path} is the state of another run: of the transfer {_transfer} the setting '{name}' is {was} there and {now} here; resume it with what it began with, or begin anew with another state");
        }
    }

    private static string Text(TransferMatrix matrix) =>
        $"{matrix.Learner}:{matrix.Matrix}{(matrix.Rank > 0 ? Invariant($" at rank {matrix.Rank}, {matrix.Start}, alpha {matrix.Alpha}") : "")}";

    private static string Digest(Tensor source)
    {
        byte[] hash = SHA256.HashData(MemoryMarshal.AsBytes(source.Span));
        return $"one with the digest {Convert.ToHexStringLower(hash)[..DigitsShown]}";
    }

    /// <summary>Of two lists of equally many parts those that are not the same.</summary>
    private static (string, string) Differing(string was, string now)
    {
        string[] a = was.Split(", "), b = now.Split(", ");
        if (a.Length != b.Length) return (was, now);
        int[] others = [.. Enumerable.Range(0, a.Length).Where(i => a[i] != b[i])];
        return (string.Join(", ", others.Select(i => a[i])), string.Join(", ", others.Select(i => b[i])));
    }
}
