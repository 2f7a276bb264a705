using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Transfer.MergeNet;

/// <summary>What the first matrix product, convolution or recurrent layer that reads a parameter says of how it is stored.</summary>
/// <param name="IsExchanged">Inputs come before outputs.</param>
/// <param name="IsConvolution">The first two axes are outputs and inputs, and others follow; else they are the last two.</param>
/// <param name="Groups">Groups of a convolution.</param>
internal sealed record WeightReader(bool IsExchanged, bool IsConvolution = false, int Groups = 1)
{
    /// <summary>The parameters that have such a reader, in the order of the readers.</summary>
    public static OrderedDictionary<Node, WeightReader> AllOf(Graph network)
    {
        OrderedDictionary<Node, WeightReader> readers = [];
        Dictionary<Node, Origin> followed = network.Parameters.Values.Where(p => p.Shape.Rank > 1).ToDictionary(p => p, p => new Origin(p, false, null));
        HashSet<Node> computed = [];
        foreach (Node node in network.Nodes)
        {
            if (node.Op is Input || node.Inputs.Any(computed.Contains)) computed.Add(node);
            for (int place = 0; place < node.Inputs.Length; place++)
            {
                if (!followed.TryGetValue(node.Inputs[place], out Origin? origin)) continue;
                if (Of(node, place, origin) is { } reader) readers.TryAdd(origin.Parameter, reader);
                else if (!computed.Contains(node) && PassesOn(node, place, origin) is { } then) followed.TryAdd(node, then);
            }
        }

        return readers;
    }

    private static WeightReader? Of(Node node, int place, Origin origin)
    {
        WeightReader? reader = (node.Op, place) switch
        {
            (MatMul product, 1) => new(!product.TransposeB ^ origin.IsExchanged),
            (MatMul product, 0) => new(product.TransposeA ^ origin.IsExchanged),
            (Conv conv, 1) => new(false, true, conv.Groups),
            (ConvTranspose conv, 1) => new(true, true, conv.Groups),
            (Recurrent, 1 or 2) => new(false),
            _ => null,
        };
        if (reader is null || origin.Then is null) return reader;
        return !reader.IsExchanged && (node.Inputs[place].Shape.Rank == 2 || (reader.IsConvolution && origin.Then.IsConvolution)) ? origin.Then : null;
    }

    /// <summary>
    /// What an operation hands on of a matrix: it as it is, times a factor of its rows or columns or of all, with its last two axes exchanged, or once under another shape that leaves the first or the last axis; null where it
    /// does something else.
    /// </summary>
    private static Origin? PassesOn(Node node, int place, Origin origin) => node.Op switch
    {
        Mul or Div when node.Shape == node.Inputs[place].Shape && node.Inputs[1 - place].Shape.Count < node.Shape.Count && (place == 0 || node.Op is Mul) => origin,
        _ when place > 0 => null,
        Identity or Cast or Dropout or Slice or Substitute => origin,
        Transpose { Permutation: var order } when order.Take(order.Length - 2).Select((axis, i) => axis == i).All(stays => stays) =>
            origin with { IsExchanged = origin.IsExchanged ^ order[^1] < order[^2] },
        Reshape or Unsqueeze or Squeeze when origin is { IsExchanged: false, Then: null } && node.Shape.Rank > 1 => Reshaped(node, origin),
        _ => null,
    };

    private static Origin? Reshaped(Node node, Origin origin)
    {
        Shape from = node.Inputs[0].Shape, to = node.Shape;
        if (from[0] == to[0]) return origin with { Then = new(false, true) };
        return to.Rank == 2 && from[^1] == to[1] ? origin with { Then = new(false) } : null;
    }

    /// <summary>Where a value comes from.</summary>
    /// <param name="Parameter">The parameter.</param>
    /// <param name="IsExchanged">Whether its last two axes have been exchanged.</param>
    /// <param name="Then">Of one under another shape what a reader says that does not exchange them.</param>
    private sealed record Origin(Node Parameter, bool IsExchanged, WeightReader? Then);
}
