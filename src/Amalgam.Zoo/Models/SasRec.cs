using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Models;

/// <summary>Self-attentive sequential recommendation in the form of CKI's experiments: causal attention over the clicks, and two linear layers that score the last state with the target.</summary>
public sealed record SasRec(int Items, int Size, int Length) : Recommender(Items, Size, Length)
{
    /// <summary>Number of blocks.</summary>
    public int Depth { get; init; } = 2;

    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 1;

    /// <summary>Share of each part's result that training drops.</summary>
    public float Dropout { get; init; }

    internal static ZooModel Entry => new(
        "sasrec",
        "Self-attentive sequential recommendation: causal attention over the clicks",
        "Kang and McAuley, Self-Attentive Sequential Recommendation, ICDM 2018 (normalisation before each part, ReLU, as many inner units as outer), in the form of CKI's experiments; parameter names of our own",
        HowParametersBegin,
        [
            .. Common,
            new("depth", OptionKind.Whole, "2", "Number of blocks"),
            new("heads", OptionKind.Whole, "1", "Attention heads"),
            new("dropout", OptionKind.Number, "0", "Share of each part's result that training drops") { FromZero = true, Limit = 1 },
        ],
        o => new SasRec(o.Whole("items"), o.Whole("size"), o.Whole("length")) { Hyper = o.Flag("hyper"), Depth = o.Whole("depth"), Heads = o.Whole("heads"), Dropout = (float)o.Number("dropout") });

    private protected override ImmutableArray<int> HeadUnits => [2 * Size];

    private protected override Node Features(Layers net, Node history, Node valid, Node target)
    {
        Node steps = valid.Unsqueeze(2), mask = Layers.CausalMask(valid);
        Node x = Layers.Drop(net.AddPositions(history * MathF.Sqrt(Size), "position_embedding", Length), Dropout) * steps;
        TransformerBlock block = new(BlockNames.Plain, Heads, Size) { Activation = "relu", Epsilon = 1e-8f, NormFirst = true, Dropout = Dropout, AttentionDropout = Dropout };
        for (int i = 0; i < Depth - 1; i++) x = block.Apply(net, x, $"blocks.{i}", mask) * steps;
        Node last = block.Apply(net, x, $"blocks.{Depth - 1}", Layers.PaddingMask(valid), lastOnly: true) * steps.Slice(1, -1);
        return Beside(net.LayerNorm(last, "norm", 1e-8f).Squeeze(1), target);
    }
}
