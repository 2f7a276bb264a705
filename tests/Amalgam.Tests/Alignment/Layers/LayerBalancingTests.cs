using Amalgam.Alignment.Fusion;
using Amalgam.Alignment.Layers;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Zoo.Models;
using Net = Amalgam.Zoo.Models.Layers;

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
        Homologues pair = Homologues.Of(balanced.A, balanced.B);
        Assert.All(balanced.A.Parameters.Values, node => Assert.Equal(node.Shape.Rank, pair.InB(node).Shape.Rank));
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

    /// <summary>Each network may be the shallower one in some groups.</summary>
    [Fact]
    public void Identity_layers_go_both_ways()
    {
        Graph a = new ResNet([2, 1, 3], 4, 3) { Image = [3, 8, 8], Norm = Norm.Batch }.Build(2, 1).Randomise(1);
        Graph b = new ResNet([1, 3, 2], 6, 3) { Image = [3, 8, 8], Norm = Norm.Batch }.Build(2, 2).Randomise(2);

        BalancedNetworks balanced = LayerBalancing.Add(Depths.Map(a, b));

        Depths.Same(Depths.Outputs(a), Depths.Outputs(balanced.A));
        Depths.Same(Depths.Outputs(b), Depths.Outputs(balanced.B));
        Assert.Equal(Depths.Structure(balanced.A), Depths.Structure(balanced.B));
        Assert.Equal([1, 2, 3, 3], NetworkLayers.Of(balanced.A).Groups.Select(group => group.Count));
    }

    /// <summary>Trailing gaps, leading ones and several in one place.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 4)]
    [InlineData(2, 3)]
    [InlineData(3, 4)]
    public void Any_map_keeps_the_function_of_blocks(int first, int second)
    {
        Graph a = Depths.Residual([5, 5, 5, 5, 5], 4), b = Depths.Residual([3, 3], 6);
        BalancedNetworks balanced = LayerBalancing.Add(Depths.Map(a, b, [0], [first, second]));
        Depths.Same(Depths.Outputs(b), Depths.Outputs(balanced.B));
        Assert.Equal(Depths.Structure(a), Depths.Structure(balanced.B));
        NetworkLayer[] blocks = [.. NetworkLayers.Of(balanced.B).Layers.Where(layer => layer.Kind == LayerKind.Block)];
        Assert.Equal(Enumerable.Range(0, 5).Select(i => i != first && i != second), blocks.Select(IsZero));
    }

    /// <summary>Of a block with a bottleneck, what is inside is scaled as the stream is.</summary>
    [Fact]
    public void A_block_of_the_other_network_is_resized_where_there_is_none()
    {
        Graph a = Depths.MobileNet([1, 3], 8, 3), b = Depths.MobileNet([1, 1], 12, 4);
        BalancedNetworks balanced = LayerBalancing.Add(Depths.Map(a, b));
        Depths.Same(Depths.Outputs(b), Depths.Outputs(balanced.B));
        Assert.Equal(Depths.Structure(a), Depths.Structure(balanced.B));
        Assert.Equal(new Shape(108, 36, 1, 1), balanced.B.Parameters["block1.1.expand.weight"].Shape);
        Assert.Equal(new Shape(108, 1, 3, 3), balanced.B.Parameters["block1.2.depth.weight"].Shape);
    }

    /// <summary>An identity before the first layer goes through its activation, which cuts negative inputs: that is said, and true.</summary>
    [Fact]
    public void A_layer_before_the_first_one_is_warned_of()
    {
        Graph a = Depths.Zoo("mlp", "input=6;hidden=6,5,4;classes=3", 1), b = Depths.Zoo("mlp", "input=6;hidden=5,4;classes=3", 2);
        BalancedNetworks balanced = LayerBalancing.Add(Depths.Map(a, b, [1, 2]));
        Assert.Contains(balanced.Notes, note => note.Contains("warning", StringComparison.Ordinal) && note.Contains("Relu", StringComparison.Ordinal));
        Assert.DoesNotContain(balanced.Notes, note => note.Contains("to the last bit", StringComparison.Ordinal));
        Assert.NotEqual(Depths.Outputs(b), Depths.Outputs(balanced.B));
        Depths.Same(Depths.Outputs(WithReluFirst(b)), Depths.Outputs(balanced.B));
    }

    /// <summary>The first layer of a later group reads what a Relu made, so an identity before it is one.</summary>
    [Fact]
    public void A_layer_before_the_first_one_of_a_later_group_keeps_the_function()
    {
        Graph a = Depths.Zoo("vgg13", "width=0.0625;classes=2", 1), b = Depths.Zoo("vgg11", "width=0.0625;classes=2", 2);
        BalancedNetworks balanced = LayerBalancing.Add(Depths.Map(a, b, [0], [1]));
        Depths.Same(Depths.Outputs(b), Depths.Outputs(balanced.B));
        Assert.Equal([4, 4, 4, 8], NetworkLayers.Of(balanced.B).Layers.Take(4).Select(layer => layer.Width));
    }

    /// <summary>Exporters write a constant once for all that read it.</summary>
    [Fact]
    public void Layers_that_share_a_constant_may_both_have_one_added_before_them()
    {
        static Graph Build(params int[] groups)
        {
            Graph g = new();
            Net net = new(g, 1);
            Node x = g.Input("x", new(1, 3, 8, 8)).Relu(), zero = g.Constant(new Tensor(new(1), [0f]));
            for (int group = 0; group < groups.Length; group++)
            {
                for (int i = 0; i < groups[group]; i++) x = (net.Conv(x, $"{group}.{i}", 4, 3, padding: 1) + zero).Relu();
                x = Net.MaxPool(x, 2);
            }

            g.Output("y", net.Linear(x.Flatten(), "head", 2));
            return g.Randomise();
        }

        Graph b = Build(1, 1);
        BalancedNetworks balanced = LayerBalancing.Add(Depths.Map(Build(2, 2), b, [1], [1]));
        Depths.Same(Depths.Outputs(b), Depths.Outputs(balanced.B));
        Assert.Equal(4, NetworkLayers.Of(balanced.B).Layers.Length);
    }

    /// <summary>What a mask says is computed once, and before the added block that reads it too, wherever it stood.</summary>
    [Fact]
    public void Added_blocks_read_the_same_mask()
    {
        static Graph Build(int blocks, int units)
        {
            Graph g = new();
            Net net = new(g, 1);
            Node ids = g.Input("ids", new(2, 5), DType.I64), x = net.Table("items", 7, units).Gather(ids);
            for (int i = 0; i < blocks; i++)
            {
                Node n = net.LayerNorm(x, $"{i}.norm"), mask = Net.PaddingMask(Net.IsItem(ids));
                x += net.Linear(Net.Attend(net.Linear(n, $"{i}.q", units), net.Linear(n, $"{i}.k", units), net.Linear(n, $"{i}.v", units), 2, mask), $"{i}.o", units);
            }

            g.Output("y", net.Linear(x, "head", 3));
            return g.Randomise();
        }

        Graph b = Build(2, 6);
        BalancedNetworks balanced = LayerBalancing.Add(Depths.Map(Build(4, 4), b));
        Depths.Same(Depths.Outputs(b), Depths.Outputs(balanced.B));
        Assert.Equal(b.Nodes.Count(node => node.Op is Gather), balanced.B.Nodes.Count(node => node.Op is Gather));
        Assert.Equal(4, NetworkLayers.Of(balanced.B).Layers.Length);
    }

    /// <summary>Names that are free are the other network's; else one word is put before all of a layer's.</summary>
    [Fact]
    public void Added_layers_are_named_after_the_other_networks()
    {
        Graph a = Depths.Zoo("mlp", "input=4;hidden=5,5,5,5;classes=2", 1), b = Depths.Zoo("mlp", "input=4;hidden=3,3;classes=2", 2);
        string[] added = [.. LayerBalancing.Add(Depths.Map(a, b, [0, 3])).B.Parameters.Keys.Except(b.Parameters.Keys)];
        Assert.Equal(["added.fc2.weight", "added.fc2.bias", "added.fc3.weight", "added.fc3.bias"], added);
        added = [.. LayerBalancing.Add(Depths.Map(a, b, [0, 1])).B.Parameters.Keys.Except(b.Parameters.Keys)];
        Assert.Equal(["added.fc3.weight", "added.fc3.bias", "fc4.weight", "fc4.bias"], added);
    }

    /// <summary>In training, added normalisations have running statistics of their own, which steps move.</summary>
    [Fact]
    public void Added_normalisations_are_trained_as_others()
    {
        Graph b = LayerBalancing.Add(Depths.Map(Depths.Zoo("vgg13", "width=0.0625;classes=2", 1), Depths.Zoo("vgg11", "width=0.0625;classes=2", 2))).B;
        Graph training = Rewrite.ForTraining(b).Graph;
        Assert.Equal(2 * b.Nodes.Count(node => node.Op is BatchNormalization), training.Updates.Count);
        Assert.Equal(training.Parameters.Values.Where(node => !node.Trainable).Select(node => node.Name), training.Updates.Keys.Select(node => node.Name));
    }

    [Fact]
    public void Many_added_layers_are_told_of_in_a_line()
    {
        Graph a = Depths.Zoo("resnet34", "width=0.0625;classes=2;image=3,8,8", 1, 1), b = Depths.Zoo("resnet18", "width=0.0625;classes=2;image=3,8,8", 2, 1);
        LayerMapping mapping = Depths.Map(a, b, [0], [0, 2], [0, 2], [0, 5], [0, 1]) with { Names = ("deep", "shallow") };
        Assert.Equal(
            "shallow: 8 identity layers for those of deep without a partner: layer1.1 after layer1.0, layer2.1 after layer2.0, layer2.3 after layer2.1, layer3.1 to layer3.4 after layer3.0 and 1 more",
            LayerBalancing.Add(mapping).Notes[0]);
    }

    [Fact]
    public void Cancels()
    {
        LayerMapping map = Depths.Map(Depths.Zoo("mlp", "input=4;hidden=5,5,5;classes=2", 1), Depths.Zoo("mlp", "input=4;hidden=3;classes=2", 2));
        Assert.Throws<OperationCanceledException>(() => LayerBalancing.Add(map, new CancellationToken(true)));
    }

    /// <summary>A network from a file gets blocks of its own kind, is written, and says the same when it is read again.</summary>
    [Theory]
    [InlineData("resnet20-cifar10-halves/a.onnx", 0, 1, 1, 4, 8)]
    [InlineData("resnet20-cifar10/resnet20-cifar10.onnx", 1, 5, 6)]
    [InlineData("small-onnx/opt-mnist.onnx", 0)]
    public void A_real_network_grows_and_is_written(string file, params int[] after)
    {
        using TemporaryFolder folder = new();
        using OnnxModel model = OnnxModel.Open(RealData.At("models", file));
        Graph real = model.ToGraph(batch: 2);

        Graph grown = LayerBalancing.Deepen(NetworkLayers.Of(real), after);
        OnnxModel.Write(grown, folder["grown.onnx"]);
        using OnnxModel written = OnnxModel.Open(folder["grown.onnx"]);
        Graph read = written.ToGraph(batch: 2);

        Assert.Equal(NetworkLayers.Of(real).Layers.Length + after.Length, NetworkLayers.Of(read).Layers.Length);
        Depths.Same(Depths.Outputs(real), Depths.Outputs(grown));
        Depths.Same(Depths.Outputs(real), Depths.Outputs(read));
    }

    /// <summary>Added layers see what is behind a Relu, the layers before it what is before: so the map by CKA finds the places where layers were added.</summary>
    [Theory]
    [InlineData("mlp", "input=10;hidden=16,12,8;classes=4", new[] { 0, 0 }, new[] { 0, 3, 4 })]
    [InlineData("mlp", "input=10;hidden=16,12,8;classes=4", new[] { 0, 1 }, new[] { 0, 2, 4 })]
    [InlineData("mlp", "input=10;hidden=16,12,11,8;classes=4;bias=false", new[] { 1, 2, 2 }, new[] { 0, 1, 3, 6 })]
    public void Places_where_layers_were_added_are_found_again(string model, string options, int[] after, int[] map)
    {
        Graph shallow = Depths.Zoo(model, options, 1);
        Graph deep = LayerBalancing.Deepen(NetworkLayers.Of(shallow), after);
        LayerMapping found = LayerAlignment.Run(NetworkLayers.Of(deep), NetworkLayers.Of(shallow), new() { PinnedFirst = 0, PinnedLast = 0 }, SmallNetworks.Normal(shallow, 200));
        Assert.Equal(map, found.Groups.Single().Map);
    }

    /// <summary>Where a network's own outputs are no numbers, nothing can be tried, and that is said.</summary>
    [Fact]
    public void Outputs_that_are_not_finite_are_told_of()
    {
        Graph a = Depths.Zoo("mlp", "input=4;hidden=5,5,5;classes=2", 1), b = Depths.Zoo("mlp", "input=4;hidden=3;classes=2", 2);
        b.Parameters["fc2.bias"].Value!.Span.Fill(float.PositiveInfinity);
        Assert.Contains("not finite", LayerBalancing.Add(Depths.Map(a, b)).Notes[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_is_made_deeper_by_itself()
    {
        Graph graph = Depths.Zoo("mobilenetv2", "image=3,8,8;width=0.25;classes=3", 1, 2);
        NetworkLayers layers = NetworkLayers.Of(graph);
        int[] blocks = [.. layers.Layers.Where(layer => layer.Kind == LayerKind.Block && !layer.IsTransition).Select(layer => layer.Index)];
        Assert.NotEmpty(blocks);
        Graph deeper = LayerBalancing.Deepen(layers, [.. blocks, blocks[0]]);
        Depths.Same(Depths.Outputs(graph), Depths.Outputs(deeper));
        Assert.Equal(layers.Layers.Length + blocks.Length + 1, NetworkLayers.Of(deeper).Layers.Length);
        Assert.Same(graph, LayerBalancing.Deepen(layers, []));
    }

    private static Graph WithReluFirst(Graph graph)
    {
        Graph to = new();
        var map = Surgery.Include(to, graph, new Dictionary<string, Node> { ["x"] = to.Input("x", graph.Inputs["x"].Shape).Relu() });
        foreach (var (name, node) in graph.Outputs) to.Output(name, map[node]);
        return to;
    }

    private static bool IsZero(NetworkLayer layer) => layer.Nodes.Where(node => node.Op is Parameter).All(node => !node.Value!.Span.ContainsAnyExcept(0f));
}
