using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Tests.Alignment;

public class ActivationStatisticsTests
{
    /// <summary>Products of all rows with all, at every position, in several batches.</summary>
    private static readonly AlignmentOptions Zip = new() { Matching = UnitMatching.Zip, Batch = 16, PairDead = false, Positions = null };

    [Theory]
    [InlineData("mlp")]
    [InlineData("resnet")]
    [InlineData("vit")]
    [InlineData("folded")]
    public void Similarities_equal_two_passes_in_double_over_all_activations(string kind)
    {
        (Siblings models, Samples data) = Models(kind, 3);
        foreach (SimilarityMeasure measure in Enum.GetValues<SimilarityMeasure>())
        {
            ActivationStatistics full = ActivationStatistics.Collect(models, data, Zip with { ActivationMeasure = measure });
            ActivationStatistics rows = ActivationStatistics.Collect(models, data, Zip with { ActivationMeasure = measure, Matching = UnitMatching.Align });
            int seen = 0;
            foreach (UnitClass units in models.Groups.Classes)
            {
                if (full.Similarity(units) is not { } similarity) continue;
                seen++;
                double[][] z = Activations(models, units, data);
                UnitSimilarity ofRows = rows.Similarity(units)!;
                Assert.True(similarity.IsFull);
                Assert.Equal((units.Units, units.Units * 9 * units.Units, units.Units * 3 * units.Units), (similarity.Units, similarity.Values.Length, ofRows.Values.Length));
                for (int i = 0; i < z.Length; i++)
                {
                    for (int j = 0; j < z.Length; j++)
                    {
                        (int a, int u, int b, int v) = (i / units.Units, i % units.Units, j / units.Units, j % units.Units);
                        double expected = Naive(z[i], z[j], measure), tolerance = UnitSums.Rounding * (measure == SimilarityMeasure.InnerProduct ? Math.Sqrt(Square(z[i]) * Square(z[j])) : 1);
                        Assert.Equal(expected, similarity[a, u, b, v], tolerance);
                        if (a == 0 && b > 0) Assert.Equal(similarity[a, u, b, v], ofRows[0, u, b, v], tolerance);
                    }
                }

                for (int model = 0; model < 3; model++)
                {
                    Assert.Equal(z.Skip(model * units.Units).Take(units.Units).Select(x => x.Average()), full.Means(units, model).ToArray(), (x, y) => Math.Abs(x - y) < 1e-6);
                    Assert.Equal(z.Skip(model * units.Units).Take(units.Units).Select(x => x.Average(v => v * v) - Math.Pow(x.Average(), 2)), full.Variances(units, model).ToArray(), (x, y) => Math.Abs(x - y) < 1e-6 * (1 + x));
                }
            }

            Assert.True(seen > 1);
        }
    }

    /// <summary>Moving a network's units moves its rows and columns, whatever else is free in the values that are looked at.</summary>
    [Theory]
    [InlineData("mlp")]
    [InlineData("resnet")]
    [InlineData("vit")]
    [InlineData("mixer")]
    [InlineData("folded")]
    public void Similarities_move_with_the_units(string kind)
    {
        (Siblings models, Samples data) = Models(kind, 2);
        UnitMaps maps = UnitMaps.Random(models.Groups, 2, 5);
        Siblings moved = new(models.Groups, [models.Weights[0], Rearrangement.Apply(maps, 1, models.Weights[1])]);
        ActivationStatistics before = ActivationStatistics.Collect(models, data, Zip), after = ActivationStatistics.Collect(moved, data, Zip);
        int compared = 0;
        foreach (UnitClass units in models.Groups.Classes)
        {
            if (before.Similarity(units) is not { } was || after.Similarity(units) is not { } now) continue;
            for (int i = 0; i < units.Units; i++)
            {
                for (int j = 0; j < units.Units; j++)
                {
                    compared++;
                    Assert.Equal(was[0, i, 1, j], now[0, i, 1, maps.Target(units, 1, j)], 1e-4);
                    Assert.Equal(was[1, i, 1, j], now[1, maps.Target(units, 1, i), 1, maps.Target(units, 1, j)], 1e-4);
                }
            }
        }

        Assert.True(compared > 50);
    }

    [Theory]
    [InlineData("resnet", null)]
    [InlineData("resnet", 5)]
    [InlineData("folded", null)]
    public void Neither_the_batch_nor_the_threads_matter(string kind, int? positions)
    {
        (Siblings models, Samples data) = Models(kind, 2);
        AlignmentOptions options = Zip with { Positions = positions };
        ActivationStatistics one = OnThreads.Four(() => ActivationStatistics.Collect(models, data, options)), alone = OnThreads.One(() => ActivationStatistics.Collect(models, data, options));
        ActivationStatistics many = ActivationStatistics.Collect(models, data, options with { Batch = 13 });
        foreach (UnitClass units in models.Groups.Classes)
        {
            if (one.Similarity(units) is not { Values: var expected }) continue;
            Assert.Equal(expected, many.Similarity(units)!.Values, (x, y) => Math.Abs(x - y) < 2e-6);
            Assert.Equal(expected, alone.Similarity(units)!.Values);
        }
    }

    /// <summary>Units were found in a network for some number of samples; heads that share an axis with them are told apart at any other.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void The_batch_of_the_network_that_was_analysed_does_not_matter(int batch)
    {
        (Siblings models, Samples data) = Models("folded", 2);
        Siblings other = Siblings.Of([.. Enumerable.Range(0, 2).Select(i => Rewrite.Resize(models.With(i).Graph, batch).Graph)]);
        Assert.Equal(models.Groups.Classes.Select(units => units.ToString()), other.Groups.Classes.Select(units => units.ToString()));
        ActivationStatistics expected = ActivationStatistics.Collect(models, data, Zip), actual = ActivationStatistics.Collect(other, data, Zip);
        foreach (var (units, same) in models.Groups.Classes.Zip(other.Groups.Classes)) Assert.Equal(expected.Similarity(units)?.Values, actual.Similarity(same)?.Values);
    }

    [Fact]
    public void The_positions_of_an_image_that_are_looked_at_are_the_same_in_all_models_and_as_many_in_every_sample()
    {
        (Graph network, Samples data) = Samples.Of("resnet", 1);
        Siblings twins = Siblings.Of([network, Surgery.Copy(network)]);
        ActivationStatistics statistics = ActivationStatistics.Collect(twins, data, Zip with { Positions = 3 });
        foreach (UnitClass units in twins.Groups.Classes)
        {
            UnitSimilarity similarity = statistics.Similarity(units)!;
            for (int i = 0; i < units.Units; i++)
            {
                if (statistics.Variances(units, 0)[i] > 1e-6) Assert.Equal(1, similarity[0, i, 1, i], 2e-6);
            }
        }

        UnitColumns columns = UnitColumns.Of(twins.Groups, twins.Groups.Classes[0].LastTaps[0], new(10, 4, 8, 8));
        int[] drawn = columns.Draw(30, 1, 0);
        Assert.Equal(640, columns.Count);
        Assert.All(drawn.GroupBy(at => at / (4 * 64)), sample => Assert.Equal(3, sample.Distinct().Count()));
        UnitColumns half = UnitColumns.Of(twins.Groups, twins.Groups.Classes[0].LastTaps[0], new(5, 4, 8, 8));
        Assert.Equal<int>(drawn, (int[])[.. half.Draw(15, 1, 0), .. half.Draw(15, 1, 15).Select(at => at + 5 * 4 * 64)]);
    }

    /// <summary>Units of one class within a value that holds another class's free units besides are seen as the means over these, and a class of blocks alone not at all.</summary>
    [Fact]
    public void Heads_are_not_compared_by_units_whose_order_is_open()
    {
        (Siblings models, Samples data) = Models("vit", 2);
        ActivationStatistics statistics = ActivationStatistics.Collect(models, data, Zip);
        UnitClass heads = models.Groups.Classes.First(units => !units.Inner.IsEmpty);
        Assert.Null(statistics.Similarity(heads));
        Assert.Equal(0, statistics.Dead(heads));
        Assert.Empty(statistics.Means(heads, 0).ToArray());
        Assert.All(heads.Inner, inner => Assert.NotNull(statistics.Similarity(inner)));
    }

    /// <summary>Biases far below zero close Relus, and zero weights leave constants.</summary>
    [Fact]
    public void Dead_units_are_paired_with_dead_ones_of_the_same_constant()
    {
        (Siblings models, Samples data) = Models("mlp", 3);
        UnitClass units = models.Groups.Classes[0];
        int[][] dead = [[1, 4, 6, 8], [0, 2, 6], [5, 6, 7, 8]];
        for (int model = 0; model < 3; model++)
        {
            string layer = units.Parameters[0].Node.Name!.Split('.')[0];
            foreach (int unit in dead[model]) models.Weights[model][$"{layer}.bias"].Span[unit] = -1000;
            models.Weights[model][$"{layer}.weight"].Span.Slice(6 * 6, 6).Clear();
            models.Weights[model][$"{layer}.bias"].Span[6] = model == 1 ? 3 : 2;
        }

        foreach (UnitMatching matching in Enum.GetValues<UnitMatching>())
        {
            ActivationStatistics paired = ActivationStatistics.Collect(models, data, Zip with { PairDead = true, Matching = matching });
            ActivationStatistics left = ActivationStatistics.Collect(models, data, Zip with { Matching = matching });
            Assert.Equal(11, paired.Dead(units));
            UnitSimilarity with = paired.Similarity(units)!, without = left.Similarity(units)!;
            for (int m = 0; m < (matching == UnitMatching.Zip ? 3 : 1); m++)
            {
                for (int i = 0; i < 9; i++)
                {
                    for (int o = m + 1; o < 3; o++)
                    {
                        for (int j = 0; j < 9; j++)
                        {
                            bool areDead = dead[m].Contains(i) && dead[o].Contains(j), areSame = (i == 6) == (j == 6) && (i != 6 || (m, o) == (0, 2));
                            Assert.Equal(areDead && areSame ? 1 : without[m, i, o, j], with[m, i, o, j]);
                            if (dead[m].Contains(i) || dead[o].Contains(j)) Assert.Equal(0, without[m, i, o, j]);
                        }
                    }
                }
            }
        }
    }

    [Fact]
    public void Damaged_networks_are_named()
    {
        (Siblings models, Samples data) = Models("mlp", 2);
        models.Weights[1].Values.First(w => w.Shape.Rank == 2).Span[0] = float.PositiveInfinity;
        string message = Assert.Throws<GraphException>(() => ActivationStatistics.Collect(models, data, Zip)).Message;
        Assert.Contains("in b has activations that are not finite", message, StringComparison.Ordinal);
    }

    [Fact]
    public void As_many_samples_as_asked_for_are_drawn_by_the_seed()
    {
        (Siblings models, Samples data) = Models("mlp", 2);
        List<long> heard = [];
        ActivationStatistics some = ActivationStatistics.Collect(models, data, Zip with { Samples = 40, Seed = 1 }, new Heard(heard));
        Assert.Equal(40, some.Samples);
        Assert.Equal([16, 32, 40], heard);
        UnitClass units = models.Groups.Classes[0];
        Assert.NotEqual(some.Means(units, 0).ToArray(), ActivationStatistics.Collect(models, data, Zip with { Samples = 40, Seed = 2 }).Means(units, 0).ToArray());
        Assert.Equal(some.Means(units, 0).ToArray(), ActivationStatistics.Collect(models, ActivationStatistics.Calibration(data, Zip with { Samples = 40, Seed = 1 }), Zip).Means(units, 0).ToArray());
    }

    [Fact]
    public void Stops_when_told()
    {
        (Siblings models, Samples data) = Models("mlp", 2);
        using CancellationTokenSource source = new();
        Assert.Throws<OperationCanceledException>(() => ActivationStatistics.Collect(models, data, Zip, new Then(source.Cancel), source.Token));
    }

    [Fact]
    public void Networks_for_a_fixed_number_of_samples_leave_out_those_that_do_not_fill_a_batch()
    {
        Siblings models = Siblings.Of([Fixed(1), Fixed(2)]);
        ActivationStatistics statistics = ActivationStatistics.Collect(models, new Samples("x", new(6), 10, 1), Zip);
        Assert.Equal(8, statistics.Samples);
        Assert.Contains("takes 4 samples at a time", Assert.Throws<GraphException>(() => ActivationStatistics.Collect(models, new Samples("x", new(6), 3, 1), Zip)).Message, StringComparison.Ordinal);

        static Graph Fixed(int seed)
        {
            Graph graph = new();
            Random random = new(seed);
            Node Weight(string name, int outputs, int inputs) => graph.Parameter(name, new(new(outputs, inputs), [.. Enumerable.Range(0, outputs * inputs).Select(_ => (float)random.NextDouble() - 0.4f)]));
            Node x = graph.Input("x", new(4, 6)).Linear(Weight("a", 5, 6)).Relu().Reshape(4, 5);
            graph.Output("y", x.Linear(Weight("b", 3, 5)));
            return graph;
        }
    }

    internal static (Siblings Models, Samples Data) Models(string kind, int count)
    {
        Graph[] networks = [.. Enumerable.Range(0, count).Select(i => Samples.Of(kind, i + 1).Network)];
        return (Siblings.Of(networks), Samples.Of(kind, 1).Data);
    }

    /// <summary>What each unit of each model does on all samples, in double.</summary>
    private static double[][] Activations(Siblings models, UnitClass units, Dataset data) => [.. Enumerable.Range(0, models.Count).SelectMany(model =>
    {
        GraphCopy network = models.With(model);
        GraphCopy whole = Rewrite.Resize(network.Graph, data.Count);
        List<double>[] rows = [.. Enumerable.Range(0, units.Units).Select(_ => new List<double>())];
        foreach (UnitPlace place in units.LastTaps)
        {
            Node tap = whole.Map[network.Map[place.Node]];
            Executor executor = new(whole.Graph, [tap], new(Frozen: true));
            new Batches(data, data.Count, shuffle: false).Fill(0, DataInputs.Bind(data, whole.Graph, data.Count, null, executor));
            executor.Run();
            int columns = Rearrangement.ColumnsOf(place, executor[tap]);
            float[] values = new float[units.Units * columns];
            Rearrangement.Rows(place, executor[tap], values);
            for (int unit = 0; unit < units.Units; unit++) rows[unit].AddRange(values.Skip(unit * columns).Take(columns).Select(x => (double)x));
        }

        return rows.Select(row => row.ToArray());
    })];

    private static double Naive(double[] x, double[] y, SimilarityMeasure measure)
    {
        double product = x.Zip(y, (a, b) => a * b).Average(), meanX = x.Average(), meanY = y.Average();
        double varianceX = x.Average(a => (a - meanX) * (a - meanX)), varianceY = y.Average(b => (b - meanY) * (b - meanY));
        return measure switch
        {
            SimilarityMeasure.InnerProduct => product,
            SimilarityMeasure.Cosine => product / Math.Max(Math.Sqrt(Square(x) * Square(y)), 1e-7),
            _ => varianceX < 1e-12 || varianceY < 1e-12 ? 0 : x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Average() / Math.Max(Math.Sqrt(varianceX * varianceY), 1e-7),
        };
    }

    private static double Square(double[] x) => x.Average(a => a * a);

    private sealed class Heard(List<long> counts) : IProgress<long>
    {
        public void Report(long value) => counts.Add(value);
    }

    private sealed class Then(Action action) : IProgress<long>
    {
        public void Report(long value) => action();
    }
}
