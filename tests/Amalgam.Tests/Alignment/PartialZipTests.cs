using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Training.Data;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Alignment;

public class PartialZipTests
{
    [Fact]
    public void Cuts_lie_between_layers_that_all_paths_go_through()
    {
        Assert.Equal(["fc1", "fc2", "fc3", "fc4"], Names(SmallNetworks.Mlp(1, 8, bias: true)));
        Assert.Equal(["stem.norm", "joined", "head"], Names(SmallNetworks.Convolutional(1, 4)));
        // A residual stream is read by some layers after every block but made by others, except after the last.
        Assert.Equal(["block3.b", "head"], Names(SmallNetworks.Residual(1, 8)));
    }

    [Theory]
    [InlineData("resnet20", "shortcut=3x3", new[] { 7, 13, 19, 20 })]
    [InlineData("resnet20", "", new[] { 19, 20 })] // Its shortcuts hand the channels of a stage on to the next.
    [InlineData("vgg11", "", new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9 })]
    [InlineData("vit_tiny", "", new[] { 73, 74 })]
    public void Cuts_of_architectures_come_after_as_many_layers(string model, string options, int[] layers)
    {
        UnitGroups groups = UnitGroups.Of(ZooModel.Find(model).Build(1, Zoo.Models.ZooModelTests.Options(options), 1));
        string[] Weights(IEnumerable<string> names) => [.. names.Where(name => groups.Graph.Parameters[name].Shape.Rank is 2 or 4 && !name.Contains("shortcut", StringComparison.Ordinal))];

        Assert.Equal(layers, PartialZip.Cuts(groups).Select(cut => Weights(cut.Trunk).Length));
    }

    [Fact]
    public void Heads_of_the_same_network_compute_what_it_does()
    {
        Graph network = SmallNetworks.Convolutional(3, 5);
        Siblings models = Siblings.Of([network, network]);
        Dataset data = SmallNetworks.Normal(network, 20);
        float[] expected = SmallNetworks.Outputs(network, data);

        foreach (NetworkCut cut in PartialZip.Cuts(models.Groups))
        {
            Graph merged = PartialZip.Build(models, UnitMaps.Identity(models.Groups, 2), cut.Node);

            Assert.Equal(["y.a", "y.b"], merged.Outputs.Keys);
            Assert.Equal(expected, SmallNetworks.Outputs(merged, data, "y.a"));
            Assert.Equal(expected, SmallNetworks.Outputs(merged, data, "y.b"));
        }
    }

    [Theory]
    [InlineData(UnitMatching.Align)]
    [InlineData(UnitMatching.Zip)]
    public void Heads_of_permuted_twins_compute_what_each_did(UnitMatching matching)
    {
        Graph network = SmallNetworks.Mlp(5, 16, bias: true);
        var (models, _) = SmallNetworks.Twins(network, 2);
        Dataset data = SmallNetworks.Normal(network);
        float[] expected = SmallNetworks.Outputs(network, data);
        UnitMaps maps = UnitAlignment.Run(models, new() { Matching = matching }, data).Maps;

        foreach (NetworkCut cut in PartialZip.Cuts(models.Groups))
        {
            Graph merged = PartialZip.Build(models, maps, cut.Node);

            foreach (string output in merged.Outputs.Keys)
            {
                float[] actual = SmallNetworks.Outputs(merged, data, output);
                for (int i = 0; i < actual.Length; i++) Assert.Equal(expected[i], actual[i], 1e-4);
            }
        }
    }

    [Fact]
    public void Heads_read_of_the_merged_units_those_that_theirs_became_part_of()
    {
        Graph a = SmallNetworks.Mlp(1, 12, 6, 3, bias: true), b = SmallNetworks.Mlp(2, 12, 6, 3, bias: true);
        Siblings models = Siblings.Of([a, b], names: ["first", "second"]);
        Dataset data = SmallNetworks.Normal(a, 50);
        UnitMaps maps = UnitAlignment.Run(models, new() { Matching = UnitMatching.Zip }, data).Maps;
        UnitClass second = models.Groups.Classes.Single(units => units.Parameters.Any(place => place is { Node.Name: "fc2.bias" }));
        Graph merged = PartialZip.Build(models, maps, PartialZip.Cut(models.Groups, "fc2").Node);
        IReadOnlyDictionary<string, Tensor> trunk = Rearrangement.Merge(maps, models);

        for (int model = 0; model < 2; model++)
        {
            float[] actual = SmallNetworks.Outputs(merged, data, $"y.{models.Names[model]}"), x = new float[6];
            for (int sample = 0; sample < data.Count; sample++)
            {
                data.Read(0, sample, default, x);
                double[] units = Layer(trunk, "fc2", Layer(trunk, "fc1", [.. x.Select(v => (double)v)]));
                int[] to = maps.To(second, model).ToArray();
                double[] y = Layer(models.Weights[model], "fc4", Layer(models.Weights[model], "fc3", [.. to.Select(unit => units[unit])]), relu: false);
                for (int i = 0; i < 3; i++) Assert.Equal(y[i], actual[sample * 3 + i], 1e-4);
            }
        }

        Assert.False(maps.ArePermutations);
        Assert.Equal(["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "heads.first.fc3.weight", "heads.first.fc3.bias", "heads.first.fc4.weight", "heads.first.fc4.bias",
            "heads.second.fc3.weight", "heads.second.fc3.bias", "heads.second.fc4.weight", "heads.second.fc4.bias"], merged.Parameters.Keys);
    }

    [Fact]
    public void The_last_cut_is_the_whole_merge()
    {
        Siblings models = Siblings.Of([SmallNetworks.Residual(1, 12), SmallNetworks.Residual(2, 12)]);
        Dataset data = SmallNetworks.Normal(models.Groups.Graph, 40);
        UnitMaps maps = UnitAlignment.Run(models, new() { Matching = UnitMatching.Zip }, data).Maps;
        NetworkCut last = PartialZip.Cuts(models.Groups)[^1];

        Graph merged = PartialZip.Build(models, maps, last.Node);

        Assert.Empty(last.Head);
        Assert.Equal(SmallNetworks.Outputs(models.With(Rearrangement.Merge(maps, models)).Graph, data), SmallNetworks.Outputs(merged, data, "y.b"));
    }

    [Theory]
    [InlineData("stem.norm")]
    [InlineData("joined")]
    public void Statistics_of_heads_are_estimated_anew_and_the_parents_keep_theirs(string cut)
    {
        Graph[] parents = [SmallNetworks.Convolutional(1, 4), SmallNetworks.Convolutional(2, 4)];
        Siblings models = Siblings.Of(parents);
        var before = parents.Select(parent => Siblings.WeightsOf(Surgery.Copy(parent))).ToArray();

        Graph merged = PartialZip.Build(models, UnitMaps.Identity(models.Groups, 2), PartialZip.Cut(models.Groups, cut).Node);
        BatchNormReset.Run(merged, SmallNetworks.Normal(parents[0], 40), 20);

        for (int model = 0; model < 2; model++) Assert.True(SmallNetworks.AreSame(before[model], Siblings.WeightsOf(parents[model])));
        string[] heads = [.. merged.Parameters.Keys.Where(name => name.StartsWith("heads.a.", StringComparison.Ordinal) && name.Contains("running", StringComparison.Ordinal))];
        Assert.Equal(cut == "stem.norm" ? 6 : 0, heads.Length);
        Assert.All(heads, name => Assert.False(merged.Parameters[name].Value!.Span.SequenceEqual(before[0][name["heads.a.".Length..]].Span)));
        Assert.All(heads, name => Assert.False(merged.Parameters[name].Value!.Span.SequenceEqual(merged.Parameters[name.Replace(".a.", ".b.", StringComparison.Ordinal)].Value!.Span)));
    }

    [Fact]
    public void Inputs_that_no_layer_has_changed_reach_the_heads_past_the_cut()
    {
        Siblings models = Siblings.Of([Masked(1), Masked(2)]);
        NetworkCut cut = PartialZip.Cut(models.Groups, "fc1");

        Graph merged = PartialZip.Build(models, UnitMaps.Identity(models.Groups, 2), cut.Node);

        Assert.Equal(["x", "mask"], merged.Inputs.Keys);
        Executor executor = new(merged);
        executor["x"].Span.Fill(1);
        executor["mask"].Span[0] = 1;
        executor.Run();
        Assert.All(executor["y.a"].Span[1..].ToArray(), value => Assert.Equal(0, value));
        Assert.NotEqual(0, executor["y.a"].Span[0]);
        Assert.NotEqual(executor["y.a"].Span[0], executor["y.b"].Span[0]);
    }

    [Theory]
    [InlineData("conv1", "is used both before and after it")]
    [InlineData("stem", "makes or scales the same units")]
    [InlineData("nowhere", "no value of that name")]
    [InlineData("x", "no value that the network computes")]
    public void A_refusal_names_where_it_can_be_cut(string name, string reason)
    {
        Siblings models = Siblings.Of([SmallNetworks.Convolutional(1, 4), SmallNetworks.Convolutional(2, 4)]);

        string message = Assert.Throws<GraphException>(() => PartialZip.Cut(models.Groups, name)).Message;

        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.EndsWith("it can be cut at 'stem.norm', 'joined', 'head'", message, StringComparison.Ordinal);
        if (models.Groups.Graph.Find(name) is { } node)
            Assert.Contains(reason, Assert.Throws<GraphException>(() => PartialZip.Build(models, UnitMaps.Identity(models.Groups, 2), node)).Message, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Names(Graph graph) => PartialZip.Cuts(UnitGroups.Of(graph)).Select(cut => cut.Name);

    private static Graph Masked(int seed)
    {
        Layers net = new(new(), seed);
        Node x = net.Graph.Input("x", new(1, 4)), mask = net.Graph.Input("mask", new(1, 3));
        net.Graph.Output("y", net.Linear(net.Linear(x, "fc1", 6).Relu(), "fc2", 3) * (mask * 2));
        return net.Graph;
    }

    private static double[] Layer(IReadOnlyDictionary<string, Tensor> weights, string name, double[] x, bool relu = true) =>
        [.. Enumerable.Range(0, weights[$"{name}.bias"].Count).Select(unit =>
        {
            double sum = weights[$"{name}.bias"].Span[unit];
            for (int i = 0; i < x.Length; i++) sum += x[i] * weights[$"{name}.weight"].Span[unit * x.Length + i];
            return relu ? Math.Max(sum, 0) : sum;
        })];
}
