using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Runs;

/// <summary>What a transfer run came to, for programs. Without times: the same bytes for the same run.</summary>
internal static class TransferJson
{
    /// <summary>What <c>result.json</c> says.</summary>
    public static string Result(TransferResult result) => Text(json =>
    {
        json.WriteStartObject();
        json.WriteStartObject("models");
        foreach (TransferredModel model in result.Models) Write(json, model);
        json.WriteEndObject();
        json.WriteNumber("rounds", result.Rounds);
        json.WriteStartArray("transfers");
        foreach (TransferSummary summary in result.Transfers) Write(json, summary);
        json.WriteEndArray();
        json.WriteEndObject();
    }, indented: true) + "\n";

    /// <summary>A line of <c>transfers.jsonl</c>: which transfer, and what it came to in an epoch.</summary>
    public static string Line(KnowledgeTransfer transfer, TransferRecord record) => $"{{\"transfer\":{Text(json => json.WriteStringValue(transfer.Name), indented: false)},{record.ToJson()[1..]}";

    private static void Write(Utf8JsonWriter json, TransferredModel model)
    {
        json.WriteStartObject(model.Name);
        json.WriteNumber("parameters", model.Parameters);
        json.WriteBoolean("same_network", model.IsSameNetwork);
        json.WritePropertyName("with_transfers");
        model.Together.Write(json);
        if (model.Solo is { } solo)
        {
            json.WritePropertyName("solo");
            solo.Write(json);
        }

        foreach (var (name, compared) in new[] { ("validation", model.Compared(onTest: false)), ("test", model.Compared(onTest: true)) })
        {
            if (compared is not { Solo: not null } || !double.IsFinite(compared.Together) || !double.IsFinite(compared.Solo.Value)) continue;
            json.WriteStartObject($"difference_{name}");
            json.WriteNumber(compared.Measure, compared.Difference!.Value);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, TransferSummary summary)
    {
        KnowledgeTransfer transfer = summary.Transfer;
        json.WriteStartObject();
        foreach (var (name, end) in new[] { ("from", transfer.Source), ("to", transfer.Target) })
        {
            json.WriteStartObject(name);
            json.WriteString("model", end.Learner);
            json.WriteString("matrix", end.Matrix.Name);
            json.WriteNumber("rows", end.Matrix.Rows);
            json.WriteNumber("columns", end.Matrix.Columns);
            json.WriteNumber("rank", end.Rank);
            json.WriteEndObject();
        }

        json.WriteNumber("cycle", transfer.Cycle);
        json.WriteString("adapter", transfer.Adapter.Name);
        json.WriteNumber("adapter_parameters", summary.Parameters);
        if (summary.History is [.., var last]) json.WriteNumber("transfers", last.Transfers);
        json.WriteEndObject();
    }

    private static string Text(Action<Utf8JsonWriter> write, bool indented)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new() { Indented = indented, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) write(json);
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
