using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Training.Data;

namespace Amalgam.Tests.Alignment;

public class AlphaSearchTests
{
    private static readonly AlignmentOptions Options = new() { Reset = StatisticsReset.None };

    [Fact]
    public void Of_equal_shares_the_one_nearest_to_a_half_is_taken()
    {
        Siblings models = Siblings.Of([SmallNetworks.Mlp(1, 8), SmallNetworks.Mlp(2, 8)]);

        AlphaChoice choice = AlphaSearch.Run(models, Options, SmallNetworks.Normal(models.Groups.Graph, 64), _ => 1);

        Assert.Equal([0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.1, 0.9], choice.Tried.Select(tried => tried.Alpha));
        Assert.Equal(new AlphaMerit(0.5, 1), choice.Best);
    }

    [Fact]
    public void The_best_share_is_what_a_search_of_its_own_gives()
    {
        Graph network = SmallNetworks.Residual(1, 20);
        Siblings models = Siblings.Of([network, SmallNetworks.Residual(2, 20)]);
        Dataset data = SmallNetworks.Normal(network, 128);
        float[] target = SmallNetworks.Outputs(network, data);
        List<AlignmentProgress> reports = [];

        AlphaChoice choice = AlphaSearch.Run(models, Options, data, Merit, [0, 0.25, 0.5, 0.75, 1], new Reports(reports));

        foreach (AlphaMerit tried in choice.Tried)
        {
            UnitMaps maps = UnitAlignment.Run(models, Options with { Alpha = tried.Alpha }, data).Maps;
            Assert.Equal(Merit(models.With(Rearrangement.Merge(maps, models)).Graph), tried.Merit);
            if (tried == choice.Best) Assert.True(SmallNetworks.AreSame(SmallNetworks.Moved(maps, models, 1), SmallNetworks.Moved(choice.Alignment.Maps, models, 1)));
        }

        Assert.Equal(choice.Tried.Max(tried => tried.Merit), choice.Best.Merit);
        Assert.True(choice.Best.Merit > choice.Tried[^1].Merit);
        Assert.Equal(1, reports.Count(report => report.Phase == "statistics" && report.Done == report.Total));

        double Merit(Graph merged) => -SmallNetworks.Outputs(merged, data).Zip(target, (x, y) => (double)(x - y) * (x - y)).Sum();
    }

    [Fact]
    public void Refuses_one_space_and_a_share_beyond_one()
    {
        Siblings models = Siblings.Of([SmallNetworks.Mlp(1, 8), SmallNetworks.Mlp(2, 8)]);
        Dataset data = SmallNetworks.Normal(models.Groups.Graph, 16);

        Assert.Contains("by weights alone", Assert.Throws<GraphException>(() => AlphaSearch.Run(models, Options with { Space = MatchingSpace.Weights }, data, _ => 0)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => AlphaSearch.Run(models, Options, data, _ => 0, [0.5, 1.1]));
    }

    private sealed class Reports(List<AlignmentProgress> all) : IProgress<AlignmentProgress>
    {
        public void Report(AlignmentProgress value) => all.Add(value);
    }
}
