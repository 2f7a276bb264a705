using System.Text.Json;
using Amalgam.Alignment.Layers;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary>The layers of networks as programs read them.</summary>
internal static class LayersJson
{
    /// <summary>Prints the layers of one network.</summary>
    public static void Write(TextWriter output, string path, NetworkLayers network) => Json.Write(output, json =>
    {
        json.WriteString("path", path);
        json.WriteStartArray("groups");
        foreach (LayerGroup group in network.Groups)
        {
            json.WriteStartObject();
            json.WriteString("kind", KindOf(group));
            Write(json, group);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.Strings("notes", network.Notes);
    });

    /// <summary>Prints the mapping with all costs, and how it was found.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="paths">The networks.</param>
    /// <param name="mapping">Their layers.</param>
    /// <param name="options">How they were matched.</param>
    /// <param name="samples">Samples that were looked at; null where none were.</param>
    /// <param name="data">What they are of.</param>
    public static void Write(TextWriter output, string[] paths, LayerMapping mapping, LayerOptions options, int? samples, string? data) => Json.Write(output, json =>
    {
        json.Strings("paths", paths);
        json.WriteString("measure", FusionWords.Measures.Of(options.Measure));
        if (samples is { } count)
        {
            json.WriteString("data", data);
            json.WriteNumber("samples", count);
            json.WriteNumber("seed", options.Seed);
        }

        json.WriteNumber("pin_first", options.PinnedFirst);
        json.WriteNumber("pin_last", options.PinnedLast);
        json.Number("total", mapping.Groups.Sum(group => group.Total));
        json.WriteStartArray("groups");
        foreach (GroupMapping group in mapping.Groups) Write(json, group);
        json.WriteEndArray();
        json.Strings("notes", mapping.Notes);
    });

    private static void Write(Utf8JsonWriter json, GroupMapping group)
    {
        json.WriteStartObject();
        json.WriteString("kind", KindOf(group.A));
        json.WriteStartObject("a");
        Write(json, group.A);
        json.WriteEndObject();
        json.WriteStartObject("b");
        Write(json, group.B);
        json.WriteEndObject();
        json.WriteStartArray("cost");
        for (int row = 0; row < group.A.Count; row++)
        {
            json.WriteStartArray();
            foreach (double cost in group.Cost.AsSpan(row * group.B.Count, group.B.Count))
            {
                if (double.IsFinite(cost)) json.WriteNumberValue(cost);
                else json.WriteNullValue();
            }

            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteStartArray("pairs");
        foreach (var (a, b) in group.Pairs)
        {
            json.WriteStartArray();
            json.WriteNumberValue(a.Index - group.A.Layers[0].Index);
            json.WriteNumberValue(b.Index - group.B.Layers[0].Index);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.Number("total", group.Total);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, LayerGroup group)
    {
        json.WriteString("name", group.Name);
        json.WriteStartArray("layers");
        foreach (NetworkLayer layer in group.Layers)
        {
            json.WriteStartObject();
            json.WriteString("name", layer.Name);
            json.WriteNumber("width", layer.Width);
            json.WriteString("operations", layer.Operations);
            json.WriteString("signature", layer.Signature);
            json.WriteBoolean("transition", layer.IsTransition);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string KindOf(LayerGroup group) => group.Kind.ToString().ToLowerInvariant();
}
