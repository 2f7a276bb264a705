using System.Collections.Immutable;
using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Runs;

namespace Amalgam.Tests.Zoo.Runs;

public class TransferProposalTests
{
    private static readonly Dictionary<string, string> Cifar100 = new() { ["classes"] = "100" };

    /// <summary>The paper's pairs: classifier to the 1x1 projection of inverted residual block 16 of 17, and classifier to the first convolution of the last stage.</summary>
    [Fact]
    public void A_ResNet_and_MobileNetV2_get_the_papers_pairs()
    {
        var resnet = TransferCandidate.AllOf(ZooModel.Find("resnet18").Build(2, Cifar100));
        var mobilenet = TransferCandidate.AllOf(ZooModel.Find("mobilenetv2").Build(2, Cifar100));
        TransferCandidate classifier = TransferProposal.SourceOf(resnet)!;
        Assert.Equal(("linear.weight", 100, 512), (classifier.Matrix.Name, classifier.Matrix.Rows, classifier.Matrix.Columns));

        // The classifier of the paper's ResNet50 has 2048 columns; no network of the Zoo has, so a matrix of that size stands for it.
        TransferCandidate large = TransferCandidate.AllOf(ZooModel.Find("mlp").Build(2, new Dictionary<string, string> { ["input"] = "8", ["hidden"] = "2048", ["classes"] = "100" }))[^1];
        TransferCandidate projection = TransferProposal.TargetOf(mobilenet, large)!;
        Assert.Equal(("features.16.conv.2.weight", 160, 960), (projection.Matrix.Name, projection.Matrix.Rows, projection.Matrix.Columns));

        TransferCandidate ofMobilenet = TransferProposal.SourceOf(mobilenet)!;
        Assert.Equal(("classifier.1.weight", 100, 1280), (ofMobilenet.Matrix.Name, ofMobilenet.Matrix.Rows, ofMobilenet.Matrix.Columns));
        Assert.Equal("layer4.0.conv1.weight", TransferProposal.TargetOf(resnet, ofMobilenet)!.Matrix.Name);
    }

    [Fact]
    public void Networks_with_attention_give_and_take_the_values_of_the_last()
    {
        Dictionary<string, string> small = new() { ["depth"] = "3", ["hidden"] = "24", ["heads"] = "2", ["inner"] = "32" };
        foreach (var (name, values) in new[] { ("vit_tiny", "vit.encoder.layer.2.attention.attention.value.weight"), ("bert", "bert.encoder.layer.2.attention.self.value.weight") })
        {
            var candidates = TransferCandidate.AllOf(ZooModel.Find(name).Build(2, small));
            TransferCandidate source = TransferProposal.SourceOf(candidates)!;
            Assert.Equal((values, 24, 24, MatrixRole.Values), (source.Matrix.Name, source.Matrix.Rows, source.Matrix.Columns, source.Role));
            var other = TransferCandidate.AllOf(ZooModel.Find("mlp").Build(2));
            Assert.Equal(values, TransferProposal.TargetOf(candidates, TransferProposal.SourceOf(other)!)!.Matrix.Name);

            // Within the network the output layer teaches.
            TransferCandidate classifier = TransferProposal.SourceOf(candidates, within: true)!;
            Assert.Equal(MatrixRole.Output, classifier.Role);
            Assert.Equal(values, TransferProposal.TargetOf(candidates, classifier)!.Matrix.Name);
        }
    }

    [Theory]
    [InlineData("mlp", "fc4.weight", "fc3.weight")]
    [InlineData("cnn", "fc.weight", null)]
    [InlineData("resnet20", "linear.weight", "layer3.")]
    [InlineData("vgg11", "classifier.weight", "features.")]
    [InlineData("mobilenetv2", "classifier.1.weight", "features.")]
    public void Every_kind_of_classifier_teaches_a_late_hidden_matrix_of_its_own(string model, string source, string? target)
    {
        var candidates = TransferCandidate.AllOf(ZooModel.Find(model).Build(2));
        TransferCandidate classifier = TransferProposal.SourceOf(candidates, within: true)!;
        Assert.Equal(source, classifier.Matrix.Name);
        TransferCandidate late = TransferProposal.TargetOf(candidates, classifier)!;
        Assert.NotEqual(classifier, late);
        if (target is not null) Assert.StartsWith(target, late.Matrix.Name);
        int place = candidates.IndexOf(late);
        Assert.True(2 * place >= candidates.Length, $"{late.Matrix} is number {place} of {candidates.Length}");
    }

    /// <summary>Roles come from operations: a network that lost its names in an ONNX file gets the same matrices.</summary>
    [Theory]
    [InlineData("mlp")]
    [InlineData("resnet20")]
    [InlineData("mobilenetv2")]
    [InlineData("vit_tiny")]
    [InlineData("bert")]
    public void An_exported_network_gets_the_same_proposal(string model)
    {
        Dictionary<string, string> small = model switch { "mobilenetv2" => new() { ["width"] = "0.25" }, "vit_tiny" or "bert" => new() { ["depth"] = "2", ["hidden"] = "16", ["heads"] = "2", ["inner"] = "16" }, _ => [] };
        Graph network = ZooModel.Find(model).Build(2, small);
        using TemporaryFolder folder = new();
        OnnxModel.Write(network, folder["a.onnx"], new("batch"));
        using OnnxModel file = OnnxModel.Open(folder["a.onnx"]);
        var here = TransferCandidate.AllOf(network);
        var there = TransferCandidate.AllOf(file.ToGraph(null, 2));
        Assert.Equal(here.Select(c => (c.Matrix.Name, c.Matrix.Rows, c.Matrix.Columns, c.Role)), there.Select(c => (c.Matrix.Name, c.Matrix.Rows, c.Matrix.Columns, c.Role)));
    }

    [Fact]
    public void Convolutions_by_channel_and_frozen_matrices_are_no_targets()
    {
        Graph network = ZooModel.Find("mobilenetv2").Build(2, new Dictionary<string, string> { ["width"] = "0.25" });
        var candidates = TransferCandidate.AllOf(network);
        Assert.Equal(17, candidates.Count(c => c.Role == MatrixRole.Channelwise));
        Assert.Equal(["features.0.0.weight"], candidates.Where(c => c.Role == MatrixRole.First).Select(c => c.Matrix.Name));
        TransferCandidate source = TransferProposal.SourceOf(candidates)!, first = TransferProposal.TargetOf(candidates, source)!;
        network.Parameters[first.Matrix.Name].Trainable = false;
        TransferCandidate second = TransferProposal.TargetOf(TransferCandidate.AllOf(network), source)!;
        Assert.NotEqual(first.Matrix.Name, second.Matrix.Name);
        foreach (Node node in network.Parameters.Values) node.Trainable = false;
        Assert.Null(TransferProposal.TargetOf(TransferCandidate.AllOf(network), source));
    }

    /// <summary>Queries, keys and values of one product, as exported attention often has them: the rows of the values are meant.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_a_packed_matrix_the_rows_of_the_values_are_meant(bool byGather)
    {
        const int Units = 8, Heads = 2, Length = 3;
        Graph graph = new();
        Layers net = new(graph, 0);
        Node x = graph.Input("x", new(2, Length, Units)), packed = net.Linear(x, "qkv", 3 * Units);
        Node[] parts = byGather
            ? [.. Enumerable.Range(0, 3).Select(i => graph.Add(new Amalgam.Graphs.Ops.Gather(0), packed.Reshape(2, Length, 3, Heads, Units / Heads).Transpose(2, 0, 3, 1, 4), graph.Constant(Tensor.Scalar(i), DType.I64)))]
            : [.. Enumerable.Range(0, 3).Select(i => packed.Slice(2, i * Units, (i + 1) * Units).Reshape(2, Length, Heads, Units / Heads).Transpose(0, 2, 1, 3))];
        Node share = graph.Add(new Amalgam.Graphs.Ops.MatMul(TransposeB: true), parts[0], parts[1]).Softmax(-1);
        Node attended = graph.Add(new Amalgam.Graphs.Ops.MatMul(), share, parts[2]).Transpose(0, 2, 1, 3).Reshape(2, Length, Units);
        graph.Output("y", net.Linear(attended, "out", 5));
        TransferCandidate values = TransferProposal.SourceOf(TransferCandidate.AllOf(graph))!;
        Assert.Equal(("qkv.weight", 2 * Units, Units, Units), (values.Matrix.Name, values.Matrix.FirstRow, values.Matrix.Rows, values.Matrix.Columns));
    }

    private static readonly ImmutableDictionary<string, ImmutableArray<TransferCandidate>> Candidates = new Dictionary<string, ImmutableArray<TransferCandidate>>
    {
        ["a"] = TransferCandidate.AllOf(ZooModel.Find("mlp").Build(2)),
        ["b"] = TransferCandidate.AllOf(ZooModel.Find("resnet20").Build(2)),
        ["c"] = TransferCandidate.AllOf(ZooModel.Find("mlp").Build(2, new Dictionary<string, string> { ["hidden"] = "30,20" })),
    }.ToImmutableDictionary();

    private static TransferDescription Complete(string models, string transfers = "") => TransferProposal.Complete(
        TransferDescription.Parse($"data: glyphs\nlr: 1\nepochs: 1\nmodels: {models}\n{transfers}", "run.yml"), Candidates, new Dictionary<string, long> { ["a"] = 100, ["b"] = 300, ["c"] = 200 });

    private static string Text(TransferDescription run) => string.Join("; ", run.Transfers.Select(pair => $"{string.Join(" + ", pair.From)} -> {pair.To} {pair.Cycle}{(pair.BackCycle is { } back ? $" and back {back}" : "")}"));

    [Fact]
    public void Without_transfers_the_largest_or_the_frozen_network_teaches_the_others()
    {
        Assert.Equal("b:linear.weight -> a:fc3.weight 4; b:linear.weight -> c:fc2.weight 4", Text(Complete("{a: mlp, b: mlp, c: mlp}")));
        Assert.Equal("a:fc4.weight -> b:layer3.2.conv2.weight 2", Text(Complete("{a: {model: mlp, frozen: true}, b: mlp}", "cycle: 2\n")));
        Assert.Equal("c:fc3.weight -> c:fc2.weight 4", Text(Complete("{c: mlp}")));

        // A network that brings weights knows something, and is asked before a larger one that is drawn by chance.
        Assert.Equal("a:fc4.weight -> b:layer3.2.conv2.weight 4; a:fc4.weight -> c:fc2.weight 4", Text(Complete("{a: {model: {name: mlp, weights: a.safetensors}}, b: mlp, c: mlp}")));
        Assert.Equal("c:fc3.weight -> a:fc3.weight 4; c:fc3.weight -> b:layer3.2.conv2.weight 4", Text(Complete("{a: a.onnx, b: mlp, c: c.onnx}")));
        Assert.Contains("a, b are frozen: say under transfers which teaches what; 'from: [a, b]' has them teach together", Assert.Throws<GraphException>(() => Complete("{a: {model: mlp, frozen: true}, b: {model: mlp, frozen: true}, c: mlp}")).Message);
    }

    [Fact]
    public void Matrices_that_are_not_named_are_proposed_and_others_stay()
    {
        Assert.Equal("a:fc4.weight -> c:fc1.weight 4", Text(Complete("{a: mlp, c: mlp}", "transfers: [{from: a, to: 'c:fc1.weight'}]")));
        Assert.Equal("a:fc1.weight -> c:fc2.weight 4", Text(Complete("{a: mlp, c: mlp}", "transfers: [{from: 'a:fc1.weight', to: c}]")));

        // There and back between networks alone is one proposal each way.
        Assert.Equal("a:fc4.weight -> c:fc2.weight 4; c:fc3.weight -> a:fc3.weight 5", Text(Complete("{a: mlp, c: mlp}", "transfers: [{from: a, to: c, both: true, back_cycle: 5}]")));

        // A source that is not named is proposed anew as the target of the way back: an output layer teaches, and is not written to.
        Assert.Equal("a:fc4.weight -> c:fc1.weight 4; c:fc1.weight -> a:fc3.weight 3", Text(Complete("{a: mlp, c: mlp}", "transfers: [{from: a, to: 'c:fc1.weight', both: true, back_cycle: 3}]")));
        Assert.Equal("a:fc3.weight -> c:fc2.weight 4 and back 4", Text(Complete("{a: mlp, c: mlp}", "transfers: [{from: 'a:fc3.weight', to: c, both: true}]")));
        Assert.Equal("a:fc2.weight -> c:fc3.weight 4 and back 4", Text(Complete("{a: mlp, c: mlp}", "transfers: [{from: 'a:fc2.weight', to: 'c:fc3.weight', both: true}]")));

        // Where both are named nothing is looked for: an embedding may teach too.
        Assert.Equal("a:fc1.bias -> c:x 4", Text(Complete("{a: mlp, c: mlp}", "transfers: [{from: 'a:fc1.bias', to: 'c:x'}]")));

        // Of several sources each is proposed by itself; what is named stays, and the target is near to all of them in size.
        Assert.Equal("a:fc4.weight + b:linear.weight -> c:fc2.weight 4", Text(Complete("{a: mlp, b: mlp, c: mlp}", "transfers: [{from: [a, b], to: c}]")));
        string toNamed = Text(Complete("{b: mlp, c: mlp}", "transfers: [{from: b, to: 'c:fc1.weight', both: true, back_cycle: 3}]")).Split("; ")[1];
        Assert.StartsWith("c:fc1.weight -> b:layer3.", toNamed);
        Assert.Equal($"a:fc1.weight + b:linear.weight -> c:fc1.weight 4; c:fc1.weight -> a:fc1.weight 3; {toNamed}", Text(Complete("{a: mlp, b: mlp, c: mlp}", "transfers: [{from: ['a:fc1.weight', b], to: 'c:fc1.weight', both: true, back_cycle: 3}]")));
        Assert.Equal("a:fc4.weight + c:fc3.weight -> c:fc2.weight 4", Text(Complete("{a: mlp, c: mlp}", "transfers: [{from: [a, c], to: c}]")));
        Assert.Contains("b: the network has no matrix 'x'", Assert.Throws<GraphException>(() => Complete("{a: mlp, b: mlp, c: mlp}", "transfers: [{from: [a, 'b:x'], to: c}]")).Message);

        // The way back to each is that of the pair alone.
        Assert.Equal("a:fc1.weight + b:conv1.weight -> c:fc2.weight 4 and back 4", Text(Complete("{a: mlp, b: mlp, c: mlp}", "transfers: [{from: ['a:fc1.weight', 'b:conv1.weight'], to: c, both: true}]")));
        string alone = Text(Complete("{b: mlp, c: mlp}", "transfers: [{from: b, to: c, both: true, back_cycle: 5}]"));
        Assert.Equal($"a:fc1.weight + b:linear.weight -> c:fc2.weight 4; c:fc2.weight -> a:fc1.weight 5; {alone.Split("; ")[1]}",
            Text(Complete("{a: mlp, b: mlp, c: mlp}", "transfers: [{from: ['a:fc1.weight', b], to: c, both: true, back_cycle: 5}]")));

        // Within a network the matrix that is written to does not teach itself.
        Assert.Equal("c:fc2.weight -> c:fc3.weight 4", Text(Complete("{c: mlp}", "transfers: [{from: c, to: 'c:fc3.weight'}]")));
        Assert.Contains("a: the network has no matrix 'fc1.bias'", Assert.Throws<GraphException>(() => Complete("{a: mlp, c: mlp}", "transfers: [{from: 'a:fc1.bias', to: c}]")).Message);
    }
}
