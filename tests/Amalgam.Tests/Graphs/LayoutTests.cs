using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Numerics;

namespace Amalgam.Tests.Graphs;

public class LayoutTests
{
    private static readonly Func<Generator, Node, Node?>[] Movements =
    [
        (_, x) => x.Reshape(-1),
        (_, x) => x.Shape.Rank > 1 ? x.Flatten() : null,
        (_, x) => x.Unsqueeze(0, -1).Squeeze(0),
        (g, x) => x.Transpose(Order(g, x.Shape.Rank)),
        (_, x) => x.Transpose(),
        (g, x) => x.Slice(g.Random.Next(x.Shape.Rank), g.Random.Next(-3, 3), g.Random.Next(-2, 9), 1 + g.Random.Next(3)),
        (g, x) => x.Slice(g.Random.Next(x.Shape.Rank), g.Random.Next(-2, 9), g.Random.Next(-20, 3), -1 - g.Random.Next(3)),
        (g, x) => Layout.Concat(g.Random.Next(x.Shape.Rank), x, x * 2, x),
        (g, x) => x.Expand([3, .. x.Shape.Sizes]),
        (g, x) => x.Unsqueeze(1).Expand([.. x.Shape.Sizes[..1], 4, .. x.Shape.Sizes[1..]]),
        (g, x) => x.Tile([.. Enumerable.Range(0, x.Shape.Rank).Select(_ => (long)g.Random.Next(1, 4))]),
        (g, x) => x.Pad([.. Pads(g, x.Shape, -1, 4)]),
        (g, x) => Mirrored(g, x, PadMode.Reflect),
        (g, x) => Mirrored(g, x, PadMode.Edge),
        (g, x) => Mirrored(g, x, PadMode.Wrap),
        (g, x) => g.Random.Next(x.Shape.Rank) is var axis ? x.Gather(Positions(g, x, axis, new(2, 3)), axis) : null,
        (g, x) => g.Random.Next(x.Shape.Rank) is var axis ? x.Graph.Add(new GatherElements(axis), x, Positions(g, x, axis, x.Shape)) : null,
        (g, x) => x.Graph.Add(new GatherND(), x, Positions(g, x, 0, new(5, 1))),
        (g, x) => x.Shape.Rank > 1 ? x.Graph.Add(new Trilu(g.Random.Next(2) == 0), x, x.Graph.Constant([g.Random.Next(-2, 3)])) : null,
        (g, x) => g.Random.Next(x.Shape.Rank) is var axis ? x.Graph.Add(new TopKValues(axis, g.Random.Next(2) == 0), x, x.Graph.Constant([(x.Shape[axis] + 1) / 2])) : null,
        (_, x) => x.Reshape(1, -1, 1, 1).Expand(1, x.Shape.Count, 4, 6).SpaceToDepth(2),
        (_, x) => x.Reshape(1, -1, 1, 1).Expand(1, x.Shape.Count, 2, 3).Reshape(1, 1, -1, 3).Tile(1, 8, 1, 1).DepthToSpace(2),
        (_, x) => x.Dropout(0.3f),
        (_, x) => x.Cast(DType.F64),
    ];

    public static TheoryData<int> EveryMovement => [.. Enumerable.Range(0, Movements.Length)];

    /// <summary>What moves numbers is linear (a choice of the largest is, near a point), and its gradient is its adjoint: (dy, f(x)) = (dx, x).</summary>
    [Theory, MemberData(nameof(EveryMovement))]
    public void The_gradient_of_a_movement_is_its_adjoint(int movement) => Property.Holds(generator =>
    {
        Graph graph = new();
        Node x = graph.Weights(generator, Sizes(generator));
        if (Movements[movement](generator, x) is not { } y || y.Shape.Count == 0) return;
        Node dy = graph.Constant(RandomGraph.Random(generator, y.Shape));
        Dictionary<Node, Node> gradients = Gradients.Of(y, dy, [x]);
        Executor executor = new(graph, [y, gradients[x]], new(Rewrites: false));
        executor.Run();
        double right = Dot(executor[gradients[x]].Span, x.Value!.Span), left = Dot(executor[y].Span, dy.Value!.Span);
        Assert.Equal(left, right, 1e-4 * (1 + Math.Sqrt(Dot(dy.Value.Span, dy.Value.Span) * Dot(executor[y].Span, executor[y].Span))));
    }, runs: 60);

    /// <summary>Views move nothing, and a few movements are one thread's work, but most must be split here, or nothing is compared.</summary>
    [Fact]
    public void Movements_are_the_same_bits_for_any_number_of_threads()
    {
        int split = 0;
        foreach (var movement in Movements)
        {
            Generator generator = new(43);
            Graph graph = new();
            Node x = graph.Weights(generator, 60, 40, 50);
            if (movement(generator, x) is not { } y) continue;
            Node dx = Gradients.Of(y, graph.Constant(RandomGraph.Random(generator, y.Shape)), [x])[x];
            float[][] Both() => [Oracles.Value(y), Oracles.Value(dx)];
            using CoreSpread spread = Cores.Spread(4);
            float[][] several = Both();
            if (spread.Splits > 0) split++;
            Assert.Equal(OnThreads.One(Both), several);
        }

        Assert.InRange(split, 2 * Movements.Length / 3, Movements.Length);
    }

    [Fact]
    public void Reshape_copies_sizes_and_finds_the_one_left_open()
    {
        Graph graph = new();
        Node x = graph.Input("x", new(4, 6, 5));
        Assert.Equal(new Shape(4, 2, 15), x.Reshape(0, 2, -1).Shape);
        Assert.Contains("[4,6,5] has 120 elements, which do not fill [7,-1]", Assert.Throws<GraphException>(() => x.Reshape(7, -1)).Message);
        Assert.Contains("has 120 elements, [4,6] takes 24", Assert.Throws<GraphException>(() => x.Reshape(4, 6)).Message);
        Assert.Contains("at most one -1", Assert.Throws<GraphException>(() => x.Reshape(-1, -1)).Message);
        Assert.Contains("copies axis 3", Assert.Throws<GraphException>(() => x.Reshape(4, 6, 5, 0)).Message);
    }

    [Fact]
    public void A_batch_of_another_size_goes_through_what_keeps_the_first_axis()
    {
        Graph graph = new();
        Node x = graph.Input("x", new(2, 3, 4));
        graph.Output("y", x.Transpose(0, 2, 1).Reshape(0, -1).Slice(1, 0, 6).Unsqueeze(-1));
        Assert.Equal(new Shape(7, 6, 1), Rewrite.Resize(graph, 7).Graph.Outputs["y"].Shape);
    }

    [Fact]
    public void Slices_of_three_axes_are_NumPys()
    {
        Graph graph = new();
        Node x = graph.Constant(new Tensor(new(2, 5), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
        Assert.Equal([1, 3, 6, 8], Oracles.Value(x.Slice(1, 1, long.MaxValue, 2)));
        Assert.Equal([4, 2, 0, 9, 7, 5], Oracles.Value(x.Slice(1, -1, long.MinValue, -2)));
        Assert.Equal([5, 6, 7, 8, 9], Oracles.Value(x.Slice(0, -1)));
        Assert.Equal(new Shape(2, 0), x.Slice(1, 4, 2).Shape);
    }

    [Fact]
    public void Pads_mirror_repeat_and_wrap()
    {
        Graph graph = new();
        Node x = graph.Constant(new Tensor(new(4), [1, 2, 3, 4])), pads = graph.Constant([2, 3]);
        Assert.Equal([3, 2, 1, 2, 3, 4, 3, 2, 1], Oracles.Value(graph.Add(new Pad(PadMode.Reflect), x, pads)));
        Assert.Equal([1, 1, 1, 2, 3, 4, 4, 4, 4], Oracles.Value(graph.Add(new Pad(PadMode.Edge), x, pads)));
        Assert.Equal([3, 4, 1, 2, 3, 4, 1, 2, 3], Oracles.Value(graph.Add(new Pad(PadMode.Wrap), x, pads)));
        Assert.Equal([9, 9, 1, 2, 3, 4, 9, 9, 9], Oracles.Value(x.Pad([2, 3], 9)));
        Assert.Equal([2, 3, 4, 0], Oracles.Value(x.Pad([-1, 1])));
        Assert.Contains("too few positions", Assert.Throws<GraphException>(() => graph.Add(new Pad(PadMode.Reflect), x, graph.Constant([4, 0]))).Message);
    }

    [Fact]
    public void An_index_that_is_no_row_is_named()
    {
        Graph graph = new();
        Node table = graph.Weights(new(3), 5, 2), rows = graph.Input("rows", new(3));
        Tensor indices = Tensor.Vector(0, -5, 5);
        GraphException e = Assert.Throws<GraphException>(() => Oracles.Value(table.Gather(rows), new Dictionary<string, Tensor> { ["rows"] = indices }));
        Assert.Contains("index 5 is not in [-5, 4]", e.Message);
    }

    [Fact]
    public void A_rows_gradients_add_up()
    {
        Graph graph = new();
        Node table = graph.Weights(new(3), 4, 2), dy = graph.Constant(new Tensor(new(3, 2), [1, 2, 10, 20, 100, 200]));
        Node dx = Gradients.Of(table.Gather(graph.Constant([2, 0, -2])), dy, [table])[table];
        Assert.Equal([10, 20, 0, 0, 101, 202, 0, 0], Oracles.Value(dx));
    }

    [Fact]
    public void Numbers_become_those_of_the_type()
    {
        Graph graph = new();
        Node x = graph.Constant(Tensor.Vector(-1.75f, 0, 0.1f, 300.9f, 65519));
        Assert.Equal([-1, 0, 0, 300, 65519], Oracles.Value(x.Cast(DType.I64)));
        Assert.Equal([255, 0, 0, 44, 239], Oracles.Value(x.Cast(DType.U8)));
        Assert.Equal([1, 0, 1, 1, 1], Oracles.Value(x.Cast(DType.Bool)));
        Assert.Equal([-1.75f, 0, (float)(Half)0.1f, 301, 65504], Oracles.Value(x.Cast(DType.F16)));
        Assert.Equal(DType.F16, x.Cast(DType.F16).Type);
    }

    [Fact]
    public void Blocks_of_depth_are_where_ONNXs_example_has_them()
    {
        Graph graph = new();
        Node x = graph.Constant(new Tensor(new(1, 8, 1, 2), [0, 1, 9, 10, 18, 19, 27, 28, 36, 37, 45, 46, 54, 55, 63, 64]));
        Assert.Equal([0, 18, 1, 19, 36, 54, 37, 55, 9, 27, 10, 28, 45, 63, 46, 64], Oracles.Value(x.DepthToSpace(2)));
        Assert.Equal([0, 9, 1, 10, 18, 27, 19, 28, 36, 45, 37, 46, 54, 63, 55, 64], Oracles.Value(x.DepthToSpace(2, channelsFirst: true)));
        Assert.Equal(Oracles.Value(x), Oracles.Value(x.DepthToSpace(2).SpaceToDepth(2)));
    }

    [Fact]
    public void The_largest_come_in_order_and_the_first_of_equals_first()
    {
        Graph graph = new();
        Node x = graph.Constant(Tensor.Vector(3, -1, 7, 7, 0, -5)), k = graph.Constant([4]);
        Assert.Equal([7, 7, 3, 0], Oracles.Value(graph.Add(new TopKValues(), x, k)));
        Assert.Equal([2, 3, 0, 4], Oracles.Value(graph.Add(new TopKIndices(), x, k)));
        Assert.Equal([5, 1, 4, 0], Oracles.Value(graph.Add(new TopKIndices(-1, false), x, k)));
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++) sum += (double)a[i] * b[i];
        return sum;
    }

    private static long[] Sizes(Generator generator) => [.. Enumerable.Range(0, 1 + generator.Random.Next(4)).Select(_ => (long)generator.Size(9))];

    private static int[] Order(Generator generator, int rank)
    {
        int[] order = [.. Enumerable.Range(0, rank)];
        generator.Random.Shuffle(order);
        return order;
    }

    private static IEnumerable<long> Pads(Generator generator, Shape shape, int least, int most) =>
        Enumerable.Range(0, 2 * shape.Rank).Select(i => (long)generator.Random.Next(shape[i % shape.Rank] > 1 ? least : 0, most));

    private static Node? Mirrored(Generator generator, Node x, PadMode mode)
    {
        long[] pads = [.. Enumerable.Range(0, 2 * x.Shape.Rank).Select(i => (long)generator.Random.Next((int)Math.Min(4, x.Shape[i % x.Shape.Rank])))];
        return x.Graph.Add(new Pad(mode), x, x.Graph.Constant(pads));
    }

    private static Node Positions(Generator generator, Node x, int axis, Shape shape)
    {
        Tensor positions = new(shape);
        int size = x.Shape.Size(axis);
        foreach (ref float position in positions.Span) position = generator.Random.Next(-size, size);
        return x.Graph.Constant(positions, DType.I64);
    }
}
