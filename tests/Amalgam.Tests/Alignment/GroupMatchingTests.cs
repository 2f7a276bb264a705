using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Numerics;

namespace Amalgam.Tests.Alignment;

public class GroupMatchingTests
{
    [Fact]
    public void Finds_the_best_of_all_permutations_that_keep_blocks_together() => Property.Holds(gen =>
    {
        int g = gen.Random.Next(2, 4), k = gen.Random.Next(2, 4);
        int[][] chains = gen.Random.Next(4) switch { 0 => [[g]], 1 => [[g, k]], 2 => [[g, 2], [g, k]], _ => [[2, 2, 2], [2, 3]] };
        UnitGroup group = Tree(chains, out UnitGroups groups);
        var similarity = Similarities(gen.Random, group, 2, ownOfOuter: gen.Random.Next(2) == 0);
        UnitMaps maps = UnitMaps.Identity(groups, 2);

        double score = GroupMatching.Align(group, units => similarity[units], maps);

        Assert.True(maps.ArePermutations);
        double value = group.Classes.Sum(units => Value(units, similarity, maps, 1));
        Assert.Equal(Best(group.Root, 0, 0, similarity), value, 1e-9);
        Assert.Equal(value / group.Classes.Where(units => similarity[units] is not null).Sum(units => units.Units), score, 1e-9);
    }, 60);

    [Fact]
    public void A_class_alone_is_assigned_plainly() => Property.Holds(gen =>
    {
        UnitGroup group = Tree([[gen.Random.Next(2, 20)]], out UnitGroups groups);
        int size = group.Root.Size;
        var similarity = Similarities(gen.Random, group, 2);
        UnitMaps maps = UnitMaps.Identity(groups, 2);
        GroupMatching.Align(group, units => similarity[units], maps);
        int[] others = Assignment.Maximize(Block(similarity[group.Root]!, 0, 0, 1, 0, size), size, size);
        Assert.Equal(others, maps.Permutation(group.Root, 1));
    }, 20);

    [Fact]
    public void Blocks_that_nothing_is_known_inside_of_are_assigned_by_themselves()
    {
        UnitGroup group = Tree([[5, 4]], out UnitGroups groups);
        var similarity = Similarities(new(1), group, 2);
        similarity[group.Classes[1]] = null;
        UnitMaps maps = UnitMaps.Identity(groups, 2);
        GroupMatching.Align(group, units => similarity[units], maps);
        Assert.Equal(Assignment.Maximize(Block(similarity[group.Root]!, 0, 0, 1, 0, 5), 5, 5), maps.Permutation(group.Root, 1));
        Assert.Equal(InPlace(group.Classes[1]), maps.To(group.Classes[1], 1).ToArray());
    }

    [Fact]
    public void What_has_nothing_to_go_by_stays_where_it_is()
    {
        UnitGroup group = Tree([[3, 2, 4], [3, 5]], out UnitGroups groups);
        foreach (bool zip in (bool[])[false, true])
        {
            UnitMaps maps = UnitMaps.Random(groups, 3, 1);
            Assert.Equal(0, zip ? GroupMatching.Zip(group, _ => null, maps, new()) : GroupMatching.Align(group, _ => null, maps));
            Assert.True(maps.AreIdentity);
        }
    }

    [Fact]
    public void Pinned_outer_units_stay_and_each_block_is_assigned_for_itself()
    {
        UnitGroup group = Tree([[4, 5]], out UnitGroups groups);
        (UnitClass outer, UnitClass inner) = (group.Root, group.Classes[1]);
        outer.Pinned = "by the test";
        var similarity = Similarities(new(2), group, 2);
        UnitMaps maps = UnitMaps.Identity(groups, 2);
        GroupMatching.Align(group, units => similarity[units], maps);
        Assert.Equal(InPlace(outer), maps.To(outer, 1).ToArray());
        for (int block = 0; block < 4; block++)
        {
            int[] others = Assignment.Maximize(Block(similarity[inner]!, 0, block, 1, block, 5), 5, 5);
            for (int i = 0; i < 5; i++) Assert.Equal(i, maps.To(inner, 1)[block * 5 + others[i]]);
        }
    }

    [Fact]
    public void Pinned_inner_units_count_for_their_blocks_in_their_order()
    {
        UnitGroup group = Tree([[4, 3]], out UnitGroups groups);
        (UnitClass outer, UnitClass inner) = (group.Root, group.Classes[1]);
        inner.Pinned = "by the test";
        var similarity = Similarities(new(3), group, 2, ownOfOuter: false);
        UnitMaps maps = UnitMaps.Identity(groups, 2);
        GroupMatching.Align(group, units => similarity[units], maps);
        double[] worth = [.. Enumerable.Range(0, 16).Select(pair => Enumerable.Range(0, 3).Sum(i => similarity[inner]![0, pair / 4 * 3 + i, 1, pair % 4 * 3 + i]))];
        Assert.Equal(Assignment.Maximize(worth, 4, 4), maps.Permutation(outer, 1));
        Assert.Equal(InPlace(inner), maps.To(inner, 1).ToArray());
    }

    [Fact]
    public void Each_of_several_models_is_matched_with_the_first()
    {
        UnitGroup group = Tree([[3, 4], [3, 2]], out UnitGroups groups);
        var all = Similarities(new(4), group, 4);
        UnitMaps maps = UnitMaps.Identity(groups, 4);
        GroupMatching.Align(group, units => all[units], maps);
        for (int model = 1; model < 4; model++)
        {
            UnitMaps pair = UnitMaps.Identity(groups, 2);
            GroupMatching.Align(group, units => Pair(all[units]!, model), pair);
            foreach (UnitClass units in group.Classes) Assert.Equal(pair.To(units, 1).ToArray(), maps.To(units, model).ToArray());
        }

        Assert.All(group.Classes, units => Assert.Equal(InPlace(units), maps.To(units, 0).ToArray()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Twins_find_their_units(bool zip) => Property.Holds(gen =>
    {
        int[][][] trees = [[[6]], [[4, 5]], [[3, 4], [3, 6]], [[2, 3, 4]]];
        UnitGroup group = Tree(trees[gen.Random.Next(trees.Length)], out UnitGroups groups);
        int models = gen.Random.Next(2, 4);
        UnitMaps planted = UnitMaps.Random(groups, models, gen.Random.Next()), maps = UnitMaps.Identity(groups, models);
        foreach (UnitClass units in groups.Classes) planted.Set(units, [InPlace(units), .. Enumerable.Range(1, models - 1).Select(model => planted.To(units, model).ToArray())]);
        var similarity = Similarities(gen.Random, group, models);
        foreach (UnitClass units in group.Classes) Plant(units, similarity[units]!, planted);

        double score = zip ? GroupMatching.Zip(group, units => similarity[units], maps, new(1)) : GroupMatching.Align(group, units => similarity[units], maps);
        Assert.Equal(1, score, 1e-12);
        foreach (UnitClass units in group.Classes)
        {
            for (int model = 0; model < models; model++) Assert.Equal(planted.To(units, model).ToArray(), maps.To(units, model).ToArray());
        }
    }, 40);

    [Fact]
    public void A_class_alone_is_zipped_plainly_and_its_similarity_left_alone()
    {
        UnitGroup group = Tree([[9]], out UnitGroups groups);
        UnitSimilarity similarity = Similarities(new(5), group, 2)[group.Root]!;
        double[] before = [.. similarity.Values];
        UnitMaps maps = UnitMaps.Identity(groups, 2);
        double score = GroupMatching.Zip(group, _ => similarity, maps, new(0.5, 0.5));
        ZipResult plain = GreedyZip.Run([.. before], 2, 9, new(0.5, 0.5));
        Assert.Equal(plain.Cluster[..9], maps.To(group.Root, 0).ToArray());
        Assert.Equal(plain.Cluster[9..], maps.To(group.Root, 1).ToArray());
        Assert.Equal(plain.Score, score);
        Assert.Equal(before, similarity.Values);
    }

    [Fact]
    public void Zipping_stays_within_paired_blocks() => Property.Holds(gen =>
    {
        UnitGroup group = Tree([[3, 6]], out UnitGroups groups);
        UnitClass inner = group.Classes[1];
        var similarity = Similarities(gen.Random, group, 2);

        // Units of one model are so little alike that budgets play no part.
        AddWithin(similarity[inner]!, -1);
        UnitMaps aligned = UnitMaps.Identity(groups, 2), zipped = UnitMaps.Identity(groups, 2);
        GroupMatching.Align(group, units => similarity[units], aligned);
        double score = GroupMatching.Zip(group, units => similarity[units], zipped, new(0, 0));
        Assert.Equal(aligned.To(group.Root, 1).ToArray(), zipped.To(group.Root, 1).ToArray());

        double sum = Value(group.Root, similarity, aligned, 1);
        for (int block = 0; block < 3; block++)
        {
            int other = aligned.Permutation(group.Root, 1)[block];
            double[] part = new double[12 * 12];
            for (int i = 0; i < 12; i++)
            {
                for (int j = 0; j < 12; j++) part[i * 12 + j] = similarity[inner]![i / 6, (i < 6 ? block : other) * 6 + i % 6, j / 6, (j < 6 ? block : other) * 6 + j % 6];
            }

            ZipResult plain = GreedyZip.Run(part, 2, 6, new(0, 0));
            Assert.Equal(0, plain.Within);
            Assert.Equal(plain.Cluster[..6], zipped.To(inner, 0).Slice(block * 6, 6).ToArray());
            Assert.Equal(plain.Cluster[6..], zipped.To(inner, 1).Slice(other * 6, 6).ToArray());
            sum += plain.Score * 6;
        }

        Assert.Equal(sum / (3 + 18), score, 1e-12);
    }, 20);

    [Fact]
    public void The_budget_within_a_model_holds_for_all_blocks_together() => Property.Holds(gen =>
    {
        UnitGroup group = Tree([[4, 6]], out UnitGroups groups);
        UnitClass inner = group.Classes[1];
        var similarity = Similarities(gen.Random, group, 2);
        AddWithin(similarity[inner]!, 2);
        foreach (double beta in (double[])[0, 0.25, 1])
        {
            UnitMaps maps = UnitMaps.Identity(groups, 2);
            GroupMatching.Zip(group, units => similarity[units], maps, new(1, beta));
            Assert.DoesNotContain(0, maps.Members(inner).ToArray());

            // Each merge of two that hold units of the first model counts for it.
            int within = 24 - Enumerable.Range(0, 24).Select(unit => maps.Target(inner, 0, unit)).Distinct().Count();
            Assert.Equal(Math.Max(1, (int)(12 * beta)), within);
            for (int block = 0; block < 4; block++)
            {
                Assert.InRange(6 - maps.To(inner, 0).Slice(block * 6, 6).ToArray().Distinct().Count(), 0, 3);
            }
        }
    }, 20);

    [Fact]
    public void Tied_units_are_aligned_even_when_others_are_zipped()
    {
        UnitGroup group = Tree([[3, 4], [3, 5]], out UnitGroups groups);
        (UnitClass tied, UnitClass free) = (group.Classes[1], group.Classes[2]);
        tied.IsTied = true;
        var similarity = Similarities(new(7), group, 2);
        AddWithin(similarity[tied]!, 2);
        AddWithin(similarity[free]!, 2);
        UnitMaps aligned = UnitMaps.Identity(groups, 2), zipped = UnitMaps.Identity(groups, 2);
        GroupMatching.Align(group, units => similarity[units], aligned);
        GroupMatching.Zip(group, units => similarity[units], zipped, new());
        Assert.Equal(aligned.To(tied, 1).ToArray(), zipped.To(tied, 1).ToArray());
        Assert.False(zipped.ArePermutations);
    }

    [Fact]
    public void Zipping_refuses_similarities_of_the_first_model_alone()
    {
        UnitGroup group = Tree([[4]], out UnitGroups groups);
        UnitSimilarity rows = new(2, 4, new double[4 * 8]);
        Assert.Throws<ArgumentException>(() => GroupMatching.Zip(group, _ => rows, UnitMaps.Identity(groups, 2), new()));
    }

    /// <summary>A network whose hidden units have digits: each chain gives sizes from the outermost on, and all chains share the outermost one.</summary>
    private static UnitGroup Tree(int[][] chains, out UnitGroups groups)
    {
        Graph graph = new();
        Node x = graph.Input("x", new(2, 3));
        Node? sum = null;
        for (int i = 0; i < chains.Length; i++)
        {
            int[] chain = chains[i];
            Node y = graph.Add(new MatMul(), x, graph.Parameter($"w{i}", new Tensor(new(3, chain.Aggregate(1, (a, b) => a * b)))));
            y = y.Reshape([2, .. chain.Select(size => (long)size)]);
            for (int axis = chain.Length; axis > 1; axis--) y = graph.Add(new ReduceMean([axis], false), y);
            sum = sum is null ? y : sum + y;
        }

        graph.Output("y", graph.Add(new MatMul(), sum!, graph.Parameter("last", new Tensor(new(chains[0][0], 2)))));
        groups = UnitGroups.Of(graph);
        UnitGroup group = Assert.Single(groups.Groups);
        Assert.Equal(1 + chains.Sum(chain => chain.Length - 1), group.Classes.Length);
        return group;
    }

    private static Dictionary<UnitClass, UnitSimilarity?> Similarities(Random random, UnitGroup group, int models, bool ownOfOuter = true) => group.Classes.ToDictionary(units => units, units =>
    {
        int n = models * units.Units;
        double[] values = new double[n * n];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j <= i; j++) values[i * n + j] = values[j * n + i] = i == j ? 1 : random.NextDouble() * 0.9;
        }

        return units.Inner.IsEmpty || ownOfOuter ? new UnitSimilarity(models, units.Units, values) : null;
    });

    /// <summary>1 where units are one another's, else what it was.</summary>
    private static void Plant(UnitClass units, UnitSimilarity similarity, UnitMaps planted)
    {
        int n = planted.Models * units.Units;
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++)
            {
                int target = planted.Target(units, i / units.Units, i % units.Units), other = planted.Target(units, j / units.Units, j % units.Units);
                if (target == other) similarity.Values[i * n + j] = 1;
            }
        }
    }

    private static void AddWithin(UnitSimilarity similarity, double value)
    {
        int n = similarity.Models * similarity.Units;
        for (int i = 0; i < n * n; i++) similarity.Values[i] += i / n / similarity.Units == i % n / similarity.Units ? value : 0;
    }

    private static UnitSimilarity Pair(UnitSimilarity all, int model)
    {
        double[] rows = new double[all.Units * 2 * all.Units];
        for (int i = 0; i < all.Units; i++)
        {
            for (int j = 0; j < all.Units; j++) (rows[i * 2 * all.Units + j], rows[(i * 2 + 1) * all.Units + j]) = (all[0, i, 0, j], all[0, i, model, j]);
        }

        return new(2, all.Units, rows);
    }

    private static double[] Block(UnitSimilarity similarity, int model, int block, int other, int otherBlock, int size) =>
        [.. Enumerable.Range(0, size * size).Select(pair => similarity[model, block * size + pair / size, other, otherBlock * size + pair % size])];

    private static int[] InPlace(UnitClass units) => [.. Enumerable.Range(0, units.Units).Select(unit => unit % units.Size)];

    private static double Value(UnitClass units, Dictionary<UnitClass, UnitSimilarity?> similarity, UnitMaps maps, int model) =>
        similarity[units] is { } own ? Enumerable.Range(0, units.Units).Sum(unit => own[0, maps.Target(units, model, unit), model, unit]) : 0;

    /// <summary>The most that a block of the first model and one of the second come to, over all orders of the units and of all within them.</summary>
    private static double Best(UnitClass units, int block, int otherBlock, Dictionary<UnitClass, UnitSimilarity?> similarity) => Permutations(units.Size).Max(order => order.Select((other, i) =>
    {
        (int unit, int of) = (block * units.Size + i, otherBlock * units.Size + other);
        return (similarity[units]?[0, unit, 1, of] ?? 0) + units.Inner.Sum(inner => Best(inner, unit, of, similarity));
    }).Sum());

    private static IEnumerable<int[]> Permutations(int n) => n == 0
        ? [[]]
        : Permutations(n - 1).SelectMany(shorter => Enumerable.Range(0, n).Select(at => (int[])[.. shorter[..at], n - 1, .. shorter[at..]]));
}
