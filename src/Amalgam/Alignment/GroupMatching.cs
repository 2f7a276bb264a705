using Amalgam.Numerics;

namespace Amalgam.Alignment;

/// <summary>
/// Decides which units of a group belong together. Blocks (heads, groups of channels) stay together: what a block of one model and a block of another are worth to each other is the
/// best that their units come to, and blocks are assigned by that. Since the sum falls apart so, the result is the best of all permutations that keep blocks together
/// (a wreath product), not an approximation.
/// </summary>
/// <remarks>
/// All that hang on one outer class share its order, so that queries, keys and values of a head stay together (MuDSC's code orders the heads of values apart from those of queries and
/// keys, and then the network computes something else; <see cref="UnitMaps"/> has no such maps). What has nothing to go by stays in its place.
/// </remarks>
public static class GroupMatching
{
    /// <summary>Permutes each model's units to those of the first.</summary>
    /// <param name="group">Classes that depend on each other; pinned ones keep their order.</param>
    /// <param name="similarity">A class's own similarity; null where it has none.</param>
    /// <param name="maps">The maps of all classes of the group that are not pinned are set.</param>
    /// <param name="cancel">Observed at every assignment.</param>
    /// <returns>Mean similarity of the units that were matched, over all classes that have one; 0 where none has.</returns>
    public static double Align(UnitGroup group, Func<UnitClass, UnitSimilarity?> similarity, UnitMaps maps, CancellationToken cancel = default)
    {
        var known = group.Classes.ToDictionary(units => units, similarity);
        var (sum, count) = Align(group, known, maps, _ => true, cancel);
        return count > 0 ? sum / count : 0;
    }

    /// <summary>
    /// Zips the units of the innermost classes, blocks with blocks that were paired by assignment; classes with inner ones, and those that are <see cref="UnitClass.IsTied"/>, are aligned.
    /// </summary>
    /// <param name="group">Classes that depend on each other; pinned ones keep their order.</param>
    /// <param name="similarity">A class's own similarity, over the units of all models; null where it has none.</param>
    /// <param name="maps">The maps of all classes of the group that are not pinned are set.</param>
    /// <param name="options">How to zip; the budget of merges within a model holds for all blocks of a class together, and each block has one of its own.</param>
    /// <param name="cancel">Observed at every assignment and every merge.</param>
    /// <returns>Mean similarity of the units that were matched and, at their merges, of those that were zipped; 0 where no class has one.</returns>
    public static double Zip(UnitGroup group, Func<UnitClass, UnitSimilarity?> similarity, UnitMaps maps, ZipOptions options, CancellationToken cancel = default)
    {
        var known = group.Classes.ToDictionary(units => units, similarity);
        bool IsZipped(UnitClass units) => units.Inner.IsEmpty && units.Pinned is null && !units.IsTied && known[units] is not null;
        var (sum, count) = IsZipped(group.Root) ? (0, 0) : Align(group, known, maps, units => !IsZipped(units), cancel);
        foreach (UnitClass units in group.Classes.Where(IsZipped))
        {
            double score = Zip(units, known[units]!, maps, options, cancel);
            long merges = units.Units * (maps.Models - 1L);
            (sum, count) = (sum + score * merges, count + merges);
        }

        return count > 0 ? sum / count : 0;
    }

    /// <summary>Sum and number of the similarities that were matched in the classes that count.</summary>
    private static (double Sum, long Count) Align(UnitGroup group, Dictionary<UnitClass, UnitSimilarity?> similarity, UnitMaps maps, Func<UnitClass, bool> counts,
        CancellationToken cancel)
    {
        GroupPairing[] pairings = [.. Enumerable.Range(1, maps.Models - 1).Select(model => new GroupPairing(group, similarity, model, cancel))];
        foreach (UnitClass units in group.Classes.Where(units => units.Pinned is null))
        {
            int[] first = [.. Enumerable.Range(0, units.Units).Select(unit => unit % units.Size)];
            maps.Set(units, [first, .. pairings.Select(pairing => pairing.To(units))]);
        }

        var matched = group.Classes.Where(counts).SelectMany(units => pairings.Select(pairing => pairing.Matched(units))).ToArray();
        return (matched.Sum(m => m.Sum), matched.Sum(m => m.Count));
    }

    /// <summary>Zips a class, block by block of the first model, and returns the mean similarity at the merges.</summary>
    private static double Zip(UnitClass units, UnitSimilarity similarity, UnitMaps maps, ZipOptions options, CancellationToken cancel)
    {
        if (!similarity.IsFull) throw new ArgumentException($"{units}: zipping needs the similarities of all models' units", nameof(similarity));
        (int models, int size) = (maps.Models, units.Size);
        int[] budgets = GreedyZip.Budgets(models, units.Units, options.Beta);
        int budget = units.Outer is null ? int.MaxValue : Math.Max(1, size * (models - 1) / models);
        int[][] to = [.. Enumerable.Range(0, models).Select(_ => new int[units.Units])];
        double score = 0;
        foreach (int[] blocks in PairedBlocks(units, maps))
        {
            int[] members = [.. blocks.SelectMany((block, model) => Enumerable.Range((model * units.Blocks + block) * size, size))];
            ZipResult zipped = GreedyZip.Run(Part(similarity.Values, models * units.Units, members), models, size, options, budgets, budget, cancel);
            for (int i = 0; i < members.Length; i++) to[members[i] / units.Units][members[i] % units.Units] = zipped.Cluster[i];
            score += zipped.Score / units.Blocks;
        }

        maps.Set(units, to);
        return score;
    }

    /// <summary>For each block of the merged class, the block of each model that becomes it.</summary>
    private static int[][] PairedBlocks(UnitClass units, UnitMaps maps)
    {
        int[][] paired = [.. Enumerable.Range(0, units.Blocks).Select(_ => new int[maps.Models])];
        for (int model = 0; model < maps.Models; model++)
        {
            for (int block = 0; block < units.Blocks; block++) paired[units.Outer is null ? 0 : maps.Target(units.Outer, model, block)][model] = block;
        }

        return paired;
    }

    /// <summary>The rows and columns of some members.</summary>
    private static double[] Part(double[] values, int width, int[] members)
    {
        double[] part = new double[members.Length * members.Length];
        for (int i = 0; i < members.Length; i++)
        {
            for (int j = 0; j < members.Length; j++) part[i * members.Length + j] = values[members[i] * width + members[j]];
        }

        return part;
    }
}
