namespace Amalgam.Alignment.Layers;

/// <summary>Which layer of a deeper network belongs to each layer of a shallower one (CLAFusion, section 3; Nguyen et al., 2023).</summary>
public static class CrossLayerAlignment
{
    /// <summary>
    /// The increasing map of the least cost, by dynamic programming in time deep x shallow. The paper's algorithm 1 as it is printed may miss the best map, because it lets the first
    /// layer go anywhere and writes 1 in its place afterwards; here the pinned layers are pinned from the start.
    /// </summary>
    /// <param name="cost">Cost of each pair of layers, [deep, shallow], row by row. NaN, the cost of a layer that cannot be compared, counts as 1.</param>
    /// <param name="deep">Layers of the deeper network.</param>
    /// <param name="shallow">Layers of the shallower one; no more than the deeper has.</param>
    /// <param name="pinnedFirst">So many first layers belong to the first ones of the deeper network.</param>
    /// <param name="pinnedLast">So many last layers belong to its last ones.</param>
    /// <returns>The deep layer, from 0, of each shallow one. Of maps that cost the same, the one whose last free layer is the earliest, and so on from the back.</returns>
    /// <exception cref="ArgumentException">The counts do not fit each other or the costs, more layers are pinned than there are, or a cost is infinite.</exception>
    public static int[] Solve(ReadOnlySpan<double> cost, int deep, int shallow, int pinnedFirst = 1, int pinnedLast = 1)
    {
        Check(cost, deep, shallow, pinnedFirst, pinnedLast);
        if (shallow == 0) return [];
        if (shallow == 1) return [Single(cost, deep, pinnedFirst, pinnedLast)];

        int[] map = new int[shallow];
        for (int i = 0; i < pinnedFirst; i++) map[i] = i;
        for (int i = 1; i <= pinnedLast; i++) map[shallow - i] = deep - i;
        int rows = shallow - pinnedFirst - pinnedLast, columns = deep - pinnedFirst - pinnedLast;
        bool[] isTaken = Choices(cost, shallow, pinnedFirst, rows, columns);
        for (int row = rows, column = columns; row > 0; row--, column--)
        {
            while (!isTaken[(row * (columns + 1)) + column]) column--;
            map[pinnedFirst + row - 1] = pinnedFirst + column - 1;
        }

        return map;
    }

    /// <summary>Whether the best map of the first so many free layers into the first so many deep ones uses the last of these; ties do not use it.</summary>
    private static bool[] Choices(ReadOnlySpan<double> cost, int shallow, int offset, int rows, int columns)
    {
        bool[] isTaken = new bool[(rows + 1) * (columns + 1)];
        double[] before = new double[columns + 1], best = new double[columns + 1];
        for (int row = 1; row <= rows; row++)
        {
            for (int column = row; column <= columns; column++)
            {
                double taken = before[column - 1] + Cost(cost[((offset + column - 1) * shallow) + offset + row - 1]);
                bool take = isTaken[(row * (columns + 1)) + column] = column == row || taken < best[column - 1];
                best[column] = take ? taken : best[column - 1];
            }

            (before, best) = (best, before);
        }

        return isTaken;
    }

    /// <summary>The deep layer of the only shallow one: the first where that is pinned, else the last where that is, else the cheapest.</summary>
    private static int Single(ReadOnlySpan<double> cost, int deep, int pinnedFirst, int pinnedLast)
    {
        if (pinnedFirst > 0) return 0;
        if (pinnedLast > 0) return deep - 1;
        int least = 0;
        for (int i = 1; i < deep; i++) least = Cost(cost[i]) < Cost(cost[least]) ? i : least;
        return least;
    }

    private static double Cost(double value) => double.IsNaN(value) ? 1 : value;

    private static void Check(ReadOnlySpan<double> cost, int deep, int shallow, int pinnedFirst, int pinnedLast)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(shallow);
        ArgumentOutOfRangeException.ThrowIfLessThan(deep, shallow);
        ArgumentOutOfRangeException.ThrowIfNegative(pinnedFirst);
        ArgumentOutOfRangeException.ThrowIfNegative(pinnedLast);
        if (cost.Length != (long)deep * shallow) throw new ArgumentException($"costs of {deep} x {shallow} layers are {(long)deep * shallow} numbers, found {cost.Length}", nameof(cost));
        if (shallow > 1 && pinnedFirst > shallow - Math.Min(pinnedLast, shallow)) throw new ArgumentException($"{pinnedFirst} first and {pinnedLast} last layers cannot be pinned of {shallow}", nameof(pinnedFirst));
        for (int i = 0; i < cost.Length; i++)
        {
            if (double.IsInfinity(cost[i])) throw new ArgumentException($"the cost of layers {i / shallow} and {i % shallow} is infinite", nameof(cost));
        }
    }
}
