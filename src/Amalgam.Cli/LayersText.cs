using System.Text.Json;
using Amalgam.Alignment.Layers;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary>The layers of networks as people and programs read them.</summary>
internal static class LayersText
{
    private const int MostColumns = 12;

    /// <summary>Prints the layers of one network.</summary>
    public static void Write(TextWriter output, string name, NetworkLayers network)
    {
        output.WriteLine($"{Printable.Line(name)}: {Count(network.Layers.Length, "hidden layer")} in {Count(network.Groups.Length, "group")}");
        output.WriteLine();
        Table table = new(2, "GROUP", "LAYER", ">WIDTH", "OPERATIONS");
        foreach (LayerGroup group in network.Groups)
        {
            foreach (NetworkLayer layer in group.Layers)
                table.Add(layer == group.Layers[0] ? group.Name : "", Printable.Line(layer.Name), $"{layer.Width}", layer.Operations + (layer.IsTransition ? "; changes the resolution or the width" : ""));
        }

        table.Write(output, Screen.WidthOf(output));
    }

    /// <summary>Prints which layers of two networks belong together: for each group the costs of all pairs, or of many only those of the mapping.</summary>
    public static void Write(TextWriter output, string[] names, LayerMapping mapping, LayerMeasure measure, string? on)
    {
        output.WriteLine($"layers of {Printable.Line(names[0])} (rows, {mapping.A.Layers.Length}) and {Printable.Line(names[1])} (columns, {mapping.B.Layers.Length}), by {FusionWords.Measures.Of(measure)}{(on is null ? "" : $" on {Printable.Line(on)}")}");
        output.WriteLine(measure switch
        {
            LayerMeasure.Cka => "The cost of a pair is one minus the linear CKA of its pre-activations; [ ] marks layers that belong together.",
            LayerMeasure.Width => "The cost of a pair is the squared difference of its widths; [ ] marks layers that belong together.",
            _ => "The cost of a pair is the Wasserstein distance of its units; [ ] marks layers that belong together.",
        });
        bool hasForbidden = false;
        foreach (GroupMapping group in mapping.Groups)
        {
            output.WriteLine();
            if (group.B.Count <= MostColumns) WriteMatrix(output, group);
            else WritePairs(output, group);
            hasForbidden |= group.Cost.Any(double.IsNaN);
        }

        if (!hasForbidden) return;
        output.WriteLine();
        output.WriteLine("- stands where two layers do different things and cannot be matched.");
    }

    /// <summary>Prints the layers of one network as JSON.</summary>
    public static void WriteJson(TextWriter output, string path, NetworkLayers network) => Json.Write(output, json =>
    {
        json.WriteString("path", path);
        json.WriteStartArray("groups");
        foreach (LayerGroup group in network.Groups)
        {
            json.WriteStartObject();
            json.WriteString("name", group.Name);
            json.WriteString("kind", group.Kind.ToString());
            json.WriteStartArray("layers");
            foreach (NetworkLayer layer in group.Layers) Write(json, layer);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    /// <summary>Prints the mapping with all costs as JSON.</summary>
    public static void WriteJson(TextWriter output, string[] paths, LayerMapping mapping, LayerMeasure measure) => Json.Write(output, json =>
    {
        json.Strings("paths", paths);
        json.WriteString("measure", FusionWords.Measures.Of(measure));
        json.WriteStartArray("groups");
        foreach (GroupMapping group in mapping.Groups)
        {
            json.WriteStartObject();
            json.WriteString("kind", group.A.Kind.ToString());
            json.Strings("a", group.A.Layers.Select(layer => layer.Name));
            json.Strings("b", group.B.Layers.Select(layer => layer.Name));
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
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static void Write(Utf8JsonWriter json, NetworkLayer layer)
    {
        json.WriteStartObject();
        json.WriteString("name", layer.Name);
        json.WriteNumber("width", layer.Width);
        json.WriteString("operations", layer.Operations);
        json.WriteString("signature", layer.Signature);
        json.WriteBoolean("transition", layer.IsTransition);
        json.WriteEndObject();
    }

    private static void WriteMatrix(TextWriter output, GroupMapping group)
    {
        HashSet<(NetworkLayer, NetworkLayer)> pairs = [.. group.Pairs];
        Table table = new(1, [group.A.Name, .. group.B.Layers.Select(layer => $">{Printable.Line(layer.Name)} ")]);
        for (int row = 0; row < group.A.Count; row++)
        {
            NetworkLayer a = group.A.Layers[row];
            table.Add([$"  {Printable.Line(a.Name)}", .. group.B.Layers.Select((b, column) => Printable.Number(group.Cost[row * group.B.Count + column]) is var cost && pairs.Contains((a, b)) ? $"[{cost}]" : $"{cost} ")]);
        }

        table.Write(output, Screen.WidthOf(output));
    }

    private static void WritePairs(TextWriter output, GroupMapping group)
    {
        Table table = new(1, group.A.Name, "BELONGS TO", ">COST");
        foreach (LayerPair pair in LayerPair.Of(group))
            table.Add($"  {Printable.Line(pair.A?.Name ?? "-")}", Printable.Line(pair.B?.Name ?? "-"), double.IsNaN(pair.Cost) ? "" : $"[{Printable.Number(pair.Cost)}]");
        table.Write(output, Screen.WidthOf(output));
    }

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";
}
