using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Zoo.Models;

/// <summary>
/// A network that says how likely a user clicks each of some items next: inputs <c>items</c> [N,L], the ids of the user's last clicks, padded with 0 on the left, and
/// <c>target</c> [N,C], the ids of the items. The result is <c>logits</c> [N,C]. The clicks are looked at once for all C; built for one, a network serves any number.
/// </summary>
/// <param name="Items">Number of ids, 0 for padding among them.</param>
/// <param name="Size">Units of an item's embedding.</param>
/// <param name="Length">Clicks that are looked at, L.</param>
public abstract record Recommender(int Items, int Size, int Length) : Architecture
{
    private protected const string HowParametersBegin = "Weights and embeddings Xavier uniform, biases 0 (those of CKI's experiments)";

    /// <summary>Whether a hypernetwork makes the weights of the head for every sample.</summary>
    public bool Hyper { get; init; }

    /// <summary>The options that all of them have.</summary>
    private protected static ImmutableArray<ModelOption> Common =>
    [
        new("items", OptionKind.Whole, "8000", "Number of ids, 0 for padding among them"),
        new("size", OptionKind.Whole, "32", "Units of an item's embedding"),
        new("length", OptionKind.Whole, "30", "Clicks that are looked at"),
        new("hyper", OptionKind.Flag, "false", "The head's weights are made for every sample by a hypernetwork (DUET)"),
    ];

    /// <summary>Units of the head's layers but the last, which has one.</summary>
    private protected abstract ImmutableArray<int> HeadUnits { get; }

    /// <inheritdoc/>
    protected override void Define(Layers net, int batch)
    {
        net.LinearStart = net.EmbeddingStart = Initialisation.XavierUniform;
        net.BiasStart = Initialisation.Zeros;
        Node items = net.Graph.Input("items", new(batch, Length), DType.I64), target = net.Graph.Input("target", new(batch, 1), DType.I64);
        Node table = net.Table("item_embedding", Items, Size), history = table.Gather(items), valid = Layers.IsItem(items);
        Node features = Features(net, history, valid, table.Gather(target));
        net.Graph.Output("logits", Head(features, Hyper ? new Hypernetwork(net, history, valid).Linear : (x, name, units) => net.Linear(x, name, units)).Squeeze(2));
    }

    /// <summary>Adds the network proper, without the head.</summary>
    /// <param name="net">The network.</param>
    /// <param name="history">Embeddings of the clicks [N,L,D].</param>
    /// <param name="valid">1 for a click, 0 for padding [N,L].</param>
    /// <param name="target">Embeddings of the items [N,C,D].</param>
    /// <returns>What the head scores, [N,C,...].</returns>
    private protected abstract Node Features(Layers net, Node history, Node valid, Node target);

    /// <summary>A state of each user [N,D] beside each of his items [N,C,D]: [N,C,2D].</summary>
    private protected static Node Beside(Node state, Node target)
    {
        Graph g = target.Graph;
        return Layout.Concat(2, g.Add(new Expand(), state.Unsqueeze(1), g.Add(new ShapeOf(), target)), target);
    }

    /// <summary>Linear layers <c>head.0</c>, <c>head.1</c> ... with tanh between, the last one with one unit.</summary>
    private Node Head(Node x, Func<Node, string, int, Node> linear)
    {
        for (int i = 0; i < HeadUnits.Length; i++) x = linear(x, $"head.{i}", HeadUnits[i]).Activate("tanh");
        return linear(x, $"head.{HeadUnits.Length}", 1);
    }
}
