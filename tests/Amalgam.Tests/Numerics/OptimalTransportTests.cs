using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public class OptimalTransportTests
{
    /// <summary>Costs (rows x columns), masses where they are not uniform, the least cost, and the plan where it is the only one.</summary>
    public static TheoryData<string, double[,], double[]?, double[]?, double, double[,]?> Solved => new()
    {
        { "square", new double[,] { { 4, 1, 3 }, { 2, 0, 5 }, { 3, 2, 2 } }, null, null, 5.0 / 3, new[,] { { 0, 1.0 / 3, 0 }, { 1.0 / 3, 0, 0 }, { 0, 0, 1.0 / 3 } } },
        { "tall", new double[,] { { 0, 1 }, { 1, 0 }, { 1, 3 } }, null, null, 0.5, new[,] { { 1.0 / 6, 1.0 / 6 }, { 0, 1.0 / 3 }, { 1.0 / 3, 0 } } },
        { "wide", new double[,] { { 1, 2, 4 }, { 3, 1, 0 } }, null, null, 5.0 / 6, new[,] { { 1.0 / 3, 1.0 / 6, 0 }, { 0, 1.0 / 6, 1.0 / 3 } } },
        { "masses", new double[,] { { 1, 2, 3 }, { 4, 1, 2 } }, [0.7, 0.3], [0.2, 0.5, 0.3], 1.8, null },
        { "degenerate", new[,] { { 0, 3 }, { 1, 1.5 }, { 5, 0 }, { 2, 2.25 } }, null, null, 0.8125, new[,] { { 0.25, 0 }, { 0.25, 0 }, { 0, 0.25 }, { 0, 0.25 } } },
        {
            "textbook", new double[,] { { 10, 2, 20, 11 }, { 12, 7, 9, 20 }, { 4, 14, 16, 18 } }, [0.3, 0.5, 0.2], [0.1, 0.3, 0.3, 0.3], 8.7,
            new[,] { { 0, 0.1, 0, 0.2 }, { 0, 0.2, 0.3, 0 }, { 0.1, 0, 0, 0.1 } }
        },
        { "several plans", new double[,] { { 0, 2, 5 }, { 1, 0, 4 }, { 6, 1, 0 }, { 2, 2, 1 } }, null, null, 5.0 / 12, null },
        {
            "assignment", new double[,] { { 7, 5, 9, 8, 11 }, { 9, 12, 7, 11, 10 }, { 8, 5, 4, 6, 9 }, { 7, 3, 6, 9, 5 }, { 4, 6, 7, 5, 11 } }, null, null, 5.4,
            new[,] { { 0, 0.2, 0, 0, 0 }, { 0, 0, 0.2, 0, 0 }, { 0, 0, 0, 0.2, 0 }, { 0, 0, 0, 0, 0.2 }, { 0.2, 0, 0, 0, 0 } }
        },
        { "a row without mass", new double[,] { { 0, 1 }, { 9, 9 }, { 2, 0 } }, [0.5, 0, 0.5], [0.5, 0.5], 0, new[,] { { 0.5, 0 }, { 0, 0 }, { 0, 0.5 } } },
        { "on a line", new double[,] { { 5, 6, 8 }, { 4, 5, 7 }, { 2, 3, 5 } }, null, null, 5, null },
        { "squares on a line", new double[,] { { 25, 36, 64 }, { 16, 25, 49 }, { 4, 9, 25 } }, null, null, 25, new[,] { { 1.0 / 3, 0, 0 }, { 0, 1.0 / 3, 0 }, { 0, 0, 1.0 / 3 } } },
        { "line of two and three", new double[,] { { 0, 1, 2 }, { 1, 0, 1 } }, null, null, 0.5, null },
        { "squares of two and three", new double[,] { { 0, 1, 4 }, { 1, 0, 1 } }, null, null, 0.5, new[,] { { 1.0 / 3, 1.0 / 6, 0 }, { 0, 1.0 / 6, 1.0 / 3 } } },
    };

    [Theory, MemberData(nameof(Solved))]
    public void Solves_what_a_linear_program_has_solved(string name, double[,] costs, double[]? rowMass, double[]? columnMass, double least, double[,]? only)
    {
        (int rows, int columns) = (costs.GetLength(0), costs.GetLength(1));
        double[] cost = [.. costs.Cast<double>()];
        TransportPlan plan = rowMass is null ? OptimalTransport.Exact(cost, rows, columns) : OptimalTransport.Exact(cost, rowMass, columnMass);
        Assert.Equal(least, plan.Cost, 1e-12);
        if (only is not null) Assert.All(plan.ToDense().Zip(only.Cast<double>()), pair => Assert.Equal(pair.Second, pair.First, 1e-12));
        Assert.NotEmpty(name);
    }

    [Fact]
    public void A_plan_has_the_masses_and_is_sparse_and_in_order() => Property.Holds(gen =>
    {
        var (cost, rows, columns) = TransportProblems.Random(gen);
        TransportPlan plan = OptimalTransport.Exact(cost, rows, columns);
        TransportProblems.HasMasses(plan, rows, columns, 1e-12);
        Assert.True(plan.Mass.Length <= rows.Length + columns.Length - 1);
        var entries = plan.RowOf.ToArray().Zip(plan.ColumnOf.ToArray()).ToList();
        Assert.Equal(entries.Distinct().Order(), entries);
        double[] dense = plan.ToDense();
        Assert.Equal(plan.Cost, cost.Zip(dense, (c, t) => c * t).Sum(), 1e-9 * (1 + Math.Abs(plan.Cost)));
        for (int i = 0; i < dense.Length; i++) Assert.Equal(dense[i], plan[i / columns.Length, i % columns.Length]);
    }, 200);

    [Fact]
    public void No_vertex_of_a_small_problem_costs_less() => Property.Holds(gen =>
    {
        int rows = gen.Random.Next(1, 4), columns = gen.Random.Next(1, 4);
        double[] cost = TransportProblems.Costs(gen.Random, rows, columns), ofRows = TransportProblems.Masses(gen.Random, rows), ofColumns = TransportProblems.Masses(gen.Random, columns);
        double scale = ofRows.Sum() / ofColumns.Sum();
        ofColumns = [.. ofColumns.Select(mass => mass * scale)];
        Assert.Equal(TransportProblems.LeastOfAllVertices(cost, ofRows, ofColumns), OptimalTransport.Exact(cost, ofRows, ofColumns).Cost, 1e-11 * (1 + TransportProblems.Largest(cost)) * ofRows.Sum());
    }, 300);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Costs_on_a_line_are_those_of_sorted_points(int power) => Property.Holds(gen =>
    {
        double[] x = [.. Enumerable.Range(0, gen.Size(60)).Select(_ => gen.Random.NextDouble() * 10)], y = [.. Enumerable.Range(0, gen.Size(60)).Select(_ => gen.Random.NextDouble() * 10)];
        bool uniform = gen.Random.Next(2) == 0;
        double[] a = uniform ? TransportProblems.Uniform(x.Length) : TransportProblems.Masses(gen.Random, x.Length), b = uniform ? TransportProblems.Uniform(y.Length) : TransportProblems.Masses(gen.Random, y.Length);
        double[] cost = [.. x.SelectMany(s => y.Select(t => Math.Pow(Math.Abs(s - t), power)))];
        double[] scaled = [.. b.Select(mass => mass * a.Sum() / b.Sum())];
        Assert.Equal(TransportProblems.OnALine(x, a, y, scaled, power), OptimalTransport.Exact(cost, a, scaled).Cost, 1e-9 * a.Sum() * Math.Pow(10, power));
    }, 60);

    [Fact]
    public void Order_scale_and_offset_of_costs_do_to_the_least_cost_what_they_must() => Property.Holds(gen =>
    {
        var (cost, rows, columns) = TransportProblems.Random(gen, 20);
        double before = OptimalTransport.Exact(cost, rows, columns).Cost, total = rows.Sum(), near = 1e-10 * (1 + TransportProblems.Largest(cost)) * total;
        Assert.Equal(3.5 * before, OptimalTransport.Exact([.. cost.Select(c => 3.5 * c)], rows, columns).Cost, 4 * near);
        Assert.Equal(before - 7 * total, OptimalTransport.Exact([.. cost.Select(c => c - 7)], rows, columns).Cost, 8 * near);

        int[] ofRows = [.. Enumerable.Range(0, rows.Length)], ofColumns = [.. Enumerable.Range(0, columns.Length)];
        gen.Random.Shuffle(ofRows);
        gen.Random.Shuffle(ofColumns);
        double[] moved = [.. ofRows.SelectMany(row => ofColumns.Select(column => cost[row * columns.Length + column]))];
        Assert.Equal(before, OptimalTransport.Exact(moved, [.. ofRows.Select(row => rows[row])], [.. ofColumns.Select(column => columns[column])]).Cost, near);

        double[] turned = [.. Enumerable.Range(0, columns.Length).SelectMany(column => Enumerable.Range(0, rows.Length).Select(row => cost[row * columns.Length + column]))];
        Assert.Equal(before, OptimalTransport.Exact(turned, columns, rows).Cost, near);
    });

    [Fact]
    public void The_simplex_agrees_with_the_assignment_whether_masses_are_known_to_be_equal_or_not() => Property.Holds(gen =>
    {
        int n = gen.Size(60);
        double[] cost = TransportProblems.Costs(gen.Random, n, n), mass = TransportProblems.Uniform(n);
        TransportProblem problem = new(cost, mass, mass);
        double near = 1e-10 * (1 + TransportProblems.Largest(cost)), assigned = OptimalTransport.Exact(cost, n, n).Cost;
        Assert.Equal(assigned, OptimalTransport.Flowing(problem, TransportMasses.Uniform(n, n), default).Cost, near);
        Assert.Equal(assigned, OptimalTransport.Flowing(problem, TransportMasses.Of(mass, mass), default).Cost, near);
    });

    [Fact]
    public void Uniform_masses_agree_with_an_assignment_of_copies() => Property.Holds(gen =>
    {
        int rows = 1 + gen.Random.Next(12), columns = 1 + gen.Random.Next(12), n = rows * columns;
        double[] cost = TransportProblems.Costs(gen.Random, rows, columns), copies = new double[n * n];
        for (int i = 0; i < copies.Length; i++) copies[i] = cost[i / n / columns * columns + i % n / rows];
        int[] pairs = Assignment.Minimize(copies, n, n);
        double least = pairs.Select((column, row) => copies[row * n + column]).Sum() / n;
        Assert.Equal(least, OptimalTransport.Exact(cost, rows, columns).Cost, 1e-10 * (1 + TransportProblems.Largest(cost)));
    });

    [Fact]
    public void Flows_between_uniform_masses_are_whole_units()
    {
        Random random = new(1);
        TransportPlan plan = OptimalTransport.Exact(TransportProblems.Costs(random, 24, 18), 24, 18);
        foreach (double mass in plan.Mass) Assert.Equal(Math.Round(mass * 72), mass * 72, 1e-12);
    }

    [Fact]
    public void Equal_sizes_without_masses_of_their_own_give_a_permutation()
    {
        Random random = new(2);
        TransportPlan plan = OptimalTransport.Exact(TransportProblems.Costs(random, 50, 50), 50, 50);
        Assert.Equal(Enumerable.Range(0, 50), plan.RowOf.ToArray());
        Assert.Equal(Enumerable.Range(0, 50), plan.ColumnOf.ToArray().Order());
        Assert.All(plan.Mass.ToArray(), mass => Assert.Equal(1.0 / 50, mass));
    }

    [Fact]
    public void What_has_nothing_to_choose_by_stays_in_place()
    {
        TransportPlan plan = OptimalTransport.Exact(new double[49], 7, 7);
        Assert.Equal(plan.RowOf.ToArray(), plan.ColumnOf.ToArray());
    }

    [Theory]
    [InlineData(6, 4)]
    [InlineData(4, 6)]
    [InlineData(9, 3)]
    [InlineData(40, 37)]
    public void Columns_that_cost_the_same_are_filled_in_order(int rows, int columns)
    {
        Random random = new(3);
        double[] ofRow = [.. Enumerable.Range(0, rows).Select(_ => random.NextDouble())];
        TransportPlan plan = OptimalTransport.Exact([.. Enumerable.Range(0, rows * columns).Select(i => ofRow[i / columns])], rows, columns);
        Assert.Equal(plan.ColumnOf.ToArray().Order(), plan.ColumnOf.ToArray());
    }

    [Theory]
    [InlineData(1e-12)]
    [InlineData(1)]
    [InlineData(1e12)]
    [InlineData(1e200)]
    public void The_unit_of_the_costs_does_not_matter(double unit)
    {
        Random random = new(4);
        double[] cost = [.. Enumerable.Range(0, 30 * 20).Select(_ => random.NextDouble())], a = TransportProblems.Masses(random, 30), b = TransportProblems.Uniform(20);
        b = [.. b.Select(mass => mass * a.Sum())];
        double least = OptimalTransport.Exact(cost, a, b).Cost;
        Assert.Equal(1, OptimalTransport.Exact([.. cost.Select(c => c * unit)], a, b).Cost / unit / least, 1e-10);
    }

    [Theory]
    [InlineData(40, 30)]
    [InlineData(30, 30)]
    public void Forbidden_pairs_of_enormous_cost_take_no_digits_from_the_others(int rows, int columns)
    {
        Random random = new(5);
        double[] a = TransportProblems.Uniform(rows), b = TransportProblems.Uniform(columns), dear = new double[rows * columns], forbidden = new double[rows * columns];
        for (int i = 0; i < dear.Length; i++)
        {
            bool allowed = i / columns % 2 == i % columns % 2;
            dear[i] = forbidden[i] = random.NextDouble();
            if (!allowed) (dear[i], forbidden[i]) = (100, 1e32);
        }

        Assert.Equal(OptimalTransport.Exact(dear, a, b).Cost, OptimalTransport.Exact(forbidden, a, b).Cost, 1e-12);
    }

    [Fact]
    public void Enormous_costs_are_paid_where_there_is_no_other_way()
    {
        // A third must pay 2e30 and another third 1e30.
        TransportPlan plan = OptimalTransport.Exact([1, 2e30, 1e30, 1, 3e30, 1e30], 2, 3);
        Assert.Equal(1e30, plan.Cost, 1e18);
    }

    [Fact]
    public void Tiny_masses_get_their_share()
    {
        double[] rows = [0.5, 1e-20, 0.5], columns = [0.5, 0.5 - 1e-17, 1e-17];
        TransportPlan plan = OptimalTransport.Exact([1, 2, 3, 4, 5, 6, 7, 8, 10], rows, columns);
        TransportProblems.HasMasses(plan, rows, columns, 1e-12);
        Assert.Equal(1e-17, Enumerable.Range(0, 3).Sum(row => plan[row, 2]), 1e-30);
    }

    /// <summary>Equal masses are all rounded to the same side, and what that leaves is no single one's.</summary>
    [Theory]
    [InlineData(1500, 3)]
    [InlineData(2500, 2)]
    [InlineData(4095, 0.3)]
    public void Many_equal_masses_beside_another_one_are_kept(int count, double other)
    {
        Random random = new(1);
        double[] rows = [.. Enumerable.Repeat(1.0, count - 1), other], columns = [.. Enumerable.Repeat(rows.Sum() / 3, 3)];
        TransportPlan plan = OptimalTransport.Exact([.. Enumerable.Range(0, 3 * count).Select(_ => random.NextDouble())], rows, columns);
        TransportProblems.HasMasses(plan, rows, columns, 1e-12);
    }

    [Fact]
    public void Gives_the_same_plan_every_time()
    {
        Random random = new(6);
        double[] cost = [.. Enumerable.Range(0, 60 * 45).Select(_ => (double)random.Next(4))];
        TransportPlan first = OptimalTransport.Exact(cost, 60, 45);
        for (int i = 0; i < 3; i++) Assert.Equal(first.ToDense(), OptimalTransport.Exact([.. cost], 60, 45).ToDense());
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(-1e301)]
    public void Refuses_costs_that_are_no_finite_numbers_and_names_the_place(double value)
    {
        double[] cost = new double[6 * 4];
        cost[2 * 4 + 3] = value;
        Assert.Contains("row 2, column 3 is", Assert.Throws<ArgumentException>(() => OptimalTransport.Exact(cost, 6, 4)).Message, StringComparison.Ordinal);
        Assert.Contains("row 2, column 3 is", Assert.Throws<ArgumentException>(() => OptimalTransport.Sinkhorn(cost, TransportProblems.Uniform(6), TransportProblems.Uniform(4))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new[] { 0.5, -0.5, 1 }, new[] { 0.5, 0.5 }, "row 1 has mass -0.5")]
    [InlineData(new[] { 0.5, 0.5, 0 }, new[] { 0.5, double.NaN }, "column 1 has mass NaN")]
    [InlineData(new[] { 0.0, 0, 0 }, new[] { 0.0, 0 }, "the masses of rows sum to 0")]
    [InlineData(new[] { 0.5, 0.5, 0.5 }, new[] { 0.5, 0.5 }, "the masses of rows sum to 1.5, those of columns to 1")]
    public void Refuses_masses_that_cannot_be_transported(double[] rows, double[] columns, string message) =>
        Assert.Contains(message, Assert.Throws<ArgumentException>(() => OptimalTransport.Exact(new double[6], rows, columns)).Message, StringComparison.Ordinal);

    [Fact]
    public void Refuses_costs_of_another_size() => Assert.Throws<ArgumentOutOfRangeException>(() => OptimalTransport.Exact(new double[7], 2, 3));

    [Fact]
    public void Stops_when_told_to() => Assert.Throws<OperationCanceledException>(() => OptimalTransport.Exact(new double[12], 3, 4, new CancellationToken(true)));
}
