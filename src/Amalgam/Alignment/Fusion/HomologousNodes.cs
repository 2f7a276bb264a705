using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Alignment.Fusion;

/// <summary>
/// Pairs the nodes of two networks by walking back from their outputs. What files write in several ways is the same here: operations that do nothing when a network is run, reshapes, means over
/// all positions, attributes that are left out, and the order of what is added or multiplied.
/// </summary>
internal sealed class HomologousNodes
{
    private readonly Dictionary<Node, Node> _toB = [], _toA = [];
    private readonly HashSet<(Node A, Node B)> _parameters = [];
    private readonly Dictionary<Node, int> _depths = [];
    private readonly Stack<(Node A, Node B)> _open;
    private readonly bool _ofOneWidth;

    private HomologousNodes(IEnumerable<(Node A, Node B)> outputs, bool ofOneWidth) => (_open, _ofOneWidth) = (new(outputs), ofOneWidth);

    /// <summary>Pairs them.</summary>
    /// <returns>For nodes of the first network those that do the same in the second, and all pairs of parameters: files write one for several that happen to be equal.</returns>
    /// <exception cref="GraphException">The networks are not of one structure, or constants differ: the first difference, seen from the outputs, is named.</exception>
    public static (IReadOnlyDictionary<Node, Node> ToB, IReadOnlyList<(Node A, Node B)> Parameters) Of(Graph a, Graph b)
    {
        if (a.Outputs.Count != b.Outputs.Count) throw new GraphException($"one network has {a.Outputs.Count} outputs, the other {b.Outputs.Count}; networks to fuse give the same results");
        bool named = a.Outputs.Keys.All(b.Outputs.ContainsKey);
        HomologousNodes nodes = new(a.Outputs.Select((output, i) => (output.Value, named ? b.Outputs[output.Key] : b.Outputs.Values.ElementAt(i))), Shapes(a).SequenceEqual(Shapes(b)));
        while (nodes._open.TryPop(out var pair)) nodes.Pair(Essence(pair.A), Essence(pair.B));
        return (nodes._toB, [.. nodes._parameters.OrderBy(pair => pair.A.Id).ThenBy(pair => pair.B.Id)]);
    }

    private void Pair(Node a, Node b)
    {
        // What is known beforehand may serve several places in one file and one each in another. Sizes, and a scale that follows from them, may differ.
        if (a.Known is { } x && b.Known is { } y)
        {
            if (a.Type.IsFloat && (x.Count > 1 || _ofOneWidth) && !IsNear(x, y))
                throw new GraphException($"the constant {a} of one network has other values than {b} in its place in the other, so that weights would not do there what they do here");
            return;
        }

        if (a.Op is Parameter && b.Op is Parameter)
        {
            _parameters.Add((a, b));
            _toB.TryAdd(a, b);
            return;
        }

        if (_toB.TryGetValue(a, out Node? known) && known == b) return;
        if (known is not null || _toA.ContainsKey(b)) throw Differs(a, b, "takes the place of two values of the other");
        if (a.Shape.Rank != b.Shape.Rank) throw Differs(a, b, $"has {a.Shape.Rank} axes and is");
        (_toB[a], _toA[b]) = (b, a);
        if ((a.Op is View && b.Op is View) || (MeanOf(a) is not null && MeanOf(b) is not null))
        {
            _open.Push((MeanOf(a) ?? a.Inputs[0], MeanOf(b) ?? b.Inputs[0]));
            return;
        }

        if (!IsAlike(a, b)) throw Differs(a, b, "is");
        foreach (var inputs in InOrder(a).Zip(InOrder(b)).Reverse()) _open.Push(inputs);
    }

    private static IEnumerable<string> Shapes(Graph graph) => graph.Parameters.Values.Select(node => node.Shape.ToString()).Order(StringComparer.Ordinal);

    /// <summary>Whether constants of one size are the same but for rounding.</summary>
    private static bool IsNear(Tensor x, Tensor y)
    {
        const float Rounding = 1e-5f;
        if (x.Count != y.Count) return true;
        for (int i = 0; i < x.Count; i++)
        {
            (float a, float b) = (x.Span[i], y.Span[i]);
            if (!a.Equals(b) && !(Math.Abs(a - b) <= Rounding * Math.Max(Math.Abs(a), Math.Abs(b)))) return false;
        }

        return true;
    }

    /// <summary>A node, or what it hands on as it is when the network is run.</summary>
    private static Node Essence(Node node)
    {
        while (node.Op is Identity or Dropout) node = node.Inputs[0];
        return node;
    }

    /// <summary>What a node is the mean of over all positions of each sample and channel; null where it is none.</summary>
    private static Node? MeanOf(Node node)
    {
        if (node.Shape.Rank != 2) return null;
        if (node.Op is View && Essence(node.Inputs[0]) is { Op: GlobalAveragePool } pool && pool.Shape.Count == node.Shape.Count) return pool.Inputs[0];
        if (node.Op is not ReduceMean mean || mean.KeepDims || node.Inputs[0].Shape.Rank < 3) return null;
        return (AxisSet.Mask(mean.Axes, node.Inputs[0].Shape.Rank) & 0b11) == 0 ? node.Inputs[0] : null;
    }

    /// <summary>Whether two nodes do the same, whatever the sizes are. Epsilons and momenta are no structure.</summary>
    private static bool IsAlike(Node a, Node b) => a.Inputs.Length == b.Inputs.Length && (a.Op, b.Op) switch
    {
        (Conv x, Conv y) => Plain(x, a).Equals(Plain(y, b)),
        (Input, Input) => a.Name == b.Name || !b.Graph.Inputs.ContainsKey(a.Name!),
        (BatchNormalization, BatchNormalization) => true,
        (LayerNormalization x, LayerNormalization y) => (x with { Epsilon = 0 }).Equals(y with { Epsilon = 0 }),
        _ => a.Op.Equals(b.Op),
    };

    /// <summary>A convolution with all attributes written out; one by channel has one group, as their number is a width.</summary>
    private static Conv Plain(Conv conv, Node node)
    {
        int axes = node.Shape.Rank - 2;
        bool isByChannel = conv.Groups > 1 && conv.Groups == node.Inputs[0].Shape[1];
        return new(All(conv.Strides, axes, 1), All(conv.Pads, 2 * axes, 0), All(conv.Dilations, axes, 1), isByChannel ? -1 : conv.Groups);
    }

    private static ImmutableArray<int> All(ImmutableArray<int> list, int count, int otherwise) => list.IsDefaultOrEmpty ? [.. Enumerable.Repeat(otherwise, count)] : list;

    /// <summary>Inputs, those that are added or multiplied in an order of their own: by the operations that they take, weights last.</summary>
    private IEnumerable<Node> InOrder(Node node) => node.Op is Add or Mul ? node.Inputs.Select(Essence).OrderByDescending(DepthOf) : node.Inputs;

    private int DepthOf(Node node)
    {
        Stack<Node> open = new([node]);
        while (open.TryPeek(out Node? next))
        {
            Node[] unknown = [.. next.Inputs.Where(input => !_depths.ContainsKey(input))];
            foreach (Node input in unknown) open.Push(input);
            if (unknown.Length > 0) continue;
            bool counts = next.Op is not (View or Dropout) && next.Inputs.Length > 0;
            _depths[next] = next.Inputs.Select(input => _depths[input]).DefaultIfEmpty().Max() + (counts ? 1 : 0);
            open.Pop();
        }

        return _depths[node];
    }

    private static GraphException Differs(Node a, Node b, string how) => new($"the networks are not of one structure: {a} {a.Shape} of one {how} where {b} {b.Shape} is in the other");
}
