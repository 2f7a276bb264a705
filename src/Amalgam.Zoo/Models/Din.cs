using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Models;

/// <summary>Deep interest network in the form of CKI's experiments: the clicks are weighed by attention of the target, and three linear layers score both.</summary>
public sealed record Din(int Items, int Size, int Length) : Recommender(Items, Size, Length)
{
    internal static ZooModel Entry => new(
        "din",
        "Deep interest network: clicks weighed by attention of the target",
        "Zhou et al., Deep Interest Network for Click-Through Rate Prediction, KDD 2018, in the form of CKI's experiments; parameter names of our own",
        HowParametersBegin,
        Common,
        o => new Din(o.Whole("items"), o.Whole("size"), o.Whole("length")) { Hyper = o.Flag("hyper") });

    private protected override ImmutableArray<int> HeadUnits => [4 * Size, 2 * Size];

    private protected override Node Features(Layers net, Node history, Node valid, Node target)
    {
        Node wanted = net.Linear(target, "target_layer", Size).Activate("tanh"), clicks = net.Linear(history, "history_layer", Size).Activate("tanh");
        Node attended = Layers.Attend(
            net.Linear(wanted, "attention.target_key", Size, bias: false),
            net.Linear(clicks, "attention.item_key", Size, bias: false),
            net.Linear(clicks, "attention.item_value", Size, bias: false),
            1, Layers.PaddingMask(valid));
        return Layout.Concat(2, wanted, attended);
    }
}
