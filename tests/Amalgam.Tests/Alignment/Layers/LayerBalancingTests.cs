using Amalgam.Alignment.Layers;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Alignment.OfLayers;

public class LayerBalancingTests
{
    /// <summary>A deeper and a shallower network, of other widths.</summary>
    public static TheoryData<string, string, string, string> Pairs => new()
    {
        { "mlp", "input=7;hidden=12,11,10,9;classes=3", "mlp", "input=7;hidden=8,6;classes=3" },
        { "mlp", "input=7;hidden=12,11,10,9;classes=3;bias=false", "mlp", "input=7;hidden=5;classes=3;bias=false" },
        { "mlp", "input=7;hidden=9,9,9;classes=3", "mlp", "input=7;hidden=9;classes=3" },
        { "vgg13", "width=0.06;classes=4", "vgg11", "width=0.1;classes=4" },
        { "vgg19", "width=0.1;classes=4;norm=none;bias=false", "vgg11", "width=0.05;classes=4;norm=none;bias=false" },
        { "vgg16", "width=0.05;classes=4;norm=none", "vgg13", "width=0.05;classes=4;norm=none" },
        { "resnet20", "image=3,8,8;width=0.5;blocks=4;classes=4", "resnet20", "image=3,8,8;width=0.25;blocks=2;classes=4" },
        { "resnet20", "image=3,8,8;width=0.5;blocks=3;classes=4;shortcut=3x3", "resnet20", "image=3,8,8;width=0.25;blocks=1;classes=4;shortcut=3x3" },
        { "resnet20", "image=3,8,8;width=0.5;blocks=3;classes=4;shortcut=1x1;norm=group;groups=2", "resnet20", "image=3,8,8;width=0.5;blocks=1;classes=4;shortcut=1x1;norm=group;groups=2" },
        { "resnet34", "image=3,8,8;width=0.0625;classes=4;norm=none", "resnet18", "image=3,8,8;width=0.125;classes=4;norm=none" },
        { "vit_tiny", "image=3,8,8;hidden=8;depth=4;heads=2;inner=12;classes=3", "vit_tiny", "image=3,8,8;hidden=12;depth=2;heads=2;inner=20;classes=3" },
        { "vit_tiny", "image=3,8,8;hidden=8;depth=3;heads=2;inner=12;classes=3;dropout=0.1", "vit_tiny", "image=3,8,8;hidden=8;depth=1;heads=2;inner=20;classes=3;dropout=0.1" },
    };

    [Theory, MemberData(nameof(Pairs))]
    public void A_network_with_identity_layers_computes_what_it_did(string deep, string deepOptions, string shallow, string shallowOptions)
    {
        Graph a = Depths.Zoo(deep, deepOptions, 1), b = Depths.Zoo(shallow, shallowOptions, 2);
        float[] expected = Depths.Outputs(b);

        BalancedNetworks balanced = LayerBalancing.Add(Depths.Map(a, b));

        Assert.Same(a, balanced.A);
        Depths.Same(expected, Depths.Outputs(balanced.B));
        Depths.Same(Depths.Outputs(b, options: new(Frozen: true, Rewrites: false)), Depths.Outputs(balanced.B, options: new(Frozen: true, Rewrites: false)));
        Depths.Same(expected, Depths.Outputs(b));
        Assert.Contains(balanced.Notes, note => note.Contains("to the last bit", StringComparison.Ordinal));
        Assert.DoesNotContain(balanced.Notes, note => note.Contains("warning", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Pairs))]
    public void Both_networks_have_one_structure_then(string deep, string deepOptions, string shallow, string shallowOptions)
    {
        Graph a = Depths.Zoo(deep, deepOptions, 1), b = Depths.Zoo(shallow, shallowOptions, 2);
        BalancedNetworks balanced = LayerBalancing.Add(Depths.Map(b, a));

        Assert.Same(a, balanced.B);
        Assert.Equal(Depths.Structure(a), Depths.Structure(balanced.A));
        NetworkLayers ofA = NetworkLayers.Of(a), grown = NetworkLayers.Of(balanced.A);
        Assert.Equal(ofA.Groups.Select(group => (group.Kind, group.Count)), grown.Groups.Select(group => (group.Kind, group.Count)));
        Assert.Equal(ofA.Layers.Select(layer => layer.Signature), grown.Layers.Select(layer => layer.Signature));
        foreach (var (name, parameter) in b.Parameters) Assert.Same(parameter.Value, balanced.A.Parameters[name].Value);
        foreach (var (name, parameter) in b.Parameters) Assert.Equal((parameter.Trainable, parameter.Type), (balanced.A.Parameters[name].Trainable, balanced.A.Parameters[name].Type));
        Assert.Equal(a.Parameters.Values.Count(node => node.Trainable), balanced.A.Parameters.Values.Count(node => node.Trainable));
        Assert.Equal(b.Outputs.Keys, balanced.A.Outputs.Keys);
    }

    /// <summary>The values of the paper: an identity matrix, a delta in the middle of each kernel, kernels of zeros.</summary>
    [Fact]
    public void Added_weights_are_the_identity_of_their_kind()
    {
        Graph mlp = LayerBalancing.Add(Depths.Map(Depths.Zoo("mlp", "input=4;hidden=5,5,5;classes=2", 1), Depths.Zoo("mlp", "input=4;hidden=3;classes=2", 2))).B;
        Assert.Equal<float>([1, 0, 0, 0, 1, 0, 0, 0, 1], mlp.Parameters["fc3.weight"].Value!.Span.ToArray());
        Assert.Equal<float>([0, 0, 0], mlp.Parameters["fc3.bias"].Value!.Span.ToArray());

        Graph vgg = LayerBalancing.Add(Depths.Map(Depths.Zoo("vgg13", "width=0.0625;classes=2", 1), Depths.Zoo("vgg11", "width=0.03125;classes=2", 2))).B;
        Node[] added = [.. NetworkLayers.Of(vgg).Groups[0].Layers[1].Nodes];
        Tensor kernel = added.Single(node => node.Op is Parameter && node.Shape.Rank == 4).Value!;
        Assert.Equal(new Shape(2, 2, 3, 3), kernel.Shape);
        Assert.Equal([4, 2 * 9 + 9 + 4], Enumerable.Range(0, kernel.Count).Where(i => kernel.Span[i] != 0));
        Node norm = added.Single(node => node.Op is BatchNormalization);
        Assert.Equal<float>([1, 1], norm.Inputs[1].Value!.Span.ToArray());
        Assert.Equal<float>([0, 0], norm.Inputs[3].Value!.Span.ToArray());
        Assert.Equal<float>([1 - 1e-5f, 1 - 1e-5f], norm.Inputs[4].Value!.Span.ToArray());
        Assert.False(norm.Inputs[4].Trainable);

        Graph resnet = LayerBalancing.Add(Depths.Map(Depths.Zoo("resnet20", "image=3,8,8;width=0.25;classes=2", 1), Depths.Zoo("resnet20", "image=3,8,8;width=0.25;blocks=2;classes=2", 2))).B;
        Assert.All(resnet.Parameters.Where(p => p.Key.StartsWith("added.layer1.1.conv", StringComparison.Ordinal)), p => Assert.DoesNotContain(p.Value.Value!.Span.ToArray(), x => x != 0));
        Assert.Equal(2, resnet.Parameters.Keys.Count(name => name.StartsWith("added.layer1.1.conv", StringComparison.Ordinal)));
    }
}
