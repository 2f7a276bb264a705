using Amalgam.Graphs;

namespace Amalgam.Transfer;

/// <summary>
/// A trained network as a part of another graph that learns from it. Its weights are constants there, so that nothing of it is trained and no gradient goes through it, and it
/// stays in its inference form: running statistics, no dropout. It is included after the graph took its training form, as a <see cref="Training.Loss"/> is.
/// </summary>
public sealed class FrozenNetwork
{
    private readonly Graph _graph;
    private readonly string _output;

    /// <param name="network">The network; its weights are copied, so that it may be the student's beginning too.</param>
    /// <param name="output">Name of the output that is looked at; null for the first.</param>
    /// <exception cref="GraphException">There is no such output.</exception>
    public FrozenNetwork(Graph network, string? output = null)
    {
        Node result = Training.DataInputs.OutputOf(network, output);
        _output = network.Outputs.First(o => o.Value == result).Key;
        _graph = Surgery.Copy(BatchNormalizationFolding.Apply(network, [result]).Graph);
    }

    /// <summary>Adds the network to a graph.</summary>
    /// <param name="to">The graph. Its inputs of the same names are the network's too; where each has one input alone, it is whatever its name and shape, if it has as many numbers.</param>
    /// <param name="samples">Samples at a time.</param>
    /// <param name="prefix">Put before the names of its values.</param>
    /// <returns>The network's output.</returns>
    /// <exception cref="GraphException">The graph has no input for the network, or the network cannot be made for that number of samples.</exception>
    public Node Include(Graph to, int samples, string prefix)
    {
        Graph graph = Rewrite.Resize(_graph, samples).Graph;
        Dictionary<string, Node> inputs = graph.Inputs.ToDictionary(i => i.Key, i => InputFor(to, graph, i.Value));
        var map = Surgery.Include(to, graph, inputs, prefix, name => to.Constant(graph.Parameters[name].Value!, graph.Parameters[name].Type));
        return map[graph.Outputs[_output]];
    }

    private static Node InputFor(Graph to, Graph graph, Node input)
    {
        Node[] given = [.. to.Inputs.Values.Where(node => !TrainingForm.Fills(node))];
        if (given.FirstOrDefault(node => node.Name == input.Name && node.Shape == input.Shape) is { } same) return same;
        Node? only = given.Length == 1 ? given[0] : null;
        if (graph.Inputs.Count == 1 && only is not null && only.Shape.Count == input.Shape.Count) return only.ReshapeTo(input.Shape);
        throw new GraphException($"the teacher's input '{input.Name}' {input.Shape} is none of the student's: {string.Join(", ", given.Select(node => $"'{node.Name}' {node.Shape}"))}");
    }
}
