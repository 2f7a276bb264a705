using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Tests.Alignment;
using Amalgam.Transfer;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Transfer;

public class HeterogeneousTransferTests
{
    [Fact]
    public void Weights_begin_again_where_they_end()
    {
        Assert.Equal([0, 1, 2, 0, 3, 4, 5, 3, 0, 1, 2, 0f], CyclicCopy.Of(new(new(2, 3), [0, 1, 2, 3, 4, 5]), new(3, 4)).Span.ToArray());
        Assert.Equal([0, 1, 3, 4f], CyclicCopy.Of(new(new(2, 3), [0, 1, 2, 3, 4, 5]), new(2, 2)).Span.ToArray());
        Assert.Equal([7, 8, 9, 7, 8f], CyclicCopy.Of(Tensor.Vector(7, 8, 9), new(5)).Span.ToArray());
    }

    /// <summary>PyTorch's values of bilinear interpolation with align_corners=False.</summary>
    [Fact]
    public void Kernels_are_resized_bilinearly()
    {
        float[] Resize(int from, int to) => CyclicCopy.Of(new(new(1, 1, from, from), [.. Enumerable.Range(0, from * from).Select(i => (float)i)]), new(1, 1, to, to)).Span.ToArray();
        void Close(double[] expected, float[] found) => Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Close([2, 11 / 3.0, 16 / 3.0, 31 / 3.0, 12, 41 / 3.0, 56 / 3.0, 61 / 3.0, 22], Resize(5, 3));
        Close([0, 0.4, 1, 1.6, 2, 1.2, 1.6, 2.2, 2.8, 3.2], Resize(3, 5)[..10]);
        Assert.All(CyclicCopy.Of(new(new(1, 1, 1, 1), [7]), new(2, 3, 3, 3)).Span.ToArray(), x => Assert.Equal(7, x));
    }

    [Fact]
    public void A_copy_of_the_same_shape_is_one_and_shares_nothing()
    {
        Tensor x = Initialisation.Normal(1).Draw(new(4, 3, 3, 3), 1, "x"), y = CyclicCopy.Of(x, x.Shape);
        Assert.Equal(x.Span.ToArray(), y.Span.ToArray());
        y.Span[0]++;
        Assert.NotEqual(x.Span[0], y.Span[0]);
        Assert.Throws<ArgumentException>(() => CyclicCopy.Of(x, new(4, 3)));
    }

    /// <summary>The positions, among ResNet-34's convolutions without shortcuts, that get ResNet-18's seventeen.</summary>
    [Fact]
    public void The_targets_of_the_layer_map_are_those_of_the_paper()
    {
        NetworkLayers shallow = Layers("resnet18", 1), deep = Layers("resnet34", 2);
        LayerMapping map = LayerAlignment.Given(deep, shallow, [[0], [0, 2], [0, 3], [0, 5], [0, 2]]);
        string[] chain = [.. HeterogeneousTransfer.ChainOf(deep).Select(w => w.Weight.Name!)];
        var pairs = HeterogeneousTransfer.ByMapping(map);

        Assert.Equal(33, chain.Length);
        Assert.DoesNotContain(chain, name => name.Contains("shortcut", StringComparison.Ordinal) || name.Contains("linear", StringComparison.Ordinal));
        Assert.Equal([0, 1, 2, 5, 6, 7, 8, 13, 14, 15, 16, 25, 26, 27, 28, 31, 32], pairs.Select(pair => Array.IndexOf(chain, pair.Target.Weight.Name)));
        Assert.Equal(HeterogeneousTransfer.ChainOf(shallow).Select(w => w.Weight.Name), pairs.Select(pair => pair.Source.Weight.Name));
        Assert.Equal(Enumerable.Range(0, 17), HeterogeneousTransfer.ByOrder(shallow, deep).Select(pair => Array.IndexOf(chain, pair.Target.Weight.Name)));
        Assert.Equal(17, HeterogeneousTransfer.ByOrder(deep, shallow).Length);
    }

    /// <summary>With biases and normalisations: one architecture on both sides gives the source's function but for what is not transferred.</summary>
    [Theory]
    [InlineData("mlp", "fc3.weight fc3.bias")]
    [InlineData("resnet", "layer2.0.shortcut.0.weight layer2.0.shortcut.1.weight layer2.0.shortcut.1.bias layer2.0.shortcut.1.running_mean layer2.0.shortcut.1.running_var "
        + "layer3.0.shortcut.0.weight layer3.0.shortcut.1.weight layer3.0.shortcut.1.bias layer3.0.shortcut.1.running_mean layer3.0.shortcut.1.running_var linear.weight linear.bias")]
    public void Everything_on_the_main_way_is_copied(string kind, string kept)
    {
        Graph source = Samples.Of(kind, 1).Network.Randomise(3), target = Samples.Of(kind, 2).Network.Randomise(4);
        float[][] before = [.. target.Parameters.Values.Select(node => node.Value!.Span.ToArray())];
        LayerMapping map = Self(source, target);
        Graph copy = HeterogeneousTransfer.Apply(target, HeterogeneousTransfer.ByMapping(map, toA: false));

        string[] own = [.. copy.Parameters.Keys.Where(name => copy.Parameters[name].Value!.Span.SequenceEqual(target.Parameters[name].Value!.Span))];
        Assert.Equal(kept.Split(' ').Order(), own.Order());
        Assert.All(copy.Parameters.Keys.Except(own), name => Assert.Equal(source.Parameters[name].Value!.Span.ToArray(), copy.Parameters[name].Value!.Span.ToArray()));
        Assert.Equal(before, target.Parameters.Values.Select(node => node.Value!.Span.ToArray()));

        Graph mean = HeterogeneousTransfer.Apply(target, HeterogeneousTransfer.ByOrder(map.A, map.B), 0.5);
        foreach (var (name, node) in mean.Parameters)
        {
            float[] a = copy.Parameters[name].Value!.Span.ToArray(), b = target.Parameters[name].Value!.Span.ToArray();
            for (int i = 0; i < a.Length; i++) Assert.Equal((a[i] + (double)b[i]) / 2, node.Value!.Span[i], 1e-6);
        }
    }

    [Fact]
    public void Weights_that_are_stored_the_other_way_round_are_turned()
    {
        Graph source = new Mlp([4], [3], 2) { Bias = false }.Build(1, 1), target = new();
        target.Output("y", target.Input("x", new(1, 4)).MatMul(target.Parameter("a", new(new(4, 5)))).Relu().MatMul(target.Parameter("b", new(new(5, 2)))));
        Graph copy = HeterogeneousTransfer.Apply(target, HeterogeneousTransfer.ByOrder(NetworkLayers.Of(source), NetworkLayers.Of(target)));
        ReadOnlySpan<float> from = source.Parameters["fc1.weight"].Value!.Span, to = copy.Parameters["a"].Value!.Span;
        for (int input = 0; input < 4; input++)
        {
            for (int unit = 0; unit < 5; unit++) Assert.Equal(from[unit % 3 * 4 + input], to[input * 5 + unit]);
        }
    }

    /// <summary>Attention's three products are all of the main way, and both sublayers of a block are.</summary>
    [Fact]
    public void All_products_of_transformer_blocks_are_on_the_main_way()
    {
        string[] names = [.. HeterogeneousTransfer.ChainOf(NetworkLayers.Of(Samples.Of("vit", 1).Network)).Select(w => w.Weight.Name!)];
        Assert.Equal(12, names.Count(name => name.Contains("encoder.layer", StringComparison.Ordinal)));
        Assert.Contains(names, name => name.EndsWith("attention.query.weight", StringComparison.Ordinal));
    }

    private static NetworkLayers Layers(string model, int seed) => NetworkLayers.Of(ZooModel.Find(model).Build(1, new Dictionary<string, string> { ["width"] = "0.0625", ["norm"] = "none" }, seed));

    private static LayerMapping Self(Graph a, Graph b)
    {
        NetworkLayers ofA = NetworkLayers.Of(a);
        return LayerAlignment.Given(ofA, NetworkLayers.Of(b), [.. ofA.Groups.Select(group => Enumerable.Range(0, group.Count).ToArray())]);
    }
}
