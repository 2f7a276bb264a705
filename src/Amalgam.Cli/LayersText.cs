using System.Collections.Immutable;
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
        WriteNotes(output, network.Notes);
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

        if (hasForbidden)
        {
            output.WriteLine();
            output.WriteLine("- stands where two layers do different things and cannot be matched.");
        }

        output.WriteLine();
        output.WriteLine($"The layers that belong together cost {Printable.Number(mapping.Groups.Sum(group => group.Total))} in all.");
        WriteNotes(output, mapping.Notes);
    }

    private static void WriteNotes(TextWriter output, ImmutableArray<string> notes)
    {
        if (!notes.IsEmpty) output.WriteLine();
        foreach (string note in notes) output.WriteLine($"note: {Printable.Line(note)}");
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
