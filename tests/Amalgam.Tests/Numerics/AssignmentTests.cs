using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public class AssignmentTests
{
    [Fact]
    public void Finds_the_best_of_all_permutations() => Property.Holds(gen =>
    {
        (int rows, int columns) = (gen.Random.Next(0, 9), gen.Random.Next(0, 9));
        double[] score = Scores(gen.Random, rows, columns);
        Assert.Equal(BestOfAll(score, rows, columns, 1), Value(score, rows, columns, Assignment.Maximize(score, rows, columns)), 1e-9 * (1 + Largest(score)));
        Assert.Equal(-BestOfAll(score, rows, columns, -1), Value(score, rows, columns, Assignment.Minimize(score, rows, columns)), 1e-9 * (1 + Largest(score)));
    }, 400);

    [Fact]
    public void Agrees_with_the_Hungarian_method() => Property.Holds(gen =>
    {
        int rows = gen.Random.Next(45, 55), columns = rows + (gen.Random.Next(2) == 0 ? 0 : gen.Random.Next(20));
        double[] cost = Scores(gen.Random, rows, columns);
        Assert.Equal(Hungarian(cost, rows, columns), Value(cost, rows, columns, Assignment.Minimize(cost, rows, columns)), 1e-9 * (1 + Largest(cost)));
    }, 60);

    [Theory]
    [InlineData(200, 200)]
    [InlineData(150, 231)]
    [InlineData(231, 150)]
    public void Prices_prove_that_no_other_pairs_are_better(int rows, int columns) => Property.Holds(gen =>
    {
        double[] cost = Scores(gen.Random, rows, columns);
        foreach (double sign in (double[])[1, -1])
        {
            var (pairs, ofRows, ofColumns) = Assignment.Solve(cost, rows, columns, sign);
            double slack = 1e-9 * (1 + Largest(cost));
            double bound = ofRows.Sum() + ofColumns.Sum();
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++) Assert.True(sign * cost[row * columns + column] - ofRows[row] - ofColumns[column] >= -slack);
            }

            double[] ofLonger = rows < columns ? ofColumns : ofRows;
            if (rows != columns) Assert.All(ofLonger, price => Assert.True(price <= slack));
            Assert.Equal(sign * Value(cost, rows, columns, pairs), bound, slack * (rows + columns));
        }
    }, 10);

    [Fact]
    public void A_constant_on_a_row_or_column_of_a_square_changes_the_value_by_it() => Property.Holds(gen =>
    {
        int n = gen.Size(40);
        double[] cost = Scores(gen.Random, n, n);
        double before = Value(cost, n, n, Assignment.Minimize(cost, n, n));
        int row = gen.Random.Next(n), column = gen.Random.Next(n);
        for (int i = 0; i < n; i++) cost[row * n + i] += 5;
        for (int i = 0; i < n; i++) cost[i * n + column] -= 3;
        Assert.Equal(before + 2, Value(cost, n, n, Assignment.Minimize(cost, n, n)), 1e-9 * (1 + Largest(cost)));
    });

    [Fact]
    public void A_planted_permutation_is_found() => Property.Holds(gen =>
    {
        int n = gen.Size(90);
        int[] planted = [.. Enumerable.Range(0, n)];
        gen.Random.Shuffle(planted);
        double[] score = [.. Enumerable.Range(0, n * n).Select(_ => gen.Random.NextDouble() * 0.49)];
        for (int row = 0; row < n; row++) score[row * n + planted[row]] = 0.5 + gen.Random.NextDouble() * 0.5;
        Assert.Equal(planted, Assignment.Maximize(score, n, n));
    });

    [Fact]
    public void What_has_nothing_to_choose_by_stays_in_place()
    {
        foreach ((int rows, int columns) in ((int, int)[])[(1, 1), (7, 7), (40, 40), (5, 9), (9, 5)])
        {
            int[] places = [.. Enumerable.Range(0, rows).Select(row => row < columns ? row : -1)];
            foreach (double constant in (double[])[0, 1, -2.5, 1e9])
            {
                double[] score = new double[rows * columns];
                Array.Fill(score, constant);
                Assert.Equal(places, Assignment.Maximize(score, rows, columns));
                Assert.Equal(places, Assignment.Minimize(score, rows, columns));
            }
        }
    }

    [Fact]
    public void Equal_rows_stay_in_their_order_where_the_rest_does()
    {
        // Rows 1 and 3 are alike, so they could change places at no loss.
        double[] score = [9, 0, 0, 0, 0, 5, 0, 5, 0, 0, 9, 0, 0, 5, 0, 5];
        Assert.Equal([0, 1, 2, 3], Assignment.Maximize(score, 4, 4));
    }

    [Fact]
    public void Ties_are_broken_in_the_same_way_every_time()
    {
        Random random = new(3);
        double[] score = [.. Enumerable.Range(0, 60 * 60).Select(_ => (double)random.Next(3))];
        int[] first = Assignment.Maximize(score, 60, 60);
        for (int i = 0; i < 3; i++) Assert.Equal(first, Assignment.Maximize([.. score], 60, 60));
    }

    [Fact]
    public void Many_equal_costs_do_not_keep_it_busy()
    {
        Random random = new(5);
        double[] cost = [.. Enumerable.Range(0, 300 * 300).Select(_ => random.NextDouble() < 0.004 ? 0.0 : 1.0)];
        Assert.Equal(Hungarian(cost, 300, 300), Value(cost, 300, 300, Assignment.Minimize(cost, 300, 300)));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(1e305)]
    public void Refuses_what_is_no_finite_number_and_names_its_place(double value)
    {
        double[] score = new double[7 * 11];
        score[3 * 11 + 9] = value;
        string message = Assert.Throws<ArgumentException>(() => Assignment.Maximize(score, 7, 11)).Message;
        Assert.Contains("row 3, column 9 is", message);
        Assert.Throws<ArgumentException>(() => Assignment.Minimize(score, 11, 7));
    }

    [Fact]
    public void Refuses_a_matrix_of_another_size() => Assert.Throws<ArgumentOutOfRangeException>(() => Assignment.Maximize(new double[6], 2, 2));

    private static double Largest(double[] values) => values.Length == 0 ? 0 : values.Max(Math.Abs);

    /// <summary>Normal, uniform, integer with many ties, negative, scaled by 1e9 or 1e-9.</summary>
    private static double[] Scores(Random random, int rows, int columns)
    {
        int kind = random.Next(6);
        double scale = kind switch { 3 => 1e9, 4 => 1e-9, _ => 1 };
        return [.. Enumerable.Range(0, rows * columns).Select(_ => scale * (kind switch
        {
            0 => random.NextDouble(),
            1 => random.Next(3),
            2 => -random.Next(100),
            5 => random.Next(2) * 1e9 + random.NextDouble(),
            _ => random.NextDouble() * 2 - 1,
        }))];
    }

    /// <summary>Sum over the pairs, which are checked: no column twice, and as many pairs as the shorter side has members.</summary>
    private static double Value(double[] score, int rows, int columns, int[] pairs)
    {
        Assert.Equal(rows, pairs.Length);
        int[] taken = [.. pairs.Where(column => column >= 0)];
        Assert.Equal(Math.Min(rows, columns), taken.Distinct().Count(column => column < columns));
        Assert.Equal(taken.Length, taken.Distinct().Count());
        return Enumerable.Range(0, rows).Where(row => pairs[row] >= 0).Sum(row => score[row * columns + pairs[row]]);
    }

    /// <summary>Largest sum of sign * score over all ways to pair: the best with each set of columns, row by row.</summary>
    private static double BestOfAll(double[] score, int rows, int columns, double sign)
    {
        double[] best = new double[1 << columns];
        Array.Fill(best, double.NegativeInfinity);
        best[0] = 0;
        for (int row = 0; row < rows; row++)
        {
            // best[taken] is the best over the rows so far with just these columns; a row stays alone only where rows are more.
            double[] next = new double[best.Length];
            Array.Fill(next, double.NegativeInfinity);
            for (int taken = 0; taken < best.Length; taken++)
            {
                if (double.IsNegativeInfinity(best[taken])) continue;
                if (rows > columns) next[taken] = Math.Max(next[taken], best[taken]);
                for (int column = 0; column < columns; column++)
                {
                    int with = taken | 1 << column;
                    if (with != taken) next[with] = Math.Max(next[with], best[taken] + sign * score[row * columns + column]);
                }
            }

            best = next;
        }

        return Enumerable.Range(0, best.Length).Where(taken => int.PopCount(taken) == Math.Min(rows, columns)).Max(taken => best[taken]);
    }

    /// <summary>Kuhn's method with potentials, in its plain cubic form; smallest sum, rows at most columns.</summary>
    private static double Hungarian(double[] cost, int rows, int columns)
    {
        double[] u = new double[rows + 1], v = new double[columns + 1];
        int[] rowOf = new int[columns + 1], way = new int[columns + 1];
        for (int row = 1; row <= rows; row++)
        {
            rowOf[0] = row;
            int at = 0;
            double[] least = new double[columns + 1];
            Array.Fill(least, double.PositiveInfinity);
            bool[] used = new bool[columns + 1];
            do
            {
                used[at] = true;
                int from = rowOf[at], next = 0;
                double delta = double.PositiveInfinity;
                for (int column = 1; column <= columns; column++)
                {
                    if (used[column]) continue;
                    double reduced = cost[(from - 1) * columns + column - 1] - u[from] - v[column];
                    if (reduced < least[column]) (least[column], way[column]) = (reduced, at);
                    if (least[column] < delta) (delta, next) = (least[column], column);
                }

                for (int column = 0; column <= columns; column++)
                {
                    if (used[column]) (u[rowOf[column]], v[column]) = (u[rowOf[column]] + delta, v[column] - delta);
                    else least[column] -= delta;
                }

                at = next;
            }
            while (rowOf[at] != 0);

            for (; at != 0; at = way[at]) rowOf[at] = rowOf[way[at]];
        }

        return Enumerable.Range(1, columns).Where(column => rowOf[column] != 0).Sum(column => cost[(rowOf[column] - 1) * columns + column - 1]);
    }
}
