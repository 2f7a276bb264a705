using Amalgam.Alignment;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Runs;

/// <summary>Pictures of how alike the units of networks are, as they came and in the order of the match.</summary>
internal static class SimilarityMap
{
    private const int MostUnits = 96, MostCells = 24;

    /// <summary>Draws a class; of a large one some units, since a mean over neighbours would hide single pairs.</summary>
    /// <param name="match">A class with its similarity.</param>
    /// <param name="maps">Where its units go.</param>
    public static (HeatMap Before, HeatMap After) Of(ClassMatch match, UnitMaps maps) =>
        match.Similarity!.IsFull ? OfAll(match, maps) : OfPair(match, maps);

    /// <summary>Units of the first network against those of the second: what was matched comes on the diagonal.</summary>
    private static (HeatMap, HeatMap) OfPair(ClassMatch match, UnitMaps maps)
    {
        UnitClass units = match.Units;
        int shown = Math.Min(MostUnits, units.Units);
        (int, int)[] Picked(IEnumerable<(int, int)> order)
        {
            (int, int)[] all = [.. order];
            return [.. Enumerable.Range(0, shown).Select(i => all[(int)((long)i * all.Length / shown)])];
        }

        string size = shown == units.Units ? $"{shown} units" : $"{shown} of {units.Units} units";
        var first = Picked(Units(units, 0));
        var (before, after) = (Values(match, first, Picked(Units(units, 1))), Values(match, Picked(Ordered(units, maps, 0)), Picked(Ordered(units, maps, 1))));
        return Draw(size, shown, before, after);
    }

    /// <summary>Units of all networks against each other: what became one is a block on the diagonal. A unit against itself is left grey.</summary>
    private static (HeatMap, HeatMap) OfAll(ClassMatch match, UnitMaps maps)
    {
        UnitClass units = match.Units;
        var all = Enumerable.Range(0, maps.Models).SelectMany(model => Units(units, model)).OrderBy(u => maps.Target(units, u.Model, u.Unit)).ThenBy(u => u.Model).ThenBy(u => u.Unit).ToArray();
        var after = all[..Math.Min(MostUnits, all.Length)];
        var before = after.OrderBy(u => u.Model).ThenBy(u => u.Unit).ToArray();
        string size = after.Length == all.Length ? $"{all.Length} units of {maps.Models} networks" : $"{after.Length} of {all.Length} units of {maps.Models} networks";
        return Draw(size, after.Length, Values(match, before, before), Values(match, after, after));
    }

    /// <summary>The same colours in both, so that they can be compared.</summary>
    private static (HeatMap, HeatMap) Draw(string size, int shown, double[] before, double[] after)
    {
        double[] finite = [.. before.Concat(after).Where(double.IsFinite).DefaultIfEmpty(0)];
        HeatMap Map(string title, double[] values) => new($"{title}, {size}", shown, shown, [.. values]) { Low = Math.Min(0, finite.Min()), High = finite.Max(), Format = "0.00", IsImage = shown > MostCells };
        return (Map("As they came", before), Map("Matched", after));
    }

    private static double[] Values(ClassMatch match, (int Model, int Unit)[] rows, (int Model, int Unit)[] columns) =>
        [.. rows.SelectMany(row => columns.Select(column => row == column ? double.NaN : match.Similarity![row.Model, row.Unit, column.Model, column.Unit]))];

    private static IEnumerable<(int Model, int Unit)> Units(UnitClass units, int model) => Enumerable.Range(0, units.Units).Select(unit => (model, unit));

    private static IEnumerable<(int Model, int Unit)> Ordered(UnitClass units, UnitMaps maps, int model) => Units(units, model).OrderBy(u => maps.Target(units, model, u.Unit));
}
