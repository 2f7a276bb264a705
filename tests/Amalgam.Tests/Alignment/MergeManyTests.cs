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

    /// <summary>Statistics that lie as far apart as can be when the weights lie together.</summary>
    [Fact]
    public void Running_statistics_do_not_count()
    {
        Graph network = SmallNetworks.Convolutional(3, 6);
        var (models, _) = SmallNetworks.Twins(network, 2);
        foreach (var weights in models.Weights)
        {
            foreach (var (name, value) in weights.Where(w => w.Key.EndsWith("running_mean", StringComparison.Ordinal))) for (int i = 0; i < value.Count; i++) value.Span[i] = 100 * i;
        }

        ManyMatch match = MergeMany.Run(models, new());

        IReadOnlyDictionary<string, Tensor> a = SmallNetworks.Moved(match.Maps, models, 0), b = SmallNetworks.Moved(match.Maps, models, 1);
        Assert.All(a.Keys.Where(name => !name.Contains("running", StringComparison.Ordinal)), name => Assert.Equal(a[name].Span.ToArray(), b[name].Span.ToArray()));
        Assert.Equal(0, match.Distances[^1]);
    }

    [Fact]
    public void It_is_a_method_like_others()
    {
        Siblings models = Siblings.Of([.. Enumerable.Range(0, 3).Select(seed => SmallNetworks.Mlp(seed, 10))]);
        AlignmentOptions options = AlignmentMethod.Find("merge-many")!.Preset;

        AlignmentResult result = UnitAlignment.Run(models, options);

        ManyMatch match = MergeMany.Run(models, options);
        Assert.Equal(match.Distances, result.Sweeps);
        Assert.True(result.Maps.Of(0).AreIdentity);
        Assert.False(result.Maps.AreIdentity);
        Assert.Equal(Spread(models, match.Maps), Spread(models, result.Maps), 1e-5);
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
