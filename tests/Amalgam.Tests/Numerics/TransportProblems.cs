using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

/// <summary>Random transport problems, many of them degenerate, and what is true of their plans.</summary>
internal static class TransportProblems
{
    /// <summary>Costs, and masses of rows and columns with one sum.</summary>
    public static (double[] Cost, double[] Rows, double[] Columns) Random(Generator gen, int most = 50)
    {
        double[] rows = Masses(gen.Random, gen.Size(most)), columns = Masses(gen.Random, gen.Size(most));
        double scale = rows.Sum() / columns.Sum();
        return (Costs(gen.Random, rows.Length, columns.Length), rows, [.. columns.Select(mass => mass * scale)]);
    }

    /// <summary>Costs of one of many kinds: random, few different integers, equal columns, all the same, distances of points, with great offsets.</summary>
    public static double[] Costs(Random random, int rows, int columns)
    {
        int kind = random.Next(8);
        double[] x = [.. Enumerable.Range(0, rows).Select(_ => random.NextDouble())], y = [.. Enumerable.Range(0, columns).Select(_ => random.NextDouble())];
        return [.. Enumerable.Range(0, rows * columns).Select(i => (x[i / columns], y[i % columns])).Select(at => kind switch
        {
            0 => random.NextDouble(),
            1 => random.Next(3),
            2 => at.Item1,
            3 => 0,
            4 => Math.Abs(at.Item1 - at.Item2),
            5 => 1e6 + random.NextDouble(),
            6 => at.Item1 + at.Item2,
            _ => random.NextDouble() < 0.2 ? 0 : 100 * (random.NextDouble() - 0.5),
        })];
    }

    /// <summary>Masses of one of many kinds: equal, small integers, some of them 0, of very different size.</summary>
    public static double[] Masses(Random random, int count)
    {
        int kind = random.Next(4);
        double[] masses = [.. Enumerable.Range(0, count).Select(_ => kind switch
        {
            0 => 1.0 / count,
            1 => random.Next(5),
            2 => Math.Exp(20 * random.NextDouble()),
            _ => random.NextDouble(),
        })];
        if (masses.All(mass => mass == 0)) masses[random.Next(count)] = 1;
        return masses;
    }

    public static double[] Uniform(int count) => [.. Enumerable.Repeat(1.0 / count, count)];

    public static double Largest(double[] cost) => cost.Max(Math.Abs);

    public static void HasMasses(TransportPlan plan, double[] rows, double[] columns, double relative)
    {
        double[] ofRows = new double[rows.Length], ofColumns = new double[columns.Length];
        for (int i = 0; i < plan.Mass.Length; i++)
        {
            Assert.True(plan.Mass[i] > 0);
            ofRows[plan.RowOf[i]] += plan.Mass[i];
            ofColumns[plan.ColumnOf[i]] += plan.Mass[i];
        }

        double near = relative * rows.Sum();
        Assert.All(rows.Zip(ofRows), pair => Assert.Equal(pair.First, pair.Second, near));
        Assert.All(columns.Zip(ofColumns), pair => Assert.Equal(pair.First, pair.Second, near));
    }

    /// <summary>The least cost by trying all sets of rows + columns - 1 entries: a best plan is among those that such a set determines.</summary>
    public static double LeastOfAllVertices(double[] cost, double[] rows, double[] columns)
    {
        int count = rows.Length * columns.Length, arcs = rows.Length + columns.Length - 1;
        double least = double.PositiveInfinity;
        for (int set = 0; set < 1 << count; set++)
        {
            if (System.Numerics.BitOperations.PopCount((uint)set) == arcs) least = Math.Min(least, Value(set, cost, rows, columns));
        }

        return least;
    }

    /// <summary>Cost of the flow through a set of entries, found by taking again and again an entry that is alone in its row or column; infinite where there is none.</summary>
    private static double Value(int set, double[] cost, double[] rows, double[] columns)
    {
        double[] left = [.. rows], open = [.. columns];
        double value = 0;
        while (set != 0)
        {
            int[] entries = [.. Enumerable.Range(0, cost.Length).Where(i => (set >> i & 1) == 1)];
            int alone = Array.Find(entries, i => entries.Count(other => other / columns.Length == i / columns.Length) == 1 || entries.Count(other => other % columns.Length == i % columns.Length) == 1);
            if (!entries.Contains(alone)) return double.PositiveInfinity;
            (int row, int column) = (alone / columns.Length, alone % columns.Length);
            bool aloneInRow = entries.Count(other => other / columns.Length == row) == 1;
            double flow = aloneInRow ? left[row] : open[column];
            if (flow < -1e-12 * rows.Sum()) return double.PositiveInfinity;
            value += flow * cost[alone];
            left[row] -= flow;
            open[column] -= flow;
            set &= ~(1 << alone);
        }

        return left.Concat(open).All(rest => Math.Abs(rest) <= 1e-12 * rows.Sum()) ? value : double.PositiveInfinity;
    }

    /// <summary>The integral of |F^-1 - G^-1|^power over the masses of two sets of points on a line.</summary>
    public static double OnALine(double[] x, double[] a, double[] y, double[] b, int power)
    {
        (double At, double Mass)[] left = [.. x.Zip(a).OrderBy(pair => pair.First)], right = [.. y.Zip(b).OrderBy(pair => pair.First)];
        double sum = 0;
        for (int i = 0, j = 0; i < left.Length && j < right.Length;)
        {
            double mass = Math.Min(left[i].Mass, right[j].Mass);
            sum += mass * Math.Pow(Math.Abs(left[i].At - right[j].At), power);
            left[i].Mass -= mass;
            right[j].Mass -= mass;
            if (left[i].Mass <= 0) i++;
            else j++;
        }

        return sum;
    }
}
