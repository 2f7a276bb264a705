using Amalgam.Checkpoints;
using Amalgam.Graphs;

namespace Amalgam.Tests.Checkpoints;

public class GraphWeightsTests
{
    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("model.npz")]
    [InlineData("model")]
    public void What_is_saved_loads_into_an_equal_graph(string file)
    {
        Graph written = Network(1), read = Network(2);
        using TemporaryFolder folder = new();
        GraphWeights.Save(written, folder[file]);
        using (Checkpoint checkpoint = Checkpoint.Open(folder[file])) GraphWeights.Load(read, checkpoint);
        Assert.All(written.Parameters, p => Assert.Equal(p.Value.Value!.Span.ToArray(), read.Parameters[p.Key].Value!.Span.ToArray()));
    }

    [Fact]
    public void A_saved_checkpoint_is_replaced_only_when_told()
    {
        using TemporaryFolder folder = new();
        GraphWeights.Save(Network(1), folder["a.safetensors"]);
        Assert.Throws<IOException>(() => GraphWeights.Save(Network(2), folder["a.safetensors"]));
        GraphWeights.Save(Network(2), folder["a.safetensors"], overwrite: true, new Dictionary<string, string> { ["seed"] = "2" });
        using Checkpoint checkpoint = Checkpoint.Open(folder["a.safetensors"]);
        Assert.Equal(("pt", "2"), (checkpoint.Metadata["format"], checkpoint.Metadata["seed"]));
    }

    [Fact]
    public void Half_precision_is_widened_and_batch_counters_and_a_prefix_are_no_matter()
    {
        using TemporaryFolder folder = new();
        TestModel.Write(folder["a.safetensors"], DType.BF16,
            ("module.fc.weight", new(2, 3), [1, 2, 3, 4, 5, 6]), ("module.fc.bias", new(2), [0.5f, -0.25f]), ("module.bn.num_batches_tracked", new(), [7]));
        Graph graph = Network(1);
        using Checkpoint checkpoint = Checkpoint.Open(folder["a.safetensors"]);
        GraphWeights.Load(graph, checkpoint, "module.");
        Assert.Equal([1, 2, 3, 4, 5, 6], graph.Parameters["fc.weight"].Value!.Span.ToArray());
        Assert.Equal([0.5f, -0.25f], graph.Parameters["fc.bias"].Value!.Span.ToArray());
    }

    [Fact]
    public void Everything_that_does_not_fit_is_said_at_once_and_nothing_is_changed()
    {
        using TemporaryFolder folder = new();
        TestModel.Write(folder["a.safetensors"], DType.F32, ("fc.weight", new(3, 2), [1, 2, 3, 4, 5, 6]), ("head.weight", new(1), [1]), ("tail.weight", new(1), [1]));
        Graph graph = Network(1);
        float[] before = graph.Parameters["fc.weight"].Value!.Span.ToArray();
        using Checkpoint checkpoint = Checkpoint.Open(folder["a.safetensors"]);
        Assert.Equal(
            $"{folder["a.safetensors"]} does not fit the network: 1 missing: 'fc.bias' [2]; 1 unexpected: 'tail.weight' [1]; 1 of another shape: 'fc.weight' [3,2], expected [2,3]",
            Assert.Throws<InvalidDataException>(() => GraphWeights.Load(graph, checkpoint, ignore: n => n == "head.weight")).Message);
        Assert.Equal(before, graph.Parameters["fc.weight"].Value!.Span.ToArray());
    }

    [Fact]
    public void A_prefix_that_all_names_have_is_pointed_out()
    {
        using TemporaryFolder folder = new();
        TestModel.Write(folder["a.safetensors"], DType.F32, ("model.fc.weight", new(2, 3), [1, 2, 3, 4, 5, 6]), ("model.fc.bias", new(2), [1, 2]));
        using Checkpoint checkpoint = Checkpoint.Open(folder["a.safetensors"]);
        Assert.EndsWith("'model.fc.weight' looks like 'fc.weight' with the prefix 'model.'", Assert.Throws<InvalidDataException>(() => GraphWeights.Load(Network(1), checkpoint)).Message, StringComparison.Ordinal);
        Assert.Contains("2 unexpected", Assert.Throws<InvalidDataException>(() => GraphWeights.Load(Network(1), checkpoint, "net.")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tensors_of_several_blocks_are_whole()
    {
        Graph written = new(), read = new();
        float[] values = [.. Enumerable.Range(0, 150_001).Select(i => (float)i)];
        written.Parameter("w", new(new Shape(values.Length), values));
        read.Parameter("w", new(new Shape(values.Length)));
        using TemporaryFolder folder = new();
        GraphWeights.Save(written, folder["a.safetensors"]);
        using Checkpoint checkpoint = Checkpoint.Open(folder["a.safetensors"]);
        GraphWeights.Load(read, checkpoint);
        Assert.Equal(values, read.Parameters["w"].Value!.Span.ToArray());
    }

    private static Graph Network(int seed)
    {
        Random random = new(seed);
        Graph graph = new();
        graph.Parameter("fc.weight", new(new(2, 3), [.. Enumerable.Range(0, 6).Select(_ => random.NextSingle())]));
        graph.Parameter("fc.bias", new(new(2), [.. Enumerable.Range(0, 2).Select(_ => random.NextSingle())]));
        return graph;
    }
}
