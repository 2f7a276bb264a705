using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public class GreedyZipTests
{
    private static readonly double[] Alphas = [1, 0.5, 0.3, 1e-4, 0, -1], Betas = [1, 0.25, 0.075, 0];

    [Fact]
    public void Does_what_the_plain_loop_of_the_papers_code_does() => Property.Holds(gen =>
    {
        int models = gen.Random.Next(1, 5), units = gen.Size(12);
        double alpha = Alphas[gen.Random.Next(Alphas.Length)], beta = Betas[gen.Random.Next(Betas.Length)];
        double[] similarity = Similarities(gen.Random, models * units);
        var plain = Plain(similarity, models, units, alpha, beta);
        if (plain is not { } expected) return;

        ZipResult zipped = GreedyZip.Run([.. similarity], models, units, new(alpha, beta));
        Assert.Equal(expected.Cluster, zipped.Cluster);
        Assert.Equal(expected.Score, zipped.Score, 1e-12);
        Assert.Equal(expected.Within, zipped.Within);
    }, 600);

    [Fact]
    public void Every_merged_unit_has_a_member_and_every_unit_a_merged_one() => Property.Holds(gen =>
    {
        int models = gen.Random.Next(1, 6), units = gen.Size(12);
        ZipOptions options = new(Alphas[gen.Random.Next(Alphas.Length)], Betas[gen.Random.Next(Betas.Length)], gen.Random.Next(2) == 0);
        ZipResult zipped = GreedyZip.Run(Similarities(gen.Random, models * units), models, units, options);
        Assert.Equal(models * units, zipped.Cluster.Length);
        Assert.Equal(Enumerable.Range(0, units), zipped.Cluster.Distinct());
    }, 400);

    [Fact]
    public void Capped_clusters_have_a_member_for_each_model() => Property.Holds(gen =>
    {
        int models = gen.Random.Next(1, 6), units = gen.Size(12);
        ZipOptions options = new(Alphas[gen.Random.Next(Alphas.Length)], Betas[gen.Random.Next(Betas.Length)], Capped: true);
        ZipResult zipped = GreedyZip.Run(Similarities(gen.Random, models * units), models, units, options);
        Assert.All(zipped.Cluster.GroupBy(c => c), cluster => Assert.Equal(models, cluster.Count()));
    }, 400);

    [Fact]
    public void Planted_pairs_are_found()
    {
        foreach (int models in (int[])[2, 3])
        {
            Property.Holds(gen =>
            {
                int units = gen.Size(20);
                int[][] of = [.. Enumerable.Range(0, models).Select(_ => Shuffled(gen.Random, units))];
                double[] similarity = Similarities(gen.Random, models * units, most: 0.3);
                for (int i = 0; i < models * units; i++)
                {
                    for (int j = 0; j < models * units; j++)
                    {
                        if (of[i / units][i % units] == of[j / units][j % units]) similarity[i * models * units + j] = 1;
                    }
                }

                ZipResult zipped = GreedyZip.Run(similarity, models, units, new(1, 1));
                for (int model = 1; model < models; model++)
                {
                    for (int unit = 0; unit < units; unit++)
                    {
                        int twin = Array.IndexOf(of[0], of[model][unit]);
                        Assert.Equal(zipped.Cluster[twin], zipped.Cluster[model * units + unit]);
                    }
                }

                Assert.Equal(0, zipped.Within);
                Assert.Equal(1, zipped.Score);
            });
        }
    }

    [Fact]
    public void Merges_within_a_model_stay_within_its_budget() => Property.Holds(gen =>
    {
        int units = gen.Random.Next(2, 30);
        double beta = Betas[gen.Random.Next(Betas.Length)];

        // Units of one model are alike, those of different models are not: without budgets all merges were within the models.
        double[] similarity = Similarities(gen.Random, 2 * units);
        for (int i = 0; i < 2 * units; i++)
        {
            for (int j = 0; j < 2 * units; j++) similarity[i * 2 * units + j] += i / units == j / units ? 2 : 0;
        }

        int budget = Math.Max(1, (int)(units / 2 * beta + 1e-4));
        ZipResult zipped = GreedyZip.Run(similarity, 2, units, new(1, beta));
        Assert.InRange(zipped.Within, 1, 2 * budget);
    });

    [Fact]
    public void A_small_case_worked_out_by_hand()
    {
        // Units 0 1 2 of model 0 and 3 4 5 of model 1. First (0, 3) at .9; with alpha .5 that merged unit's similarities halve, so (1, 2) of one model at .6 goes before (0 3, 4) at .8 / 2,
        // and so does (4, 5) at .5.
        double[] similarity =
        [
            1, 0.7, 0.75, 0.9, 0.8, 0.1,
            0.7, 1, 0.6, 0.7, 0.2, 0.1,
            0.75, 0.6, 1, 0.7, 0.2, 0.1,
            0.9, 0.7, 0.7, 1, 0.85, 0.1,
            0.8, 0.2, 0.2, 0.85, 1, 0.5,
            0.1, 0.1, 0.1, 0.1, 0.5, 1,
        ];
        ZipResult zipped = GreedyZip.Run(similarity, 2, 3, new(0.5, 1));
        Assert.Equal([0, 1, 1, 0, 2, 2], zipped.Cluster);
        Assert.Equal((0.9 + 0.6 + 0.5) / 3, zipped.Score, 1e-15);
        Assert.Equal(2, zipped.Within);
    }

    [Fact]
    public void The_first_of_equal_pairs_is_merged_first()
    {
        double[] similarity = new double[16];
        Assert.Equal([0, 0, 0, 1], GreedyZip.Run(similarity, 2, 2, new(1, 4)).Cluster);
    }

    [Fact]
    public void One_model_stays_as_it_is() => Assert.Equal([0, 1, 2], GreedyZip.Run([1, 1, 1, 1, 1, 1, 1, 1, 1], 1, 3, new()).Cluster);

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.NegativeInfinity)]
    public void Refuses_what_is_no_finite_number(double value)
    {
        double[] similarity = new double[36];
        similarity[1 * 6 + 5] = value;
        Assert.Contains("unit 1 of model 0 and unit 2 of model 1", Assert.Throws<ArgumentException>(() => GreedyZip.Run(similarity, 2, 3, new())).Message);
    }

    [Fact]
    public void Refuses_options_out_of_range()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ZipOptions(Alpha: 1.5));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ZipOptions(Alpha: double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ZipOptions(Beta: -0.1));
        Assert.Throws<ArgumentOutOfRangeException>(() => GreedyZip.Run(new double[9], 2, 2, new()));
    }

    [Fact]
    public void Stops_when_told_to() => Assert.Throws<OperationCanceledException>(() => GreedyZip.Run(new double[16], 2, 2, new(), new(canceled: true)));

    private static int[] Shuffled(Random random, int n)
    {
        int[] order = [.. Enumerable.Range(0, n)];
        random.Shuffle(order);
        return order;
    }

    /// <summary>Symmetric, with ties or negative numbers in some.</summary>
    private static double[] Similarities(Random random, int n, double most = 1)
    {
        int kind = random.Next(3);
        double[] similarity = new double[n * n];
        for (int i = 0; i < n; i++)
        {
            similarity[i * n + i] = 1;
            for (int j = 0; j < i; j++)
            {
                double value = kind switch { 0 => random.NextDouble(), 1 => random.Next(5) / 4.0, _ => random.NextDouble() * 2 - 1 };
                similarity[i * n + j] = similarity[j * n + i] = value * most;
            }
        }

        return similarity;
    }

    /// <summary>The loop as it is written in ZipIt!'s code, a whole matrix at a time; null where it would come to merge what it has forbidden.</summary>
    private static (int[] Cluster, double Score, int Within)? Plain(double[] similarity, int models, int units, double alpha, double beta)
    {
        int n = models * units, within = 0;
        List<List<double>> s = [.. Enumerable.Range(0, n).Select(i => similarity[(i * n)..((i + 1) * n)].ToList())];
        for (int i = 0; i < n; i++) s[i][i] = double.NegativeInfinity;
        List<List<int>> members = [.. Enumerable.Range(0, n).Select(i => new List<int> { i })];
        List<int> origin = [.. Enumerable.Range(0, n).Select(i => i / units)];
        double r = 1 - 1.0 / models, score = 0;
        int wanted = (int)Math.Floor(n * (1 - r) + 1e-4), merges = n - wanted;
        int[] budget = [.. Enumerable.Repeat((int)Math.Floor((n - wanted) / models * beta + 1e-4), models)];
        while (s.Count > wanted)
        {
            var (p, q) = First(s);
            if (double.IsNegativeInfinity(s[p][q])) return null;
            score += s[p][q] / merges;
            (int from, int with) = (origin[p], origin[q]);
            members[p].AddRange(members[q]);
            for (int k = 0; k < s.Count; k++) s[k][p] = Math.Min(s[k][p], s[k][q]) * (alpha > 0 ? alpha : 1);
            for (int k = 0; k < s.Count; k++) s[p][k] = Math.Min(s[p][k], s[q][k]) * (alpha > 0 ? alpha : 1);
            s.RemoveAt(q);
            foreach (List<double> row in s) row.RemoveAt(q);
            members.RemoveAt(q);
            origin.RemoveAt(q);
            HashSet<int> held = [.. members[p].Select(member => member / units)];
            for (int k = 0; k < s.Count && alpha <= 0; k++)
            {
                if (members[k].Any(member => held.Contains(member / units))) s[k][p] = s[p][k] = double.NegativeInfinity;
            }

            if (from != with) continue;
            within++;
            if (--budget[from] > 0) continue;
            for (int i = 0; i < s.Count; i++)
            {
                for (int j = 0; j < s.Count; j++)
                {
                    if (origin[i] == from && origin[j] == from) s[i][j] = double.NegativeInfinity;
                }
            }
        }

        int[] cluster = new int[n];
        for (int c = 0; c < members.Count; c++) members[c].ForEach(member => cluster[member] = c);
        return (cluster, score, within);
    }

    private static (int Row, int Column) First(List<List<double>> s)
    {
        (int Row, int Column) best = (0, s.Count > 1 ? 1 : 0);
        for (int i = 0; i < s.Count; i++)
        {
            for (int j = 0; j < s.Count; j++)
            {
                if (s[i][j] > s[best.Row][best.Column]) best = (i, j);
            }
        }

        return best;
    }
}
