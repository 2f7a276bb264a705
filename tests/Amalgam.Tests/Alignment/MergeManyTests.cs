using Amalgam.Alignment;
using Amalgam.Graphs;

namespace Amalgam.Tests.Alignment;

public class MergeManyTests
{
    [Fact]
    public void Twins_all_meet()
    {
        Graph network = SmallNetworks.Mlp(4, 24);
        UnitGroups groups = UnitGroups.Of(network);
        IReadOnlyDictionary<string, Tensor> weights = Siblings.WeightsOf(network);
        Siblings models = new(groups, [weights, .. Enumerable.Range(1, 3).Select(seed => Rearrangement.Apply(UnitMaps.Random(groups, 1, seed), 0, weights))]);

        ManyMatch match = MergeMany.Run(models, new() { Seed = 1 });

        Assert.InRange(match.Distances[^1], 0, 1e-5);
        IReadOnlyDictionary<string, Tensor> first = SmallNetworks.Moved(match.Maps, models, 0);
        Assert.All(Enumerable.Range(1, 3), model => Assert.True(SmallNetworks.AreSame(first, SmallNetworks.Moved(match.Maps, models, model))));
    }

    [Fact]
    public void Strangers_come_nearer_to_their_mean_in_every_round()
    {
        Siblings models = Siblings.Of([.. Enumerable.Range(0, 4).Select(seed => SmallNetworks.Residual(seed, 16))]);

        ManyMatch match = MergeMany.Run(models, new());

        Assert.Equal(match.Rounds, match.Distances.Count);
        Assert.True(match.Rounds > 2);
        Assert.True(match.Distances[^1] < match.Distances[0]);
        Assert.Equal(match.Distances[^2], match.Distances[^1]);
        Assert.True(Spread(models, match.Maps) < 0.97 * Spread(models, UnitMaps.Identity(models.Groups, 4)));
        Assert.True(match.Maps.ArePermutations);
    }

    /// <summary>Mean distance of the moved networks from their mean.</summary>
    private static double Spread(Siblings models, UnitMaps maps)
    {
        IReadOnlyDictionary<string, Tensor> mean = Rearrangement.Merge(maps, models);
        return Enumerable.Range(0, models.Count).Average(model =>
        {
            IReadOnlyDictionary<string, Tensor> moved = SmallNetworks.Moved(maps, models, model);
            return Math.Sqrt(mean.Sum(w => Enumerable.Range(0, w.Value.Count).Sum(i => Math.Pow(w.Value.Span[i] - moved[w.Key].Span[i], 2))));
        });
    }
}
