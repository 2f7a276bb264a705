using Amalgam.Alignment.Layers;

namespace Amalgam.Tests.Alignment.OfLayers;

public class CrossLayerAlignmentTests
{
    private static readonly double[] Toy = [4, 9, 16, 1, 4, 9, 0, 1, 4, 4, 1, 0];
    private static readonly double[] Perceptrons = SquaredDifferences([400, 200, 100, 50, 25], [400, 200, 100]);

    /// <summary>Reference results of the specification, section 1.3, from 1 as there.</summary>
    [Theory]
    [InlineData(1, 1, "1 3 4", 5)]
    [InlineData(1, 0, "1 3 4", 5)]
    [InlineData(0, 1, "2 3 4", 2)]
    [InlineData(0, 0, "2 3 4", 2)]
    public void The_toy_example_comes_out(int first, int last, string expected, double cost) => Comes(Toy, 4, 3, first, last, expected, cost);

    [Theory]
    [InlineData(1, 1, "1 2 5", 5625)]
    [InlineData(0, 1, "1 2 5", 5625)]
    [InlineData(1, 0, "1 2 3", 0)]
    [InlineData(0, 0, "1 2 3", 0)]
    public void The_perceptrons_of_the_paper_come_out(int first, int last, string expected, double cost) => Comes(Perceptrons, 5, 3, first, last, expected, cost);

    [Theory]
    [InlineData(1, 1, "1 2 5")]
    [InlineData(1, 0, "1 2 3")]
    [InlineData(0, 1, "1 2 5")]
    [InlineData(0, 0, "1 2 3")]
    public void Of_maps_that_cost_the_same_the_earliest_layers_are_taken_from_the_back(int first, int last, string expected) => Comes(new double[15], 5, 3, first, last, expected, 0);

    [Fact]
    public void The_printed_algorithm_is_worse_where_its_first_row_is_free() => Comes([5, 9, 9, 0, 1, 9, 9, 2, 9, 9, 9, 9], 4, 3, 1, 1, "1 2 4", 15);

    [Fact]
    public void The_result_costs_no_more_than_any_other_map_under_the_same_constraints() => Property.Holds(
        gen =>
        {
            int shallow = gen.Random.Next(1, 7), deep = gen.Random.Next(shallow, 9), first = gen.Random.Next(4), last = gen.Random.Next(3);
            if (shallow > 1 && first + last > shallow) return;
            bool isInteger = gen.Random.Next(3) == 0;
            double[] cost = [.. Enumerable.Range(0, deep * shallow).Select(_ => isInteger ? gen.Random.Next(3) : gen.Random.NextDouble())];

            int[] map = CrossLayerAlignment.Solve(cost, deep, shallow, first, last);

            (double best, int[] tied) = BruteForce(cost, deep, shallow, first, last);
            Assert.Equal(best, Cost(cost, map), 1e-12);
            // Sums of integers are exact, so ties are known: the earliest from the back wins.
            if (isInteger) Assert.Equal(tied, map);
        },
        2000);

    [Fact]
    public void The_result_is_increasing_and_its_ends_are_where_they_are_pinned() => Property.Holds(gen =>
    {
        int shallow = gen.Random.Next(2, 30), deep = gen.Random.Next(shallow, 60), first = gen.Random.Next(shallow), last = gen.Random.Next(shallow - first + 1);
        double[] cost = [.. Enumerable.Range(0, deep * shallow).Select(_ => gen.Random.NextDouble())];

        int[] map = CrossLayerAlignment.Solve(cost, deep, shallow, first, last);

        Assert.Equal(shallow, map.Length);
        Assert.All(map.Zip(map.Skip(1)), pair => Assert.True(pair.First < pair.Second));
        Assert.Equal(Enumerable.Range(0, first), map.Take(first));
        Assert.Equal(Enumerable.Range(deep - last, last), map.TakeLast(last));
        Assert.InRange(map[0], 0, deep - shallow);
    });

    [Fact]
    public void Layers_of_equal_number_keep_their_places() => Property.Holds(gen =>
    {
        int count = gen.Random.Next(1, 9);
        double[] cost = [.. Enumerable.Range(0, count * count).Select(_ => gen.Random.NextDouble())];
        int[] map = count == 1 ? [0] : CrossLayerAlignment.Solve(cost, count, count, gen.Random.Next(2), gen.Random.Next(2));
        Assert.Equal(Enumerable.Range(0, count), map);
    });

    [Fact]
    public void A_constant_added_to_all_costs_changes_nothing() => Property.Holds(gen =>
    {
        int shallow = gen.Random.Next(2, 9), deep = gen.Random.Next(shallow, 14);
        double[] cost = [.. Enumerable.Range(0, deep * shallow).Select(_ => (double)gen.Random.Next(1000))];
        Assert.Equal(CrossLayerAlignment.Solve(cost, deep, shallow), CrossLayerAlignment.Solve([.. cost.Select(c => c + 4096)], deep, shallow));
    });

    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(1, 0, 0)]
    [InlineData(0, 1, 3)]
    [InlineData(0, 0, 2)]
    public void A_single_layer_goes_to_the_first_else_the_last_else_the_cheapest(int first, int last, int expected) =>
        Assert.Equal([expected], CrossLayerAlignment.Solve([5, 4, 1, 2], 4, 1, first, last));

    [Fact]
    public void Two_layers_go_to_both_ends() => Assert.Equal([0, 6], CrossLayerAlignment.Solve([.. Enumerable.Range(0, 14).Select(i => (double)(i * 7 % 5))], 7, 2));

    [Fact]
    public void No_layers_have_an_empty_map() => Assert.Empty(CrossLayerAlignment.Solve([], 3, 0));

    [Fact]
    public void A_layer_that_cannot_be_compared_costs_one()
    {
        Assert.Equal([0, 2, 3], CrossLayerAlignment.Solve([0, 0, 0, 0, 1.5, 0, 0, double.NaN, 0, 0, 0, 0], 4, 3));
        Assert.Equal([0, 1, 3], CrossLayerAlignment.Solve([0, 0, 0, 0, 0.5, 0, 0, double.NaN, 0, 0, 0, 0], 4, 3));
    }

    [Fact]
    public void Counts_and_costs_that_do_not_fit_are_refused()
    {
        Assert.Contains("infinite", Assert.Throws<ArgumentException>(() => CrossLayerAlignment.Solve([0, 0, 0, double.PositiveInfinity], 2, 2)).Message, StringComparison.Ordinal);
        Assert.Contains("2 first and 1 last layers", Assert.Throws<ArgumentException>(() => CrossLayerAlignment.Solve(new double[6], 3, 2, 2, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("6 numbers, found 5", Assert.Throws<ArgumentException>(() => CrossLayerAlignment.Solve(new double[5], 3, 2)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => CrossLayerAlignment.Solve(new double[6], 2, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => CrossLayerAlignment.Solve(new double[6], 3, 2, -1));
    }

    private static void Comes(double[] cost, int deep, int shallow, int first, int last, string expected, double total)
    {
        int[] map = CrossLayerAlignment.Solve(cost, deep, shallow, first, last);
        Assert.Equal(expected, string.Join(' ', map.Select(layer => layer + 1)));
        Assert.Equal(total, Cost(cost, map));
    }

    private static double Cost(double[] cost, int[] map) => map.Select((deep, shallow) => cost[deep * map.Length + shallow]).Sum();

    private static double[] SquaredDifferences(int[] a, int[] b) => [.. a.SelectMany(x => b.Select(y => (double)(x - y) * (x - y)))];

    /// <summary>The least cost of all increasing maps under the constraints, and of the maps that have it the one that is the earliest from the back.</summary>
    private static (double Cost, int[] Map) BruteForce(double[] cost, int deep, int shallow, int first, int last)
    {
        (double Cost, int[] Map) best = (double.PositiveInfinity, []);
        foreach (int[] map in Increasing(deep, shallow))
        {
            bool isFirst = map.Take(first).Select((layer, i) => layer == i).All(same => same), isLast = Enumerable.Range(1, Math.Min(last, shallow)).All(i => map[^i] == deep - i);
            if (shallow == 1 ? (first > 0 && map[0] != 0) || (first == 0 && last > 0 && map[0] != deep - 1) : !isFirst || !isLast) continue;
            double sum = Cost(cost, map);
            if (sum < best.Cost || (sum == best.Cost && map.Reverse().SequenceCompare(best.Map.Reverse()) < 0)) best = (sum, map);
        }

        return best;
    }

    private static IEnumerable<int[]> Increasing(int deep, int shallow, int from = 0)
    {
        if (shallow == 0) return [[]];
        return Enumerable.Range(from, Math.Max(0, deep - from)).SelectMany(layer => Increasing(deep, shallow - 1, layer + 1).Select(rest => (int[])[layer, .. rest]));
    }
}

/// <summary>Orders of sequences.</summary>
internal static class SequenceOrder
{
    /// <summary>Below zero where the first sequence comes first, by the first element that differs.</summary>
    public static int SequenceCompare(this IEnumerable<int> a, IEnumerable<int> b) => a.Zip(b).Select(pair => pair.First.CompareTo(pair.Second)).FirstOrDefault(order => order != 0);
}
