using Amalgam.Zoo.Runs;
using static Amalgam.Tests.Cli.TransferCommandTests;

namespace Amalgam.Tests.Zoo.Runs;

public class TransferPlanTests
{
    /// <summary>A source at a rank trains in factors, unless it is frozen: then its network trains as by itself.</summary>
    [Theory]
    [InlineData("", true)]
    [InlineData(", freeze: ['fc.weight']", false)]
    public void A_network_of_which_a_frozen_matrix_alone_has_a_rank_is_not_changed(string freeze, bool changes)
    {
        string run = Head + $"models: {{a: {{model: {{name: cnn, channels: [4, 6]{freeze}}}}}, b: {{model: {{name: mlp, hidden: [8, 8]}}}}}}\ntransfers: [{{from: {{model: a, matrix: fc.weight, rank: 2}}, to: 'b:fc2.weight'}}]\n";
        TransferPlan plan = new(TransferDescription.Parse(run, "run.yml"));
        Assert.Equal((changes, true), (plan.Changes("a"), plan.Changes("b")));
        Assert.Equal(changes ? ["a:fc.weight at rank 2"] : [], plan.InFactors.Select(matrix => $"{matrix}"));
    }
}
