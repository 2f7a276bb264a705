using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Models;

/// <summary>A recurrent recommender in the form of CKI's experiments: a GRU over the clicks, and two linear layers that score its last state with the target.</summary>
public sealed record Gru4Rec(int Items, int Size, int Length) : Recommender(Items, Size, Length)
{
    internal static ZooModel Entry => new(
        "gru4rec",
        "Recurrent recommender: a GRU over the clicks",
        "Hidasi et al., Session-based Recommendations with Recurrent Neural Networks, ICLR 2016, in the form of CKI's experiments; the GRU's parameter names and gate order are PyTorch's, the others our own",
        HowParametersBegin,
        Common,
        o => new Gru4Rec(o.Whole("items"), o.Whole("size"), o.Whole("length")) { Hyper = o.Flag("hyper") });

    private protected override ImmutableArray<int> HeadUnits => [2 * Size];

    private protected override Node Features(Layers net, Node history, Node valid, Node target) => Beside(GruLayer.LastState(net, "gru", history, valid), target);
}
