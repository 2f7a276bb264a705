using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Alignment;

/// <summary>Values that some networks have for the same samples.</summary>
/// <param name="First">Index of the first sample.</param>
/// <param name="Count">Number of samples.</param>
/// <param name="Nodes">What is looked at, in each network's instance for that number of samples.</param>
/// <param name="Values">Its values, which the next batch overwrites.</param>
internal readonly record struct ObservedBatch(int First, int Count, Node[][] Nodes, Tensor[][] Values);

/// <summary>Runs networks over the samples of a data set, each batch through all of them, and shows chosen values of each.</summary>
internal sealed class Observation
{
    /// <summary>The values that are looked at take no more than this many floats, 256 MB: a batch is smaller where they would.</summary>
    private const long MostFloats = 1 << 26;

    private readonly (Graph Network, Node[] Observed)[] _networks;
    private readonly Dataset _data;
    private readonly bool _resizes;

    /// <param name="networks">Networks of one architecture, each with the nodes to look at.</param>
    /// <param name="data">The samples.</param>
    /// <param name="batch">Samples at a time, at most; networks that cannot be made for that number run with their own.</param>
    /// <exception cref="GraphException">The networks do not take the data, or take more samples at a time than there are.</exception>
    public Observation(IReadOnlyList<(Graph Network, Node[] Observed)> networks, Dataset data, int batch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        if (data.Count == 0) throw new GraphException($"{data.Name} has no samples");
        (_networks, _data) = ([.. networks], data);
        (Batch, _resizes) = Choose(_networks[0].Network, data, Math.Min(batch, data.Count));
        if (!_resizes) return;
        long floats = _networks.Length * Resize(_networks[0], Batch).Observed.Sum(node => node.Shape.Count);
        if (floats > MostFloats) Batch = (int)Math.Max(1, Batch * MostFloats / floats);
    }

    /// <summary>Samples of a batch; the last one may have fewer.</summary>
    public int Batch { get; }

    /// <summary>Number of samples that are shown: all, but for those that do not fill a batch of networks that take a fixed number.</summary>
    public int Samples => _resizes ? _data.Count : _data.Count / Batch * Batch;

    /// <summary>The batches, in the order of the data.</summary>
    public IEnumerable<ObservedBatch> Run(CancellationToken cancel = default)
    {
        Batches batches = new(_data, Batch, shuffle: false);
        Instance[] instances = [];
        for (int first = 0, step = 0; first < Samples; first += Batch, step++)
        {
            int count = batches.CountOf(step);
            if (step == 0 || count < Batch) instances = [.. _networks.Select(network => new Instance(Resize(network, count), _data, count))];
            batches.Fill(step, instances[0].Inputs);
            foreach (Instance instance in instances)
            {
                instance.TakeInputs(instances[0]);
                instance.Executor.Run(cancel);
            }

            yield return new(first, count, [.. instances.Select(instance => instance.Observed)], [.. instances.Select(instance => instance.Values)]);
        }
    }

    private (Graph Network, Node[] Observed) Resize((Graph Network, Node[] Observed) network, int samples)
    {
        GraphCopy copy = DataInputs.Resize(network.Network, _data, samples);
        return (copy.Graph, [.. network.Observed.Select(node => copy.Map[node])]);
    }

    private static (int Batch, bool Resizes) Choose(Graph network, Dataset data, int batch)
    {
        try
        {
            DataInputs.Resize(network, data, batch);
            return (batch, true);
        }
        catch (GraphException) when (network.Inputs.Values.FirstOrDefault(node => node.Shape.Rank > 0) is { } input)
        {
            int own = input.Shape.Size(0);
            DataInputs.Resize(network, data, own);
            if (own > data.Count) throw new GraphException($"the network takes {own} samples at a time and cannot be made for fewer, {data.Name} has {data.Count}");
            return (own, false);
        }
    }

    private sealed class Instance
    {
        public Instance((Graph Graph, Node[] Observed) network, Dataset data, int samples)
        {
            Observed = network.Observed;
            Executor = new(network.Graph, Observed, new(Frozen: true));
            Inputs = DataInputs.Bind(data, network.Graph, samples, null, Executor);
            Values = [.. Observed.Select(node => Executor[node])];
        }

        public Executor Executor { get; }

        public Node[] Observed { get; }

        public Tensor?[] Inputs { get; }

        public Tensor[] Values { get; }

        public void TakeInputs(Instance other)
        {
            if (other == this) return;
            for (int i = 0; i < Inputs.Length; i++) other.Inputs[i]?.Span.CopyTo(Inputs[i]!.Span);
        }
    }
}
