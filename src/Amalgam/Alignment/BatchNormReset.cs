using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Training.Data;

namespace Amalgam.Alignment;

/// <summary>
/// Estimates the running statistics of batch normalisations anew, on data. The mean of two networks' statistics says little of what the merged network computes, so every
/// method that merges units needs this (Jordan et al., REPAIR, ICLR 2023, section 3).
/// </summary>
public static class BatchNormReset
{
    /// <summary>
    /// Sets every running mean to the mean over batches of the batches' means, and every running variance to that of their unbiased variances, each batch counting as much as
    /// the others: what PyTorch's BatchNorm gives with momentum=None after one pass. Each layer normalises by the batch's own statistics meanwhile, so that those after it see
    /// normalised values; nothing else is in its training form.
    /// </summary>
    /// <param name="network">The network; the tensors of its running statistics are overwritten.</param>
    /// <param name="data">Samples that the network takes.</param>
    /// <param name="batch">Samples at a time. A last batch of one number for each channel has no variance and is left out.</param>
    /// <param name="cancel">Stops before anything was changed.</param>
    /// <returns>Number of normalisations; 0 where there are none, and nothing is run.</returns>
    /// <exception cref="GraphException">A running statistic is no parameter, so that it cannot be set, or the data does not fit the network.</exception>
    public static int Run(Graph network, Dataset data, int batch, CancellationToken cancel = default)
    {
        bool[] needed = Rewrite.Needed(network, network.Outputs.Values);
        Node[] layers = [.. network.Nodes.Where(node => node.Op is BatchNormalization && needed[node.Id])];
        if (layers.Length == 0) return 0;
        Dictionary<Node, Running> running = [];
        foreach (Node layer in layers)
        {
            running.TryAdd(Statistic(layer, 3, "mean"), new());
            running.TryAdd(Statistic(layer, 4, "variance"), new());
        }

        (Graph form, Node[] statistics) = BatchForm(network, layers);
        foreach (ObservedBatch seen in new Observation([(form, statistics)], data, batch).Run(cancel))
        {
            for (int i = 0; i < layers.Length; i++)
            {
                int share = Channels.Of(seen.Nodes[0][i].Inputs[0].Shape).Share, channels = layers[i].Shape.Size(1);
                if (share < 2 && seen.First > 0) continue;
                running[Statistic(layers[i], 3, "mean")].Add(seen.Values[0][i].Span[..channels], 1);
                running[Statistic(layers[i], 4, "variance")].Add(seen.Values[0][i].Span[channels..], share / Math.Max(share - 1.0, 1));
            }
        }

        foreach (var (parameter, mean) in running) mean.CopyTo(parameter.Value!.Span);
        return layers.Length;
    }

    /// <summary>Networks with running statistics of their own, estimated anew; all else is shared with the networks given, which stay as they are.</summary>
    /// <inheritdoc cref="Run(Graph, Dataset, int, CancellationToken)"/>
    public static Siblings Run(Siblings models, Dataset data, int batch, CancellationToken cancel = default)
    {
        Node[] layers = [.. models.Groups.Graph.Nodes.Where(node => node.Op is BatchNormalization)];
        if (layers.Length == 0) return models;
        HashSet<string> own = [.. layers.SelectMany(layer => new[] { Statistic(layer, 3, "mean").Name!, Statistic(layer, 4, "variance").Name! })];
        Siblings copies = new(models.Groups, models.Weights.Select(weights => weights.ToDictionary(w => w.Key, w => own.Contains(w.Key) ? w.Value.Copy() : w.Value, StringComparer.Ordinal)), models.Names);
        for (int model = 0; model < copies.Count; model++) Run(copies.With(model).Graph, data, batch, cancel);
        return copies;
    }

    /// <summary>The network with every normalisation by its batch's statistics, and these.</summary>
    private static (Graph Form, Node[] Statistics) BatchForm(Graph network, Node[] layers)
    {
        Dictionary<Node, Node> statistics = [];
        HashSet<Node> changed = [.. layers];
        Graph form = Rewrite.Apply(network, (to, node, inputs) =>
        {
            if (!changed.Contains(node)) return null;
            Node of = statistics[node] = to.Add(new BatchStatistics(), inputs[0]);
            BatchNormalizationTraining normalise = new(((BatchNormalization)node.Op).Epsilon);
            return to.Add(normalise, node.Name, inputs[0], inputs[1], inputs[2], to.Add(new ChannelRow(0), of), to.Add(new ChannelRow(1), of));
        }).Graph;
        return (form, [.. layers.Select(layer => statistics[layer])]);
    }

    private static Node Statistic(Node layer, int input, string what)
    {
        Node from = layer.Inputs[input];
        while (from.Op is Identity) from = from.Inputs[0];
        return from.Op is Parameter
            ? from
            : throw new GraphException($"the running {what} of {layer} is no parameter but {(from.Known is null ? "computed" : "a constant")}, so it cannot be estimated anew");
    }

    /// <summary>The mean of vectors.</summary>
    private sealed class Running
    {
        private double[] _sum = [];
        private int _count;

        public void Add(ReadOnlySpan<float> x, double factor)
        {
            if (_count++ == 0) _sum = new double[x.Length];
            for (int i = 0; i < x.Length; i++) _sum[i] += x[i] * factor;
        }

        public void CopyTo(Span<float> y)
        {
            for (int i = 0; i < y.Length; i++) y[i] = (float)(_sum[i] / _count);
        }
    }
}
