using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace Amalgam.Zoo.Experiments;

/// <summary>One figure of a row.</summary>
/// <param name="Name">What it is, such as <c>joint</c>.</param>
/// <param name="Value">The figure; NaN where it is not defined.</param>
public readonly record struct Figure(string Name, double Value);

/// <summary>What one method came to on one pair.</summary>
/// <param name="Table">The table of the pair.</param>
/// <param name="Pair">The pair.</param>
/// <param name="Method">The method, as tables name it.</param>
/// <param name="Chosen">What the calibration data chose; empty where there was no choice.</param>
/// <param name="Tried">Among how many.</param>
/// <param name="Choice">The mean of the tasks' accuracies on the calibration data; NaN where it was not asked for.</param>
/// <param name="Test">The figures on the test data.</param>
/// <param name="Seconds">Time that the method took: statistics, matching, merging and the estimate of statistics; of a choice all of it.</param>
public sealed record MethodRow(string Table, string Pair, string Method, string Chosen, int Tried, double Choice, ImmutableArray<Figure> Test, double Seconds)
{
    /// <summary>The figure of that name; NaN without.</summary>
    public double this[string name] => Test.Where(f => f.Name == name).Select(f => f.Value).DefaultIfEmpty(double.NaN).First();

    /// <summary>One line of JSON.</summary>
    public string ToJson()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteString("table", Table);
            json.WriteString("pair", Pair);
            json.WriteString("method", Method);
            if (Chosen != "") json.WriteString("chosen", Chosen);
            if (Tried > 1) json.WriteNumber("tried", Tried);
            if (double.IsFinite(Choice)) json.WriteNumber("calibration", Math.Round(Choice, 6));
            json.WriteStartObject("test");
            foreach (Figure figure in Test)
            {
                if (double.IsFinite(figure.Value)) json.WriteNumber(figure.Name, Math.Round(figure.Value, 6));
                else json.WriteNull(figure.Name);
            }

            json.WriteEndObject();
            json.WriteNumber("seconds", Math.Round(Seconds, 2));
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>Reads a line of JSON; null where it is half a line, as a run that was killed may leave.</summary>
    public static MethodRow? Parse(string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement json = document.RootElement;
            return new(
                json.GetProperty("table").GetString()!,
                json.GetProperty("pair").GetString()!,
                json.GetProperty("method").GetString()!,
                json.TryGetProperty("chosen", out JsonElement chosen) ? chosen.GetString()! : "",
                json.TryGetProperty("tried", out JsonElement tried) ? tried.GetInt32() : 1,
                json.TryGetProperty("calibration", out JsonElement choice) ? choice.GetDouble() : double.NaN,
                [.. json.GetProperty("test").EnumerateObject().Select(f => new Figure(f.Name, f.Value.ValueKind == JsonValueKind.Null ? double.NaN : f.Value.GetDouble()))],
                json.GetProperty("seconds").GetDouble());
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}
