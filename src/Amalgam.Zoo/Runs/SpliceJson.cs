using System.Text;
using System.Text.Json;
using Amalgam.Transfer;

namespace Amalgam.Zoo.Runs;

/// <summary>What a learned splice, or a student, came to, as JSON: the same bytes for the same run, so without times.</summary>
internal static class SpliceJson
{
    /// <summary>The figures of all networks and the sizes.</summary>
    public static string Result(SpliceResult result) => Write(json =>
    {
        Head(json, result);
        json.WriteNumber("epochs", result.Epochs.Length);
        if (result.Best is { } best) json.WriteNumber("best_epoch", best.Epoch);
        foreach (var (name, size) in new[] { ("host", result.Before), ("result", result.After) })
        {
            json.WriteStartObject(name);
            Size(json, size);
            json.WriteEndObject();
        }

        json.WriteBoolean("same_network", result.IsSameNetwork);
        json.WriteStartArray("networks");
        foreach (SpliceRow row in result.Rows)
        {
            json.WriteStartObject();
            Row(json, row);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    /// <summary>What a student came to as its training leaves it, with the figures and sizes of all networks beside it.</summary>
    public static string Result(DistillationResult result) => Write(json =>
    {
        result.Student.WriteFields(json);
        json.WriteString("method", result.Method.Name);
        json.WriteStartArray("networks");
        foreach (var (row, size) in result.Rows.Zip(result.Sizes))
        {
            json.WriteStartObject();
            Row(json, row);
            Size(json, size);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        foreach (var (name, difference) in new[] { ("validation", result.Difference(false)), ("test", result.Difference(true)) })
        {
            if (difference is null) continue;
            json.WriteStartObject($"difference_on_{name}");
            Number(json, difference.Name.Replace(' ', '_'), difference.Value);
            json.WriteEndObject();
        }

        json.WriteStartArray("notes");
        foreach (string note in result.Notes) json.WriteStringValue(note);
        json.WriteEndArray();
    });

    /// <summary>What became of each weight.</summary>
    public static string Weights(SpliceResult result) => Write(json =>
    {
        Head(json, result);
        json.WriteStartArray("weights");
        foreach (SplicedSummary weight in result.Weights)
        {
            json.WriteStartObject();
            json.WriteString("name", weight.Name);
            json.WriteStartArray("shape");
            foreach (long size in weight.Shape.Sizes) json.WriteNumberValue(size);
            json.WriteEndArray();
            if (!weight.Global.IsEmpty) Numbers(json, "g", weight.Global);
            Numbers(json, "share", weight.Shares.Select(s => s.Mean));
            Numbers(json, "share_5_percent", weight.Shares.Select(s => s.Low));
            Numbers(json, "share_95_percent", weight.Shares.Select(s => s.High));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static void Row(Utf8JsonWriter json, SpliceRow row)
    {
        json.WriteString("name", row.Name);
        json.WriteString("stage", row.Stage switch { SpliceStage.Given => "given", SpliceStage.Combined => "combined", _ => "trained" });
        Measures(json, "validation", row.Validation);
        Measures(json, "test", row.Test);
    }

    private static void Size(Utf8JsonWriter json, NetworkSize size)
    {
        json.WriteNumber("parameters", size.Parameters);
        json.WriteNumber("operators", size.Operators);
        json.WriteNumber("flop_per_sample", size.Work);
    }

    private static void Head(Utf8JsonWriter json, SpliceResult result)
    {
        json.WriteStartArray("models");
        foreach (string model in result.Models) json.WriteStringValue(model);
        json.WriteEndArray();
        json.WriteString("method", result.Method);
        json.WriteString("train", result.Train == TrainScope.All ? "all" : "splice");
    }

    private static void Measures(Utf8JsonWriter json, string name, IReadOnlyList<Measure> measures)
    {
        if (measures.Count == 0) return;
        json.WriteStartObject(name);
        foreach (Measure measure in measures) Number(json, measure.Name.Replace(' ', '_'), measure.Value);
        json.WriteEndObject();
    }

    private static void Numbers(Utf8JsonWriter json, string name, IEnumerable<double> values)
    {
        json.WriteStartArray(name);
        foreach (double value in values)
        {
            if (double.IsFinite(value)) json.WriteNumberValue(value);
            else json.WriteNullValue();
        }

        json.WriteEndArray();
    }

    private static void Number(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }

    private static string Write(Action<Utf8JsonWriter> properties)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new() { Indented = true }))
        {
            json.WriteStartObject();
            properties(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }
}
