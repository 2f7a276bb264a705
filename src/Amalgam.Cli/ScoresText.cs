using System.Text.Json;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary>What networks are worth, as people and programs read it.</summary>
internal static class ScoresText
{
    public static void Write(TextWriter output, NetworkScores scores)
    {
        output.WriteLine();
        output.WriteLine($"on {scores.Samples:N0} {(scores.IsTest ? "test" : "calibration")} samples of {Printable.Line(scores.Data)}");
        Table table = new(1, ["NETWORK", .. scores.Names.Select(name => $">{name.ToUpperInvariant()}")]);
        foreach (NetworkRow row in scores.Rows) table.Add([Printable.Line(row.Name), .. scores.Names.Select(name => row.Measures.FirstOrDefault(m => m.Name == name) is { } measure ? NetworkScores.Text(measure) : "")]);
        table.Write(output, Screen.WidthOf(output));
    }

    public static void WriteJson(Utf8JsonWriter json, NetworkScores scores)
    {
        json.WriteStartArray("networks");
        foreach (NetworkRow row in scores.Rows)
        {
            json.WriteStartObject();
            json.WriteString("name", row.Name);
            foreach (Measure measure in row.Measures) json.Number(measure.Name.Replace(' ', '_'), measure.Value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
