using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Zoo.Models;

/// <summary>A GRU over the clicks of a user, its parameters named and ordered as PyTorch's. Padding leaves the state as it is.</summary>
internal static class GruLayer
{
    private const int Gates = 3;

    /// <summary>The logistic function of this is 1, whatever is added.</summary>
    private const float Open = 10000;

    /// <summary>Adds the layer.</summary>
    /// <param name="net">The network.</param>
    /// <param name="name">The layer's name.</param>
    /// <param name="history">Embeddings of the clicks [N,L,D].</param>
    /// <param name="valid">1 for a click, 0 for padding [N,L].</param>
    /// <returns>The state after the last click [N,D].</returns>
    public static Node LastState(Layers net, string name, Node history, Node valid)
    {
        int size = history.Shape.Size(^1);
        Node steps = Layout.Concat(2, history, (1 - valid).Unsqueeze(2)).Transpose(1, 0, 2);
        Node states = net.Graph.Add(
            new Gru(), steps, Layout.Concat(2, OnnxGates(net, $"{name}.weight_ih_l0", size), Hold(net.Graph, size)), OnnxGates(net, $"{name}.weight_hh_l0", size),
            Layout.Concat(1, OnnxBiases(net, $"{name}.bias_ih_l0", size), OnnxBiases(net, $"{name}.bias_hh_l0", size)));
        return states.Slice(0, -1).Squeeze(0, 1);
    }

    /// <summary>Weights of an input that is 1 at padding: the gate z, the share of the old state that is kept, is then 1.</summary>
    private static Node Hold(Graph graph, int size)
    {
        Tensor weights = new(new Shape(1, Gates * size, 1));
        weights.Span[..size].Fill(Open);
        return graph.Constant(weights);
    }

    private static Node OnnxGates(Layers net, string name, int size) =>
        Swap(net.Parameter(name, new(Gates * size, size), Initialisation.XavierUniform).Reshape(Gates, size, size)).Reshape(1, Gates * size, size);

    private static Node OnnxBiases(Layers net, string name, int size) =>
        Swap(net.Parameter(name, new(Gates * size), Initialisation.Zeros).Reshape(Gates, size)).Reshape(1, Gates * size);

    /// <summary>PyTorch has the gates in the order r, z, n, ONNX z, r, n.</summary>
    private static Node Swap(Node gates) => gates.Gather(gates.Graph.Constant([1, 0, 2]));
}
