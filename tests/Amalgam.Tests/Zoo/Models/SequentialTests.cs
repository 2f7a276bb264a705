using Amalgam.Graphs;
using Amalgam.Zoo.Models;

namespace Amalgam.Tests.Zoo.Models;

public class SequentialTests
{
    private const string Text = """
        input: [1, 8, 8]
        layers:
          - conv: {name: "0", channels: 4, kernel: 3, padding: 1}
          - batch_norm: {name: "1"}
          - relu
          - max_pool: {kernel: 2}
          - conv: {name: "4", channels: 6, kernel: 3, stride: 2, padding: 1, groups: 2, bias: false}
          - gelu
          - dropout: {ratio: 0.25}
          - avg_pool: {kernel: 2, stride: 1}
          - flatten
          - linear: {name: head, features: 3}
        """;

    [Fact]
    public void A_description_becomes_its_network()
    {
        Graph graph = Sequential.Parse(Text, "net.yml").Build(2);
        Assert.Equal("0.weight [4,1,3,3], 0.bias [4], 1.weight [4], 1.bias [4], 1.running_mean [4], 1.running_var [4], 4.weight [6,2,3,3], head.weight [3,6], head.bias [3]",
            string.Join(", ", graph.Parameters.Select(p => $"{p.Key} {p.Value.Shape}")));
        Assert.Equal(new Shape(2, 1, 8, 8), graph.Inputs["image"].Shape);
        Assert.Equal(new Shape(2, 3), graph.Outputs["logits"].Shape);
    }

    [Fact]
    public void It_computes_what_the_same_layers_of_the_zoo_compute()
    {
        Graph a = Sequential.Parse("{input: [5], result: logits, layers: [linear: {name: fc1, features: 4}, tanh, linear: {name: fc2, features: 2}]}", "net.yml").Build(3);
        Graph b = new Mlp([5], [4], 2) { Activation = "tanh" }.Build(3);
        Executor left = new(a), right = new(b);
        for (int i = 0; i < 15; i++) left["x"].Span[i] = right["x"].Span[i] = i / 7f;
        left.Run();
        right.Run();
        Assert.Equal(right["logits"].Span.ToArray(), left["logits"].Span.ToArray());
    }

    [Theory]
    [InlineData("layers: [relu]", "net.yml:1:1: a network needs 'input', which is missing")]
    [InlineData("input: [3]", "net.yml:1:1: a network needs 'layers', which is missing")]
    [InlineData("{input: [0], layers: [relu]}", "expected input, a list of sizes from 1 on, found '0'")]
    [InlineData("{input: [3], layers: []}", "expected layers, a list of layers, found an empty list")]
    [InlineData("{input: [3], layer: [relu]}", "a network has no key 'layer' (did you mean 'layers'?)")]
    [InlineData("{input: [3], layers: [relo]}", "there is no layer 'relo' (did you mean 'relu'?); known are avg_pool, batch_norm, conv")]
    [InlineData("{input: [3], layers: [linear]}", "linear needs values: linear: {name, features, bias}")]
    [InlineData("{input: [3], layers: [linear: {features: 2}]}", "linear needs 'name', which is missing")]
    [InlineData("{input: [3], layers: [linear: {name: a}]}", "linear needs 'features', which is missing")]
    [InlineData("{input: [3], layers: [linear: {name: a, features: 0}]}", "expected features, a whole number from 1 on, found '0'")]
    [InlineData("{input: [3], layers: [linear: {name: a, features: 2, kernel: 3}]}", "a layer of kind linear has no key 'kernel'")]
    [InlineData("{input: [3], layers: [flatten: {}]}", "flatten has no values: write it as a word")]
    [InlineData("{input: [3], layers: [{linear: {name: a, features: 2}, relu: {}}]}", "a layer is one kind with its values, found 2 keys")]
    [InlineData("{input: [3], layers: [dropout: {ratio: 1}]}", "expected ratio, a number from 0 on, below 1, found '1'")]
    public void Refuses_with_the_place(string text, string message) =>
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => Sequential.Parse(text, "net.yml")).Message, StringComparison.Ordinal);

    [Fact]
    public void A_layer_that_does_not_fit_is_named()
    {
        Sequential net = Sequential.Parse("{input: [3], layers: [relu, conv: {name: c, channels: 2, kernel: 3}]}", "net.yml");
        Assert.Contains("layer 2 (conv): c: a convolution takes [batch,channels,height,width], found [1,3]", Assert.Throws<GraphException>(() => net.Build(1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_is_refused() => Assert.Contains("no.yml", Assert.Throws<InvalidDataException>(() => Sequential.Read("no.yml")).Message, StringComparison.Ordinal);
}
