using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Tests.Graphs;

namespace Amalgam.Tests.Alignment;

/// <summary>
/// Networks that nobody would write: layers over any axis, and between them axes divided, merged, exchanged, cut, joined, repeated and padded at random. With integer weights every value is a
/// small integer, as each layer is clipped; otherwise softmaxes and normalisations over any axes are among them.
/// </summary>
internal sealed class RandomNetwork
{
    private const int MostElements = 3000;

    private readonly Random _random;
    private readonly bool _integers;
    private readonly Graph _graph = new();
    private readonly List<Node> _nodes = [];

    private RandomNetwork(int seed, bool integers) => (_random, _integers) = (new(seed), integers);

    /// <summary>A network with two outputs.</summary>
    public static Graph Make(int seed, int operations, bool integers)
    {
        RandomNetwork net = new(seed, integers);
        Node x = net._graph.Input("x", net.Pick<Shape>(new(2, 6), new(2, 3, 4), new(3, 2, 2, 4)));
        net._nodes.Add(net.Layer(x));
        for (int i = 0; i < operations; i++)
        {
            Node made = net.Step(net._nodes[^Math.Min(net._nodes.Count, 1 + net._random.Next(3))]);
            if (made.Shape.Count is > 0 and <= MostElements && made.Shape.Rank <= 6) net._nodes.Add(made);
        }

        for (int i = 0; i < 2; i++)
        {
            Node y = net._nodes[^Math.Min(net._nodes.Count, 1 + 2 * i)];
            net._graph.Output($"y{i}", y.Shape.Rank == 0 ? y : net.Layer(y));
        }

        return integers ? net._graph.WithIntegers(seed) : net._graph.Randomise(seed);
    }

    private Node Step(Node x)
    {
        if (x.Shape.Rank == 0) return Layer(_nodes[0]);
        int axis = _random.Next(x.Shape.Rank);
        return _random.Next(-3, _integers ? 22 : 25) switch
        {
            <= 1 => Layer(x),
            2 => Divided(x, axis),
            3 => Merged(x),
            4 => x.Transpose([.. Shuffled(x.Shape.Rank)]),
            5 => Cut(x, axis),
            6 => Joined(x, axis),
            7 => Combined(x),
            8 => Scaled(x),
            9 => x.Shape[axis] > 1 && x.Shape.Rank > 1 ? Clipped(x.Sum(_random.Next(2) == 0, axis)) : x,
            10 => Repeated(x, axis),
            11 => Padded(x, axis),
            12 => x.Gather(_graph.Constant([.. Enumerable.Range(0, 1 + _random.Next(3)).Select(_ => (long)_random.Next(x.Shape.Size(axis)))]), axis),
            13 => Products(x),
            14 => _graph.Add(new CumSum(axis), x).Clip(-4, 4),
            15 => x.Max(_graph.Constant(RandomGraph.Random(new(_random.Next()), new([x.Shape[^1]]))).Round()),
            16 => Windows(x),
            17 or 18 => InHeads(x),
            19 => Mixed(x),
            20 => AllWithAll(x),
            21 => Clipped(x + x.Slice(axis, -1, long.MinValue, -1)),
            22 => x.Softmax(axis),
            23 => Normed(x, axis),
            _ => x.Normalize(axis),
        };
    }

    /// <summary>A layer over an axis, perhaps with weights of their own at each position of the axis before it.</summary>
    private Node Layer(Node x)
    {
        int last = x.Shape.Rank - 1, axis = _random.Next(2) == 0 ? last : _random.Next(x.Shape.Rank), made = Pick(2, 3, 4, 6, 8);
        Node turned = axis == last ? x : x.Transpose([.. Enumerable.Range(0, x.Shape.Rank).Select(i => i == axis ? last : i == last ? axis : i)]);
        bool isOwn = x.Shape.Rank > 2 && _random.Next(4) == 0;
        Node w = isOwn ? Parameter(turned.Shape[^3], turned.Shape[^1], made) : Parameter(turned.Shape[^1], made);
        Node y = turned.MatMul(w);
        if (_random.Next(2) == 0) y += Parameter(made);
        return _random.Next(3) == 0 ? Clipped(y) : Clipped(y.Relu());
    }

    private Node Divided(Node x, int axis)
    {
        long[] divisors = [.. new long[] { 2, 3, 4 }.Where(d => x.Shape[axis] % d == 0 && x.Shape[axis] > d)];
        if (divisors.Length == 0) return x;
        long inner = Pick(divisors);
        return x.Reshape([.. x.Shape.Sizes[..axis], x.Shape[axis] / inner, inner, .. x.Shape.Sizes[(axis + 1)..]]);
    }

    private Node Merged(Node x)
    {
        if (x.Shape.Rank < 2) return x;
        int axis = _random.Next(x.Shape.Rank - 1);
        return x.Reshape([.. x.Shape.Sizes[..axis], x.Shape[axis] * x.Shape[axis + 1], .. x.Shape.Sizes[(axis + 2)..]]);
    }

    private Node Cut(Node x, int axis)
    {
        int size = x.Shape.Size(axis), start = _random.Next(size), step = Pick(1, 1, 1, 2);
        return x.Slice(axis, start, start + 1 + _random.Next(size - start), step);
    }

    private Node Joined(Node x, int axis)
    {
        Node[] fit = [.. _nodes.Where(node => node.Shape.Rank == x.Shape.Rank && Enumerable.Range(0, x.Shape.Rank).All(i => i == axis || node.Shape[i] == x.Shape[i]))];
        return Layout.Concat(axis, x, fit.Length == 0 ? x : Pick(fit));
    }

    private Node Combined(Node x)
    {
        Node[] fit = [.. _nodes.Where(node => node != x && Shape.Broadcast(node.Shape, x.Shape) is not null)];
        if (fit.Length == 0) return Scaled(x);
        return Clipped(_random.Next(3) == 0 ? x * Pick(fit) : x + Pick(fit));
    }

    /// <summary>Times or plus a parameter that is stretched along some axes.</summary>
    private Node Scaled(Node x)
    {
        Node by = Parameter([.. x.Shape.Sizes.ToArray().Select(size => _random.Next(2) == 0 ? 1 : size)]);
        return Clipped(_random.Next(2) == 0 ? x * by : x + by);
    }

    private Node Repeated(Node x, int axis)
    {
        if (_random.Next(2) == 0) return x.Tile([.. Enumerable.Range(0, x.Shape.Rank).Select(i => i == axis ? 2L : 1)]);
        return x.Unsqueeze(axis).Expand([.. x.Shape.Sizes[..axis], 3, .. x.Shape.Sizes[axis..]]);
    }

    private Node Padded(Node x, int axis)
    {
        long[] pads = new long[2 * x.Shape.Rank];
        (pads[axis], pads[axis + x.Shape.Rank]) = (_random.Next(2), _random.Next(3));
        return x.Pad(pads);
    }

    /// <summary>Products between positions of the axis before the last, and with them sums over those: attention without a softmax, or with.</summary>
    private Node Products(Node x)
    {
        if (x.Shape.Rank < 2) return x;
        Node scores = Clipped(x.MatMul(_random.Next(2) == 0 ? x : Clipped(x * Parameter(x.Shape[^1])), transposeB: true));
        return _random.Next(2) == 0 ? scores : Clipped((_integers ? scores : scores.Softmax()).MatMul(x));
    }

    /// <summary>Each position of the axis before the last gets a share of all others.</summary>
    private Node Mixed(Node x) => x.Shape.Rank < 2 ? x : Clipped(x + Parameter(x.Shape[^2], x.Shape[^2]).MatMul(x));

    /// <summary>Products of all positions with all, as one axis.</summary>
    private Node AllWithAll(Node x)
    {
        if (x.Shape.Rank < 2) return x;
        Node products = Clipped(x.MatMul(x, transposeB: true));
        return products.Reshape([.. products.Shape.Sizes[..^2], products.Shape[^1] * products.Shape[^1]]);
    }

    /// <summary>The last axis as heads, in each of which something is done for itself, and put together again.</summary>
    private Node InHeads(Node x)
    {
        if (x.Shape.Rank is < 2 or > 4) return x;
        int heads = Pick(2, 3), last = x.Shape.Rank;
        Node made = Clipped(x.MatMul(Parameter(x.Shape[^1], heads * Pick(2, 3, 4))));
        Node apart = made.Reshape([.. x.Shape.Sizes[..^1], heads, made.Shape[^1] / heads]);
        int[] order = [.. Enumerable.Range(0, last - 2), last - 1, last - 2, last];
        Node inside = apart.Transpose(order);
        inside = _random.Next(4) switch
        {
            0 => Products(inside),
            1 => Clipped(inside.MatMul(Parameter(heads, inside.Shape[^1], 3)).Relu()),
            2 => Clipped(inside * Parameter(heads, 1, inside.Shape[^1])),
            _ => inside,
        };
        Node back = inside.Transpose(order);
        Node y = back.Reshape([.. back.Shape.Sizes[..^2], -1]);
        return _random.Next(3) == 0 ? y : Clipped(y.MatMul(Parameter(y.Shape[^1], 4)));
    }

    private Node Windows(Node x)
    {
        if (x.Shape.Rank != 3) return x;
        long channels = x.Shape[1], made = Pick(2, 4, 6);
        long groups = channels % 2 == 0 && made % 2 == 0 ? Pick(1, 2) : 1;
        return Clipped(x.Conv(Parameter(made, channels / groups, Pick(1, 3)), pad: 1, groups: (int)groups));
    }

    private Node Normed(Node x, int axis) => x.Shape.Count / x.Shape.Sizes[..axis].ToArray().Aggregate(1L, (count, size) => count * size) < 2 ? x
        : _graph.Add(new LayerNormalization(axis), x, Parameter(x.Shape.Sizes[axis..]), Parameter(x.Shape.Sizes[axis..]));

    private Node Clipped(Node x) => _integers ? x.Clip(-4, 4) : x.Tanh();

    private Node Parameter(params ReadOnlySpan<long> sizes) => _graph.Parameter(_graph.FreeName("w"), new(new(sizes)));

    private T Pick<T>(params T[] of) => of[_random.Next(of.Length)];

    private int[] Shuffled(int count)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        _random.Shuffle(order);
        return order;
    }
}
