using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public class SinkhornTests
{
    private static readonly double[] Tall = [0, 1, 1, 0, 1, 3];

    [Theory]
    [InlineData(1, new[] { 0.18926788, 0.14406545, 0.05031944, 0.28301389, 0.26041268, 0.07292066 })]
    [InlineData(0.1, new[] { 0.16668180, 0.16665154, 0.0000000007, 0.33333333, 0.33331820, 0.00001513 })]
    public void Three_rows_and_two_columns_have_the_reference_plan(double regularization, double[] expected)
    {
        TransportPlan plan = OptimalTransport.Sinkhorn(Tall, TransportProblems.Uniform(3), TransportProblems.Uniform(2), new() { Regularization = regularization });
        Assert.True(plan.Converged);
        Assert.All(plan.ToDense().Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 1e-8));
    }

    [Fact]
    public void The_cost_is_without_the_entropy() =>
        Assert.Equal(0.50001513, OptimalTransport.Sinkhorn(Tall, TransportProblems.Uniform(3), TransportProblems.Uniform(2), new() { Regularization = 0.1 }).Cost, 1e-8);

    [Fact]
    public void Two_by_two_has_the_closed_form()
    {
        double[] half = [0.5, 0.5], plan = OptimalTransport.Sinkhorn([0, 1, 1, 0], half, half, new() { Regularization = 1 }).ToDense();
        double diagonal = 0.5 / (1 + Math.Exp(-1));
        Assert.All(plan.Zip(new[] { diagonal, 0.5 - diagonal, 0.5 - diagonal, diagonal }), pair => Assert.Equal(pair.Second, pair.First, 1e-9));
    }

    [Fact]
    public void Costs_whose_exponentials_underflow_are_no_trouble()
    {
        double[] half = [0.5, 0.5];
        TransportPlan plan = OptimalTransport.Sinkhorn([900, 1000, 1000, 900], half, half, new() { Regularization = 1 });
        Assert.True(plan.Converged);
        Assert.Equal(900, plan.Cost, 1e-6);
    }

    [Fact]
    public void Is_the_limit_of_the_plain_scaling_in_double_precision() => Property.Holds(gen =>
    {
        int rows = gen.Size(30), columns = gen.Size(30);
        double[] cost = [.. Enumerable.Range(0, rows * columns).Select(_ => gen.Random.NextDouble())];
        double[] a = Positive(gen.Random, rows), b = Positive(gen.Random, columns);
        TransportPlan plan = OptimalTransport.Sinkhorn(cost, a, b, new() { Regularization = 0.3, MaxIterations = 10_000 });
        Assert.True(plan.Converged);
        TransportProblems.HasMasses(plan, a, b, 2e-9);
        Assert.All(plan.ToDense().Zip(Scaled(cost, a, b, 0.3)), pair => Assert.Equal(pair.Second, pair.First, 1e-7));
    }, 30);

    [Fact]
    public void Costs_no_less_than_the_exact_plan_and_tends_to_it() => Property.Holds(gen =>
    {
        int rows = gen.Size(25), columns = gen.Size(25);
        double[] cost = [.. Enumerable.Range(0, rows * columns).Select(_ => gen.Random.NextDouble())];
        double[] a = Positive(gen.Random, rows), b = Positive(gen.Random, columns);
        double exact = OptimalTransport.Exact(cost, a, b).Cost, before = double.PositiveInfinity;
        foreach (double regularization in (double[])[1, 0.3, 0.1, 0.03])
        {
            TransportPlan plan = OptimalTransport.Sinkhorn(cost, a, b, new() { Regularization = regularization, MaxIterations = 100_000 });
            Assert.True(plan.Converged);
            Assert.InRange(plan.Cost, exact - 1e-8, before + 1e-8);

            // The entropy of a plan is between 0 and log(rows * columns).
            Assert.InRange(plan.Cost, exact - 1e-8, exact + regularization * Math.Log(rows * columns) + 1e-8);
            before = plan.Cost;
        }
    }, 20);

    [Fact]
    public void Says_when_it_did_not_converge_and_still_gives_the_columns_their_masses()
    {
        Random random = new(3);
        double[] cost = [.. Enumerable.Range(0, 30 * 20).Select(_ => random.NextDouble())], a = Positive(random, 30), b = Positive(random, 20);
        TransportPlan plan = OptimalTransport.Sinkhorn(cost, a, b, new() { Regularization = 1e-3, MaxIterations = 2 });
        Assert.False(plan.Converged);
        Assert.Equal(2, plan.Iterations);
        for (int column = 0; column < 20; column++) Assert.Equal(b[column], Enumerable.Range(0, 30).Sum(row => plan[row, column]), 1e-12);
    }

    [Fact]
    public void Is_the_same_for_any_number_of_cores()
    {
        Random random = new(7);
        double[] cost = [.. Enumerable.Range(0, 400 * 300).Select(_ => random.NextDouble())], a = Positive(random, 400), b = Positive(random, 300);
        Assert.Equal(OnThreads.One(Plan), OnThreads.Four(Plan));

        double[] Plan() => OptimalTransport.Sinkhorn(cost, a, b, new() { Regularization = 0.2 }).ToDense();
    }

    [Fact]
    public void Rows_and_columns_without_mass_get_nothing()
    {
        TransportPlan plan = OptimalTransport.Sinkhorn([0, 1, 5, 9, 9, 9, 2, 0, 1], [0.5, 0, 0.5], [0.25, 0.75, 0], new() { Regularization = 0.5 });
        TransportProblems.HasMasses(plan, [0.5, 0, 0.5], [0.25, 0.75, 0], 1e-8);
        Assert.Equal(4, plan.Mass.Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    public void Refuses_a_regularisation_that_is_not_above_0(double regularization) =>
        Assert.Contains("regularisation", Assert.Throws<ArgumentException>(() => OptimalTransport.Sinkhorn([1, 2], [1], [0.5, 0.5], new() { Regularization = regularization })).Message, StringComparison.Ordinal);

    /// <summary>Masses above 0 that sum to 1.</summary>
    private static double[] Positive(Random random, int count)
    {
        double[] masses = [.. Enumerable.Range(0, count).Select(_ => 0.1 + random.NextDouble())];
        return [.. masses.Select(mass => mass / masses.Sum())];
    }

    /// <summary>diag(u) K diag(v) of the textbook, iterated far.</summary>
    private static double[] Scaled(double[] cost, double[] a, double[] b, double regularization)
    {
        double[] u = new double[a.Length], v = [.. b.Select(_ => 1.0)];
        double Kernel(int i, int j) => Math.Exp(-cost[i * b.Length + j] / regularization);
        for (int round = 0; round < 2000; round++)
        {
            for (int i = 0; i < u.Length; i++) u[i] = a[i] / Enumerable.Range(0, v.Length).Sum(j => Kernel(i, j) * v[j]);
            for (int j = 0; j < v.Length; j++) v[j] = b[j] / Enumerable.Range(0, u.Length).Sum(i => Kernel(i, j) * u[i]);
        }

        return [.. Enumerable.Range(0, cost.Length).Select(i => u[i / v.Length] * Kernel(i / v.Length, i % v.Length) * v[i % v.Length])];
    }
}
