using Amalgam.Graphs;

namespace Amalgam.Zoo.Models;

/// <summary>A kind of network with its sizes chosen: the properties of the record are the choices, and equal ones build equal networks.</summary>
public abstract record Architecture
{
    /// <summary>
    /// The network for inference, its parameters drawn anew. Images come in as <c>image</c> [batch, channels, height, width], text as Hugging Face names it,
    /// sequences as <c>items</c>; the result is <c>logits</c>, or <c>embedding</c> where there is no classifier. Nothing but the inputs' leading size depends on the batch,
    /// so that an instance for another one can be made of the graph.
    /// </summary>
    /// <param name="batch">Samples at a time, one or more.</param>
    /// <param name="seed">Draws the parameters; null leaves them zero, for weights that are loaded next.</param>
    /// <exception cref="GraphException">The choices make no network.</exception>
    public Graph Build(int batch, long? seed = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        Graph graph = new();
        try
        {
            Define(new(graph, seed), batch);
        }
        catch (OverflowException e)
        {
            throw new GraphException($"the network with {batch} samples at a time is larger than tensors in memory can be", e);
        }

        return graph;
    }

    /// <summary>Adds the network's inputs, layers and outputs.</summary>
    protected abstract void Define(Layers net, int batch);

    /// <summary>Returns a size that is one or more.</summary>
    /// <exception cref="GraphException">It is not.</exception>
    protected static int Positive(int value, string what) => value > 0 ? value : throw new GraphException($"{what} must be 1 or more, got {value}");
}
