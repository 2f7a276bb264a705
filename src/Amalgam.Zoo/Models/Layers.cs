using Amalgam.Graphs;

namespace Amalgam.Zoo.Models;

/// <summary>Adds the layers of common architectures to a graph, with parameters named as PyTorch's modules name them: <c>NAME.weight</c>, <c>NAME.bias</c>.</summary>
/// <param name="graph">The graph being built.</param>
/// <param name="seed">Draws the parameters; null leaves them zero.</param>
public sealed class Layers(Graph graph, long? seed)
{
    /// <summary>The graph being built.</summary>
    public Graph Graph => graph;

    /// <summary>Declares a parameter.</summary>
    public Node Parameter(string name, Shape shape, Initialisation start, bool trainable = true) =>
        graph.Parameter(name, seed is { } drawn ? start.Draw(shape, drawn, name) : new(shape), trainable);
}
