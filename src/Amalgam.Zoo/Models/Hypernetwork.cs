using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Zoo.Models;

/// <summary>
/// A network that makes the weights of another one for each sample: a GRU over the user's clicks, its state after the last one through a linear layer with tanh,
/// and for every layer of the head an affine map to its weights and one to its biases (Lv et al., DUET: A Tuning-Free Device-Cloud Collaborative Parameters Generation
/// Framework, WWW 2023). The head's weights are nodes with the names that the parameters have in the network without it.
/// <para>
/// The offsets of the maps begin as the layer itself would: weights Xavier uniform, biases 0. The slopes begin uniform within the bound of those weights over the
/// square root of the state's size, so that a state in [-1, 1] adds at most as much variance as the offsets have; those of the biases begin at 0.
/// </para>
/// </summary>
internal sealed class Hypernetwork
{
    private readonly Layers _net;
    private readonly Node _state;
    private readonly int _size;

    private Graph Graph => _net.Graph;

    /// <param name="net">The network.</param>
    /// <param name="history">Embeddings of the clicks [N,L,D].</param>
    /// <param name="valid">1 for a click, 0 for padding [N,L].</param>
    public Hypernetwork(Layers net, Node history, Node valid)
    {
        (_net, _size) = (net, history.Shape.Size(^1));
        _state = net.Linear(GruLayer.LastState(net, "hyper.gru", history, valid), "hyper.state", _size).Activate("tanh");
    }

    /// <summary>A linear layer with weights of its own for every sample: [N,C,inputs] to [N,C,outputs].</summary>
    public Node Linear(Node x, string name, int outputs)
    {
        int inputs = x.Shape.Size(^1);
        double bound = Math.Sqrt(6.0 / (inputs + outputs));
        Node weights = Affine($"{name}.weight", outputs * inputs, Initialisation.Uniform(bound / Math.Sqrt(_size)), Initialisation.Uniform(bound));
        Node weight = Graph.Add(new Reshape(), $"{name}.weight", weights, Graph.Constant([0, outputs, inputs]));
        Node bias = Graph.Add(new Identity(), $"{name}.bias", Affine($"{name}.bias", outputs, Initialisation.Zeros, Initialisation.Zeros));
        return Graph.Add(new Add(), name, Graph.Add(new MatMul(TransposeB: true), x, weight), bias.Unsqueeze(1));
    }

    /// <summary>The maps' values [N, outputs].</summary>
    private Node Affine(string name, int outputs, Initialisation slopes, Initialisation offsets)
    {
        Node slope = _net.Parameter($"hyper.{name}.slope", new(outputs, _size), slopes), offset = _net.Parameter($"hyper.{name}.offset", new(outputs), offsets);
        return Graph.Add(new MatMul(TransposeB: true), _state, slope) + offset;
    }
}
