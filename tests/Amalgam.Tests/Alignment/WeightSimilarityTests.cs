using Amalgam.Alignment;
using Amalgam.Graphs;

namespace Amalgam.Tests.Alignment;

public class WeightSimilarityTests
{
    [Theory]
    [InlineData(SimilarityMeasure.Pearson, UnitMatching.Align)]
    [InlineData(SimilarityMeasure.Pearson, UnitMatching.Zip)]
    [InlineData(SimilarityMeasure.InnerProduct, UnitMatching.Zip)]
    [InlineData(SimilarityMeasure.Cosine, UnitMatching.Align)]
    public void Equals_the_naive_similarity_of_whole_rows(SimilarityMeasure measure, UnitMatching matching)
    {
        Graph a = SmallNetworks.Mlp(1, 5, 4, 3, bias: true), b = SmallNetworks.Mlp(2, 5, 4, 3, bias: true);
        Siblings models = Siblings.Of([a, b]);
        UnitClass first = ClassOf(models, "fc1.weight"), second = ClassOf(models, "fc2.weight"), third = ClassOf(models, "fc3.weight");
        UnitMaps maps = UnitMaps.Identity(models.Groups, 2);
        int[] ofFirst = [3, 0, 4, 1, 2], ofThird = [1, 2, 3, 4, 0];
        maps.Set(first, [[0, 1, 2, 3, 4], ofFirst]);
        maps.Set(third, [[0, 1, 2, 3, 4], ofThird]);

        UnitSimilarity similarity = WeightSimilarity.Of(second, models, maps, new() { WeightMeasure = measure, Matching = matching })!;

        double[][] rows = [.. Enumerable.Range(0, 10).Select(row => Row(row < 5 ? a : b, row % 5, row < 5 ? [0, 1, 2, 3, 4] : ofFirst, row < 5 ? [0, 1, 2, 3, 4] : ofThird))];
        Assert.Equal(matching == UnitMatching.Zip, similarity.IsFull);
        for (int row = 0; row < (similarity.IsFull ? 10 : 5); row++)
        {
            for (int column = similarity.IsFull ? 0 : 5; column < 10; column++) Assert.Equal(Naive(measure, rows[row], rows[column]), similarity[row / 5, row % 5, column / 5, column % 5], 1e-5);
        }
    }

    /// <summary>Neighbours are zipped: of U, which says what becomes what, and M, U over members, rows hold W U where the network is summed over and W M where it makes, or the reverse; each by the models' number, as a mean is to come of it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Units_around_that_are_zipped_are_gathered_by_the_merge_matrices(bool paper)
    {
        Siblings models = Siblings.Of([.. Enumerable.Range(1, 3).Select(seed => SmallNetworks.Mlp(seed, 4, 3, 2, bias: true))]);
        UnitClass second = ClassOf(models, "fc2.weight");
        UnitMaps maps = UnitMaps.Identity(models.Groups, 3);
        int[][] ofFirst = [[0, 0, 1, 2], [3, 1, 1, 1], [2, 2, 2, 0]], ofThird = [[1, 1, 1, 1], [0, 2, 3, 3], [0, 0, 0, 2]];
        maps.Set(ClassOf(models, "fc1.weight"), ofFirst);
        maps.Set(ClassOf(models, "fc3.weight"), ofThird);
        double[][,] Matrices(int[][] to, bool mean) => [.. to.Select(of =>
        {
            double[,] matrix = new double[4, 4];
            for (int unit = 0; unit < 4; unit++) matrix[unit, of[unit]] = mean ? 3.0 / to.Sum(all => all.Count(c => c == of[unit])) : 1;
            return matrix;
        })];
        double[][,] read = Matrices(ofFirst, paper), made = Matrices(ofThird, !paper);
        double[][] rows = [.. Enumerable.Range(0, 12).Select(row =>
        {
            (int model, int unit) = (row / 4, row % 4);
            double[] x = new double[9];
            for (int from = 0; from < 4; from++)
            {
                for (int to = 0; to < 4; to++)
                {
                    x[to] += models.Weights[model]["fc2.weight"].Span[unit * 4 + from] * read[model][from, to];
                    x[4 + to] += models.Weights[model]["fc3.weight"].Span[from * 4 + unit] * made[model][from, to];
                }
            }

            x[8] = models.Weights[model]["fc2.bias"].Span[unit];
            return x;
        })];

        UnitSimilarity similarity = WeightSimilarity.Of(second, models, maps, new() { Matching = UnitMatching.Zip, PaperGathering = paper })!;

        for (int i = 0; i < 12; i++)
        {
            for (int j = 0; j < 12; j++) Assert.Equal(Naive(SimilarityMeasure.Pearson, rows[i], rows[j]), similarity[i / 4, i % 4, j / 4, j % 4], 1e-5);
        }
    }

    [Fact]
    public void Stops_when_it_is_told_to()
    {
        Siblings models = Siblings.Of([SmallNetworks.Mlp(1, 4), SmallNetworks.Mlp(2, 4)]);
        UnitMaps maps = UnitMaps.Identity(models.Groups, 2);
        UnitGroup group = models.Groups.Groups[0];
        UnitSimilarity similarity = WeightSimilarity.Of(group.Root, models, maps, new())!;

        Assert.Throws<OperationCanceledException>(() => WeightSimilarity.Of(group.Root, models, maps, new(), new(canceled: true)));
        Assert.Throws<OperationCanceledException>(() => GroupMatching.Align(group, _ => similarity, maps, new(canceled: true)));
    }

    [Fact]
    public void Large_means_do_not_drown_what_differs()
    {
        // Around 1000 with differences of 0.01: single precision keeps the differences to 1 %, sums of squares that are not centred would keep nothing.
        Graph a = SmallNetworks.Mlp(1, 6, 40, 4), b = SmallNetworks.Mlp(2, 6, 40, 4);
        foreach (Graph graph in new[] { a, b })
        {
            foreach (Node node in graph.Parameters.Values)
            {
                for (int i = 0; i < node.Value!.Count; i++) node.Value.Span[i] = 1000 + 0.1f * node.Value.Span[i];
            }
        }

        Siblings models = Siblings.Of([a, b]);
        UnitClass second = ClassOf(models, "fc2.weight");

        UnitSimilarity similarity = WeightSimilarity.Of(second, models, UnitMaps.Identity(models.Groups, 2), new())!;

        int[] same = [0, 1, 2, 3, 4, 5];
        for (int i = 0; i < 6; i++)
        {
            for (int j = 0; j < 6; j++)
            {
                double[] x = [.. Row(a, i, same, same, false)], y = [.. Row(b, j, same, same, false)];
                Assert.Equal(Naive(SimilarityMeasure.Pearson, x, y), similarity[0, i, 1, j], 1e-4);
            }
        }
    }

    [Theory]
    [InlineData(SimilarityMeasure.Pearson, false)]
    [InlineData(SimilarityMeasure.Cosine, true)]
    public void Units_in_place_are_the_diagonal(SimilarityMeasure measure, bool standardise)
    {
        Siblings models = Siblings.Of([SmallNetworks.Convolutional(1, 4), SmallNetworks.Convolutional(2, 4), SmallNetworks.Convolutional(3, 4)]);
        AlignmentOptions options = new() { WeightMeasure = measure, StandardiseTensors = standardise };
        foreach (UnitClass units in models.Groups.Classes)
        {
            UnitSimilarity similarity = WeightSimilarity.Of(units, models, UnitMaps.Identity(models.Groups, 3), options)!;
            double diagonal = Enumerable.Range(0, units.Units).Average(unit => (similarity[0, unit, 1, unit] + similarity[0, unit, 2, unit]) / 2);
            Assert.Equal(diagonal, WeightSimilarity.InPlace(units, models, options), 1e-5);
        }
    }

    [Fact]
    public void Running_statistics_say_nothing()
    {
        Graph a = SmallNetworks.Convolutional(1, 4), b = SmallNetworks.Convolutional(2, 4), other = Surgery.Copy(b);
        foreach (Node node in other.Parameters.Values.Where(node => node.Name!.Contains("running", StringComparison.Ordinal))) node.Value!.Span.Fill(100);
        Siblings models = Siblings.Of([a, b]), changed = new(models.Groups, [models.Weights[0], Siblings.WeightsOf(other)]);
        UnitMaps maps = UnitMaps.Identity(models.Groups, 2);

        foreach (UnitClass units in models.Groups.Classes)
            Assert.Equal(WeightSimilarity.Of(units, models, maps, new())!.Values, WeightSimilarity.Of(units, changed, maps, new())!.Values);
    }

    [Fact]
    public void Standardised_tensors_count_alike_whatever_their_scale()
    {
        Graph a = SmallNetworks.Mlp(1, 6, 4, 3, bias: true), b = SmallNetworks.Mlp(2, 6, 4, 3, bias: true);
        AlignmentOptions options = new() { StandardiseTensors = true };
        Siblings models = Siblings.Of([a, b]);
        UnitMaps maps = UnitMaps.Identity(models.Groups, 2);
        UnitClass second = ClassOf(models, "fc2.weight");
        double[] before = WeightSimilarity.Of(second, models, maps, options)!.Values;

        foreach (Graph graph in new[] { a, b })
        {
            for (int i = 0; i < 6; i++) graph.Parameters["fc2.bias"].Value!.Span[i] = 1 + 64 * graph.Parameters["fc2.bias"].Value!.Span[i];
        }

        double[] after = WeightSimilarity.Of(second, models, maps, options)!.Values, plain = WeightSimilarity.Of(second, models, maps, new())!.Values;

        for (int i = 0; i < before.Length; i++) Assert.Equal(before[i], after[i], 1e-4);
        Assert.Contains(Enumerable.Range(0, before.Length), i => Math.Abs(plain[i] - before[i]) > 0.1);
    }

    [Fact]
    public void An_outer_class_leaves_to_its_inner_ones_what_carries_both()
    {
        Siblings models = Siblings.Of([SmallNetworks.Attention(1, 16, 4), SmallNetworks.Attention(2, 16, 4)]);
        UnitClass heads = models.Groups.Classes.Single(units => units.Inner.Length > 0);

        Assert.Null(WeightSimilarity.Of(heads, models, UnitMaps.Identity(models.Groups, 2), new()));
        Assert.All(heads.Inner, inner => Assert.Equal((2, 16), (WeightSimilarity.Of(inner, models, UnitMaps.Identity(models.Groups, 2), new())!.Models, inner.Units)));
    }

    private static UnitClass ClassOf(Siblings models, string parameter) => models.Groups.Classes.Single(units => units.Parameters.Any(place => place.Node.Name == parameter && place.Side == UnitSide.Out));

    /// <summary>What is around a unit of the second layer, with the units of the first and third where they come to.</summary>
    private static double[] Row(Graph graph, int unit, int[] ofFirst, int[] ofThird, bool bias = true)
    {
        int hidden = ofFirst.Length;
        double[] row = new double[2 * hidden + (bias ? 1 : 0)];
        for (int i = 0; i < hidden; i++)
        {
            row[ofFirst[i]] = graph.Parameters["fc2.weight"].Value!.Span[unit * hidden + i];
            row[hidden + ofThird[i]] = graph.Parameters["fc3.weight"].Value!.Span[i * hidden + unit];
        }

        if (bias) row[^1] = graph.Parameters["fc2.bias"].Value!.Span[unit];
        return row;
    }

    private static double Naive(SimilarityMeasure measure, double[] x, double[] y)
    {
        double meanX = measure == SimilarityMeasure.Pearson ? x.Average() : 0, meanY = measure == SimilarityMeasure.Pearson ? y.Average() : 0;
        double product = x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Sum();
        return measure == SimilarityMeasure.InnerProduct ? product : product / Math.Sqrt(x.Sum(a => (a - meanX) * (a - meanX)) * y.Sum(b => (b - meanY) * (b - meanY)));
    }
}
