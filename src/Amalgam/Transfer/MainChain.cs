using System.Collections.Immutable;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Transfer;

/// <summary>A product by a parameter on the main way through a network, with the parameters that shift, scale and normalise its result.</summary>
/// <param name="Layer">The layer that it is in.</param>
/// <param name="Weight">The weight.</param>
/// <param name="IsTurned">Whether the weight of a dense layer is stored as [inputs, outputs].</param>
/// <param name="Followers">Parameters of one axis that are applied to its result, by what they do.</param>
public sealed record ChainWeight(NetworkLayer Layer, Node Weight, bool IsTurned, ImmutableArray<(string Role, Node Parameter)> Followers);

/// <summary>The products of a network's layers in order, without those of shortcuts and of the output layer.</summary>
internal sealed class MainChain
{
    private readonly ILookup<Node, Node> _users;
    private readonly NetworkLayer _layer;
    private readonly HashSet<Node> _inside;

    private MainChain(NetworkLayer layer, ILookup<Node, Node> users) => (_layer, _users, _inside) = (layer, users, [.. layer.Nodes]);

    /// <summary>The chain of a network.</summary>
    public static ImmutableArray<ChainWeight> Of(NetworkLayers network)
    {
        ILookup<Node, Node> users = network.Graph.Users();
        return [.. network.Layers.SelectMany(layer => Of(layer, users))];
    }

    /// <summary>The chain within a layer.</summary>
    public static IEnumerable<ChainWeight> Of(NetworkLayer layer, ILookup<Node, Node> users) => new MainChain(layer, users).Find();

    private IEnumerable<ChainWeight> Find()
    {
        Dictionary<Node, int> depth = new() { [_layer.Entry] = 0 };
        foreach (Node node in _layer.Nodes)
        {
            int most = node.Inputs.Max(input => depth.TryGetValue(input, out int of) ? of : (int?)null) ?? -1;
            if (most >= 0) depth[node] = most + (IsProduct(node) ? 1 : 0);
        }

        HashSet<Node> aside = [];
        foreach (Node sum in _layer.Nodes.Where(node => node.Op is Add && node.Inputs.All(depth.ContainsKey)))
        {
            Node a = sum.Inputs[0], b = sum.Inputs[1];
            // Of two branches with products of their own, the one with fewer in a row is the shortcut.
            if (depth[a] == depth[b]) continue;
            (Node shorter, Node longer) = depth[a] < depth[b] ? (a, b) : (b, a);
            aside.UnionWith(Before(shorter).Except(Before(longer)));
        }

        return _layer.Nodes.Where(node => IsProduct(node) && depth.ContainsKey(node) && !aside.Contains(node)).Select(product => new ChainWeight(_layer, WeightOf(product)!, IsTurned(product), Followers(product)));
    }

    private static bool IsProduct(Node node) => node.Op is Conv or MatMul && WeightOf(node) is not null;

    /// <summary>The parameter that a product is by, itself or turned.</summary>
    private static Node? WeightOf(Node product)
    {
        Node weight = product.Inputs[1];
        while (weight.Op is Identity or Transpose) weight = weight.Inputs[0];
        return weight.Op is Parameter ? weight : null;
    }

    private static bool IsTurned(Node product)
    {
        if (product.Op is not MatMul matrix) return false;
        bool turned = !matrix.TransposeB;
        for (Node weight = product.Inputs[1]; weight.Op is Identity or Transpose; weight = weight.Inputs[0]) turned ^= weight.Op is Transpose;
        return turned;
    }

    private HashSet<Node> Before(Node node)
    {
        HashSet<Node> before = [];
        Stack<Node> open = new([node]);
        while (open.TryPop(out Node? next))
        {
            if (!_inside.Contains(next) || !before.Add(next)) continue;
            foreach (Node input in next.Inputs) open.Push(input);
        }

        return before;
    }

    private ImmutableArray<(string, Node)> Followers(Node product)
    {
        List<(string, Node)> found = [];
        for (int i = 2; i < product.Inputs.Length; i++) Take("bias", product.Inputs[i]);
        Node node = product;
        while (node != _layer.Exit && _users[node].ToArray() is [var user] && _inside.Contains(user))
        {
            bool isNorm = user.Op is BatchNormalization or RowNormalization or ChannelNormalization && user.Inputs[0] == node;
            if (!isNorm && user.Op is not (Add or Mul)) break;
            if (isNorm)
            {
                for (int i = 1; i < user.Inputs.Length; i++) Take($"{user.Op.Name} {i}", user.Inputs[i]);
            }
            else
            {
                Node other = user.Inputs[0] == node ? user.Inputs[1] : user.Inputs[0];
                if (other.Op is not Parameter || other.Shape.Count != other.Shape.Sizes.ToArray().Append(1).Max()) break;
                Take(user.Op is Add ? "bias" : "scale", other);
            }

            node = user;
        }

        return [.. found];

        void Take(string role, Node parameter)
        {
            while (parameter.Op is Identity) parameter = parameter.Inputs[0];
            if (parameter.Op is Parameter) found.Add((role, parameter));
        }
    }
}
