using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Tests.Graphs;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Alignment;

public class RearrangementTests
{
    /// <summary>Section 0 of the definitions: M = U / members on the side that makes units, U on the side that is summed over, as products of dense matrices.</summary>
    [Fact]
    public void Zipped_weights_are_products_with_the_merge_matrices() => Property.Holds(generator =>
    {
        int units = 1 + generator.Random.Next(6), models = 2 + generator.Random.Next(2);
        if (units == 1) units = 2;
        Siblings nets = Mlps(generator, models, units);
        UnitClass hidden = Assert.Single(nets.Groups.Classes);
        int[][] to = Clusters(generator.Random, models, units);
        UnitMaps maps = UnitMaps.Identity(nets.Groups, models);
        maps.Set(hidden, to);

        double[] w1 = new double[units * 3], w2 = new double[2 * units], b1 = new double[units];
        int[] members = new int[units];
        foreach (int unit in to.SelectMany(of => of)) members[unit]++;
        for (int m = 0; m < models; m++)
        {
            for (int i = 0; i < units; i++)
            {
                int c = to[m][i];
                b1[c] += nets.Weights[m]["b1"].Span[i] / members[c];
                for (int k = 0; k < 3; k++) w1[c * 3 + k] += nets.Weights[m]["w1"].Span[i * 3 + k] / members[c];
                for (int o = 0; o < 2; o++) w2[o * units + c] += nets.Weights[m]["w2"].Span[o * units + i] / (double)models;
            }
        }

        var merged = Rearrangement.Merge(maps, nets);
        Near(w1, merged["w1"]);
        Near(w2, merged["w2"]);
        Near(b1, merged["b1"]);
        Assert.Equal(members, maps.Members(hidden).ToArray());
    }, 50);

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(7)]
    public void Copies_of_a_network_have_it_as_their_mean_to_the_bit(int copies)
    {
        Siblings nets = Mlps(new Generator(copies), 1, 40);
        nets.Weights[0]["b1"].Span[0] = -0f;
        Siblings same = new(nets.Groups, Enumerable.Repeat(nets.Weights[0], copies));
        var mean = Rearrangement.Merge(UnitMaps.Identity(nets.Groups, copies), same);
        foreach (var (name, value) in nets.Weights[0]) Assert.Equal(value.Span.ToArray().Select(BitConverter.SingleToInt32Bits), mean[name].Span.ToArray().Select(BitConverter.SingleToInt32Bits));
    }

    [Theory]
    [InlineData("vit_tiny", "hidden=12,heads=3,depth=2,inner=8")]
    [InlineData("resnet20", "width=4")]
    [InlineData("gru4rec", "")]
    public void Permutations_undone_and_one_after_the_other_give_the_very_bits(string architecture, string options)
    {
        Siblings nets = Networks(architecture, options);
        UnitMaps first = UnitMaps.Random(nets.Groups, 1, 1), second = UnitMaps.Random(nets.Groups, 1, 2);
        Same(nets.Weights[0], Rearrangement.Apply(first.Inverse(), 0, Rearrangement.Apply(first, 0, nets.Weights[0])));
        Same(Rearrangement.Apply(second, 0, Rearrangement.Apply(first, 0, nets.Weights[0])), Rearrangement.Apply(first.Then(second), 0, nets.Weights[0]));
        Assert.True(first.Then(first.Inverse()).AreIdentity);
        Assert.False(first.AreIdentity);
    }

    [Fact]
    public void A_permutation_that_is_written_and_read_is_the_same()
    {
        Siblings nets = Networks("vit_tiny", "hidden=12,heads=3,depth=1,inner=8");
        UnitMaps maps = UnitMaps.Random(nets.Groups, 2, 3), read = UnitMaps.Identity(nets.Groups, 2);
        foreach (UnitClass units in nets.Groups.Classes)
        {
            for (int model = 0; model < 2; model++) read.SetPermutation(units, model, maps.Permutation(units, model));
        }

        foreach (UnitClass units in nets.Groups.Classes) Assert.Equal(maps.To(units, 1).ToArray(), read.To(units, 1).ToArray());
        UnitClass inner = nets.Groups.Classes.First(units => units.Outer is not null);
        int[] across = [.. Enumerable.Range(0, inner.Units)];
        (across[0], across[inner.Size]) = (across[inner.Size], across[0]);
        UnitMaps apart = UnitMaps.Identity(nets.Groups, 2);
        Assert.Contains("cannot come to block", Assert.Throws<ArgumentException>(() => apart.SetPermutation(inner, 0, across)).Message, StringComparison.Ordinal);
    }

    /// <summary>Units in groups of a convolution: the order of a filter's inputs depends on the group, which is a digit of another axis.</summary>
    [Fact]
    public void Inputs_of_a_grouped_convolution_follow_their_group() => Property.Holds(generator =>
    {
        Graph graph = new();
        Node x = graph.Input("x", new(1, 3, 4, 4));
        Node h = x.Conv(graph.Weights(generator, 6, 3, 1, 1)).Relu();
        Node y = h.Conv(graph.Weights(generator, 8, 3, 3, 3), groups: 2, pad: 1).Relu();
        graph.Output("y", y.Conv(graph.Weights(generator, 2, 8, 1, 1)));
        UnitGroups groups = UnitGroups.Of(graph);
        UnitGroup group = Assert.Single(groups.Groups);
        Assert.Equal((2, 3, 4), (group.Root.Size, group.Root.Inner[0].Size, group.Root.Inner[1].Size));
        SelfCheckResult check = SelfCheck.Run(groups, seed: generator.Random.Next());
        Assert.Empty(check.Culprits);
        Assert.InRange(check.Error, 0, 1e-5);
    }, 20);

    [Fact]
    public void Rows_are_the_units_of_all_blocks_in_order()
    {
        Siblings nets = Networks("vit_tiny", "hidden=12,heads=3,depth=1,inner=8");
        UnitClass keys = nets.Groups.Classes.First(units => units.Outer is not null && units.Parameters.Any(p => p.Node.Name!.Contains("key", StringComparison.Ordinal)));
        UnitPlace tap = keys.LastTaps[0];
        Assert.Equal((3, 4), (keys.Blocks, keys.Size));
        Tensor value = new(tap.Node.Shape);
        for (int i = 0; i < value.Count; i++) value.Span[i] = i;
        int columns = Rearrangement.ColumnsOf(tap, value);
        float[] rows = new float[keys.Units * columns];
        Rearrangement.Rows(tap, value, rows);

        // [samples, heads, tokens, units], as attention has them.
        var (samples, tokens) = (tap.Node.Shape.Size(0), tap.Node.Shape.Size(2));
        Assert.Equal(samples * tokens, columns);
        for (int head = 0; head < 3; head++)
        {
            for (int unit = 0; unit < 4; unit++)
            {
                for (int s = 0; s < samples; s++)
                {
                    for (int t = 0; t < tokens; t++) Assert.Equal(((s * 3 + head) * tokens + t) * 4 + unit, rows[(head * 4 + unit) * columns + s * tokens + t]);
                }
            }
        }
    }

    [Fact]
    public void An_excepted_place_stays_while_the_other_axes_move() => Property.Holds(generator =>
    {
        Graph graph = new();
        Node x = graph.Input("x", new(1, 4));
        Node w = graph.Weights(generator, 5, 5);
        graph.Output("y", x.Linear(graph.Weights(generator, 5, 4)).Relu().Linear(w).Relu().Linear(graph.Weights(generator, 3, 5)));
        UnitGroups groups = UnitGroups.Of(graph);
        UnitMaps maps = UnitMaps.Random(groups, 1, generator.Random.Next());
        UnitPlace into = groups.Classes.SelectMany(units => units.Parameters).Single(p => p.Node == w && p.Side == UnitSide.In);
        UnitClass made = groups.Classes.Single(units => units.Parameters.Any(p => p.Node == w && p.Side == UnitSide.Out));

        Tensor moved = Rearrangement.Apply(maps, 0, w, w.Value!, except: into);

        int[] from = maps.Permutation(made, 0);
        for (int i = 0; i < 5; i++) Assert.Equal(w.Value!.Span.Slice(from[i] * 5, 5).ToArray(), moved.Span.Slice(i * 5, 5).ToArray());
    }, 20);

    private static Siblings Mlps(Generator generator, int models, int units)
    {
        Graph[] graphs = [.. Enumerable.Range(0, models).Select(_ =>
        {
            Graph graph = new();
            Node w1 = graph.Parameter("w1", new(new(units, 3), generator.Floats(units * 3))), b1 = graph.Parameter("b1", new(new(units), generator.Floats(units)));
            Node w2 = graph.Parameter("w2", new(new(2, units), generator.Floats(2 * units)));
            graph.Output("y", graph.Input("x", new(1, 3)).Linear(w1, b1).Relu().Linear(w2));
            return graph;
        })];
        return Siblings.Of(graphs);
    }

    /// <summary>Which merged unit each unit belongs to; every merged unit has a member.</summary>
    private static int[][] Clusters(Random random, int models, int units)
    {
        int[] all = [.. Enumerable.Range(0, units), .. Enumerable.Range(0, (models - 1) * units).Select(_ => random.Next(units))];
        random.Shuffle(all);
        return [.. all.Chunk(units)];
    }

    private static Siblings Networks(string architecture, string options)
    {
        var chosen = options.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(o => o.Split('=')).ToDictionary(o => o[0], o => o[1]);
        return Siblings.Of([ZooModel.Find(architecture).Build(2, chosen, 5)]);
    }

    private static void Same(IReadOnlyDictionary<string, Tensor> expected, IReadOnlyDictionary<string, Tensor> actual)
    {
        foreach (var (name, value) in expected) Assert.True(value.Span.SequenceEqual(actual[name].Span), name);
    }

    private static void Near(double[] expected, Tensor actual)
    {
        for (int i = 0; i < expected.Length; i++) Assert.InRange(actual.Span[i] - expected[i], -1e-5, 1e-5);
    }
}
