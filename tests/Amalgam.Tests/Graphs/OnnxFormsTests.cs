using Amalgam.Graphs;

namespace Amalgam.Tests.Graphs;

/// <summary>Forms of ONNX operators that the conformance cases do not show, on constants, so that what comes out is known at once.</summary>
public class OnnxFormsTests
{
    [Fact]
    public void Softmax_before_opset_13_runs_over_all_axes_from_one_on()
    {
        Tensor x = new(new(2, 2, 2), [1, 2, 3, 4, 0, 0, 0, 0]);
        double sum = Math.Exp(1) + Math.Exp(2) + Math.Exp(3) + Math.Exp(4);

        Tensor y = Run("Softmax", 11, [x], ("axis", 1L));
        Tensor log = Run("LogSoftmax", 12, [x]);

        Equal([Math.Exp(1) / sum, Math.Exp(2) / sum, Math.Exp(3) / sum, Math.Exp(4) / sum, 0.25, 0.25, 0.25, 0.25], y);
        Assert.Equal(x.Shape, y.Shape);
        Equal([1 - Math.Log(sum), 2 - Math.Log(sum), 3 - Math.Log(sum), 4 - Math.Log(sum), -Math.Log(4), -Math.Log(4), -Math.Log(4), -Math.Log(4)], log);
        Equal([1 / (1 + Math.E), Math.E / (1 + Math.E)], Run("Softmax", 13, [Tensor.Vector(1, 2)]));
    }

    [Fact]
    public void A_second_input_is_aligned_at_an_axis_before_opset_7() =>
        Equal([11, 12, 23, 24, 15, 16, 27, 28], Run("Add", 6, [new(new(2, 2, 2), [1, 2, 3, 4, 5, 6, 7, 8]), Tensor.Vector(10, 20)], ("broadcast", 1L), ("axis", 1L)));

    [Fact]
    public void Clip_takes_bounds_as_attributes_or_inputs()
    {
        Tensor x = Tensor.Vector(-2, 0.5f, 3);
        Equal([-1, 0.5, 1], Run("Clip", 6, [x], ("min", -1f), ("max", 1f)));
        Equal([-2, 0.5, 1], Run("Clip", 6, [x], ("max", 1f)));
        Equal([-1, 0.5, 1], Run("Clip", 11, [x, Tensor.Scalar(-1), Tensor.Scalar(1)]));

        Graph graph = new();
        Node bound = graph.Input("bound", default);
        Node y = Import(graph, "Clip", 13, [graph.Constant(x), bound, null])[0];
        Equal([0.25, 0.5, 3], RandomGraph.Evaluate(graph, new Dictionary<string, Tensor> { ["bound"] = Tensor.Scalar(0.25f) })[y]);
    }

    [Fact]
    public void A_reduction_over_no_axis_keeps_elements_apart_where_it_says_so()
    {
        Tensor x = Tensor.Vector(1, -2, 4);
        Equal([1, -2, 4], Run("ReduceSum", 13, [x], ("noop_with_empty_axes", 1L)));
        Equal([1, 4, 16], Run("ReduceSumSquare", 18, [x], ("noop_with_empty_axes", 1L)));
        Equal([1, 2, 4], Run("ReduceL2", 18, [x], ("noop_with_empty_axes", 1L)));
        Equal([0, Math.Log(4)], Run("ReduceLogSum", 18, [Tensor.Vector(1, 4)], ("noop_with_empty_axes", 1L)));
        Equal([1, -2, 4], Run("ReduceLogSumExp", 18, [x], ("noop_with_empty_axes", 1L)));
        Equal([3], Run("ReduceSum", 13, [x], ("keepdims", 0L)));
        Equal([-2], Run("ReduceMin", 18, [x, Tensor.Integers(0)]));
        Equal([4], Run("ReduceMax", 11, [x], ("axes", new long[] { -1 })));
    }

    [Fact]
    public void Group_normalisation_before_opset_21_has_a_scale_for_each_group()
    {
        Tensor x = new(new(1, 4, 2), [1, 3, 1, 3, 5, 9, 5, 9]), scale = Tensor.Vector(2, 10), bias = Tensor.Vector(0, 1);
        Equal([-2, 2, -2, 2, -9, 11, -9, 11], Run("GroupNormalization", 18, [x, scale, bias], ("num_groups", 2L), ("epsilon", 0f)));
    }

    [Fact]
    public void Division_of_integers_drops_the_fraction()
    {
        Graph graph = new();
        Node y = Import(graph, "Div", 14, [graph.Constant([7, -7, 6]), graph.Constant([2, 2, 3])])[0];
        Equal([3, -3, 2], y.Known!);
    }

    [Fact]
    public void Swish_has_a_slope() => Equal([2 / (1 + Math.Exp(-3))], Run("Swish", 24, [Tensor.Vector(2)], ("alpha", 1.5f)));

    [Theory]
    [InlineData("MaxPool", "auto_pad is NOTSET")]
    [InlineData("BatchNormalization", "spatial 0")]
    public void Refuses_what_it_does_not_know(string type, string phrase)
    {
        Graph graph = new();
        Node x = graph.Constant(new Tensor(new Shape(1, 2, 3)));
        GraphException e = Assert.Throws<GraphException>(() => Import(graph, type, 8, [x, x, x, x, x], ("auto_pad", "ANY"), ("kernel_shape", new long[] { 2 }), ("spatial", 0L)));
        Assert.Contains(phrase, e.Message, StringComparison.Ordinal);
    }

    private static Tensor Run(string type, int opset, Tensor[] inputs, params (string, object)[] attributes)
    {
        Graph graph = new();
        return Import(graph, type, opset, [.. inputs.Select(x => graph.Constant(x))], attributes)[0].Known!;
    }

    private static Node[] Import(Graph graph, string type, int opset, Node?[] inputs, params (string Name, object Value)[] attributes) =>
        OpTable.All[type](new(graph, type, opset, inputs, attributes.ToDictionary(a => a.Name, a => a.Value), 1));

    private static void Equal(double[] expected, Tensor found)
    {
        Assert.Equal(expected.Length, found.Count);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found.Span[i], 1e-5);
    }
}
