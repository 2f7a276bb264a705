using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Training.Data;

namespace Amalgam.Tests.Alignment;

public class MergedNetworkTests
{
    [Fact]
    public void Merged_twins_are_reset_to_what_one_of_them_is_reset_to()
    {
        Graph network = SmallNetworks.Convolutional(1, 6), parent = Surgery.Copy(network);
        Dataset data = SmallNetworks.Normal(network, 96);
        var (models, planted) = SmallNetworks.Twins(network, 1);
        UnitMaps maps = UnitMaps.Identity(models.Groups, 2), undone = planted.Inverse();
        foreach (UnitClass units in models.Groups.Classes) maps.Set(units, [maps.To(units, 0).ToArray(), undone.To(units, 0).ToArray()]);
        BatchNormReset.Run(parent, data, 32);

        Graph merged = MergedNetwork.Of(models, maps, new() { Batch = 32 }, data), untouched = MergedNetwork.Of(models, maps, new() { Reset = StatisticsReset.None });

        Assert.True(SmallNetworks.AreSame(models.Weights[0], Siblings.WeightsOf(untouched)));
        foreach (var (name, value) in Siblings.WeightsOf(parent))
        {
            for (int i = 0; i < value.Count; i++) Assert.Equal(value.Span[i], merged.Parameters[name].Value!.Span[i], 1e-5);
        }

        Assert.NotEqual(network.Parameters["norm1.running_mean"].Value!.Span.ToArray(), merged.Parameters["norm1.running_mean"].Value!.Span.ToArray());
    }

    /// <summary>Two networks of different weights average to smaller activations than either's, for which no mean of their statistics holds.</summary>
    [Fact]
    public void Without_a_reset_activations_are_not_normalised()
    {
        Graph[] parents = [SmallNetworks.Convolutional(1, 12), SmallNetworks.Convolutional(2, 12)];
        Dataset data = SmallNetworks.Normal(parents[0], 96);
        foreach (Graph parent in parents) BatchNormReset.Run(parent, data, 96);
        Siblings models = Siblings.Of(parents);
        UnitMaps maps = UnitMaps.Identity(models.Groups, 2);

        // With unit scales and no shifts, a normalised value's mean square is 1.
        double Square(StatisticsReset reset)
        {
            Graph merged = Rewrite.Apply(MergedNetwork.Of(models, maps, new() { Reset = reset, Batch = 96 }, data)).Graph;
            merged.Output("norm2", merged.Find("norm2")!);
            return SmallNetworks.Outputs(merged, data, "norm2").Average(x => (double)x * x);
        }

        Assert.Equal(1, Square(StatisticsReset.BatchNorm), 0.02);
        Assert.InRange(Square(StatisticsReset.None), 0, 0.8);
    }

    [Fact]
    public void A_reset_needs_data()
    {
        Graph network = SmallNetworks.Convolutional(1, 4);
        Siblings models = Siblings.Of([network, network]);

        Assert.Contains("calibration data is needed", Assert.Throws<GraphException>(() => MergedNetwork.Of(models, UnitMaps.Identity(models.Groups, 2), new())).Message, StringComparison.Ordinal);
    }
}
