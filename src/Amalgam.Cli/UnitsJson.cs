using System.Text.Json;
using Amalgam.Alignment;

namespace Amalgam.Cli;

/// <summary>The units of a network as JSON.</summary>
internal static class UnitsJson
{
    public static void Write(TextWriter output, string name, UnitGroups groups, SelfCheckResult? check) => Json.Write(output, json =>
    {
        json.WriteString("path", name);
        json.WriteStartArray("groups");
        foreach (UnitGroup group in groups.Groups)
        {
            json.WriteStartObject();
            json.WriteString("name", group.Name);
            json.WriteString("structure", UnitsText.Structure(group));
            json.WriteBoolean("pinned", group.IsPinned);
            json.WriteStartArray("classes");
            foreach (UnitClass units in group.Classes) Write(json, units);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("pinned");
        foreach (PinnedAxis pin in groups.Pinned)
        {
            json.WriteStartObject();
            json.WriteString("tensor", pin.Parameter);
            json.WriteNumber("axis", pin.Axis);
            json.WriteNumber("size", pin.Size);
            json.WriteString("reason", pin.Reason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (check is null) return;
        json.WriteStartObject("check");
        json.Number("error", check.Error);
        json.Strings("culprits", check.Culprits);
        json.WriteEndObject();
    });

    private static void Write(Utf8JsonWriter json, UnitClass units)
    {
        json.WriteStartObject();
        json.WriteString("name", units.Name);
        json.WriteNumber("size", units.Size);
        json.WriteNumber("blocks", units.Blocks);
        json.WriteString("outer", units.Outer?.Name);
        json.WriteString("pinned", units.Pinned);
        json.WriteBoolean("tied", units.IsTied);
        json.WriteStartArray("tensors");
        foreach (UnitPlace place in units.Parameters)
        {
            json.WriteStartObject();
            json.WriteString("name", place.Node.Name);
            json.WriteNumber("axis", place.Axis);
            json.WriteString("side", place.Side == UnitSide.Out ? "out" : "in");
            json.WriteBoolean("statistic", place.IsStatistic);
            json.WriteNumber("offset", place.Part.Offset);
            json.WriteStartArray("digits");
            foreach (UnitDigit digit in place.Part.Digits)
            {
                json.WriteStartObject();
                json.WriteString("class", digit.Class?.Name);
                json.WriteNumber("size", digit.Size);
                json.WriteNumber("stride", digit.Stride);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("observed");
        foreach (UnitPlace tap in units.Taps.Union(units.LastTaps))
        {
            json.WriteStartObject();
            json.WriteString("node", tap.Node.Name ?? tap.Node.Op.Name);
            json.WriteNumber("axis", tap.Axis);
            json.WriteBoolean("default", units.LastTaps.Contains(tap));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
