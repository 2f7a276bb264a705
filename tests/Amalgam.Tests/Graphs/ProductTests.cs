using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Tests.Graphs;

public class ProductTests
{
    [Fact]
    public void Weights_meet_all_rows_of_activations_in_one_product()
    {
        Generator gen = new(1);
        Graph g = new();
        Node x = Random(gen, g, "x", "5,6,4"), w = Random(gen, g, "w", "3,4");
        Node dw = Gradients.Of(x.Linear(w).Sum(), [w])[0];
        Assert.Equal(w.Shape, dw.Shape);
        Assert.IsType<MatMul>(dw.Op);
    }

    [Theory]
    [InlineData(1, 0, 1, 1, 0)]
    [InlineData(2, 1, 1, 1, 1)]
    [InlineData(2, 0, 2, 2, 1)]
    [InlineData(3, 1, 1, 4, 2)]
    public void Transposed_convolutions_are_the_adjoint_of_convolutions(int stride, int pad, int dilation, int groups, int extra)
    {
        Generator gen = new(9);
        Graph g = new();
        Node x = Random(gen, g, "x", "2,4,4,5"), w = Random(gen, g, "w", "4,2,3,3");
        ConvTranspose op = new([stride, stride], [pad, pad, pad, pad], [dilation, dilation], groups, [extra, extra]);
        Node y = g.Add(op, x, w);
        Node z = Random(gen, g, "z", string.Join(',', y.Shape.Sizes.ToArray()));
        double left = Dot(Value(y), z.Value!), right = Dot(x.Value!, Value(z.Conv(w, null, stride, pad, dilation, groups)));
        Assert.Equal(left, right, 1e-3);
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_what_was_found()
    {
        Graph g = new();
        Node x = g.Input("x", new(1, 3, 8, 8)), w = g.Input("w", new(4, 2, 3, 3)), a = g.Input("a", new(2, 3)), s = g.Input("s", default);
        Assert.Contains("3 columns and the right ones 2 rows", Assert.Throws<GraphException>(() => a.MatMul(a)).Message);
        Assert.Contains("at least one axis", Assert.Throws<GraphException>(() => a.MatMul(s)).Message);
        Assert.Contains("do not broadcast", Assert.Throws<GraphException>(() => g.Input("p", new(2, 3, 3)).MatMul(g.Input("q", new(4, 3, 3)))).Message);
        Assert.Contains("has 3 channels, but the filters [4,2,3,3] take 2", Assert.Throws<GraphException>(() => x.Conv(w)).Message);
        Assert.Contains("strides must be 2 numbers", Assert.Throws<GraphException>(() => g.Add(new Conv([1]), x, g.Input("v", new(4, 3, 3, 3)))).Message);
        Assert.Contains("larger than the padded input", Assert.Throws<GraphException>(() => x.Conv(g.Input("u", new(4, 3, 9, 9)))).Message);
        Assert.Contains("output padding must be less", Assert.Throws<GraphException>(() => g.Add(new ConvTranspose(OutputPadding: [1, 1]), x, g.Input("t", new(3, 3, 3, 3)))).Message);
    }

    [Theory]
    [InlineData(int.MaxValue, 1, 1)]
    [InlineData(1, int.MaxValue, 1)]
    [InlineData(1 << 30, 1, 1 << 29)]
    [InlineData(1, 1, int.MaxValue)]
    public void Absurd_attributes_are_refused_or_harmless(int stride, int pad, int dilation)
    {
        Graph g = new();
        Node x = g.Parameter("x", new Tensor(new Shape(1, 1, 5, 5))), w = g.Parameter("w", new Tensor(new Shape(1, 1, 2, 2)));
        try
        {
            Value(g.Add(new Conv([stride, stride], [pad, 0, 0, 0], [dilation, dilation]), x, w));
        }
        catch (Exception e) when (e is GraphException or OverflowException or OutOfMemoryException)
        {
        }
    }

    [Theory]
    [InlineData("SAME_UPPER", 5, 2, 3, 3)]
    [InlineData("SAME_LOWER", 6, 2, 3, 3)]
    [InlineData("VALID", 6, 2, 3, 2)]
    public void Automatic_padding_gives_the_size_that_ONNX_says(string auto, int size, int stride, int kernel, int expected)
    {
        Graph g = new();
        OnnxCall call = new(g, "Conv", 17, [g.Input("x", new(1, 1, size, size)), g.Input("w", new(1, 1, kernel, kernel))],
            new Dictionary<string, object> { ["auto_pad"] = auto, ["strides"] = (long[])[stride, stride] }, 1);
        Assert.Equal(new Shape(1, 1, expected, expected), OpTable.All["Conv"](call)[0].Shape);
    }

    [Fact]
    public void Gemm_scales_both_terms()
    {
        Graph g = new();
        Node a = g.Parameter("a", new(new(2, 1), [1, 2])), b = g.Parameter("b", new(new(2, 1), [3, 4])), c = g.Parameter("c", new(new(1), [10]));
        OnnxCall call = new(g, "Gemm", 17, [a, b, c], new Dictionary<string, object> { ["transA"] = 1L, ["alpha"] = 2f, ["beta"] = 0.5f }, 1);
        Assert.Equal([27], Value(OpTable.All["Gemm"](call)[0]).Span.ToArray());
    }

    private static Node Random(Generator gen, Graph g, string name, string sizes)
    {
        Shape shape = ShapeOf(sizes);
        return g.Parameter(name, new Tensor(shape, gen.Floats((int)shape.Count)));
    }

    private static Shape ShapeOf(string sizes) => sizes == "" ? default : new([.. sizes.Split(',').Select(long.Parse)]);

    private static Tensor Value(Node node)
    {
        Executor executor = new(node.Graph, [node]);
        executor.Run();
        return executor[node].Copy();
    }

    private static double Dot(Tensor a, Tensor b)
    {
        double sum = 0;
        for (int i = 0; i < a.Count; i++) sum += (double)a.Span[i] * b.Span[i];
        return sum;
    }
}
