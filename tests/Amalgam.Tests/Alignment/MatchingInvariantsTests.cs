using Amalgam.Alignment;
using Amalgam.Tests.Training;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Tests.Alignment;

/// <summary>What must not change a match: what a network is written like, and how it is computed.</summary>
public class MatchingInvariantsTests
{
    public static TheoryData<string> Methods => ["mudsc", "mudsc_zip", "activations", "zipit"];

    [Theory, MemberData(nameof(Methods))]
    public void The_order_of_a_parents_units_makes_no_difference(string method)
    {
        Siblings models = Strangers();
        UnitMaps order = UnitMaps.Random(models.Groups, 1, 3);
        Siblings shuffled = new(models.Groups, [models.Weights[0], Rearrangement.Apply(order, 0, models.Weights[1])]);

        UnitMaps maps = Match(method, models), ofShuffled = Match(method, shuffled);

        Same(maps, ofShuffled, (units, model, unit) => model == 0 ? unit : order.Target(units, 0, unit));
    }

    [Theory, MemberData(nameof(Methods))]
    public void The_order_of_samples_makes_no_difference(string method)
    {
        Siblings models = Strangers();
        Dataset data = SmallNetworks.Normal(models.Groups.Graph, 200);
        int[] order = [.. Enumerable.Range(0, 200)];
        new Random(1).Shuffle(order);

        Same(Match(method, models, data), Match(method, models, new Subset(data, order)));
    }

    /// <summary>A Relu that is given c times as much gives c times as much, and the layer after it takes it back. Weights alone see it.</summary>
    [Theory]
    [InlineData("activations")]
    [InlineData("zipit")]
    public void Activations_do_not_see_how_a_layer_is_scaled(string method)
    {
        Siblings models = Strangers();
        Dictionary<string, Tensor> scaled = models.Weights[1].ToDictionary(w => w.Key, w => w.Value.Copy());
        foreach (string made in new[] { "fc2.weight", "fc2.bias" }) foreach (ref float x in scaled[made].Span) x *= 8;
        foreach (ref float x in scaled["fc3.weight"].Span) x /= 8;

        Same(Match(method, models), Match(method, new(models.Groups, [models.Weights[0], scaled])));
    }

    [Theory]
    [InlineData(SimilarityMeasure.Pearson, true)]
    [InlineData(SimilarityMeasure.Cosine, false)]
    public void Similarities_of_weights_do_not_see_the_scale_of_a_units_row_and_correlations_not_its_shift(SimilarityMeasure measure, bool shifts)
    {
        Siblings models = Strangers();
        UnitClass units = models.Groups.Classes.Single(c => c.Parameters.Any(place => place.Node.Name == "fc2.bias"));
        Dictionary<string, Tensor> other = models.Weights[1].ToDictionary(w => w.Key, w => w.Value.Copy());
        for (int unit = 0; unit < units.Units; unit++)
        {
            (float scale, float shift) = (1 + unit % 3, shifts ? 0.25f * (unit % 4) : 0);
            void Change(ref float x) => x = scale * x + shift;
            Change(ref other["fc2.bias"].Span[unit]);
            for (int i = 0; i < units.Units; i++)
            {
                Change(ref other["fc2.weight"].Span[unit * units.Units + i]);
                Change(ref other["fc3.weight"].Span[i * units.Units + unit]);
            }
        }

        AlignmentOptions options = new() { WeightMeasure = measure };
        UnitMaps maps = UnitMaps.Identity(models.Groups, 2);
        double[] before = WeightSimilarity.Of(units, models, maps, options)!.Values, after = WeightSimilarity.Of(units, new(models.Groups, [models.Weights[0], other]), maps, options)!.Values;
        for (int i = 0; i < before.Length; i++) Assert.Equal(before[i], after[i], 1e-5);
    }

    [Theory]
    [InlineData("rebasin")]
    [InlineData("merge_many")]
    [InlineData("ste")]
    [InlineData("heads")]
    [InlineData("heads zipped")]
    public void The_number_of_threads_makes_no_difference(string method)
    {
        UnitMaps one = OnThreads.One(() => MapsOf(method)), many = OnThreads.Four(() => MapsOf(method));
        Assert.False(many.AreIdentity);
        Same(many, one);
    }

    [Fact]
    public void In_place_the_order_of_networks_makes_no_difference()
    {
        Siblings models = Siblings.Of([.. Enumerable.Range(1, 3).Select(seed => SmallNetworks.Convolutional(seed, 4))]);
        Siblings turned = new(models.Groups, [models.Weights[2], models.Weights[0], models.Weights[1]]);
        AlignmentOptions none = AlignmentMethod.Find("none")!.Preset;

        IReadOnlyDictionary<string, Tensor> a = Rearrangement.Merge(UnitAlignment.Run(models, none).Maps, models), b = Rearrangement.Merge(UnitAlignment.Run(turned, none).Maps, turned);

        foreach (var (name, value) in a) Assert.Equal(value.Span.ToArray(), b[name].Span.ToArray());
    }

    private static UnitMaps MapsOf(string method)
    {
        if (method == "ste")
        {
            Siblings classifiers = Siblings.Of([StraightThroughMatchingTests.Network(1), StraightThroughMatchingTests.Network(2)]);
            return StraightThroughMatching.Run(classifiers, NaiveNetwork.Rings(12_000, 1), new CrossEntropy(), new(Epochs: 3, Batch: 6000, Rate: 0.3)).Maps;
        }

        if (!method.StartsWith("heads", StringComparison.Ordinal)) return Match(method, Siblings.Of([.. Enumerable.Range(0, 3).Select(seed => SmallNetworks.Convolutional(seed, 8))]));
        Siblings models = Siblings.Of([SmallNetworks.Attention(1, 24, 4), SmallNetworks.Attention(2, 24, 4)]);
        return Match(method == "heads" ? "mudsc" : "mudsc_zip", models, SmallNetworks.Normal(models.Groups.Graph, 64));
    }

    private static Siblings Strangers() => Siblings.Of([SmallNetworks.Mlp(1, 14, 8, 4, bias: true), SmallNetworks.Mlp(2, 14, 8, 4, bias: true)]);

    private static UnitMaps Match(string method, Siblings models, Dataset? data = null) =>
        UnitAlignment.Run(models, AlignmentMethod.Find(method)!.Preset with { Batch = 64 }, data ?? SmallNetworks.Normal(models.Groups.Graph, 200)).Maps;

    /// <summary>Whether the same units come together; merged ones may be numbered otherwise.</summary>
    private static void Same(UnitMaps expected, UnitMaps actual, Func<UnitClass, int, int, int>? now = null)
    {
        foreach (UnitClass units in expected.Groups.Classes)
        {
            Dictionary<int, int> merged = [];
            for (int model = 0; model < expected.Models; model++)
            {
                for (int unit = 0; unit < units.Units; unit++)
                {
                    (int was, int becomes) = (expected.Target(units, model, unit), actual.Target(units, model, now is null ? unit : now(units, model, unit)));
                    Assert.True(merged.TryAdd(was, becomes) || merged[was] == becomes, $"{units}: unit {unit} of network {model + 1} comes together with others");
                }
            }

            Assert.Equal(merged.Count, merged.Values.Distinct().Count());
        }
    }
}
