using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Zoo.Models;

/// <summary>
/// The encoder of ICLRec, a SASRec with normalisation after each part: input <c>items</c> [N,L], padded with 0 on the left. Results are <c>embedding</c> [N,D], the state of the
/// last position, and, first, <c>logits</c> [N,items], its products with the embeddings of all items.
/// </summary>
/// <param name="Items">Number of ids, 0 for padding among them.</param>
/// <param name="Size">Units of a position.</param>
/// <param name="Length">Items that are looked at, L.</param>
public sealed record IclRec(int Items, int Size, int Length) : Architecture
{
    /// <summary>Number of blocks.</summary>
    public int Depth { get; init; } = 2;

    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 2;

    /// <summary>Share of each part's result that training drops.</summary>
    public float Dropout { get; init; } = 0.5f;

    internal static ZooModel Entry => new(
        "iclrec",
        "The encoder of ICLRec, scoring all items",
        "Chen et al., Intent Contrastive Learning for Sequential Recommendation, WWW 2022; parameter names of salesforce/ICLRec",
        "Weights and embeddings normal with deviation 0.02, biases 0, normalisation 1 and 0 (the authors')",
        [
            new("items", OptionKind.Whole, "8000", "Number of ids, 0 for padding among them"),
            new("size", OptionKind.Whole, "64", "Units of a position"),
            new("length", OptionKind.Whole, "50", "Items that are looked at"),
            new("depth", OptionKind.Whole, "2", "Number of blocks"),
            new("heads", OptionKind.Whole, "2", "Attention heads"),
            new("dropout", OptionKind.Number, "0.5", "Share of each part's result that training drops") { FromZero = true, Limit = 1 },
        ],
        o => new IclRec(o.Whole("items"), o.Whole("size"), o.Whole("length")) { Depth = o.Whole("depth"), Heads = o.Whole("heads"), Dropout = (float)o.Number("dropout") });

    /// <inheritdoc/>
    protected override void Define(Layers net, int batch)
    {
        net.LinearStart = net.EmbeddingStart = Initialisation.Normal(0.02);
        net.BiasStart = Initialisation.Zeros;
        Node items = net.Graph.Input("items", new(batch, Length), DType.I64);
        Node table = net.Table("item_embeddings", Items, Size);
        Node x = net.LayerNorm(net.AddPositions(table.Gather(items), "position_embeddings", Length), "LayerNorm", 1e-12f);
        x = Layers.Drop(x, Dropout);
        Node valid = Layers.IsItem(items), mask = Layers.CausalMask(valid);
        TransformerBlock block = new(BlockNames.IclRec, Heads, 4 * Size) { Dropout = Dropout, AttentionDropout = Dropout };
        for (int i = 0; i < Depth - 1; i++) x = block.Apply(net, x, $"item_encoder.layer.{i}", mask);
        Node last = block.Apply(net, x, $"item_encoder.layer.{Depth - 1}", Layers.PaddingMask(valid), lastOnly: true).Squeeze(1);
        net.Graph.Output("logits", net.Graph.Add(new MatMul(TransposeB: true), last, table));
        net.Graph.Output("embedding", last);
    }
}
