using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Runs;

/// <summary>What a transfer run came to, for programs. But for the times the same bytes for the same run.</summary>
internal static class TransferJson
{
    /// <summary>The key of what tells a run from others.</summary>
    public const string Identity = "run";

    /// <summary>Among the times, those of the first rounds, which those of a round leave out.</summary>
    public const string First = "first_rounds";

    /// <summary>Among the times, that they are those of several starts.</summary>
    public const string Resumed = "resumed";

    /// <summary>What <c>result.json</c> says.</summary>
    public static string Result(TransferResult result) => Text(json =>
    {
        json.WriteStartObject();
        json.WriteString(Identity, result.Identity);
        json.WriteStartObject("models");
        foreach (TransferredModel model in result.Models) Write(json, model);
        json.WriteEndObject();
        if (!result.Frozen.IsEmpty)
        {
            json.WriteStartObject("frozen");
            foreach (FrozenTeacher teacher in result.Frozen) Write(json, teacher, result);
            json.WriteEndObject();
        }

        json.WriteNumber("rounds", result.Rounds);
        json.WriteStartArray("transfers");
        foreach (TransferSummary summary in result.Transfers) Write(json, summary);
        json.WriteEndArray();
        WriteTexts(json, "notes", result.Notes);
        WriteTexts(json, "warnings", TransferSentences.Warnings(result));
        WriteTimes(json, result);
        json.WriteEndObject();
    }, indented: true) + "\n";

    /// <summary>A line of <c>transfers.jsonl</c>: which transfer, and what it came to in an epoch.</summary>
    public static string Line(KnowledgeTransfer transfer, TransferRecord record) => $"{{\"transfer\":{Text(json => json.WriteStringValue(transfer.Name), indented: false)},{record.ToJson()[1..]}";

    private static void Write(Utf8JsonWriter json, TransferredModel model)
    {
        json.WriteStartObject(model.Name);
        json.WriteNumber("parameters", model.Parameters);
        json.WriteBoolean("same_network", model.IsSameNetwork);
        json.WriteBoolean("changed_by_transfers", model.IsChanged);
        json.WritePropertyName("with_transfers");
        model.Together.Write(json);
        if (model.Solo is { } solo)
        {
            json.WritePropertyName("solo");
            solo.Write(json);
        }

        foreach (var (name, compared) in new[] { ("validation", model.Compared(onTest: false)), ("test", model.Compared(onTest: true)) })
        {
            if (compared is not null && double.IsFinite(compared.Together) && double.IsFinite(compared.Solo ?? 0)) Write(json, name, compared);
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, FrozenTeacher teacher, TransferResult result)
    {
        json.WriteStartObject(teacher.Name);
        json.WriteNumber("parameters", teacher.Parameters);
        json.WriteString("data_of", teacher.DataOf);
        foreach (var (name, onTest) in new[] { ("validation", false), ("test", true) })
        {
            if (result.RowsOf(onTest).FirstOrDefault(row => row.Name == teacher.Name) is { } row) Write(json, name, row.Score);
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, ComparedScore score)
    {
        json.WriteStartObject(name);
        json.WriteString("measure", score.Measure);
        foreach (var (key, value) in new (string, double?)[] { ("as_given", score.Given), ("with_transfers", score.Together), ("solo", score.Solo), ("difference", score.Difference) })
        {
            if (value is { } number && double.IsFinite(number)) json.WriteNumber(key, number);
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, TransferSummary summary)
    {
        KnowledgeTransfer transfer = summary.Transfer;
        json.WriteStartObject();
        json.WritePropertyName("from");
        if (transfer.Sources.Length > 1) json.WriteStartArray();
        foreach (TransferMatrix source in transfer.Sources) Write(json, source);
        if (transfer.Sources.Length > 1) json.WriteEndArray();
        json.WritePropertyName("to");
        Write(json, transfer.Target);
        json.WriteNumber("cycle", transfer.Cycle);
        json.WriteString("adapter", transfer.Adapter.Name);
        json.WriteNumber("adapter_parameters", summary.Parameters);
        if (summary.History is [.., var last])
        {
            json.WriteNumber("transfers", last.Transfers);
            if (double.IsFinite(last.Change)) json.WriteNumber("last_change", last.Change);
        }

        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, TransferMatrix end)
    {
        json.WriteStartObject();
        json.WriteString("model", end.Learner);
        json.WriteString("matrix", end.Matrix.Name);
        json.WriteNumber("rows", end.Matrix.Rows);
        json.WriteNumber("columns", end.Matrix.Columns);
        json.WriteNumber("rank", end.Rank);
        json.WriteEndObject();
    }

    private static void WriteTimes(Utf8JsonWriter json, TransferResult result)
    {
        json.WriteStartObject("seconds");
        WritePhases(json, result.Times);
        if (result.First.Rounds > 0 && !result.Resumed)
        {
            json.WriteStartObject(First);
            json.WriteNumber("rounds", result.First.Rounds);
            WritePhases(json, result.First.Times);
            json.WriteEndObject();
        }

        if (result.Resumed) json.WriteBoolean(Resumed, true);
        else json.WriteNumber("of_a_round_together", result.SecondsTogether);
        if (result.SecondsAlone is { } alone) json.WriteNumber("of_a_round_alone", alone);
        if (result.TimesAsLong is { } ratio) json.WriteNumber("ratio", ratio);
        json.WriteEndObject();
    }

    private static void WritePhases(Utf8JsonWriter json, PhaseTimes times)
    {
        foreach (var (name, time) in new[] { ("steps", times.Steps), ("transfers", times.Transfers), ("adapter_updates", times.AdapterUpdates), ("evaluation", times.Evaluation) }) json.WriteNumber(name, Math.Round(time.TotalSeconds, 3));
    }

    private static string Text(Action<Utf8JsonWriter> write, bool indented)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new() { Indented = indented, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) write(json);
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
