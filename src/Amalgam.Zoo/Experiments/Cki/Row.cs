using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>What one method came to with one seed.</summary>
/// <param name="Start">The kind of pair.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Method">The method, as tables name it.</param>
/// <param name="Chosen">What the validation data chose; empty where there was no choice.</param>
/// <param name="Tried">Among how many.</param>
/// <param name="Validation">The figure that decides, on the validation data.</param>
/// <param name="Test">The figures on the test data.</param>
/// <param name="Parameters">Numbers that inference needs.</param>
/// <param name="Steps">Training steps after the pair was trained.</param>
public sealed record Row(CkiStart Start, int Seed, string Method, string Chosen, int Tried, double Validation, ImmutableArray<double> Test, long Parameters, long Steps)
{
    /// <summary>One line of JSON.</summary>
    /// <param name="names">Names of the figures.</param>
    public string ToJson(ImmutableArray<string> names)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteString("start", Start == CkiStart.Same ? "same" : "other");
            json.WriteNumber("seed", Seed);
            json.WriteString("method", Method);
            if (Chosen != "") json.WriteString("chosen", Chosen);
            json.WriteNumber("tried", Tried);
            WriteFinite(json, "validation", Validation);
            json.WriteStartObject("test");
            for (int i = 0; i < names.Length; i++) WriteFinite(json, names[i], Test[i]);
            json.WriteEndObject();
            json.WriteNumber("parameters", Parameters);
            json.WriteNumber("steps", Steps);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>Reads a line of JSON.</summary>
    public static Row Parse(string line, ImmutableArray<string> names)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        JsonElement json = document.RootElement, test = json.GetProperty("test");
        return new(
            json.GetProperty("start").GetString() == "same" ? CkiStart.Same : CkiStart.Other,
            json.GetProperty("seed").GetInt32(),
            json.GetProperty("method").GetString()!,
            json.TryGetProperty("chosen", out JsonElement chosen) ? chosen.GetString()! : "",
            json.GetProperty("tried").GetInt32(),
            Number(json, "validation"),
            [.. names.Select(name => Number(test, name))],
            json.GetProperty("parameters").GetInt64(),
            json.GetProperty("steps").GetInt64());
    }

    /// <summary>A figure that is not defined is left out: JSON has no word for it.</summary>
    private static void WriteFinite(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, value);
    }

    private static double Number(JsonElement json, string name) => json.TryGetProperty(name, out JsonElement value) ? value.GetDouble() : double.NaN;
}
