using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Training.Data;

namespace Amalgam.Tests.Alignment;

/// <summary>What options, pins, progress and refusals do to a search for units.</summary>
public class UnitAlignmentRunTests
{
    private static readonly AlignmentOptions Both = new(), Activations = new() { Space = MatchingSpace.Activations }, Weights = new() { Space = MatchingSpace.Weights };

    [Theory]
    [InlineData("fc2")]
    [InlineData("fc2*")]
    [InlineData("fc2.weight")]
    public void Pinned_units_keep_their_places(string pin)
    {
        var (twins, _) = SmallNetworks.Twins(SmallNetworks.Mlp(2, 16), 4);
        Graph[] networks = [twins.With(0).Graph, twins.With(1).Graph];
        Siblings models = Siblings.Of(networks, new(Pins: [pin]));

        AlignmentResult result = UnitAlignment.Run(models, Weights);

        // The second layer reads the units of the first and makes its own: only those it makes are pinned.
        Assert.Equal(["fc1", "fc3"], result.Classes.Select(match => match.Units.Name));
        var moved = SmallNetworks.Moved(result.Maps, models, 1);
        for (int unit = 0; unit < 16; unit++) Assert.Equal(Column(twins.Weights[1]["fc3.weight"], unit), Column(moved["fc3.weight"], unit));
        Assert.NotEqual(twins.Weights[1]["fc1.weight"].Span.ToArray(), moved["fc1.weight"].Span.ToArray());
        Assert.Contains("'nothing*'", Assert.Throws<GraphException>(() => Siblings.Of(networks, new(Pins: ["nothing*"]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_curve_of_several_networks_is_the_sum_of_theirs()
    {
        Siblings models = Strangers([.. Enumerable.Range(0, 4).Select(seed => SmallNetworks.Mlp(seed, 12))]);
        AlignmentOptions options = AlignmentMethod.Find("rebasin")!.Preset;

        AlignmentResult result = UnitAlignment.Run(models, options);

        var each = WeightMatching.Run(models, options);
        Assert.True(each.Select(match => match.Sweeps).Distinct().Count() > 1);
        Assert.Equal(each.Max(match => match.Sweeps), result.Sweeps.Length);
        Assert.Equal(each.Sum(match => match.Objective), result.Sweeps[^1]);
        Assert.All(result.Sweeps.Zip(result.Sweeps.Skip(1)), step => Assert.True(step.Second >= step.First));
    }

    [Fact]
    public void More_starts_of_matching_by_inner_products_end_no_worse()
    {
        AlignmentOptions options = AlignmentMethod.Find("rebasin")!.Preset;
        int better = 0;
        for (int seed = 0; seed < 10; seed++)
        {
            var (models, _) = SmallNetworks.Twins(SmallNetworks.Mlp(seed, 12, 1, 1), seed);

            double one = UnitAlignment.Run(models, options).Sweeps[^1], many = UnitAlignment.Run(models, options with { Starts = 10 }).Sweeps[^1];

            Assert.Equal(WeightMatching.Run(models, options, 10)[0].Objective, many);
            Assert.True(many >= one, $"one start {one}, ten starts {many}");
            if (many > one) better++;
        }

        Assert.True(better > 0);
    }

    [Fact]
    public void Where_there_are_no_sweeps_they_begin_nowhere()
    {
        Siblings models = Strangers(SmallNetworks.Mlp(1, 8), SmallNetworks.Mlp(2, 8));
        ActivationStatistics statistics = UnitAlignment.Statistics(models, Activations, SmallNetworks.Normal(models.Groups.Graph, 100));

        Same(UnitAlignment.Match(models, Activations, statistics).Maps, UnitAlignment.Match(models, Activations, statistics, UnitMaps.Identity(models.Groups, 2)).Maps);
    }

    [Fact]
    public void One_network_stays_as_it_is()
    {
        Siblings alone = Strangers(SmallNetworks.Mlp(1, 8));
        foreach (AlignmentMethod method in AlignmentMethod.All.Where(method => !method.NeedsLabels)) Assert.True(UnitAlignment.Run(alone, method.Preset).Maps.AreIdentity);
        Assert.True(MergeMany.Run(alone, new()).Maps.AreIdentity);
        Assert.True(SmallNetworks.AreSame(alone.Weights[0], Rearrangement.Merge(UnitMaps.Identity(alone.Groups, 1), alone)));
    }

    [Fact]
    public void Activations_are_looked_at_with_statistics_that_were_estimated_on_the_data()
    {
        Graph[] parents = [SmallNetworks.Convolutional(1, 4), SmallNetworks.Convolutional(2, 4)];
        foreach (Graph parent in parents) parent.Parameters["norm1.running_mean"].Value!.Span.Fill(50);
        Siblings models = Strangers(parents), reset = Strangers([.. parents.Select(Surgery.Copy)]);
        var before = Siblings.WeightsOf(Surgery.Copy(parents[1]));
        Dataset data = SmallNetworks.Normal(parents[0], 60);
        AlignmentOptions options = Activations with { Batch = 30 };
        for (int model = 0; model < 2; model++) BatchNormReset.Run(reset.With(model).Graph, data, 30);
        UnitClass units = models.Groups.Classes.Single(c => c.Parameters.Any(place => place is { Node.Name: "conv1.weight", Side: UnitSide.Out }));
        double[] Seen(Siblings of, AlignmentOptions with) => UnitAlignment.Statistics(of, with, data).Similarity(units)!.Values;

        double[] usual = Seen(models, options), asTheyCame = Seen(models, options with { ResetParents = false });

        Assert.Equal(Seen(reset, options with { ResetParents = false }), usual);
        Assert.Equal(asTheyCame, Seen(models, options with { Reset = StatisticsReset.None }));
        Assert.NotEqual(asTheyCame, usual);
        Assert.True(SmallNetworks.AreSame(before, Siblings.WeightsOf(parents[1])));
    }

    [Theory]
    [InlineData(MatchingSpace.Both, UnitMatching.Align, SimilarityMeasure.InnerProduct, SimilarityMeasure.Pearson)]
    [InlineData(MatchingSpace.Both, UnitMatching.Align, SimilarityMeasure.Cosine, SimilarityMeasure.InnerProduct)]
    [InlineData(MatchingSpace.Both, UnitMatching.Zip, SimilarityMeasure.InnerProduct, SimilarityMeasure.InnerProduct)]
    [InlineData(MatchingSpace.Weights, UnitMatching.Zip, SimilarityMeasure.InnerProduct, SimilarityMeasure.Pearson)]
    [InlineData(MatchingSpace.Activations, UnitMatching.Zip, SimilarityMeasure.Pearson, SimilarityMeasure.InnerProduct)]
    public void Inner_products_are_taken_where_one_space_alone_is_aligned(MatchingSpace space, UnitMatching matching, SimilarityMeasure weights, SimilarityMeasure activations)
    {
        Siblings models = Strangers(SmallNetworks.Mlp(1, 6), SmallNetworks.Mlp(2, 6));
        Dataset data = SmallNetworks.Normal(models.Groups.Graph, 40);
        AlignmentOptions options = new() { Space = space, Matching = matching, WeightMeasure = weights, ActivationMeasure = activations };

        Assert.Contains("inner product", Assert.Throws<GraphException>(() => UnitAlignment.Run(models, options, data)).Message, StringComparison.Ordinal);
        UnitAlignment.Run(models, options with { Space = space == MatchingSpace.Both ? MatchingSpace.Weights : space, Matching = UnitMatching.Align }, data);
    }

    [Fact]
    public void Options_of_the_straight_through_estimator_do_not_run_another_method()
    {
        Siblings models = Strangers(SmallNetworks.Mlp(1, 6), SmallNetworks.Mlp(2, 6));
        AlignmentOptions learned = AlignmentMethod.Find("ste")!.Preset;

        Assert.Contains("need a loss", Assert.Throws<GraphException>(() => UnitAlignment.Run(models, learned)).Message, StringComparison.Ordinal);
        Assert.Contains("only align", Assert.Throws<GraphException>(() => UnitAlignment.Run(models, learned with { Matching = UnitMatching.Zip })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cap_and_more_taps_change_a_zip_as_they_say()
    {
        Siblings models = Strangers(SmallNetworks.Residual(1, 16), SmallNetworks.Residual(2, 16));
        Dataset data = SmallNetworks.Normal(models.Groups.Graph, 100);
        AlignmentOptions zip = Activations with { Matching = UnitMatching.Zip, ZipAlpha = 1 };

        UnitMaps free = UnitAlignment.Run(models, zip, data).Maps, capped = UnitAlignment.Run(models, zip with { ZipCapped = true }, data).Maps;

        Assert.Contains(models.Groups.Classes, units => free.Members(units).ToArray().Max() > 2);
        Assert.All(models.Groups.Classes, units => Assert.Equal(2, capped.Members(units).ToArray().Max()));
        UnitClass stream = models.Groups.Classes.Single(units => units.Taps.Length > 1);
        Assert.NotEqual(UnitAlignment.Statistics(models, zip, data).Similarity(stream)!.Values, UnitAlignment.Statistics(models, zip with { AllTaps = true }, data).Similarity(stream)!.Values);
    }

    [Fact]
    public void Progress_and_times_name_the_phases()
    {
        Siblings models = Strangers(SmallNetworks.Mlp(1, 8), SmallNetworks.Mlp(2, 8));
        Reports reports = new();

        AlignmentResult result = UnitAlignment.Run(models, Both, SmallNetworks.Normal(models.Groups.Graph, 100), reports);

        Assert.Equal(["statistics", "activations", "sweeps", "summary"], result.Times.Select(time => time.Phase));
        Assert.Equal(100, reports.All.Last(report => report.Phase == "statistics").Done);
        Assert.Equal(["statistics", "activations", .. result.Sweeps.Select((_, sweep) => $"sweep {sweep + 1}")], reports.All.Select(report => report.Phase).Distinct());
        Assert.All(reports.All, report => Assert.InRange(report.Done, 1, report.Total));
        Assert.Equal(result.Sweeps.Max(), result.Sweeps[^(Both.Patience + 1)]);
    }

    [Fact]
    public void Stops_when_it_is_told_to()
    {
        Siblings models = Strangers(SmallNetworks.Mlp(1, 8), SmallNetworks.Mlp(2, 8));
        using CancellationTokenSource stop = new();
        Reports reports = new(report => { if (report.Phase == "sweep 1") stop.Cancel(); });

        Assert.ThrowsAny<OperationCanceledException>(() => UnitAlignment.Run(models, Weights, null, reports, stop.Token));
        Assert.Single(reports.All);
    }

    [Fact]
    public void Refuses_what_cannot_be_matched()
    {
        Graph network = SmallNetworks.Mlp(1, 8);
        Siblings models = Siblings.Of([network, network]);
        Graph broken = Surgery.Copy(network);
        broken.Parameters["fc3.weight"].Value!.Span[5] = float.NaN;

        Assert.Contains("no network", Assert.Throws<GraphException>(() => UnitAlignment.Run(new(models.Groups, []), Weights)).Message, StringComparison.Ordinal);
        Assert.Contains("calibration data is needed", Assert.Throws<GraphException>(() => UnitAlignment.Run(models, Both)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => UnitAlignment.Run(models, Weights with { Alpha = 1.5 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => UnitAlignment.Run(models, Weights with { Alpha = double.NaN }));
        string message = Assert.Throws<GraphException>(() => UnitAlignment.Run(Siblings.Of([network, broken]), Weights)).Message;
        Assert.Contains("'fc3.weight' of b has NaN at index 5", message, StringComparison.Ordinal);
    }

    /// <summary>The weights by which a layer reads a unit, smallest first.</summary>

    private static float[] Column(Tensor matrix, int unit) => [.. Enumerable.Range(0, matrix.Shape.Size(0)).Select(row => matrix.Span[row * matrix.Shape.Size(1) + unit]).Order()];

    private static Siblings Strangers(params Graph[] networks) => Siblings.Of(networks);

    private static void Same(UnitMaps expected, UnitMaps actual)
    {
        foreach (UnitClass units in expected.Groups.Classes)
        {
            for (int model = 0; model < expected.Models; model++) Assert.Equal(expected.To(units, model).ToArray(), actual.To(units, model).ToArray());
        }
    }

    private sealed class Reports(Action<AlignmentProgress>? heard = null) : IProgress<AlignmentProgress>
    {
        public List<AlignmentProgress> All { get; } = [];

        public void Report(AlignmentProgress value)
        {
            All.Add(value);
            heard?.Invoke(value);
        }
    }
}
