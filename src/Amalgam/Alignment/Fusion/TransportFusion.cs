using Amalgam.Graphs;
using Amalgam.Training.Data;

namespace Amalgam.Alignment.Fusion;

/// <summary>
/// Transports the units of one network onto those of another of the same structure and perhaps other widths, layer by layer (Singh and Jaggi, Model fusion via optimal transport, NeurIPS 2020,
/// algorithm 1; the step of CLAFusion after its layers are balanced: Nguyen et al., On cross-layer alignment for model fusion of heterogeneous neural networks, 2023, algorithm 2). Units whose
/// order is fixed, such as those of inputs and outputs, stay. Average the result with the second network, or merge both by any method.
/// </summary>
public static class TransportFusion
{
    /// <summary>Finds the maps.</summary>
    /// <param name="pair">The networks: the first one's units go to the second one's.</param>
    /// <param name="options">How.</param>
    /// <param name="data">Samples whose activations are compared; not needed where weights are.</param>
    /// <param name="progress">Is told of samples and of layers.</param>
    /// <param name="cancel">Looked at between batches and between layers.</param>
    /// <exception cref="GraphException">Data is needed and missing or does not fit, a weight is no finite number, or units cannot be compared.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public static TransportMaps Match(Homologues pair, FusionOptions options, Dataset? data = null, IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
    {
        Check(options);
        UnitStreams streams = new(pair.A, options.Residual);
        TransportMaps maps = new(pair, streams);
        Dictionary<UnitProducer, double[]> seen = [];
        if (options.Space == MatchingSpace.Activations)
        {
            if (data is null) throw new GraphException("to compare what units compute, samples are needed of what the networks were trained on; name some, or compare weights");
            seen = ActivationCosts.Collect(pair, streams.All.SelectMany(stream => stream.Producers), data, options, progress, cancel);
        }

        LayerTransport layers = new(maps, streams, options, seen);
        // What layers are compared by may need the maps of what they read, and of blocks that their units lie in.
        List<UnitStream> waiting = [.. streams.All.Where(stream => stream.Units.Outer is not { Pinned: null }).OrderBy(stream => stream.Producers[0].Value.Id)];
        for (int all = waiting.Count; waiting.Count > 0;)
        {
            cancel.ThrowIfCancellationRequested();
            UnitStream? next = waiting.Find(layers.CanSolve);
            layers.IsLenient = next is null;
            next ??= waiting.Find(layers.CanSolve) ?? throw new GraphException($"units {waiting[0].Units} are not to be seen by themselves anywhere, so there is nothing to compare them by; {(options.Space == MatchingSpace.Weights ? "compare what units compute" : "compare weights")} instead, or pin them");
            layers.Solve(next, cancel);
            waiting.Remove(next);
            progress?.Report(new("transport", all - waiting.Count, all));
        }

        return maps;
    }

    private static void Check(FusionOptions options)
    {
        if (options.Space is not (MatchingSpace.Activations or MatchingSpace.Weights)) throw new GraphException("units are transported by what they compute or by their weights, one of the two");
        if (options.Sinkhorn is { } strength && !(strength > 0 && double.IsFinite(strength))) throw new ArgumentOutOfRangeException(nameof(options), strength, "the strength of the entropy must be a positive number");
        if (options.Samples is < 1) throw new ArgumentOutOfRangeException(nameof(options), options.Samples, "activations are compared on one sample or more");
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Batch, 1, nameof(options));
    }
}
