using Amalgam.Graphs;
using Amalgam.Training.Data;

namespace Amalgam.Training;

/// <summary>What a network says of every sample of a data set.</summary>
public static class Predictions
{
    /// <summary>Runs a network in its inference form over all samples.</summary>
    /// <param name="network">The network.</param>
    /// <param name="data">The samples.</param>
    /// <param name="batch">Samples at a time; a network that cannot be made for that number runs with its own.</param>
    /// <param name="output">Name of the network's output, whose first axis is the samples'; null for the first output.</param>
    /// <param name="progress">Hears how many samples are done.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <returns>The output for each sample: <c>[samples, ...]</c>.</returns>
    /// <exception cref="GraphException">The data does not fit the network, or its output has no axis for the samples.</exception>
    public static Tensor Of(Graph network, Dataset data, int batch, string? output = null, IProgress<int>? progress = null, CancellationToken cancel = default)
    {
        Tensor? all = null;
        foreach (var (first, count, result) in InBatches(network, data, batch, output, cancel))
        {
            all ??= new(new([data.Count, .. result.Shape.Sizes[1..]]));
            int row = result.Count / result.Shape.Size(0);
            result.Span[..(count * row)].CopyTo(all.Span[(first * row)..]);
            progress?.Report(first + count);
        }

        return all!;
    }

    /// <summary>The same without keeping it: what the network says of some samples after the other.</summary>
    /// <param name="network">The network.</param>
    /// <param name="data">The samples.</param>
    /// <param name="batch">Samples at a time; a network that cannot be made for that number runs with its own.</param>
    /// <param name="output">Name of the network's output, whose first axis is the samples'; null for the first output.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <returns>The first sample, how many there are, and the output for them, which the next ones overwrite; rows beyond them mean nothing.</returns>
    /// <exception cref="GraphException">The data does not fit the network, or its output has no axis for the samples.</exception>
    public static IEnumerable<(int First, int Count, Tensor Result)> InBatches(Graph network, Dataset data, int batch, string? output = null, CancellationToken cancel = default)
    {
        (Graph graph, int size) = Instance(network, data, Math.Min(batch, Math.Max(1, data.Count)));
        Node result = DataInputs.OutputOf(graph, output);
        if (result.Shape.Rank == 0 || result.Shape[0] != size) throw new GraphException($"the output {result} {result.Shape} has no row for each of {size} samples");
        Executor executor = new(graph, [result], new(Frozen: true));
        Tensor?[] inputs = DataInputs.Bind(data, graph, size, null, executor);
        Batches batches = new(data, size, shuffle: false);
        for (int step = 0; step < batches.PerEpoch; step++)
        {
            int count = batches.Fill(step, inputs);
            executor.Run(cancel);
            yield return (step * batches.Size, count, executor[result]);
        }
    }

    private static (Graph Graph, int Samples) Instance(Graph network, Dataset data, int batch)
    {
        try
        {
            return (DataInputs.Fit(network, data, batch), batch);
        }
        catch (GraphException)
        {
            Node? input = network.Inputs.Values.FirstOrDefault(node => node.Shape.Rank > 0);
            if (input is null) throw new GraphException("the network has no input with an axis for the samples");
            return (DataInputs.Fit(network, data, input.Shape.Size(0)), input.Shape.Size(0));
        }
    }
}
