using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

/// <summary>Older forms of ONNX operators, which the conformance cases do not have.</summary>
public class LayoutImportsTests
{
    private readonly Graph _graph = new();

    [Fact]
    public void What_is_an_input_today_was_an_attribute()
    {
        Node x = _graph.Input("x", new(1, 4, 6));
        Assert.Equal(new Shape(4, 6), Import("Squeeze", 11, [x], ("axes", new long[] { 0 })).Shape);
        Assert.Equal(new Shape(1, 1, 4, 6, 1), Import("Unsqueeze", 11, [x], ("axes", new long[] { 0, 4 })).Shape);
        Assert.Equal(new Shape(1, 2, 3), Import("Slice", 9, [x], ("starts", new long[] { 1, 3 }), ("ends", new long[] { 3, 99 }), ("axes", new long[] { 1, 2 })).Shape);
        Assert.Equal(new Shape(1, 5, 9), Import("Pad", 2, [x], ("pads", new long[] { 0, 1, 0, 0, 0, 3 }), ("value", 2f)).Shape);
        Assert.Equal(new Shape(1, 4, 2), Import("TopK", 9, [x], ("k", 2L)).Shape);
        Assert.Equal(new Shape(1, 8, 3), Import("Upsample", 7, [x], ("scales", new[] { 1f, 2f, 0.5f })).Shape);
        Assert.Equal(0.2f, Assert.IsType<Dropout>(Import("Dropout", 7, [x], ("ratio", 0.2f)).Op).Ratio);
    }

    [Fact]
    public void Split_takes_sizes_or_a_number_of_parts()
    {
        Node x = _graph.Input("x", new(2, 7));
        Assert.Equal([new Shape(2, 3), new Shape(2, 4)], Nodes("Split", 11, 2, [x], ("axis", 1L), ("split", new long[] { 3, 4 })).Select(n => n.Shape));
        Assert.Equal([new Shape(2, 3), new Shape(2, 4)], Nodes("Split", 13, 2, [x, _graph.Constant([3, 4])], ("axis", -1L)).Select(n => n.Shape));
        Assert.Equal([new Shape(2, 3), new Shape(2, 3), new Shape(2, 1)], Nodes("Split", 18, 3, [x], ("axis", 1L), ("num_outputs", 3L)).Select(n => n.Shape));
        Assert.Contains("not split into 2 equal parts", Assert.Throws<GraphException>(() => Nodes("Split", 13, 2, [x], ("axis", 1L))).Message);
        Assert.Contains("do not fill axis 1", Assert.Throws<GraphException>(() => Nodes("Split", 11, 2, [x], ("axis", 1L), ("split", new long[] { 3, 3 }))).Message);
    }

    [Theory]
    [InlineData("GRU", "clip", 1f, "clipped gates")]
    [InlineData("GRU", "direction", "sideways", "the direction 'sideways' is unknown")]
    [InlineData("LSTM", "input_forget", 1L, "coupled input and forget gates")]
    [InlineData("GRU", "hidden_size", 7L, "hidden_size is 7")]
    public void A_recurrent_layer_of_another_kind_is_refused(string type, string attribute, object value, string message)
    {
        int gates = type == "GRU" ? 3 : 4;
        Node[] x = [_graph.Input("x", new(5, 2, 3)), _graph.Input("w", new(1, 4 * gates, 3)), _graph.Input("r", new(1, 4 * gates, 4))];
        Assert.Contains(message, Assert.Throws<GraphException>(() => Nodes(type, 14, 1, x, (attribute, value))).Message);
    }

    [Fact]
    public void A_recurrent_layers_activations_are_the_usual_ones()
    {
        Node[] x = [_graph.Input("x", new(5, 2, 3)), _graph.Input("w", new(1, 4, 3)), _graph.Input("r", new(1, 4, 4))];
        Assert.IsType<Rnn>(Import("RNN", 14, x, ("activations", new[] { "tanh" })).Op);
        Assert.Contains("with the activations Relu is not computed; expected Tanh", Assert.Throws<GraphException>(() => Import("RNN", 14, x, ("activations", new[] { "Relu" }))).Message);
    }

    [Fact]
    public void Sequences_of_different_lengths_are_refused()
    {
        Node?[] x = [_graph.Input("x", new(5, 2, 3)), _graph.Input("w", new(1, 4, 3)), _graph.Input("r", new(1, 4, 4)), null, _graph.Constant([5, 5])];
        Assert.IsType<Rnn>(Import("RNN", 14, x).Op);
        x[4] = _graph.Constant([5, 4]);
        Assert.Contains("expected all of 5 steps", Assert.Throws<GraphException>(() => Import("RNN", 14, x)).Message);
    }

    [Fact]
    public void The_last_states_of_both_directions_are_those_at_their_ends()
    {
        Generator generator = new(30);
        Node[] x = [_graph.Weights(generator, 5, 2, 3), _graph.Weights(generator, 2, 16, 3), _graph.Weights(generator, 2, 16, 4)];
        Node[] results = Nodes("LSTM", 14, 3, x, ("direction", "bidirectional"));
        Grid y = new(results[0].Shape, [.. Oracles.Value(results[0])]);
        Assert.Equal(Grid.Of(new(2, 2, 4), at => y[at[0] == 0 ? 4 : 0, at[0], at[1], at[2]]).Values, Oracles.Value(results[1]).Select(v => (double)v));
        Assert.Equal(new Shape(2, 2, 4), results[2].Shape);
    }

    [Fact]
    public void Resizing_is_NumPys_interpolation()
    {
        Node x = _graph.Constant(new Tensor(new(1, 1, 1, 3), [0, 3, 9]));
        Node roi = _graph.Constant(new Tensor(new Shape(0)));
        Assert.Equal([0, 1.5f, 3, 6, 9], Oracles.Value(Import("Resize", 13, [x, roi, roi, _graph.Constant([1, 1, 1, 5])], ("mode", "linear"), ("coordinate_transformation_mode", "align_corners"))));
        Assert.Equal([0, 0, 3, 3, 9, 9], Oracles.Value(Import("Resize", 11, [x, null, _graph.Constant(Tensor.Vector(1, 1, 1, 2))], ("nearest_mode", "floor"), ("coordinate_transformation_mode", "asymmetric"))));
        Assert.Equal([0, 0.75f, 2.25f, 4.5f, 7.5f, 9], Oracles.Value(Import("Resize", 11, [x, null, _graph.Constant(Tensor.Vector(1, 1, 1, 2))], ("mode", "linear"))));
        Assert.Equal([0, 0, 3, 3, 9, 9], Oracles.Value(Import("Resize", 10, [x, _graph.Constant(Tensor.Vector(1, 1, 1, 2))])));
    }

    private Node Import(string type, int opset, Node?[] inputs, params (string, object)[] attributes) => Nodes(type, opset, 1, inputs, attributes)[0];

    private Node[] Nodes(string type, int opset, int outputs, Node?[] inputs, params (string Name, object Value)[] attributes)
    {
        OnnxCall call = new(_graph, type, opset, inputs, attributes.ToDictionary(a => a.Name, a => a.Value), outputs);
        Node[] results = OpTable.All[type](call);
        Assert.Empty(call.Unread);
        return results;
    }
}
