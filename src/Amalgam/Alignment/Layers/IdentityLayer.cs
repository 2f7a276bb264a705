using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Numerics;

namespace Amalgam.Alignment.Layers;

/// <summary>
/// Adds a layer that leaves its input alone to a network: the operations of a pattern with new parameters. A dense layer gets the identity matrix, a convolution a delta in the middle of each
/// kernel, both with zero bias; of a block all products are zero, so that the shortcut alone is left. Normalisations get scale 1, shift 0, mean 0 and variance 1 - epsilon.
/// </summary>
internal sealed class IdentityLayer
{
    private readonly Graph _to;
    private readonly LayerPattern _pattern;
    private readonly IReadOnlyDictionary<Node, Node> _outside;
    private readonly Func<Node, string?> _name;
    private readonly Dictionary<Node, Node> _made = [];
    private readonly int _width, _widthOfPattern;

    private IdentityLayer(LayerPattern pattern, Node x, IReadOnlyDictionary<Node, Node> outside, Func<Node, string?> name)
    {
        (_to, _pattern, _outside, _name) = (x.Graph, pattern, outside, name);
        (_width, _widthOfPattern) = (x.Shape.Size(pattern.Layer.Axis), pattern.Layer.Width);
        _made[pattern.Layer.Entry] = x;
    }

    /// <summary>Adds a layer.</summary>
    /// <param name="pattern">What it looks like; its sizes may be others.</param>
    /// <param name="x">What it reads, a value of the network.</param>
    /// <param name="outside">What stands in the network for the pattern's other inputs.</param>
    /// <param name="name">Names for the pattern's nodes, those of parameters not null.</param>
    /// <returns>Its result.</returns>
    /// <exception cref="GraphException">No parameters make an identity of it, or its sizes are fixed.</exception>
    public static Node Add(LayerPattern pattern, Node x, IReadOnlyDictionary<Node, Node> outside, Func<Node, string?> name) => new IdentityLayer(pattern, x, outside, name).Add();

    private Node Add()
    {
        foreach (Node node in _pattern.Nodes.Where(_pattern.IsData))
        {
            Node?[] inputs = [.. node.Inputs.Select(input => _made.GetValueOrDefault(input) ?? _outside.GetValueOrDefault(input))];
            Op op = OpFor(node, inputs[0]);
            for (int i = 0; i < inputs.Length; i++) inputs[i] ??= _made[node.Inputs[i]] = Given(node.Inputs[i]) ?? Weight(node, op, i, inputs);
            _made[node] = _to.Add(op, _name(node), [.. inputs.Select(input => input!)]);
        }

        foreach (var (parameter, value) in _pattern.Layer.Entry.Graph.Updates)
        {
            if (_made.TryGetValue(parameter, out Node? to) && _made.TryGetValue(value, out Node? from)) _to.Update(to, from);
        }

        return _made[_pattern.Layer.Exit];
    }

    /// <summary>The operation for other sizes: a convolution of each channel by itself has as many groups as there are channels.</summary>
    private static Op OpFor(Node node, Node? x) =>
        node.Op is Conv conv && x is not null && conv.Groups > 1 && conv.Groups == node.Inputs[0].Shape[1] ? conv with { Groups = x.Shape.Size(1) } : node.Op;

    /// <summary>A copy of what depends on no parameter; null for what does.</summary>
    private Node? Given(Node node)
    {
        if (node.Op is Graphs.Parameter || (node.Op is not Constant && node.Inputs.IsEmpty)) return null;
        Node?[] inputs = [.. node.Inputs.Select(Given)];
        return inputs.Any(input => input is null) ? null : Rewrite.Replay(_to, node, [.. inputs.Select(input => input!)], null);
    }

    private Node Weight(Node user, Op op, int index, Node?[] inputs)
    {
        Node weight = user.Inputs[index];
        Shape shape = SizesOf(user, op, index, inputs);
        return Parameter(weight, Kept(weight, user, shape) ?? Values(op, index, shape, inputs), user);
    }

    /// <summary>A new parameter behind the operations that only turn it.</summary>
    private Node Parameter(Node weight, Tensor value, Node user)
    {
        switch (weight.Op)
        {
            case Graphs.Parameter:
                return _made[weight] = _to.Parameter(_name(weight)!, value, weight.Trainable, weight.Type);
            case Identity:
                return _to.Add(weight.Op, _name(weight), Parameter(weight.Inputs[0], value, user));
            case Transpose turn:
                int rank = value.Shape.Rank;
                int[] back = [.. Enumerable.Range(0, rank).Select(axis => Enumerable.Range(0, rank).First(i => turn.From(i, rank) == axis))];
                Tensor turned = new(new([.. back.Select(axis => value.Shape[axis])]));
                new Transpose([.. back]).Run([value], turned);
                return _to.Add(weight.Op, _name(weight), Parameter(weight.Inputs[0], turned, user));
            default:
                throw new GraphException($"{user} reads {weight}, which is computed from parameters; bake the network first, so that its weights are parameters");
        }
    }

    /// <summary>A single number that holds for a whole axis is more a constant than a weight, and what no operation here knows stays what it is.</summary>
    private static Tensor? Kept(Node weight, Node user, Shape shape)
    {
        bool isSingle = weight.Shape.Count == 1 && user.Shape.Rank > 0 && user.Shape[^1] > 1 && user.Op is Binary;
        bool isOther = user.Op is not (Conv or MatMul or BatchNormalization or RowNormalization or ChannelNormalization or Binary) && shape == weight.Shape;
        return weight.Op is Graphs.Parameter && (isSingle || isOther) ? weight.Value!.Copy() : null;
    }

    private Shape SizesOf(Node user, Op op, int index, Node?[] inputs)
    {
        Shape old = user.Inputs[index].Shape;
        switch (op)
        {
            case Conv when index == 2:
                return new(inputs[1]!.Shape[0]);
            case Conv conv when index == 1:
                return new([OutOf(old[0]), inputs[0]!.Shape[1] / conv.Groups, .. old.Sizes[2..]]);
            case MatMul product when index == 1 && old.Rank == 2:
                long rows = inputs[0]!.Shape[product.TransposeA ? ^2 : ^1];
                return product.TransposeB ? new(OutOf(old[0]), rows) : new(rows, OutOf(old[1]));
            case MatMul product when index == 0 && old.Rank == 2 && inputs[1] is { } right:
                long columns = right.Shape[product.TransposeB ? ^1 : ^2];
                return product.TransposeA ? new(columns, OutOf(old[1])) : new(OutOf(old[0]), columns);
            case BatchNormalization or ChannelNormalization:
                return new(inputs[0]!.Shape[1]);
            case RowNormalization:
                return new(inputs[0]!.Shape.Sizes[^old.Rank..]);
            case Binary when inputs[1 - index] is { } other && other.Shape.Rank >= old.Rank:
                return new([.. Enumerable.Range(1, old.Rank).Reverse().Select(axis => old[^axis] == 1 ? 1 : other.Shape[^axis])]);
            default:
                return old;
        }
    }

    /// <summary>Results of a product: as many as the layer reads, and within a block as many times more or less as in the pattern.</summary>
    private long OutOf(long old) =>
        _pattern.Layer.Kind != LayerKind.Block || old == _widthOfPattern ? _width : Math.Max(1, (long)Math.Round((double)old * _width / _widthOfPattern, MidpointRounding.AwayFromZero));

    private Tensor Values(Op op, int index, Shape shape, Node?[] inputs)
    {
        bool isBlock = _pattern.Layer.Kind == LayerKind.Block;
        return op switch
        {
            Conv conv when index == 1 && !isBlock => Delta(conv, inputs[0]!.Shape, shape),
            MatMul when !isBlock => Unit(shape),
            BatchNormalization norm => Filled(shape, index switch { 1 => 1, 4 => 1 - norm.Epsilon, _ => 0 }),
            RowNormalization or ChannelNormalization => Filled(shape, index == 1 ? 1 : 0),
            Mul or Div => Filled(shape, 1),
            _ => new(shape),
        };
    }

    private static Tensor Filled(Shape shape, float value)
    {
        Tensor y = new(shape);
        y.Span.Fill(value);
        return y;
    }

    private static Tensor Unit(Shape shape)
    {
        if (shape.Rank != 2 || shape[0] != shape[1]) throw new GraphException($"a weight {shape} cannot be an identity matrix");
        Tensor y = new(shape);
        for (int i = 0; i < shape[0]; i++) y.Span[i * (shape.Size(0) + 1)] = 1;
        return y;
    }

    private static Tensor Delta(Conv conv, Shape x, Shape w)
    {
        string kernel = string.Join('x', w.Sizes[2..].ToArray());
        foreach (long size in w.Sizes[2..])
        {
            if (size % 2 == 0) throw new GraphException($"a kernel of {kernel} has no middle, so no convolution with it leaves its input alone");
        }

        ConvolutionShape s = conv.Sizes(x, w);
        bool isCentred = s.PadTop == s.PadBottom && s.PadLeft == s.PadRight && s.OutHeight == s.Height && s.OutWidth == s.Width;
        if (s.StrideHeight != 1 || s.StrideWidth != 1 || !isCentred) throw new GraphException($"a convolution {kernel} with those strides and paddings does not leave its input alone");
        Tensor y = new(w);
        int inGroup = w.Size(1), taps = (int)(w.Count / (w[0] * w[1]));
        for (int c = 0; c < w[0]; c++) y.Span[(c * inGroup + c % inGroup) * taps + taps / 2] = 1;
        return y;
    }
}
