using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Zoo.Models;

/// <summary>A recurrent recommender in the form of CKI's experiments: a GRU over the clicks, and two linear layers that score its last state with the target. Padding comes in as vectors of zeros.</summary>
public sealed record Gru4Rec(int Items, int Size, int Length) : Recommender(Items, Size, Length)
{
    private const int Gates = 3;

    internal static ZooModel Entry => new(
        "gru4rec",
        "Recurrent recommender: a GRU over the clicks",
        "Hidasi et al., Session-based Recommendations with Recurrent Neural Networks, ICLR 2016, in the form of CKI's experiments; the GRU's parameter names and gate order are PyTorch's, the others our own",
        HowParametersBegin,
        Common,
        o => new Gru4Rec(o.Whole("items"), o.Whole("size"), o.Whole("length")));

    private protected override Node Score(Layers net, Node history, Node valid, Node target)
    {
        Node steps = (history * valid.Unsqueeze(2)).Transpose(1, 0, 2);
        Node states = net.Graph.Add(new Gru(), steps, OnnxGates(net, "weight_ih_l0"), OnnxGates(net, "weight_hh_l0"), Layout.Concat(1, OnnxBiases(net, "bias_ih_l0"), OnnxBiases(net, "bias_hh_l0")));
        Node last = states.Slice(0, -1).Squeeze(0, 1);
        return Head(net, Beside(last, target), 2 * Size);
    }

    /// <summary>PyTorch has the gates in the order r, z, n, ONNX z, r, n.</summary>
    private static Node Swap(Node gates) => gates.Gather(gates.Graph.Constant([1, 0, 2]));

    private Node OnnxGates(Layers net, string name) =>
        Swap(net.Parameter($"gru.{name}", new(Gates * Size, Size), Initialisation.XavierUniform).Reshape(Gates, Size, Size)).Reshape(1, Gates * Size, Size);

    private Node OnnxBiases(Layers net, string name) =>
        Swap(net.Parameter($"gru.{name}", new(Gates * Size), Initialisation.Zeros).Reshape(Gates, Size)).Reshape(1, Gates * Size);
}
