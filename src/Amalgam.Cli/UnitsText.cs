using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary>The units of a network as people read them.</summary>
internal static class UnitsText
{
    private const int MostShown = 6;

    /// <summary>Prints the groups: similar ones in one line, or every axis of every tensor.</summary>
    public static void Write(TextWriter output, string name, UnitGroups groups, SelfCheckResult? check, bool verbose)
    {
        UnitGroup[] free = [.. groups.Groups.Where(g => !g.IsPinned)];
        output.WriteLine(Printable.Line(name));
        output.WriteLine($"  units    {free.Sum(g => g.Classes.Where(c => c.Pinned is null).Sum(c => c.Units)):N0} that may change places, in {Count(free.Length, "group")}");
        output.WriteLine($"  pinned   {Count(groups.Pinned.Length, "axis", "axes")} of {Count(groups.Pinned.Select(p => p.Parameter).Distinct().Count(), "tensor")}{(groups.Pinned.IsEmpty ? "" : ", see below")}");
        output.WriteLine($"  checked  {CheckText(check)}");
        if (free.Length > 0) output.WriteLine();
        if (verbose) foreach (UnitGroup group in free) WriteAll(output, group);
        else WriteGroups(output, free);
        WritePinned(output, groups, verbose);
    }

    /// <summary>What the self-check came to, in a sentence.</summary>
    public static string CheckText(SelfCheckResult? check) =>
        check is null ? "no"
        : check.Culprits.Count == 0 ? $"random permutations of all units change the outputs by {Printable.Number(check.Error)} of the largest"
        : $"permuted, {string.Join(", ", check.Culprits.Take(MostShown).Select(Printable.Line))}{More(check.Culprits.Count)} changed the outputs, and {(check.Culprits.Count == 1 ? "is" : "are")} pinned now; the rest changes them by {Printable.Number(check.Error)}";

    /// <summary>How a group's units lie: <c>64</c>, or <c>12 x 64</c> for 12 heads of 64 units each.</summary>
    public static string Structure(UnitGroup group) => Structure(group.Root);

    private static string Structure(UnitClass units) => units.Inner.Length switch
    {
        0 => $"{units.Size}",
        1 => $"{units.Size} x {Structure(units.Inner[0])}",
        _ => $"{units.Size} x ({string.Join(" + ", units.Inner.Select(Structure))})",
    };

    private static void WriteGroups(TextWriter output, UnitGroup[] groups)
    {
        if (groups.Length == 0) return;
        Table table = new(1, "GROUP", ">UNITS", ">MADE BY", ">READ BY", "OBSERVED AT");
        foreach (UnitGroup[] alike in Alike(groups))
        {
            UnitGroup first = alike[0];
            var places = first.Classes.SelectMany(c => c.Parameters).Select(p => (p.Node, p.Axis, p.Side)).Distinct().ToArray();
            table.Add(
                Printable.Line(NumberedNames.Counted([.. alike.Select(g => g.Name)])), Structure(first),
                $"{places.Count(p => p.Side == UnitSide.Out)}", $"{places.Count(p => p.Side == UnitSide.In)}", Printable.Line(NumberedNames.Common([.. alike.Select(ObservedAt)])));
        }

        table.Write(output, Screen.WidthOf(output));
        output.WriteLine();
        output.WriteLine("MADE BY and READ BY count tensors with the units on an axis of results, and on an axis that is summed over; -v names them.");
    }

    private static void WriteAll(TextWriter output, UnitGroup group)
    {
        output.WriteLine($"{Printable.Line(group.Name)}: {Structure(group)}");
        foreach (UnitClass units in group.Classes)
        {
            string blocks = units.Outer is null ? "" : $" in each of {units.Blocks} of {Printable.Line(units.Outer.Name)}";
            output.WriteLine($"  {Printable.Line(units.Name)}: {units.Size} units{blocks}{(units.IsTied ? ", made and read by one tensor" : "")}{(units.Pinned is { } why ? $", pinned: {Printable.Line(why)}" : "")}");
            Table table = new(1, "    TENSOR", ">AXIS", "SIDE", "POSITIONS");
            foreach (UnitPlace place in units.Parameters)
                table.Add($"    {Printable.Line(place.Node.Name ?? "")}", $"{place.Axis}", place.IsStatistic ? "statistic" : place.Side == UnitSide.Out ? "out" : "in", Positions(place, units));
            if (units.Parameters.Length > 0) table.Write(output, Screen.WidthOf(output));
            if (units.LastTaps.Length > 0) output.WriteLine($"    observed at {string.Join(", ", units.LastTaps.Select(t => Printable.Line(NameOf(t.Node))))}");
            UnitPlace[] others = [.. units.Taps.Except(units.LastTaps)];
            if (others.Length > 0) output.WriteLine($"    with all taps also at {string.Join(", ", others.Select(t => Printable.Line(NameOf(t.Node))))}");
        }

        output.WriteLine();
    }

    /// <summary>Which positions of its axis a place has, and how they fall into digits.</summary>
    private static string Positions(UnitPlace place, UnitClass units)
    {
        int last = place.Part.Offset + place.Part.Digits.Sum(d => (d.Size - 1) * d.Stride);
        string whole = place.Part.Count == place.Node.Shape[place.Axis] ? "all" : $"{place.Part.Offset} to {last}";
        string digits = string.Join(" x ", place.Part.Digits.Select(d => d.Class == units ? $"[{d.Size}]" : $"{d.Size}"));
        return place.Part.Digits.Length == 1 ? whole : $"{whole}, {digits}";
    }

    private static void WritePinned(TextWriter output, UnitGroups groups, bool verbose)
    {
        UnitClass[] classes = [.. groups.Classes.Where(c => c.Pinned is not null)];
        if (groups.Pinned.Length + classes.Length == 0) return;
        output.WriteLine();
        Table table = new(1, "PINNED", ">AXIS", ">SIZE", "WHY");
        foreach (UnitClass units in classes) table.Add(Printable.Line(units.Name), "", $"{units.Size}", Printable.Line(units.Pinned!));
        if (verbose) foreach (PinnedAxis pin in groups.Pinned) table.Add(Printable.Line(pin.Parameter), $"{pin.Axis}", $"{pin.Size}", Printable.Line(pin.Reason));
        else
        {
            foreach (var alike in groups.Pinned.GroupBy(p => (NumberedNames.Key(p.Parameter), p.Axis, p.Size, NumberedNames.Key(p.Reason))))
                table.Add(Printable.Line(NumberedNames.Counted([.. alike.Select(p => p.Parameter)])), $"{alike.Key.Axis}", $"{alike.Key.Size}", Printable.Line(NumberedNames.Common([.. alike.Select(p => p.Reason)])));
        }

        table.Write(output, Screen.WidthOf(output));
    }

    /// <summary>Groups whose names differ by numbers alone, and that are alike else.</summary>
    private static IEnumerable<UnitGroup[]> Alike(UnitGroup[] groups) => groups
        .GroupBy(g => (NumberedNames.Key(g.Name), Structure(g), g.Classes.Sum(c => c.Parameters.Length)))
        .Select(alike => alike.ToArray());

    /// <summary>The values by which a group's units are compared.</summary>
    private static string ObservedAt(UnitGroup group) => string.Join(", ", group.Classes.SelectMany(c => c.LastTaps).Select(t => NameOf(t.Node)).Distinct());

    /// <summary>A value's own name, or its operation and the layer that it comes from.</summary>
    internal static string NameOf(Node node)
    {
        if (node.Name is not null) return node.Name;
        Node from = node;
        while (from.Inputs.Length > 0 && from.Name is null && from.Inputs.All(input => input.Op is not Parameter)) from = from.Inputs.FirstOrDefault(input => input.Known is null) ?? from.Inputs[0];
        string layer = from.Name ?? from.Inputs.FirstOrDefault(input => input.Op is Parameter)?.Name ?? "";
        if (from.Name is null && layer.LastIndexOf('.') is > 0 and var dot) layer = layer[..dot];
        return from.Name is null && from == node ? $"{node.Op.Name} '{layer}'" : $"{node.Op.Name} of {layer}";
    }

    private static string Count(int count, string one, string? many = null) => $"{count:N0} {(count == 1 ? one : many ?? one + "s")}";

    private static string More(int count) => count > MostShown ? $" and {count - MostShown} more" : "";
}
