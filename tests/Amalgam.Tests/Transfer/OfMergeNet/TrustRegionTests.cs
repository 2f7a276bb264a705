using Amalgam.Training;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Tests.Transfer.OfMergeNet;

public class TrustRegionTests
{
    private const int Samples = 40;

    /// <summary>An adapter that proposes the source each time: what is written, and hence how far, is known from the weights before and the length of the step before.</summary>
    [Theory]
    [InlineData(1.5, AdapterRule.Change)]
    [InlineData(0.25, AdapterRule.ChainRule)]
    [InlineData(1000, AdapterRule.Change)]
    public void A_transfer_goes_as_far_as_so_many_of_the_steps_before(double region, AdapterRule rule)
    {
        Tensor source = AdapterRuleTests.Draw(new(1), 4, 6, 1), best = AdapterRuleTests.Draw(new(2), 4, 6, 1);
        Learner still = Learner.Source("source", AdapterRuleTests.Linear(source)), learner = Target(AdapterRuleTests.Draw(new(3), 4, 6, 1), best, 12);
        JointTraining joint = new([still, learner], [new(Of(still), Of(learner), new Overwrite(), 1) { Rule = rule, TrustRegion = region }]);
        List<double[]> after = [Weight(joint)];
        joint.Run(epochDone: (_, _) => after.Add(Weight(joint)));

        double step = 0;
        List<double> shares = [];
        for (int round = 0; round < 12; round++)
        {
            double[] before = after[round], way = [.. before.Select((x, i) => source.Span[i] - x)];
            double share = Math.Min(1, region * step / Length(way));
            Assert.Equal(share * Length(way) / Length(before), joint.HistoryOf(0)[round].Change, 1e-4);
            step = Length([.. after[round + 1].Select((x, i) => x - before[i] - share * way[i])]);
            shares.Add(share);
        }

        Assert.Equal(0, shares[0]);
        Assert.All(shares[1..], share => Assert.True(region > 100 ? share == 1 : share is > 0 and < 1));
    }

    /// <summary>However large the adapter's rate: a network that is trained out keeps what it knows.</summary>
    [Theory]
    [InlineData(AdapterForm.Residual)]
    [InlineData(AdapterForm.Published)]
    public void A_target_that_has_little_to_learn_is_moved_little(AdapterForm form)
    {
        Tensor best = AdapterRuleTests.Draw(new(2), 4, 6, 1), near = best.Copy(), off = AdapterRuleTests.Draw(new(3), 4, 6, 0.01f);
        for (int i = 0; i < near.Count; i++) near.Span[i] += off.Span[i];
        Learner still = Learner.Source("source", AdapterRuleTests.Linear(AdapterRuleTests.Draw(new(1), 5, 3, 1))), learner = Target(near, best, 30);
        double first = AdapterRuleTests.Distance(learner.Network, best);
        double Moved(double? region)
        {
            JointTraining joint = new([still, learner], [new(Of(still), Of(learner), new LowRankAdapter { Form = form }, 1) { Rate = 0.1, TrustRegion = region }]);
            joint.Run();
            return AdapterRuleTests.Distance(joint.NetworkOf("target"), best);
        }

        Assert.InRange(Moved(4), 0, first);
        Assert.True(Moved(0) > 10 * first, $"without a bound {Moved(0)}, at first {first}");
        if (form == AdapterForm.Residual) Assert.Equal(Moved(4), Moved(null));
    }

    /// <summary>Each epoch is one step on all samples.</summary>
    private static Learner Target(Tensor start, Tensor best, int epochs) =>
        new("target", AdapterRuleTests.Linear(start), new SquaredError(), new AdapterRuleTests.Mapped(best, Samples), new() { Rule = new Sgd(), Rate = 0.2, Epochs = epochs, Batch = Samples, Seed = 2 });

    private static TransferMatrix Of(Learner learner) => new(learner.Name, WeightMatrix.Of(learner.Network, "w"));

    private static double[] Weight(JointTraining joint) => [.. joint.NetworkOf("target").Parameters["w"].Value!.Span.ToArray().Select(x => (double)x)];

    private static double Length(double[] x) => Math.Sqrt(x.Sum(v => v * v));
}
