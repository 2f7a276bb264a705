using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Training.Data;

namespace Amalgam.Tests.Alignment;

/// <summary>Which units are found to belong together: of twins, of noisy ones, in one space and in both.</summary>
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

        AlignmentResult one = OnThreads.One(() => UnitAlignment.Run(models, options, data)), many = OnThreads.Four(() => UnitAlignment.Run(models, options, data));

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
}
