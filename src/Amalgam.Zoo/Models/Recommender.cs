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

    /// <summary>The options that all of them have.</summary>
    private protected static ImmutableArray<ModelOption> Common =>
    [
        new("items", OptionKind.Whole, "8000", "Number of ids, 0 for padding among them"),
        new("size", OptionKind.Whole, "32", "Units of an item's embedding"),
        new("length", OptionKind.Whole, "30", "Clicks that are looked at"),
    ];

    /// <inheritdoc/>
    protected override void Define(Layers net, int batch)
    {
        net.LinearStart = net.EmbeddingStart = Initialisation.XavierUniform;
        net.BiasStart = Initialisation.Zeros;
        Node items = net.Graph.Input("items", new(batch, Length), DType.I64), target = net.Graph.Input("target", new(batch, 1), DType.I64);
        Node table = net.Table("item_embedding", Items, Size);
        Node logits = Score(net, table.Gather(items), Layers.IsItem(items), table.Gather(target));
        net.Graph.Output("logits", logits.Squeeze(2));
    }

    /// <summary>Adds the network proper.</summary>
    /// <param name="net">The network.</param>
    /// <param name="history">Embeddings of the clicks [N,L,D].</param>
    /// <param name="valid">1 for a click, 0 for padding [N,L].</param>
    /// <param name="target">Embeddings of the items that are scored [N,C,D].</param>
    /// <returns>The scores [N,C,1].</returns>
    private protected abstract Node Score(Layers net, Node history, Node valid, Node target);

    /// <summary>A state of each user [N,D] beside each of his items [N,C,D]: [N,C,2D].</summary>
    private protected static Node Beside(Node state, Node target)
    {
        Graph g = target.Graph;
        return Layout.Concat(2, g.Add(new Expand(), state.Unsqueeze(1), g.Add(new ShapeOf(), target)), target);
    }

    /// <summary>Linear layers <c>head.0</c>, <c>head.1</c> ... with tanh between, the last one with one unit.</summary>
    private protected static Node Head(Layers net, Node x, params ReadOnlySpan<int> units)
    {
        for (int i = 0; i < units.Length; i++) x = net.Linear(x, $"head.{i}", units[i]).Activate("tanh");
        return net.Linear(x, $"head.{units.Length}", 1);
    }
}
