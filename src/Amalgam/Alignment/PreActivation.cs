using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Alignment;

/// <summary>A layer whose result goes to a non-linearity: a convolution or a matrix product by a parameter, perhaps with a bias.</summary>
/// <param name="Product">The convolution or product.</param>
/// <param name="Result">What it gives: the product itself, or the sum with a bias.</param>
/// <param name="Channels">The result's axis of channels.</param>
/// <param name="Weight">The parameter.</param>
/// <param name="Axis">Its axis that makes the channels.</param>
/// <param name="Bias">The parameter of the bias; null where there is none.</param>
internal sealed record PreActivation(Node Product, Node Result, int Channels, Node Weight, int Axis, Node? Bias)
{
    /// <summary>Number of channels.</summary>
    public int Size => Weight.Shape.Size(Axis);

    /// <summary>
    /// Finds the layers of a network: those with parameters of their own from which a non-linearity is reached without another layer, and without a normalisation of each
    /// channel, which would undo what is done to the layer.
    /// </summary>
    public static IEnumerable<PreActivation> Of(Graph network)
    {
        ILookup<Node, Node> users = network.Users();
        return network.Nodes.Select(node => Of(node, users)).OfType<PreActivation>().Where(layer => ReachesNonLinearity(layer.Result, users));
    }

    /// <summary>The result with its channels on axis 1.</summary>
    public Node ChannelsSecond(Node result)
    {
        int rank = result.Shape.Rank;
        return Channels == 1 ? result : result.Transpose([0, Channels, .. Enumerable.Range(1, rank - 1).Where(axis => axis != Channels)]);
    }

    /// <summary>A vector of a number for each channel, in a shape that is spread over the result.</summary>
    public Node Spread(Node vector, int rank) => vector.Reshape([Size, .. Enumerable.Repeat(1L, rank - 1 - Channels)]);

    /// <summary>A node as such a layer, whatever follows it; null where it is none.</summary>
    /// <param name="node">The node.</param>
    /// <param name="users">What reads each node.</param>
    public static PreActivation? Of(Node node, ILookup<Node, Node> users)
    {
        int? made = node.Op switch
        {
            Conv => 0,
            MatMul product when node.Inputs[1].Shape.Rank == 2 && node.Shape.Rank > 1 => product.TransposeB ? 0 : 1,
            _ => null,
        };
        if (made is not { } axis || Weighted(node.Inputs[0]) is not null || Weighted(node.Inputs[1]) is not var (weight, axes)) return null;
        axis = axes[axis];
        int channels = node.Op is Conv ? 1 : node.Shape.Rank - 1;
        if (!IsOwn(node.Inputs[1], users)) return null;
        if (node.Inputs.Length == 3) return Weighted(node.Inputs[2]) is var (own, _) && IsOwn(node.Inputs[2], users) ? new(node, node, channels, weight, axis, own) : null;
        if (users[node].ToArray() is [{ Op: Add } sum])
        {
            Node other = sum.Inputs[0] == node ? sum.Inputs[1] : sum.Inputs[0];
            int at = channels - (sum.Shape.Rank - other.Shape.Rank);
            bool isBias = sum.Shape == node.Shape && at >= 0 && other.Shape.Count == node.Shape[channels] && other.Shape.Size(at) == other.Shape.Count;
            if (isBias && Weighted(other) is var (bias, _) && IsOwn(other, users)) return new(node, sum, channels, weight, axis, bias);
        }

        return new(node, node, channels, weight, axis, null);
    }

    /// <summary>The parameter that a value is, itself or transposed, with which of its axes each axis of the value is; null where it is none.</summary>
    private static (Node Parameter, int[] Axes)? Weighted(Node node)
    {
        int[] axes = [.. Enumerable.Range(0, node.Shape.Rank)];
        while (node.Op is Identity or Transpose)
        {
            if (node.Op is Transpose transpose) axes = [.. axes.Select(axis => transpose.From(axis, node.Shape.Rank))];
            node = node.Inputs[0];
        }

        return node.Op is Parameter ? (node, axes) : null;
    }

    /// <summary>Whether nothing but the layer reads a parameter.</summary>
    private static bool IsOwn(Node value, ILookup<Node, Node> users)
    {
        while (value.Op is not Parameter && users[value].Count() == 1) value = value.Inputs[0];
        return users[value].Count() == 1;
    }

    private static bool ReachesNonLinearity(Node from, ILookup<Node, Node> users)
    {
        HashSet<Node> seen = [from];
        Queue<Node> open = new([from]);
        while (open.TryDequeue(out Node? node))
        {
            foreach (Node user in users[node])
            {
                bool isLayer = user.Op is Conv or ConvTranspose or MatMul && user.Inputs[0] == node && Weighted(user.Inputs[1]) is not null;
                if (isLayer || user.Op is BatchNormalization or InstanceNormalization) continue;
                if (!IsLinear(user.Op)) return true;
                if (seen.Add(user)) open.Enqueue(user);
            }
        }

        return false;
    }

    private static bool IsLinear(Op op) =>
        op is View or Transpose or Add or Sub or Neg or Mul or Div or Concat or Slice or Gather or Pad or Expand or AveragePool or GlobalAveragePool or ReduceMean or ReduceSum or Cast or Substitute;
}
