using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Zoo.Models;

/// <summary>A GRU over the clicks of a user, its parameters named and ordered as PyTorch's. Padding comes in as vectors of zeros.</summary>
internal static class GruLayer
{
    private const int Gates = 3;

    /// <summary>Adds the layer.</summary>
    /// <param name="net">The network.</param>
    /// <param name="name">The layer's name.</param>
    /// <param name="history">Embeddings of the clicks [N,L,D].</param>
    /// <param name="valid">1 for a click, 0 for padding [N,L].</param>
    /// <returns>The state after the last click [N,D].</returns>
    public static Node LastState(Layers net, string name, Node history, Node valid)
    {
        int size = history.Shape.Size(^1);
        Node steps = (history * valid.Unsqueeze(2)).Transpose(1, 0, 2);
        Node states = net.Graph.Add(
            new Gru(), steps, OnnxGates(net, $"{name}.weight_ih_l0", size), OnnxGates(net, $"{name}.weight_hh_l0", size),
            Layout.Concat(1, OnnxBiases(net, $"{name}.bias_ih_l0", size), OnnxBiases(net, $"{name}.bias_hh_l0", size)));
        return states.Slice(0, -1).Squeeze(0, 1);
    }

    private static Node OnnxGates(Layers net, string name, int size) =>
        Swap(net.Parameter(name, new(Gates * size, size), Initialisation.XavierUniform).Reshape(Gates, size, size)).Reshape(1, Gates * size, size);

    private static Node OnnxBiases(Layers net, string name, int size) =>
        Swap(net.Parameter(name, new(Gates * size), Initialisation.Zeros).Reshape(Gates, size)).Reshape(1, Gates * size);

    /// <summary>PyTorch has the gates in the order r, z, n, ONNX z, r, n.</summary>
    private static Node Swap(Node gates) => gates.Gather(gates.Graph.Constant([1, 0, 2]));
}
