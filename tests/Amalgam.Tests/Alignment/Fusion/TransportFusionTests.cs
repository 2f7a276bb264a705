using Amalgam.Alignment;
using Amalgam.Alignment.Fusion;
using Amalgam.Graphs;
using Amalgam.Tests.Alignment.OfLayers;
using Amalgam.Training.Data;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Alignment.Fusion;

/// <summary>What transport must do to networks of which the answer is known: twins, permuted networks, networks whose units were doubled.</summary>
public class TransportFusionTests
{
    private static readonly FusionOptions Activations = new() { Samples = null }, Weights = new() { Space = MatchingSpace.Weights };

    public static TheoryData<string> Networks => [.. Architectures.Keys];

    private static readonly Dictionary<string, Graph> Architectures = new()
    {
        ["mlp"] = SmallNetworks.Mlp(1, 24),
        ["mlp with biases"] = SmallNetworks.Mlp(2, 24, bias: true),
        ["residual"] = SmallNetworks.Residual(3, 24),
        ["convolutional"] = SmallNetworks.Convolutional(4, 8),
        ["flattened"] = Flattened(5),
        ["resnet"] = new ResNet([2, 2], 6, 10) { Norm = Norm.None, Image = [3, 8, 8] }.Build(1, 6),
        ["resnet with batch normalisation"] = new ResNet([2, 2], 6, 10) { Image = [3, 8, 8] }.Build(1, 7),
        ["resnet with padded shortcuts"] = new ResNet([1, 2], 6, 10) { Image = [3, 8, 8], Shortcut = Shortcut.Pad }.Build(1, 8),
        ["mobilenet"] = new MobileNetV2(10) { Image = [3, 16, 16], Width = 0.125 }.Build(1, 8),
        ["attention"] = SmallNetworks.Attention(9, 16, 4),
        ["attention by one matrix"] = PackedAttention(10, 12, 3),
    };

    [Theory]
    [MemberData(nameof(Networks))]
    public void A_permuted_twin_is_recovered_exactly_by_activations(string name) => Recovers(Architectures[name], Activations);

    [Theory]
    [MemberData(nameof(Networks))]
    public void A_permuted_twin_is_recovered_exactly_by_weights(string name) => Recovers(Architectures[name], Weights);

    [Theory]
    [InlineData("resnet")]
    [InlineData("resnet with batch normalisation")]
    [InlineData("residual")]
    [InlineData("attention")]
    public void The_rule_of_one_map_for_each_layer_recovers_permuted_twins_too(string name)
    {
        Recovers(Architectures[name], Activations with { Residual = ResidualMaps.Upstream });
        Recovers(Architectures[name], Weights with { Residual = ResidualMaps.Upstream });
    }

    /// <summary>A plan between equal numbers of units is an order, so all weights of the first network make its function again.</summary>
    [Theory]
    [MemberData(nameof(Networks))]
    public void What_is_transported_to_equal_widths_computes_what_it_did(string name)
    {
        Graph b = Architectures[name], a = Surgery.Copy(b).Randomise(11);
        float[] expected = Depths.Outputs(a);
        foreach (FusionOptions options in (FusionOptions[])[Activations, Weights])
        {
            TransportMaps maps = TransportFusion.Match(Homologues.Of(a, b), options, SmallNetworks.Normal(a, 64));

            Assert.False(SmallNetworks.AreSame(Siblings.WeightsOf(a), maps.Transported()));
            float[] found = Depths.Outputs(maps.Siblings().With(1).Graph);
            for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found[i], 1e-4f * Math.Max(1, Math.Abs(expected[i])));
        }
    }

    [Fact]
    public void Columns_sum_to_one_so_that_a_bias_that_all_units_have_is_kept()
    {
        Graph a = SmallNetworks.Mlp(1, 20, bias: true), b = SmallNetworks.Mlp(2, 13, bias: true);
        foreach (var (name, node) in a.Parameters.Where(p => p.Key.EndsWith("bias", StringComparison.Ordinal))) node.Value!.Span.Fill(3);
        foreach (FusionOptions options in (FusionOptions[])[Activations, Activations with { Marginals = Marginals.ImportanceL2 }, Activations with { Sinkhorn = 0.05 }])
        {
            IReadOnlyDictionary<string, Tensor> moved = TransportFusion.Match(Homologues.Of(a, b), options, SmallNetworks.Normal(a, 64)).Transported();
            foreach (string name in (string[])["fc1.bias", "fc2.bias", "fc3.bias"]) Assert.All(moved[name].Span.ToArray(), bias => Assert.Equal(3, bias, 1e-5f));
        }
    }

    /// <summary>A bias is one of the weights that are divided by their length, however small it is, and no vector of length 1 by itself.</summary>
    [Fact]
    public void Small_biases_say_little_of_units_whose_weights_are_normalised()
    {
        Graph b = SmallNetworks.Mlp(1, 24, bias: true);
        Random random = new(3);
        foreach (var (_, node) in b.Parameters.Where(p => p.Key.EndsWith("bias", StringComparison.Ordinal)))
        {
            foreach (ref float bias in node.Value!.Span) bias = 1e-3f * (float)(random.NextDouble() - 0.5);
        }

        UnitGroups groups = UnitGroups.Of(b);
        IReadOnlyDictionary<string, Tensor> noisy = SmallNetworks.Noisy(Siblings.WeightsOf(b), 0.6, 4);
        Graph twin = new Siblings(groups, [Rearrangement.Apply(UnitMaps.Random(groups, 1, 5), 0, noisy)]).With(0).Graph;

        Assert.True(SmallNetworks.AreSame(noisy, TransportFusion.Match(Homologues.Of(twin, b), Weights with { NormaliseWeights = true }).Transported()));
    }

    [Fact]
    public void A_network_is_transported_onto_itself_as_it_is()
    {
        Graph network = Architectures["convolutional"];

        TransportMaps maps = TransportFusion.Match(Homologues.Of(network, network), Activations, SmallNetworks.Normal(network, 64));

        Assert.All(maps.Classes, units => Assert.Equal(0, units.Cost));
        Assert.True(SmallNetworks.AreSame(Siblings.WeightsOf(network), maps.Transported()));
    }

    [Fact]
    public void The_order_of_the_first_network_s_units_is_of_no_account()
    {
        Graph a = SmallNetworks.Convolutional(1, 6), b = SmallNetworks.Convolutional(2, 8);
        Graph permuted = Permuted(a, 3);
        Dataset data = SmallNetworks.Normal(a, 64);

        IReadOnlyDictionary<string, Tensor> one = TransportFusion.Match(Homologues.Of(a, b), Activations, data).Transported();
        IReadOnlyDictionary<string, Tensor> other = TransportFusion.Match(Homologues.Of(permuted, b), Activations, data).Transported();

        Close(one, other);
        Assert.All(b.Parameters, p => Assert.Equal(p.Value.Shape, one[p.Key].Shape));
    }

    [Fact]
    public void Permuting_the_second_network_permutes_the_fused_one()
    {
        Graph a = SmallNetworks.Mlp(1, 20, bias: true), b = SmallNetworks.Mlp(2, 16, bias: true);
        UnitGroups groups = UnitGroups.Of(b);
        UnitMaps order = UnitMaps.Random(groups, 1, 5);
        Graph permuted = new Siblings(groups, [Rearrangement.Apply(order, 0, Siblings.WeightsOf(b))]).With(0).Graph;
        Dataset data = SmallNetworks.Normal(a, 64);

        IReadOnlyDictionary<string, Tensor> one = TransportFusion.Match(Homologues.Of(a, b), Activations, data).Transported();
        IReadOnlyDictionary<string, Tensor> other = TransportFusion.Match(Homologues.Of(a, permuted), Activations, data).Transported();

        Close(Rearrangement.Apply(order, 0, one), other);
    }

    [Theory]
    [InlineData(IncomingScale.Row)]
    [InlineData(IncomingScale.Column)]
    public void A_network_whose_units_were_doubled_is_recovered_where_rows_sum_to_one(IncomingScale incoming)
    {
        Graph small = SmallNetworks.Mlp(1, 12, bias: true);
        Graph doubled = Doubled(small);

        IReadOnlyDictionary<string, Tensor> moved = TransportFusion.Match(Homologues.Of(doubled, small), Activations with { Incoming = incoming }, SmallNetworks.Normal(small, 64)).Transported();

        // Columns that sum to 1 take the mean of two halves in each layer but the first.
        foreach (var (name, node) in small.Parameters)
        {
            float factor = incoming == IncomingScale.Row || name.EndsWith("bias", StringComparison.Ordinal) || name.StartsWith("fc1", StringComparison.Ordinal) ? 1 : 0.5f;
            for (int i = 0; i < node.Value!.Count; i++) Assert.Equal(factor * node.Value.Span[i], moved[name].Span[i], 1e-6f);
        }
    }

    [Fact]
    public void Units_that_were_scaled_up_and_down_again_are_not_scaled_back()
    {
        Graph network = SmallNetworks.Mlp(1, 12);
        Dictionary<string, Tensor> weights = Siblings.WeightsOf(network).ToDictionary(w => w.Key, w => w.Value.Copy());
        foreach (ref float weight in weights["fc1.weight"].Span) weight *= 4;
        foreach (ref float weight in weights["fc2.weight"].Span) weight /= 4;
        Graph scaled = new Siblings(UnitGroups.Of(network), [weights]).With(0).Graph;

        IReadOnlyDictionary<string, Tensor> moved = TransportFusion.Match(Homologues.Of(scaled, network), Activations, SmallNetworks.Normal(network, 64)).Transported();

        Assert.False(SmallNetworks.AreSame(Siblings.WeightsOf(network), moved));
    }

    [Fact]
    public void Wider_and_narrower_networks_are_brought_to_the_shapes_of_the_second()
    {
        foreach (var (a, b) in ((int, int)[])[(16, 24), (24, 16), (7, 5)])
        {
            Graph wide = SmallNetworks.Residual(1, a), narrow = SmallNetworks.Residual(2, b);
            foreach (FusionOptions options in (FusionOptions[])[Activations, Weights, Activations with { Marginals = Marginals.ImportanceL1 }, Activations with { Sinkhorn = 0.05 }, Weights with { Residual = ResidualMaps.Upstream }])
            {
                TransportMaps maps = TransportFusion.Match(Homologues.Of(wide, narrow), options, SmallNetworks.Normal(wide, 64));

                Assert.All(narrow.Parameters, p => Assert.Equal(p.Value.Shape, maps.Transported()[p.Key].Shape));
                Assert.All(maps.Transported().Values, value => Assert.All(value.Span.ToArray(), number => Assert.True(float.IsFinite(number))));
            }
        }
    }

    [Fact]
    public void Heads_of_other_sizes_are_transported_as_heads()
    {
        Graph wide = SmallNetworks.Attention(1, 24, 4), narrow = SmallNetworks.Attention(2, 16, 4);

        TransportMaps maps = TransportFusion.Match(Homologues.Of(wide, narrow), Activations, SmallNetworks.Normal(wide, 64));

        Assert.All(narrow.Parameters, p => Assert.Equal(p.Value.Shape, maps.Transported()[p.Key].Shape));
    }

    [Fact]
    public void Networks_as_PyTorch_writes_them_and_as_they_are_built_here_are_of_one_structure()
    {
        Graph written = ModelLoader.Load(RealData.At("models", "resnet20-cifar10-halves", "a.onnx"));
        Graph built = ModelLoader.Build(ModelDescription.Parse("resnet20:shortcut=3x3,result=embedding,classes=512"), 1, 4);

        // The file has one tensor for biases that are equal, and names nothing as the network here does.
        foreach (var (a, b) in new[] { (written, built), (built, written) })
        {
            IReadOnlyDictionary<string, Tensor> moved = TransportFusion.Match(Homologues.Of(a, b), Weights).Transported();
            Assert.All(b.Parameters, p => Assert.Equal(p.Value.Shape, moved[p.Key].Shape));
            Assert.False(SmallNetworks.AreSame(Siblings.WeightsOf(b), moved));
        }
    }

    [Fact]
    public void Refuses_what_cannot_be_transported()
    {
        Graph mlp = SmallNetworks.Mlp(1, 12);

        Assert.Contains("not of one structure", Assert.Throws<GraphException>(() => Homologues.Of(mlp, SmallNetworks.Residual(1, 12))).Message);
        Assert.Contains("axis 0 of 'fc4.weight'", Assert.Throws<GraphException>(() => Homologues.Of(mlp, SmallNetworks.Mlp(1, 12, outputs: 16))).Message);
        Assert.Contains("axis 1 of 'fc1.weight'", Assert.Throws<GraphException>(() => Homologues.Of(mlp, SmallNetworks.Mlp(1, 12, inputs: 16))).Message);
        Homologues pair = Homologues.Of(mlp, mlp);
        Assert.Contains("samples are needed", Assert.Throws<GraphException>(() => TransportFusion.Match(pair, Activations)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => TransportFusion.Match(pair, Weights with { Sinkhorn = 0 }));
        Assert.Throws<GraphException>(() => TransportFusion.Match(pair, Weights with { Space = MatchingSpace.Both }));
    }

    [Fact]
    public void A_transport_that_did_not_converge_says_so()
    {
        Graph a = SmallNetworks.Mlp(1, 16), b = SmallNetworks.Mlp(2, 12);
        bool[] Converged(double strength) => [.. TransportFusion.Match(Homologues.Of(a, b), Activations with { Sinkhorn = strength }, SmallNetworks.Normal(a, 64)).Classes.Select(units => units.Converged)];
        Assert.DoesNotContain(false, Converged(0.1));
        Assert.Contains(false, Converged(1e-5));
    }

    private static void Recovers(Graph network, FusionOptions options)
    {
        Graph twin = Permuted(network, 3);
        Dataset data = SmallNetworks.Normal(network, 64);

        TransportMaps maps = TransportFusion.Match(Homologues.Of(twin, network), options, data);

        Assert.False(SmallNetworks.AreSame(Siblings.WeightsOf(network), Siblings.WeightsOf(twin)));
        Assert.True(SmallNetworks.AreSame(Siblings.WeightsOf(network), maps.Transported()), string.Join("; ", maps.Classes));
        Assert.NotEmpty(maps.Classes);
    }

    private static Graph Permuted(Graph network, int seed)
    {
        UnitGroups groups = UnitGroups.Of(network);
        return new Siblings(groups, [Rearrangement.Apply(UnitMaps.Random(groups, 1, seed), 0, Siblings.WeightsOf(network))]).With(0).Graph;
    }

    /// <summary>The same function by twice as many units: each is there twice, and gives half of what it gave.</summary>
    private static Graph Doubled(Graph small)
    {
        Graph wide = SmallNetworks.Mlp(9, 24, bias: true);
        foreach (var (name, node) in wide.Parameters)
        {
            Tensor from = small.Parameters[name].Value!, to = node.Value!;
            int rows = from.Shape.Size(0), columns = from.Shape.Rank > 1 ? from.Shape.Size(1) : 1, wider = to.Shape.Rank > 1 ? to.Shape.Size(1) : 1;
            for (int i = 0; i < to.Count; i++) to.Span[i] = from.Span[i / wider % rows * columns + i % wider % columns] * columns / wider;
        }

        return wide;
    }

    /// <summary>Queries, keys and values are parts of one matrix, and queries and keys have the same units.</summary>
    private static Graph PackedAttention(long seed, int units, int heads)
    {
        Layers net = new(new Graph(), seed) { LinearStart = Initialisation.KaimingFanIn };
        Node x = net.Linear(net.Graph.Input("x", new(1, 4, 10)), "stem", units);
        Node[] parts = [.. net.Linear(x, "in_proj", 3 * units).Split(2, units, units, units)];
        net.Graph.Output("y", net.Linear(x + net.Linear(Layers.Attend(parts[0], parts[1], parts[2], heads), "out", units), "head", 5));
        return net.Graph.Randomise((int)seed);
    }

    private static Graph Flattened(long seed)
    {
        Layers net = new(new Graph(), seed);
        Node x = net.Graph.Input("x", new(1, 3, 4, 4));
        x = net.Conv(x, "conv1", 6, 3, 1, 1).Relu();
        x = net.Conv(x, "conv2", 5, 3, 1, 1).Relu().Flatten();
        net.Graph.Output("y", net.Linear(net.Linear(x, "fc1", 12).Relu(), "fc2", 10));
        return net.Graph;
    }

    private static void Close(IReadOnlyDictionary<string, Tensor> expected, IReadOnlyDictionary<string, Tensor> actual)
    {
        foreach (var (name, value) in expected)
        {
            for (int i = 0; i < value.Count; i++) Assert.Equal(value.Span[i], actual[name].Span[i], 1e-5f);
        }
    }
}
