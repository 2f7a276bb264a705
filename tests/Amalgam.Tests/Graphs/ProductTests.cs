using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Tests.Numerics;

namespace Amalgam.Tests.Graphs;

public class ProductTests
{
    [Theory]
    [InlineData("3,4", "4,5", false, false, "3,5")]
    [InlineData("4,3", "5,4", true, true, "3,5")]
    [InlineData("2,7,4", "4,5", false, false, "2,7,5")]
    [InlineData("2,7,4", "5,4", false, true, "2,7,5")]
    [InlineData("2,4,7", "4,5", true, false, "2,7,5")]
    [InlineData("2,1,7,4", "3,4,5", false, false, "2,3,7,5")]
    [InlineData("3,7,4", "2,3,5,4", false, true, "2,3,7,5")]
    [InlineData("4", "4,5", false, false, "5")]
    [InlineData("3,4", "4", false, false, "3")]
    [InlineData("2,3,4", "4", false, false, "2,3")]
    [InlineData("4", "2,4,5", false, false, "2,5")]
    [InlineData("4", "4", false, false, "")]
    public void Matrices_multiply_as_in_NumPy(string a, string b, bool transposeA, bool transposeB, string y)
    {
        Generator gen = new(7);
        Graph g = new();
        Node left = Random(gen, g, "a", a), right = Random(gen, g, "b", b), product = left.MatMul(right, transposeA, transposeB);
        Assert.Equal(ShapeOf(y), product.Shape);
        Close(Reference(left.Value!, right.Value!, transposeA, transposeB), Value(product));
        GradientsAreDifferences(gen, product);
    }

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

    public static TheoryData<string, string, Conv> Convolutions =>
    [
        ("2,3,8,8", "4,3,3,3", new Conv(Pads: [1, 1, 1, 1])),
        ("2,3,8,7", "4,3,3,3", new Conv([2, 2], [1, 1, 1, 1])),
        ("1,4,9,9", "6,2,3,2", new Conv([1, 2], [0, 1, 2, 0], [2, 1], 2)),
        ("2,4,6,6", "4,1,3,3", new Conv([2, 2], [1, 1, 1, 1], Groups: 4)),
        ("3,4,11", "5,4,3", new Conv([3], [1, 0])),
        ("1,2,5,5", "3,2,1,1", new Conv([3, 3])),
    ];

    [Theory, MemberData(nameof(Convolutions))]
    public void Convolutions_have_the_gradients_that_differences_show(string x, string w, Conv conv)
    {
        Generator gen = new(3);
        Graph g = new();
        Node image = Random(gen, g, "x", x), filters = Random(gen, g, "w", w), bias = Random(gen, g, "b", w.Split(',')[0]);
        Node y = g.Add(conv, image, filters, bias);
        Close(Reference(conv, image.Value!, filters.Value!, bias.Value!, y.Shape), Value(y));
        GradientsAreDifferences(gen, y);
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
        Node x = Random(gen, g, "x", "2,4,4,5"), w = Random(gen, g, "w", "4,2,3,3"), b = Random(gen, g, "b", (2 * groups).ToString());
        ConvTranspose op = new([stride, stride], [pad, pad, pad, pad], [dilation, dilation], groups, [extra, extra]);
        Node bare = g.Add(op, x, w), y = g.Add(op, x, w, b);
        Node z = Random(gen, g, "z", string.Join(',', bare.Shape.Sizes.ToArray()));
        double left = Dot(Value(bare), z.Value!), right = Dot(x.Value!, Value(z.Conv(w, null, stride, pad, dilation, groups)));
        Assert.Equal(left, right, 1e-3);
        GradientsAreDifferences(gen, y);
    }

    [Fact]
    public void A_weight_gradient_has_a_gradient()
    {
        Generator gen = new(4);
        Graph g = new();
        Node x = Random(gen, g, "x", "2,3,6,6"), dy = Random(gen, g, "dy", "2,4,3,3");
        GradientsAreDifferences(gen, g.Add(new ConvWeightGradient(new([2, 2], [1, 1, 1, 1]), [3, 3]), x, dy));
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

    /// <summary>The operations here are linear in each input, so a difference over a step of 1 is the derivative.</summary>
    private static void GradientsAreDifferences(Generator gen, Node y)
    {
        Graph g = y.Graph;
        Node[] by = [.. y.Inputs];
        Node loss = (y * Random(gen, g, "r", string.Join(',', y.Shape.Sizes.ToArray()))).Sum();
        Node[] gradients = Gradients.Of(loss, by);
        Executor executor = new(g, [loss, .. gradients]);
        executor.Run();
        float[][] found = [.. gradients.Select(d => executor[d].Span.ToArray())];
        for (int n = 0; n < by.Length; n++)
        {
            for (int trial = 0; trial < 12; trial++)
            {
                int i = gen.Random.Next(found[n].Length);
                float before = by[n].Value!.Span[i];
                double Loss(float step)
                {
                    by[n].Value!.Span[i] = before + step;
                    executor.Run();
                    return executor[loss].Span[0];
                }

                double difference = (Loss(1) - Loss(-1)) / 2;
                by[n].Value!.Span[i] = before;
                Assert.Equal(difference, found[n][i], 2e-4 * (1 + Math.Abs(difference)));
            }
        }
    }

    private static double[] Reference(Tensor a, Tensor b, bool transposeA, bool transposeB)
    {
        long[] sa = a.Shape.Sizes.ToArray(), sb = b.Shape.Sizes.ToArray();
        if (sa.Length == 1) sa = [1, sa[0]];
        if (sb.Length == 1) sb = [sb[0], 1];
        long m = transposeA ? sa[^1] : sa[^2], k = transposeA ? sa[^2] : sa[^1], n = transposeB ? sb[^2] : sb[^1];
        Shape batch = Shape.Broadcast(new(sa[..^2]), new(sb[..^2]))!.Value;
        double[] y = new double[batch.Count * m * n];
        for (long item = 0; item < batch.Count; item++)
        {
            long ofA = Item(sa[..^2]), ofB = Item(sb[..^2]);
            for (long i = 0; i < m; i++)
                for (long j = 0; j < n; j++)
                    for (long p = 0; p < k; p++)
                        y[(item * m + i) * n + j] += (double)a.Span[(int)(ofA * m * k + (transposeA ? p * m + i : i * k + p))] * b.Span[(int)(ofB * k * n + (transposeB ? j * k + p : p * n + j))];

            long Item(long[] own)
            {
                long rest = item, at = 0, step = 1;
                for (int axis = 1; axis <= batch.Rank; axis++)
                {
                    long i = rest % batch[^axis];
                    rest /= batch[^axis];
                    if (axis > own.Length) continue;
                    if (own[^axis] > 1) at += i * step;
                    step *= own[^axis];
                }

                return at;
            }
        }

        return y;
    }

    private static double[] Reference(Conv conv, Tensor x, Tensor w, Tensor bias, Shape shape)
    {
        int axes = x.Shape.Rank - 2;
        int At(System.Collections.Immutable.ImmutableArray<int> list, int axis, int fallback) => axis < 0 || list.IsDefaultOrEmpty ? fallback : list[axis];
        int sh = At(conv.Strides, axes - 2, 1), sw = At(conv.Strides, axes - 1, 1), dh = At(conv.Dilations, axes - 2, 1), dw = At(conv.Dilations, axes - 1, 1);
        int ph = At(conv.Pads, axes - 2, 0), pw = At(conv.Pads, axes - 1, 0);
        int c = x.Shape.Size(1), height = axes == 1 ? 1 : x.Shape.Size(2), width = x.Shape.Size(^1), filters = w.Shape.Size(0), inputs = w.Shape.Size(1);
        int kh = axes == 1 ? 1 : w.Shape.Size(2), kw = w.Shape.Size(^1), oh = axes == 1 ? 1 : shape.Size(2), ow = shape.Size(^1);
        double[] y = new double[shape.Count];
        for (int at = 0; at < y.Length; at++)
        {
            int j = at % ow, i = at / ow % oh, o = at / ow / oh % filters, n = at / ow / oh / filters, group = o / (filters / conv.Groups);
            y[at] = bias.Span[o];
            for (int t = 0; t < inputs * kh * kw; t++)
            {
                int b = t % kw, a = t / kw % kh, channel = group * inputs + t / kw / kh, row = i * sh + a * dh - ph, column = j * sw + b * dw - pw;
                if (row < 0 || row >= height || column < 0 || column >= width) continue;
                y[at] += (double)x.Span[((n * c + channel) * height + row) * width + column] * w.Span[o * inputs * kh * kw + t];
            }
        }

        return y;
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

    private static void Close(double[] expected, Tensor found) => GemmTests.Near([.. expected.Select(v => (float)v)], found.Span, 60);
}
