using System.Collections.Immutable;
using Amalgam.Alignment;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Runs;

/// <summary>Pictures of how alike the units of two networks are, as they came and in the order of the match.</summary>
internal static class SimilarityMap
{
    private const int MostUnits = 128, MostCells = 24;

    /// <summary>Draws a class; of a large one evenly spread units, since a mean over neighbours would hide single pairs.</summary>
    /// <param name="match">A class with its similarity.</param>
    /// <param name="maps">Where its units go.</param>
    /// <param name="model">The network whose units are the columns; the rows are the first one's.</param>
    public static (HeatMap Before, HeatMap After) Of(ClassMatch match, UnitMaps maps, int model)
    {
        UnitClass units = match.Units;
        UnitSimilarity similarity = match.Similarity!;
        int[] inPlace = [.. Enumerable.Range(0, units.Units)], rows = Ordered(units, maps, 0), columns = Ordered(units, maps, model);
        int shown = Math.Min(MostUnits, units.Units);
        string size = shown == units.Units ? $"{units.Units} units" : $"{shown} of {units.Units} units";

        // The same colours in both, so that they can be compared.
        double[] all = [.. Picked(inPlace, shown).SelectMany(row => Picked(columns, shown).Select(column => similarity[0, row, model, column]))];
        double low = Math.Min(0, all.Min()), high = all.Max();
        HeatMap Draw(string title, int[] down, int[] across) => new(
            $"{title}, {size}", shown, shown, [.. Picked(down, shown).SelectMany(row => Picked(across, shown).Select(column => similarity[0, row, model, column]))]) { Low = low, High = high, Format = "0.00", IsImage = shown > MostCells };
        return (Draw("As they came", inPlace, inPlace), Draw("Matched", rows, columns));
    }

    /// <summary>A network's units in the order of the merged units that they become.</summary>
    private static int[] Ordered(UnitClass units, UnitMaps maps, int model) => [.. Enumerable.Range(0, units.Units).OrderBy(unit => maps.Target(units, model, unit)).ThenBy(unit => unit)];

    private static IEnumerable<int> Picked(int[] order, int count) => Enumerable.Range(0, count).Select(i => order[(int)((long)i * order.Length / count)]);
}
