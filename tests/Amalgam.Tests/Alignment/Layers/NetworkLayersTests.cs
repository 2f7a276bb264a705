using Amalgam.Alignment.Layers;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Alignment.OfLayers;

/// <summary>Which layers networks have.</summary>
public class NetworkLayersTests
{
    /// <summary>By group: kind, and the widths of the layers.</summary>
    [Theory]
    [InlineData("mlp:hidden=40/20/10", "Dense 40 20 10")]
    [InlineData("mlp:hidden=40/20,bias=false,activation=gelu", "Dense 40 20")]
    [InlineData("vgg11:norm=none,width=0.125", "Convolution 8 | Convolution 16 | Convolution 32 32 | Convolution 64 64 | Convolution 64 64")]
    [InlineData("vgg13:width=0.125", "Convolution 8 8 | Convolution 16 16 | Convolution 32 32 | Convolution 64 64 | Convolution 64 64")]
    [InlineData("vgg13:width=0.125,norm=group,groups=4", "Convolution 8 8 | Convolution 16 16 | Convolution 32 32 | Convolution 64 64 | Convolution 64 64")]
    [InlineData("resnet18:width=0.0625", "Convolution 4 | Block 4 4 | Block 8 8 | Block 16 16 | Block 32 32")]
    [InlineData("resnet34:width=0.0625,norm=none", "Convolution 4 | Block 4 4 4 | Block 8 8 8 8 | Block 16 16 16 16 16 16 | Block 32 32 32")]
    [InlineData("resnet20:width=0.25", "Convolution 4 | Block 4 4 4 | Block 8 8 8 | Block 16 16 16")]
    [InlineData("resnet20:width=0.25,shortcut=3x3,norm=group,groups=2", "Convolution 4 | Block 4 4 4 | Block 8 8 8 | Block 16 16 16")]
    [InlineData("vit_tiny:image=3/8/8,hidden=8,depth=3,heads=2,inner=12,classes=3", "Convolution 8 | Block 8 8 8")]
    [InlineData("bert:vocabulary=50,hidden=8,depth=2,heads=2,inner=16,length=6,positions=8", "Block 8 8 | Dense 8")]
    [InlineData("bert:family=roberta,vocabulary=50,hidden=8,depth=2,heads=2,inner=16,length=6,positions=8", "Block 8 8 | Dense 8")]
    [InlineData("bert:family=distilbert,vocabulary=50,hidden=8,depth=1,heads=2,inner=16,length=6,positions=8", "Block 8 | Dense 8")]
    [InlineData("cnn:channels=2/3", "Convolution 2 | Convolution 3")]
    public void Layers_of_the_zoo_are_found(string model, string expected) => Assert.Equal(expected, Describe(NetworkLayers.Of(Build(model))));

    [Fact]
    public void The_first_block_of_a_stage_stands_out_by_its_projection()
    {
        NetworkLayers layers = NetworkLayers.Of(Build("resnet34:width=0.0625"));
        foreach (LayerGroup stage in layers.Groups.Skip(2))
        {
            Assert.True(stage.Layers[0].IsTransition);
            Assert.NotEqual(stage.Layers[0].Signature, stage.Layers[1].Signature);
            Assert.Single(stage.Layers.Skip(1).Select(layer => layer.Signature).Distinct());
            Assert.IsType<Add>(stage.Layers[0].PreActivation.Op);
            Assert.IsType<Relu>(stage.Layers[0].Exit.Op);
        }

        Assert.Single(layers.Groups.Skip(1).Select(stage => stage.Layers[^1].Signature).Distinct());
        Assert.Single(layers.Groups.Skip(2).Select(stage => stage.Layers[0].Signature).Distinct());
    }

    [Theory]
    [InlineData("resnet18:width=0.0625")]
    [InlineData("resnet20:width=0.25")]
    [InlineData("vgg11:width=0.125")]
    [InlineData("mobilenetv2:width=0.25")]
    [InlineData("bert:vocabulary=50,hidden=8,depth=2,heads=2,inner=16,length=6,positions=8")]
    public void Every_parameter_that_is_trained_is_in_one_layer_or_before_or_after_all(string model)
    {
        NetworkLayers layers = NetworkLayers.Of(Build(model));
        int last = -1;
        foreach (NetworkLayer layer in layers.Layers)
        {
            Assert.DoesNotContain(layer.Entry, layer.Nodes);
            Assert.Contains(layer.PreActivation, layer.Nodes);
            Assert.Equal(layer.Exit, layer.Nodes[^1]);
            Assert.True(layer.Entry.Id < layer.Exit.Id);
            Assert.True(last <= layer.Entry.Id);
            Assert.Equal(layer.Exit.Shape[layer.Axis], layer.Width);
            last = layer.Exit.Id;
        }

        Node[] inside = [.. layers.Layers.SelectMany(layer => layer.Nodes).Where(node => node.Op is Parameter)];
        Assert.Equal(inside.Length, inside.Distinct().Count());
        string[] outside = [.. layers.Graph.Parameters.Values.Except(inside).Select(node => node.Name!.Split('.')[0]).Distinct()];
        Assert.All(outside, name => Assert.Contains(name, (string[])["linear", "classifier", "bert"]));
        Assert.DoesNotContain(layers.Graph.Parameters.Values.Except(inside), node => node.Name!.Contains("encoder", StringComparison.Ordinal) || node.Name.Contains("layer", StringComparison.Ordinal) || node.Name.Contains("features", StringComparison.Ordinal));
    }

    /// <summary>A copy of a layer's nodes, with the entry for the entry and all else that they read, is the layer.</summary>
    [Theory]
    [InlineData("resnet20:width=0.25")]
    [InlineData("vit_tiny:image=3/8/8,hidden=8,depth=2,heads=2,inner=12,classes=3")]
    [InlineData("bert:vocabulary=50,hidden=8,depth=2,heads=2,inner=16,length=6,positions=8")]
    public void What_a_layer_reads_is_its_entry_its_own_or_a_mask(string model)
    {
        NetworkLayers layers = NetworkLayers.Of(Build(model));
        foreach (NetworkLayer layer in layers.Layers)
        {
            HashSet<Node> own = [layer.Entry, .. layer.Nodes];
            Node[] foreign = [.. layer.Nodes.SelectMany(node => node.Inputs).Distinct().Where(node => !own.Contains(node))];
            Assert.All(foreign, node => Assert.DoesNotContain(Ancestors(node), other => other.Op is Parameter));
        }
    }

    [Fact]
    public void Inverted_residuals_are_blocks_and_convolutions_by_channel_have_a_kind_of_their_own()
    {
        NetworkLayers layers = NetworkLayers.Of(Build("mobilenetv2"));
        Assert.Equal(10, layers.Layers.Count(layer => layer.Kind == LayerKind.Block));
        Assert.Equal("Conv 1x1, Conv 3x3 by channel, Conv 1x1", layers.Layers.First(layer => layer.Kind == LayerKind.Block).Operations);
        NetworkLayer byChannel = layers.Layers[1], plain = layers.Layers[0];
        Assert.Equal("Conv 3x3 by channel", byChannel.Operations);
        Assert.NotEqual(plain.Signature, byChannel.Signature);
    }

    [Fact]
    public void A_normalisation_after_a_sum_belongs_to_the_block_unless_the_block_normalises_what_it_reads()
    {
        NetworkLayers post = NetworkLayers.Of(Build("bert:vocabulary=50,hidden=8,depth=2,heads=2,inner=16,length=6,positions=8")), pre = NetworkLayers.Of(Build("vit_tiny:image=3/8/8,hidden=8,depth=2,heads=2,inner=12,classes=3"));
        Assert.All(post.Groups[0].Layers, layer => Assert.IsType<LayerNormalization>(layer.Exit.Op));
        Assert.All(pre.Groups[1].Layers, layer => Assert.IsType<Add>(layer.Exit.Op));
        Assert.All(post.Groups[0].Layers, layer => Assert.IsType<Add>(layer.PreActivation.Op));
    }

    [Fact]
    public void A_normalisation_that_is_written_out_in_parts_is_one_too()
    {
        Graph graph = new();
        Layers net = new(graph, 0);
        Node Normal(Node value, string name) => value / ((value * value).Mean(true, -1) + 1e-6f).Sqrt() * net.Parameter(name, new(6), Initialisation.Ones);
        Node x = graph.Add(new Gather(), net.Parameter("words", new(9, 6), Initialisation.Normal(1)), graph.Input("ids", new(2, 4), DType.I64));
        List<Node> sums = [];
        for (int i = 0; i < 2; i++) sums.Add(x += net.Linear(net.Linear(Normal(x, $"n{i}"), $"a{i}", 8).Relu(), $"b{i}", 6));
        graph.Output("y", net.Linear(Normal(x, "last"), "out", 3));

        NetworkLayers layers = NetworkLayers.Of(graph);

        Assert.Equal(sums, layers.Layers.Select(layer => layer.Exit));
        Assert.Single(layers.Layers.Select(layer => layer.Signature).Distinct());
    }

    [Fact]
    public void A_normalisation_between_two_reshapes_is_the_layers()
    {
        Graph graph = new();
        Layers net = new(graph, 0);
        Node x = net.Conv(graph.Input("x", new(2, 3, 6, 6)), "conv", 4, 3, 1, 1);
        Node groups = graph.Add(new InstanceNormalization(), x.Reshape(0, 2, -1), graph.Constant(new Tensor(new Shape(2), [1, 1])), graph.Constant(new Tensor(new Shape(2))));
        Node scaled = groups.Reshape(0, 4, 6, 6) * net.Parameter("scale", new(4, 1, 1), Initialisation.Ones), last = scaled.Relu();
        graph.Output("y", net.Linear(last.Flatten(), "out", 3));

        NetworkLayer layer = Assert.Single(NetworkLayers.Of(graph).Layers);

        Assert.Equal((scaled, last), (layer.PreActivation, layer.Exit));
    }

    [Fact]
    public void The_pre_activation_is_what_the_last_activation_reads()
    {
        Graph graph = new();
        Layers net = new(graph, 0);
        Node x = net.Conv(graph.Input("x", new(1, 2, 6, 6)), "a", 3, 3, 1, 1, bias: false);
        Node normalised = net.BatchNorm(x, "n"), first = normalised.Relu();
        Node second = net.Conv(first, "b", 3, 3, 1, 1), activated = second.Relu(), after = net.BatchNorm(activated, "m");
        graph.Output("y", net.Linear(after.Flatten(), "out", 2));

        NetworkLayers layers = NetworkLayers.Of(graph);

        Assert.Equal([normalised, second], layers.Layers.Select(layer => layer.PreActivation));
        Assert.Equal([first, after], layers.Layers.Select(layer => layer.Exit));
        Assert.NotEqual(layers.Layers[0].Signature, layers.Layers[1].Signature);
    }

    [Fact]
    public void Kernels_strides_groups_and_operations_make_a_signature_and_widths_do_not()
    {
        string Of(int width, int kernel = 3, int stride = 1, int groups = 1, int pad = 1, bool bias = true, Op? activation = null)
        {
            Graph graph = new();
            Layers net = new(graph, 0);
            Node x = net.Conv(graph.Input("x", new(1, 4, 9, 9)), "stem", width, 1);
            x = graph.Add(activation ?? new Relu(), net.Conv(x, "a", width, kernel, stride, pad, groups, bias));
            graph.Output("y", net.Linear(x.Flatten(), "out", 2));
            return NetworkLayers.Of(graph).Layers[1].Signature;
        }

        string[] all = [Of(4), Of(4, kernel: 5, pad: 2), Of(4, stride: 2), Of(4, groups: 2), Of(4, groups: 4), Of(4, pad: 0), Of(4, bias: false), Of(4, activation: new LeakyRelu(0.1f)), Of(4, activation: new LeakyRelu(0.2f))];
        Assert.Equal(all.Length, all.Distinct().Count());
        Assert.Equal(all[0], Of(12));
        Assert.Equal(all[4], Of(12, groups: 12));
    }

    [Fact]
    public void The_order_of_a_sum_and_dropout_make_no_difference()
    {
        string Of(bool swapped, bool drops)
        {
            Graph graph = new();
            Layers net = new(graph, 0);
            Node x = net.Conv(graph.Input("x", new(1, 4, 9, 9)), "stem", 4, 1).Relu();
            Node y = net.Conv(x, "a", 4, 3, 1, 1);
            if (drops) y = y.Dropout(0.1f);
            x = (swapped ? x + y : y + x).Relu();
            graph.Output("y", net.Linear(x.Flatten(), "out", 2));
            return NetworkLayers.Of(graph).Layers[1].Signature;
        }

        Assert.Single(new[] { Of(false, false), Of(true, false), Of(false, true) }.Distinct());
    }

    [Theory]
    [InlineData("Convolution 16 | Convolution 32 | Dense 100", "cnn-mnist-fashion-pair", "cnn-mnist.onnx")]
    [InlineData("Convolution 8 | Convolution 16", "small-onnx", "opt-mnist.onnx")]
    [InlineData("Convolution 8 | Convolution 4 | Dense 32", "small-onnx", "cnn_max_mninst2.onnx")]
    [InlineData("Convolution 2 | Dense 64 32", "small-onnx", "cnn_max_mninst3.onnx")]
    [InlineData("Convolution 16 | Block 16 16 16 | Block 32 32 32 | Block 64 64 64", "resnet20-cifar10", "resnet20-cifar10.onnx")]
    [InlineData("Convolution 16 | Block 16 16 16 | Block 32 32 32 | Block 64 64 64", "resnet20-cifar10-halves", "a.onnx")]
    public void Layers_of_files_are_found(string expected, params string[] path)
    {
        using OnnxModel model = OnnxModel.Open(RealData.At(["models", .. path]));
        Assert.Equal(expected, Describe(NetworkLayers.Of(model.ToGraph())));
    }

    [Fact]
    public void An_exported_network_has_the_signatures_of_the_one_that_is_built()
    {
        using OnnxModel file = OnnxModel.Open(RealData.At("models", "resnet20-cifar10-halves", "a.onnx"));
        NetworkLayers exported = NetworkLayers.Of(file.ToGraph()), built = NetworkLayers.Of(Build("resnet20:shortcut=3x3"));
        Assert.Equal(built.Layers.Select(layer => layer.Signature), exported.Layers.Select(layer => layer.Signature));
    }

    [Fact]
    public void Densely_connected_networks_are_refused_by_the_node_that_keeps_a_value()
    {
        Graph graph = new();
        Layers net = new(graph, 0);
        Node x = net.Conv(graph.Input("x", new(1, 2, 6, 6)), "stem", 4, 3, 1, 1);
        Node y = net.Conv(x.Relu(), "a", 4, 3, 1, 1), joined = graph.Add(new Concat(1), "joined", x, y);
        graph.Output("y", net.Linear(joined.Flatten(), "out", 2));
        Assert.Contains("Concat 'joined' puts %3 Conv 'stem' beside what is made of it", Refusal(graph), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gru4rec", "step by step")]
    [InlineData("sasrec", "several side by side")]
    public void Networks_that_are_no_row_of_layers_are_refused(string model, string phrase) => Assert.Contains(phrase, Refusal(Build(model)), StringComparison.Ordinal);

    [Fact]
    public void A_network_with_an_output_layer_alone_has_no_hidden_layer()
    {
        Graph graph = new();
        graph.Output("y", new Layers(graph, 0).Linear(graph.Input("x", new(1, 3)), "out", 2));
        Assert.Contains("no hidden layer: its only product makes the output", Refusal(graph), StringComparison.Ordinal);
        Graph none = new();
        none.Output("y", none.Input("x", new(1, 3)).Relu());
        Assert.Contains("nothing in it is a product by a parameter", Refusal(none), StringComparison.Ordinal);
    }

    [Fact]
    public void Several_output_layers_leave_the_last_layer_of_the_trunk_a_hidden_one()
    {
        Graph graph = new();
        Layers net = new(graph, 0);
        Node x = net.Linear(net.Linear(graph.Input("x", new(1, 5)), "a", 4).Relu(), "b", 3).Relu();
        graph.Output("one", net.Linear(x, "one", 2));
        graph.Output("other", net.Linear(x, "other", 2));
        Assert.Equal("Dense 4 3", Describe(NetworkLayers.Of(graph)));
    }

    private static string Describe(NetworkLayers layers) => string.Join(" | ", layers.Groups.Select(group => $"{group.Kind} {string.Join(' ', group.Layers.Select(layer => layer.Width))}"));

    private static string Refusal(Graph graph) => Assert.Throws<GraphException>(() => NetworkLayers.Of(graph)).Message;

    private static Graph Build(string model)
    {
        ModelDescription description = ModelDescription.Parse(model);
        return ZooModel.Find(description.Name).With(description.Options).Build(2, null);
    }

    private static HashSet<Node> Ancestors(Node node)
    {
        HashSet<Node> seen = [];
        Stack<Node> open = new([node]);
        while (open.TryPop(out Node? next))
        {
            if (!seen.Add(next)) continue;
            foreach (Node input in next.Inputs) open.Push(input);
        }

        return seen;
    }
}
