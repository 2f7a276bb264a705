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
        Dictionary<Node, (Node Parameter, bool IsExchanged)> followed = network.Parameters.Values.Where(p => p.Shape.Rank > 1).ToDictionary(p => p, p => (p, false));
        foreach (Node node in network.Nodes)
        {
            for (int place = 0; place < node.Inputs.Length; place++)
            {
                if (!followed.TryGetValue(node.Inputs[place], out var origin)) continue;
                if (Of(node, place, origin.IsExchanged) is { } reader) readers.TryAdd(origin.Parameter, reader);
                else if (place == 0 && PassesOn(node) is { } exchanges) followed.TryAdd(node, (origin.Parameter, origin.IsExchanged ^ exchanges));
            }
        }

        return readers;
    }

    private static WeightReader? Of(Node node, int place, bool isExchanged) => (node.Op, place) switch
    {
        (MatMul product, 1) => new(!product.TransposeB ^ isExchanged),
        (MatMul product, 0) => new(product.TransposeA ^ isExchanged),
        (Conv conv, 1) => new(false, true, conv.Groups),
        (ConvTranspose conv, 1) => new(true, true, conv.Groups),
        (Recurrent, 1 or 2) => new(false),
        _ => null,
    };

    /// <summary>Whether an operation hands a matrix on, as it is (false) or with its last two axes exchanged (true); null where it does something else.</summary>
    private static bool? PassesOn(Node node) => node.Op switch
    {
        Identity or Cast or Dropout or Slice or Substitute => false,
        Transpose { Permutation: var order } when order.Take(order.Length - 2).Select((axis, i) => axis == i).All(stays => stays) => order[^1] < order[^2],
        _ => null,
    };
}
