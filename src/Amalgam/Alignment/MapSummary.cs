namespace Amalgam.Alignment;

/// <summary>What maps did to the units of a class, in numbers.</summary>
internal static class MapSummary
{
    /// <summary>Mean similarity of the pairs of units that were put together; where only rows of the first model are known, of the pairs with one of its units. NaN where there are none.</summary>
    public static double Together(UnitSimilarity? similarity, UnitClass units, UnitMaps maps)
    {
        if (similarity is null) return double.NaN;
        double sum = 0;
        long pairs = 0;
        foreach (var members in Members(units, maps))
        {
            for (int i = 0; i < members.Count; i++)
            {
                for (int j = i + 1; j < members.Count; j++)
                {
                    if (!similarity.IsFull && (members[i].Model > 0 || members[j].Model == 0)) continue;
                    sum += similarity[members[i].Model, members[i].Unit, members[j].Model, members[j].Unit];
                    pairs++;
                }
            }
        }

        return sum / pairs;
    }

    /// <summary>Share of the units, of all models but the first, that did not stay in their places.</summary>
    public static double Moved(UnitClass units, UnitMaps maps) =>
        Enumerable.Range(1, maps.Models - 1).Average(model => Enumerable.Range(0, units.Units).Average(unit => maps.Target(units, model, unit) == unit ? 0.0 : 1));

    /// <summary>Share of the merged units that hold more than one unit of a model.</summary>
    public static double Within(UnitClass units, UnitMaps maps) => Members(units, maps).Average(members => members.GroupBy(member => member.Model).Any(of => of.Count() > 1) ? 1.0 : 0);

    /// <summary>The units of each merged unit, by model.</summary>
    private static List<(int Model, int Unit)>[] Members(UnitClass units, UnitMaps maps)
    {
        List<(int Model, int Unit)>[] members = [.. Enumerable.Range(0, units.Units).Select(_ => new List<(int, int)>())];
        for (int model = 0; model < maps.Models; model++)
        {
            for (int unit = 0; unit < units.Units; unit++) members[maps.Target(units, model, unit)].Add((model, unit));
        }

        return members;
    }
}
