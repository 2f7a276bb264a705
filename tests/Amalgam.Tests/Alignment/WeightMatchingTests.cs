using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Alignment;

public class WeightMatchingTests
{
    [Theory]
    [InlineData(false, 16)]
    [InlineData(false, 32)]
    [InlineData(true, 16)]
    [InlineData(true, 32)]
    public void Recovers_a_permuted_twin_that_inputs_and_outputs_anchor(bool residual, int hidden)
    {
        for (int seed = 0; seed < 5; seed++)
        {
            var (models, _) = SmallNetworks.Twins(residual ? SmallNetworks.Residual(seed, hidden) : SmallNetworks.Mlp(seed, hidden), seed);

            WeightMatch match = Assert.Single(WeightMatching.Run(models, new()));

            Assert.True(SmallNetworks.AreSame(models.Weights[0], SmallNetworks.Moved(match.Maps, models, 1)), $"seed {seed}");
            Assert.InRange(match.Sweeps, 2, 20);
        }
    }

    [Fact]
    public void Random_starts_recover_what_one_start_does_not()
    {
        int one = 0, many = 0;
        for (int seed = 0; seed < 12; seed++)
        {
            var (models, _) = SmallNetworks.Twins(SmallNetworks.Mlp(seed, 16, 1, 1), seed);
            if (SmallNetworks.AreSame(models.Weights[0], SmallNetworks.Moved(WeightMatching.Run(models, new())[0].Maps, models, 1))) one++;
            if (SmallNetworks.AreSame(models.Weights[0], SmallNetworks.Moved(WeightMatching.Run(models, new(), 20)[0].Maps, models, 1))) many++;
        }

        Assert.True(many > one, $"one start {one}, twenty starts {many}");
        Assert.Equal(12, many);
    }

    [Theory]
    [InlineData("mlp")]
    [InlineData("residual")]
    [InlineData("convolutional")]
    [InlineData("attention")]
    [InlineData("looped")]
    [InlineData("tied")]
    public void The_inner_product_never_falls_and_is_what_it_says(string network)
    {
        for (int seed = 0; seed < 4; seed++)
        {
            Siblings models = Siblings.Of([Build(network, seed), Build(network, 50 + seed)]);

            WeightMatch match = Assert.Single(WeightMatching.Run(models, new() { Seed = seed }));

            Assert.Equal(1 + match.Sweeps * models.Groups.Groups.Count(group => !group.IsPinned), match.Objectives.Length);
            Assert.All(match.Objectives.Zip(match.Objectives.Skip(1)), step => Assert.True(step.Second >= step.First));
            Assert.True(match.Objective > match.Objectives[0]);
            Assert.Equal(Product(models, UnitMaps.Identity(models.Groups, 2)), match.Objectives[0], 1e-6 * Math.Abs(match.Objective));
            Assert.Equal(Product(models, match.Maps), match.Objective, 1e-6 * Math.Abs(match.Objective));
            Assert.True(match.Maps.ArePermutations);
        }
    }

    [Fact]
    public void Units_on_two_axes_of_one_weight_are_recovered()
    {
        for (int seed = 0; seed < 5; seed++)
        {
            var (models, _) = SmallNetworks.Twins(Build("looped", seed), seed);

            Assert.True(SmallNetworks.AreSame(models.Weights[0], SmallNetworks.Moved(WeightMatching.Run(models, new())[0].Maps, models, 1)), $"seed {seed}");
        }
    }

    [Fact]
    public void A_start_that_is_matched_stays()
    {
        var (models, planted) = SmallNetworks.Twins(SmallNetworks.Residual(1, 16, 2, 2), 3);
        UnitMaps start = UnitMaps.Identity(models.Groups, 2), undone = planted.Inverse();
        foreach (UnitClass units in models.Groups.Classes) start.Set(units, [start.To(units, 0).ToArray(), undone.To(units, 0).ToArray()]);

        WeightMatch match = WeightMatching.Match(models, new(), start);

        Assert.Equal(1, match.Sweeps);
        Assert.True(SmallNetworks.AreSame(models.Weights[0], SmallNetworks.Moved(match.Maps, models, 1)));
    }

    [Fact]
    public void The_same_seed_gives_the_same_order()
    {
        Siblings models = Siblings.Of([SmallNetworks.Residual(1, 20), SmallNetworks.Residual(2, 20)]);

        WeightMatch first = WeightMatching.Match(models, new() { Seed = 4 }), second = WeightMatching.Match(models, new() { Seed = 4 });

        Assert.Equal(first.Objectives, second.Objectives);
        Assert.Contains(Enumerable.Range(0, 8), seed => !WeightMatching.Match(models, new() { Seed = seed }).Objectives.SequenceEqual(first.Objectives));
    }

    private static Graph Build(string network, int seed) => network switch
    {
        "mlp" => SmallNetworks.Mlp(seed, 12, 8, 4, bias: true),
        "residual" => SmallNetworks.Residual(seed, 12, 8, 4),
        "convolutional" => SmallNetworks.Convolutional(seed, 6),
        "attention" => SmallNetworks.Attention(seed, 16, 4),
        _ => Looped(seed, network == "tied"),
    };

    /// <summary>A layer that leads a stream of units back to itself, so that both axes of its weight have them; or one weight that reads the outputs' units where it made them.</summary>
    private static Graph Looped(int seed, bool tied)
    {
        Layers net = new(new(), seed) { LinearStart = Initialisation.KaimingFanIn };
        Node x = net.Linear(net.Graph.Input("x", new(1, 16)), "stem", 16, false);
        x += net.Linear(x, "loop", 16, false).Relu();
        net.Graph.Output("y", tied ? net.Graph.Add(new Amalgam.Graphs.Ops.MatMul(), x, net.Graph.Parameters["stem.weight"]) : net.Linear(x, "head", 16, false));
        return net.Graph;
    }

    private static double Product(Siblings models, UnitMaps maps)
    {
        double product = 0;
        IReadOnlyDictionary<string, Tensor> moved = SmallNetworks.Moved(maps, models, 1);
        foreach (var (name, value) in models.Weights[0])
        {
            bool counts = models.Groups.Classes.Any(units => units.Parameters.Any(place => place.Node.Name == name && !place.IsStatistic));
            for (int i = 0; counts && i < value.Count; i++) product += (double)value.Span[i] * moved[name].Span[i];
        }

        return product;
    }
}
