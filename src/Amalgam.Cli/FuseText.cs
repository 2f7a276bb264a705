using System.Globalization;
using System.Text.Json;
using Amalgam.Alignment.Layers;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary>What a fusion of networks came to, as people and programs read it.</summary>
internal static class FuseText
{
    public static void Write(TextWriter output, NetworkFusion fusion, FusionScores? scores, string? target, string? tuned)
    {
        output.WriteLine(Printable.Line($"{string.Join(", ", fusion.Names)}: {fusion.Description.Text}"));
        foreach (FusionStep step in fusion.Steps)
        {
            output.WriteLine();
            output.WriteLine(Printable.Line($"{step.Pair.Source} in the widths of {step.Pair.Reference}"));
            WriteLayers(output, step, fusion.Description.Balance);
            output.WriteLine();
            WriteUnits(output, step);
        }

        if (scores is not null) ScoresText.Write(output, scores);
        if (scores?.ByClass is { } classes) WriteClasses(output, classes);
        output.WriteLine();
        output.WriteLine(Printable.Line(Combined(fusion)));
        if (fusion.ResetText != "") output.WriteLine(fusion.ResetText);
        string written = target is null ? "" : $"; fused network{(fusion.Architecture is { } model ? $" ({Printable.Line(model)})" : "")} in {Printable.Line(target)}{(tuned is null ? "" : $", fine-tuned one in {Printable.Line(tuned)}")}";
        output.WriteLine(string.Join(", ", fusion.Times.Select(t => $"{Printable.Line(t.Phase)} {t.Time.TotalSeconds:0.0} s")) + written);
    }

    /// <summary>What was matched, in a line.</summary>
    public static string Summary(NetworkFusion fusion)
    {
        int matched = fusion.Pairs.Sum(pair => pair.Layers.Pairs.Count()), units = fusion.Steps.Sum(step => step.Units.Sum(u => u.OfReference));
        return Printable.Line($"balanced by {fusion.Description.Text}: {matched} layers matched, {units:N0} units in the widths of {fusion.Names[fusion.Reference]}, {fusion.Times.Sum(t => t.Time.TotalSeconds):0.0} s");
    }

    /// <summary>What was matched and what networks are worth, as JSON; without times, the same bytes for the same run.</summary>
    public static void WriteJson(TextWriter output, NetworkFusion fusion, FusionScores? scores) => Json.Write(output, json =>
    {
        json.Strings("models", fusion.Names);
        json.WriteString("reference", fusion.Names[fusion.Reference]);
        json.WriteString("method", fusion.Description.Text);
        if (fusion.Architecture is { } model) json.WriteString("architecture", model);
        if (fusion.Description.Merge is { } merge) json.WriteString("merge", merge);
        else json.Number("lambda", fusion.Lambda);
        json.WriteStartArray("steps");
        foreach (FusionStep step in fusion.Steps) Write(json, step);
        json.WriteEndArray();
        json.Strings("notes", [.. fusion.Notes, .. scores?.Notes ?? []]);
        if (scores is null) return;
        ScoresText.WriteJson(json, scores);
        if (scores.ByClass is not { } classes) return;
        json.WriteStartArray("classes");
        for (int c = 0; c < classes.Classes.Length; c++)
        {
            json.WriteStartObject();
            json.WriteString("name", classes.Classes[c]);
            foreach (var (name, right) in classes.Rows) json.Number(name, right[c]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static void Write(Utf8JsonWriter json, FusionStep step)
    {
        json.WriteStartObject();
        json.WriteString("source", step.Pair.Source);
        json.WriteString("reference", step.Pair.Reference);
        json.WriteStartArray("layers");
        foreach (LayerPair pair in LayerPair.Of(step.Pair.Layers))
        {
            json.WriteStartObject();
            json.WriteString("group", pair.Group);
            json.WriteString("source", pair.A?.Name);
            json.WriteString("reference", pair.B?.Name);
            json.Number("cost", pair.Cost);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("units");
        foreach (FusedUnits units in step.Units)
        {
            json.WriteStartObject();
            json.WriteString("name", units.Name);
            json.WriteNumber("source", units.OfSource);
            json.WriteNumber("reference", units.OfReference);
            json.Number("before", units.Before ?? double.NaN);
            json.Number(step.AreCosts ? "cost" : "similarity", units.After);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteLayers(TextWriter output, FusionStep step, BalanceMethod balance)
    {
        LayerPair[] pairs = [.. LayerPair.Of(step.Pair.Layers)];
        string missing = balance.Gate is null ? "added" : "merged away";
        Table table = new(1, Printable.Line($"LAYERS OF {step.Pair.Source}"), ">WIDTH", Printable.Line(step.Pair.Reference), ">WIDTH", ">COST");
        string group = "";
        bool grouped = pairs.Select(p => p.Group).Distinct().Count() > 1;
        foreach (LayerPair pair in pairs)
        {
            if (grouped && pair.Group != group) table.Add($"[{Printable.Line(group = pair.Group)}]", "", "", "", "");
            table.Add(NameOf(pair.A), WidthOf(pair.A), NameOf(pair.B), WidthOf(pair.B), Printable.Number(pair.Cost));
        }

        table.Write(output, Screen.WidthOf(output));

        string NameOf(NetworkLayer? layer) => layer is null ? $"({missing})" : Printable.Line(layer.Name);
        static string WidthOf(NetworkLayer? layer) => layer is null ? "" : layer.Width.ToString(CultureInfo.InvariantCulture);
    }

    private static void WriteUnits(TextWriter output, FusionStep step)
    {
        Table table = new(1, "UNITS", ">OF SOURCE", ">OF REFERENCE", step.AreCosts ? ">COST IN PLACE" : ">SIMILARITY IN PLACE", step.AreCosts ? ">TRANSPORTED" : ">MATCHED");
        foreach (FusedUnits units in step.Units) table.Add(Printable.Line(units.Name), $"{units.OfSource}", $"{units.OfReference}", units.Before is { } before ? Printable.Number(before) : "-", Printable.Number(units.After));
        if (step.Units.Length > 0) table.Write(output, Screen.WidthOf(output));
        else output.WriteLine("no units may change places");
    }

    private static void WriteClasses(TextWriter output, ClassShares shares)
    {
        const int Most = 20;
        if (shares.Classes.Length > Most) return;
        output.WriteLine();
        Table table = new(1, ["RIGHT OF CLASS", .. shares.Rows.Select(row => $">{Printable.Line(row.Name)}")]);
        for (int c = 0; c < shares.Classes.Length; c++) table.Add([Printable.Line(shares.Classes[c]), .. shares.Rows.Select(row => double.IsNaN(row.Right[c]) ? "-" : row.Right[c].ToString("0.0%", CultureInfo.InvariantCulture))]);
        table.Write(output, Screen.WidthOf(output));
    }

    private static string Combined(NetworkFusion fusion)
    {
        string reference = fusion.Names[fusion.Reference];
        return fusion.Description.Merge is { } merge ? $"put together by {merge}, {reference} lending widths and names"
            : fusion.Description.Match.Zips ? $"put together by {fusion.Description.Match.Name}, in the order of {reference}"
            : string.Create(CultureInfo.InvariantCulture, $"weighted mean, {reference} by {fusion.Lambda:0.####}{(fusion.Description.Iterative ? " at each step" : "")}");
    }
}
