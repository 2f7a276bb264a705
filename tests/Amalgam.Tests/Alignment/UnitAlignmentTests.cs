using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Numerics;
using Amalgam.Training.Data;

namespace Amalgam.Tests.Alignment;

public class UnitAlignmentTests
{
    private static readonly AlignmentOptions Both = new(), Activations = new() { Space = MatchingSpace.Activations }, Weights = new() { Space = MatchingSpace.Weights };

    [Theory]
    [InlineData(false, 16, 32)]
    [InlineData(false, 32, 32)]
    [InlineData(true, 16, 32)]
    [InlineData(true, 32, 32)]
    [InlineData(false, 16, 2)]
    [InlineData(false, 32, 2)]
    [InlineData(true, 16, 2)]
    [InlineData(true, 32, 2)]
    public void Both_spaces_recover_a_permuted_twin_in_every_run(bool residual, int hidden, int inputs)
    {
        for (int seed = 0; seed < 5; seed++)
        {
            Graph network = residual ? SmallNetworks.Residual(seed, hidden, inputs, inputs) : SmallNetworks.Mlp(seed, hidden, inputs, inputs);
            var (models, _) = SmallNetworks.Twins(network, seed);

            AlignmentResult result = UnitAlignment.Run(models, Both, SmallNetworks.Normal(network));

            Assert.True(SmallNetworks.AreSame(models.Weights[0], SmallNetworks.Moved(result.Maps, models, 1)), $"seed {seed}");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Activations_recover_the_units_of_a_twin_that_live(bool residual)
    {
        for (int seed = 0; seed < 5; seed++)
        {
            Graph network = residual ? SmallNetworks.Residual(seed, 32) : SmallNetworks.Mlp(seed, 32);
            Dataset data = SmallNetworks.Normal(network);
            var (models, planted) = SmallNetworks.Twins(network, seed);
            ActivationStatistics statistics = UnitAlignment.Statistics(models, Activations, data);

            UnitMaps maps = UnitAlignment.Match(models, Activations, statistics).Maps;

            foreach (UnitClass units in models.Groups.Classes)
            {
                for (int unit = 0; unit < units.Units; unit++)
                {
                    if (statistics.Variances(units, 0)[unit] > 1e-9) Assert.Equal(unit, maps.Target(units, 1, planted.Target(units, 0, unit)));
                }
            }

            Close(SmallNetworks.Outputs(network, data), SmallNetworks.Outputs(models.With(Rearrangement.Merge(maps, models)).Graph, data));
        }
    }

    [Fact]
    public void Heads_and_the_units_in_them_are_recovered()
    {
        for (int seed = 0; seed < 3; seed++)
        {
            Graph network = SmallNetworks.Attention(seed, 32, 4);
            var (models, _) = SmallNetworks.Twins(network, seed);

            UnitMaps maps = UnitAlignment.Run(models, Both, SmallNetworks.Normal(network)).Maps;

            Assert.True(SmallNetworks.AreSame(models.Weights[0], SmallNetworks.Moved(maps, models, 1)), $"seed {seed}");
        }
    }

    [Theory]
    [InlineData(UnitMatching.Align)]
    [InlineData(UnitMatching.Zip)]
    public void Without_a_share_of_weights_only_activations_count(UnitMatching matching)
    {
        Siblings models = Strangers(SmallNetworks.Residual(1, 24), SmallNetworks.Residual(2, 24));
        Dataset data = SmallNetworks.Normal(models.Groups.Graph);

        Same(UnitAlignment.Run(models, Activations with { Matching = matching }, data).Maps, UnitAlignment.Run(models, Both with { Matching = matching, Alpha = 0 }, data).Maps);
    }

    [Theory]
    [InlineData(UnitMatching.Align)]
    [InlineData(UnitMatching.Zip)]
    public void With_weights_alone_from_units_in_place_it_is_the_matching_by_weights(UnitMatching matching)
    {
        Siblings models = Strangers(SmallNetworks.Residual(1, 24), SmallNetworks.Residual(2, 24));
        AlignmentOptions alone = Both with { Alpha = 1, Matching = matching };
        ActivationStatistics statistics = UnitAlignment.Statistics(models, alone, SmallNetworks.Normal(models.Groups.Graph));

        AlignmentResult byWeights = UnitAlignment.Run(models, Weights with { Matching = matching });

        AlignmentResult fromPlace = UnitAlignment.Match(models, alone, statistics, UnitMaps.Identity(models.Groups, 2)), notAsked = UnitAlignment.Match(models, Weights with { Matching = matching }, statistics);
        Assert.Equal(byWeights.Sweeps, fromPlace.Sweeps);
        Same(byWeights.Maps, fromPlace.Maps);
        Same(byWeights.Maps, notAsked.Maps);
    }

    [Fact]
    public void The_order_of_a_parents_units_makes_no_difference()
    {
        for (int seed = 0; seed < 5; seed++)
        {
            Siblings models = Strangers(SmallNetworks.Residual(seed, 24), SmallNetworks.Residual(100 + seed, 24));
            UnitMaps order = UnitMaps.Random(models.Groups, 1, seed);
            Siblings shuffled = new(models.Groups, [models.Weights[0], Rearrangement.Apply(order, 0, models.Weights[1])]);
            Dataset data = SmallNetworks.Normal(models.Groups.Graph);

            UnitMaps maps = UnitAlignment.Run(models, Both, data).Maps, ofShuffled = UnitAlignment.Run(shuffled, Both, data).Maps;

            Assert.True(SmallNetworks.AreSame(SmallNetworks.Moved(maps, models, 1), SmallNetworks.Moved(ofShuffled, shuffled, 1)), $"seed {seed}");
        }
    }

    [Theory]
    [InlineData(MatchingSpace.Both, SimilarityMeasure.Pearson, 0.99)]
    [InlineData(MatchingSpace.Weights, SimilarityMeasure.Pearson, 0.99)]
    [InlineData(MatchingSpace.Weights, SimilarityMeasure.InnerProduct, 0.99)]
    [InlineData(MatchingSpace.Activations, SimilarityMeasure.Pearson, 0.9)]
    public void A_noisy_twin_is_recovered_but_for_a_few_units(MatchingSpace space, SimilarityMeasure measure, double least)
    {
        double right = 0;
        const int Runs = 4;
        for (int seed = 0; seed < Runs; seed++)
        {
            Graph network = seed % 2 == 0 ? SmallNetworks.Mlp(seed, 48) : SmallNetworks.Residual(seed, 48);
            var (models, planted) = SmallNetworks.Twins(network, seed);
            Siblings noisy = new(models.Groups, [models.Weights[0], SmallNetworks.Noisy(models.Weights[1], 0.3, seed)]);

            UnitMaps maps = UnitAlignment.Run(noisy, new() { Space = space, WeightMeasure = measure }, SmallNetworks.Normal(network)).Maps;

            right += models.Groups.Classes.Average(units => Enumerable.Range(0, units.Units).Average(unit => maps.Target(units, 1, planted.Target(units, 0, unit)) == unit ? 1.0 : 0)) / Runs;
        }

        Assert.InRange(right, least, 1);
    }

    [Theory]
    [InlineData(MatchingSpace.Activations)]
    [InlineData(MatchingSpace.Both)]
    public void Zipped_twins_compute_what_one_of_them_does(MatchingSpace space)
    {
        for (int seed = 0; seed < 6; seed++)
        {
            Graph network = SmallNetworks.Mlp(seed, 24);
            foreach (int unit in new[] { 3, 11, 12 }) network.Parameters["fc2.weight"].Value!.Span.Slice(unit * 24, 24).Fill(-0.1f);
            Dataset data = SmallNetworks.Normal(network);
            var (models, _) = SmallNetworks.Twins(network, seed);

            AlignmentResult result = UnitAlignment.Run(models, new() { Space = space, Matching = UnitMatching.Zip }, data);

            Assert.True(result.Classes.Sum(match => match.Dead) >= 6);
            Close(SmallNetworks.Outputs(network, data), SmallNetworks.Outputs(models.With(Rearrangement.Merge(result.Maps, models)).Graph, data));
        }
    }

    [Fact]
    public void Three_twins_zip_to_one()
    {
        Graph network = SmallNetworks.Mlp(3, 20);
        Dataset data = SmallNetworks.Normal(network);
        UnitGroups groups = UnitGroups.Of(network);
        IReadOnlyDictionary<string, Tensor> weights = Siblings.WeightsOf(network);
        Siblings models = new(groups, [weights, .. Enumerable.Range(1, 2).Select(seed => Rearrangement.Apply(UnitMaps.Random(groups, 1, seed), 0, weights))]);

        AlignmentResult result = UnitAlignment.Run(models, new() { Matching = UnitMatching.Zip, ZipAlpha = 1 }, data);

        Assert.All(groups.Classes, units => Assert.All(result.Maps.Members(units).ToArray(), members => Assert.Equal(3, members)));
        Close(SmallNetworks.Outputs(network, data), SmallNetworks.Outputs(models.With(Rearrangement.Merge(result.Maps, models)).Graph, data));
    }

    [Theory]
    [InlineData(MatchingSpace.None, UnitMatching.Align)]
    [InlineData(MatchingSpace.Weights, UnitMatching.Align)]
    [InlineData(MatchingSpace.Activations, UnitMatching.Align)]
    [InlineData(MatchingSpace.Both, UnitMatching.Align)]
    [InlineData(MatchingSpace.Weights, UnitMatching.Zip)]
    [InlineData(MatchingSpace.Both, UnitMatching.Zip)]
    public void A_network_matched_with_itself_stays_itself_to_the_bit(MatchingSpace space, UnitMatching matching)
    {
        Graph network = SmallNetworks.Convolutional(5, 6);
        Siblings models = Siblings.Of([network, network]);

        AlignmentResult result = UnitAlignment.Run(models, new() { Space = space, Matching = matching }, SmallNetworks.Normal(network, 64));

        if (matching == UnitMatching.Align) Assert.True(result.Maps.AreIdentity);
        Assert.True(SmallNetworks.AreSame(models.Weights[0], Rearrangement.Merge(result.Maps, models)));
        Assert.All(result.Classes, match => Assert.Equal((0, 0), (matching == UnitMatching.Align ? match.Moved : 0, match.Within)));
        Assert.All(result.Classes, match => Assert.InRange(match.Matched, 0.999999, 1.000001));
    }

    [Theory]
    [InlineData(UnitMatching.Align)]
    [InlineData(UnitMatching.Zip)]
    public void The_number_of_threads_makes_no_difference(UnitMatching matching)
    {
        Siblings models = Strangers(SmallNetworks.Convolutional(1, 16), SmallNetworks.Convolutional(2, 16));
        Dataset data = SmallNetworks.Normal(models.Groups.Graph, 128);
        AlignmentOptions options = Both with { Matching = matching, Seed = 3 };

        AlignmentResult many = UnitAlignment.Run(models, options, data), one;
        using (Cores.Limit(1)) one = UnitAlignment.Run(models, options, data);

        Same(many.Maps, one.Maps);
        Assert.Equal(many.Sweeps, one.Sweeps);
        Assert.True(SmallNetworks.AreSame(Rearrangement.Merge(many.Maps, models), Rearrangement.Merge(one.Maps, models)));
    }

    [Theory]
    [InlineData(MatchingSpace.Both, SimilarityMeasure.Pearson)]
    [InlineData(MatchingSpace.Weights, SimilarityMeasure.InnerProduct)]
    public void Several_networks_are_each_matched_to_the_first(MatchingSpace space, SimilarityMeasure measure)
    {
        Graph network = SmallNetworks.Residual(4, 24);
        UnitGroups groups = UnitGroups.Of(network);
        IReadOnlyDictionary<string, Tensor> weights = Siblings.WeightsOf(network);
        Siblings models = new(groups, [weights, .. Enumerable.Range(1, 3).Select(seed => Rearrangement.Apply(UnitMaps.Random(groups, 1, seed), 0, weights))]);

        AlignmentResult result = UnitAlignment.Run(models, new() { Space = space, WeightMeasure = measure }, SmallNetworks.Normal(network));

        for (int model = 0; model < models.Count; model++) Assert.True(SmallNetworks.AreSame(weights, SmallNetworks.Moved(result.Maps, models, model)), $"model {model}");
    }

    [Fact]
    public void Where_weights_say_nothing_activations_decide()
    {
        // Layer 2 of the twin has other weights that compute the same: each pair of equal units of layer 1 shares its weight anew.
        Graph network = SmallNetworks.Mlp(3, 32);
        Span<float> first = network.Parameters["fc1.weight"].Value!.Span;
        for (int unit = 0; unit < 16; unit++) first.Slice(unit * 32, 32).CopyTo(first.Slice((unit + 16) * 32, 32));
        UnitGroups groups = UnitGroups.Of(network);
        var other = Siblings.WeightsOf(network).ToDictionary(w => w.Key, w => w.Value.Copy());
        Tensor shift = Initialisation.Normal(2).Draw(new(32, 16), 9, "shift");
        for (int row = 0; row < 32; row++)
        {
            for (int unit = 0; unit < 16; unit++)
            {
                other["fc2.weight"].Span[row * 32 + unit] += shift.Span[row * 16 + unit];
                other["fc2.weight"].Span[row * 32 + unit + 16] -= shift.Span[row * 16 + unit];
            }
        }

        UnitMaps planted = UnitMaps.Random(groups, 1, 5);
        Siblings models = new(groups, [Siblings.WeightsOf(network), Rearrangement.Apply(planted, 0, other)]);
        UnitClass second = groups.Classes.Single(units => units.Parameters.Any(place => place is { Node.Name: "fc2.weight", Side: UnitSide.Out }));

        UnitMaps maps = UnitAlignment.Run(models, Both, SmallNetworks.Normal(network)).Maps;

        Assert.All(Enumerable.Range(0, 32), unit => Assert.Equal(unit, maps.Target(second, 1, planted.Target(second, 0, unit))));
    }

    [Fact]
    public void Where_activations_say_nothing_weights_decide()
    {
        Graph network = SmallNetworks.Mlp(3, 32, bias: true);
        var (models, _) = SmallNetworks.Twins(network, 5);

        UnitMaps maps = UnitAlignment.Run(models, Both, new Subset(SmallNetworks.Normal(network, 4), [0, 0, 0, 0])).Maps;

        Assert.True(SmallNetworks.AreSame(models.Weights[0], SmallNetworks.Moved(maps, models, 1)));
    }

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

    private static void Close(float[] expected, float[] actual)
    {
        double largest = expected.Max(MathF.Abs);
        for (int i = 0; i < expected.Length; i++) Assert.InRange(actual[i] - expected[i], -1e-4 * largest, 1e-4 * largest);
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
