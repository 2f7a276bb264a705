using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Transfer.Teaching;

/// <summary>
/// What a network knows of a sample before it decides: what the product with the output layer's weights reads, found by going back from the result through what has no weights of its own. Positions of
/// a picture and tokens of a text are averaged.
/// </summary>
public static class Features
{
    /// <summary>Adds the features of a result to its graph.</summary>
    /// <param name="output">The result, <c>[samples, classes]</c>.</param>
    /// <param name="weight">Name of the weight whose product's input counts instead; null for the output layer's.</param>
    /// <returns>The features, <c>[samples, units]</c>.</returns>
    /// <exception cref="GraphException">There is no such weight, or no single product makes the result.</exception>
    public static Node Of(Node output, string? weight = null)
    {
        Node read = Read(output, weight);
        ImmutableArray<int> places = Places(output, weight, read);
        return places.IsEmpty ? read : read.Mean(false, places.AsSpan());
    }

    /// <summary>How many features <see cref="Of"/> gives; adds nothing to the graph.</summary>
    /// <param name="output">The result, <c>[samples, classes]</c>.</param>
    /// <param name="weight">Name of the weight whose product's input counts instead; null for the output layer's.</param>
    /// <exception cref="GraphException">There is no such weight, or no single product makes the result.</exception>
    public static int CountOf(Node output, string? weight = null)
    {
        Node read = Read(output, weight);
        ImmutableArray<int> places = Places(output, weight, read);
        return read.Shape.Size(Enumerable.Range(1, read.Shape.Rank - 1).First(axis => !places.Contains(axis)));
    }

    private static Node Read(Node output, string? weight)
    {
        (Node product, Node read) = ProductFor(output, weight);
        while (read.Op is Dropout or Identity || IsMasked(read)) read = read.Inputs[0];
        return read.Shape.Rank >= 2 && read.Shape[0] == output.Shape[0] ? read
            : throw new GraphException($"what {product} reads, {read.Shape}, has no row for each of {output.Shape[0]} samples, so there are no features to compare");
    }

    /// <summary>The axes of positions: of a convolution those behind the channels, else those between samples and units.</summary>
    private static ImmutableArray<int> Places(Node output, string? weight, Node read)
    {
        bool channelsFirst = ProductFor(output, weight).Product.Op is Conv;
        return [.. Enumerable.Range(channelsFirst ? 2 : 1, read.Shape.Rank - 2)];
    }

    private static (Node Product, Node Read) ProductFor(Node output, string? weight)
    {
        bool[] computed = DependsOnInputs(output.Graph, output.Id);
        if (weight is null) return ProductBehind(output, computed);
        Node named = output.Graph.Find(weight) is { Op: Parameter or Substitute or Constant } found
            ? found
            : throw new GraphException($"there is no weight '{weight}' whose product's input could be looked at");
        foreach (Node node in output.Graph.Nodes.Take(output.Id + 1).Where(IsProduct))
        {
            Node by = Weight(node, computed);
            while (by != named && by.Op is Transpose or Identity or Reshape) by = by.Inputs[0];
            if (by == named && computed[Other(node, Weight(node, computed)).Id]) return (node, Other(node, Weight(node, computed)));
        }

        throw new GraphException($"'{weight}' is no weight of a product or a convolution, so nothing reads features for it");
    }

    private static (Node Product, Node Read) ProductBehind(Node output, bool[] computed)
    {
        for (Node node = output; ;)
        {
            // In the training form masks and a batch's statistics are computed too, but what they act on is one value.
            Node[] from = IsMasked(node) || node.Op is BatchNormalizationTraining ? [node.Inputs[0]] : [.. node.Inputs.Where(input => computed[input.Id]).Distinct()];
            if (from.Length != 1)
            {
                throw new GraphException($"no product with weights makes {output}: {node} {node.Shape} comes from {(from.Length == 0 ? "no input" : $"{from.Length} computed values")}, "
                    + "so there are no features to compare");
            }

            if (IsProduct(node)) return (node, from[0]);
            node = from[0];
        }
    }

    /// <summary>Dropout in its training form.</summary>
    private static bool IsMasked(Node node) => node.Op is Mul && node.Inputs[1].Op is DropoutMask;

    private static bool IsProduct(Node node) => node.Op is MatMul or Conv;

    private static Node Weight(Node product, bool[] computed) => product.Op is Conv || computed[product.Inputs[0].Id] ? product.Inputs[1] : product.Inputs[0];

    private static Node Other(Node product, Node weight) => product.Inputs[0] == weight ? product.Inputs[1] : product.Inputs[0];

    private static bool[] DependsOnInputs(Graph graph, int last)
    {
        bool[] depends = new bool[last + 1];
        for (int id = 0; id <= last; id++)
        {
            Node node = graph.Nodes[id];
            depends[id] = node.Op is Input || (node.Known is null && node.Inputs.Any(input => depends[input.Id]));
        }

        return depends;
    }
}
