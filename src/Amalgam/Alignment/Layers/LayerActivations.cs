using Amalgam.Graphs;
using Amalgam.Training.Data;

namespace Amalgam.Alignment.Layers;

/// <summary>
/// What linear CKA needs of all layers of a network: the inner products of the samples by each layer's pre-activations. As all samples meet in them, the pre-activations of some layers at a time
/// are kept for all samples; where those of all layers are too many, the data is run in several passes, each only as deep as its layers lie.
/// </summary>
internal sealed class LayerActivations
{
    /// <summary>Floats that are kept in a pass, 512 MB, and floats that the products of all layers may take, 1 GB.</summary>
    private const long MostKept = 1 << 27, MostProducts = 1 << 28;

    /// <summary>Some features of a layer, and where in the memory their values for all samples are.</summary>
    private readonly record struct Part(int Layer, int First, int Count, int At);

    private readonly LayerValues _values;
    private readonly Dataset _data;
    private readonly int _batch;
    private readonly long _mostKept;

    private LayerActivations(LayerValues values, Dataset data, int batch, long mostKept) => (_values, _data, _batch, _mostKept) = (values, data, batch, mostKept);

    /// <summary>Runs a network over the data.</summary>
    /// <param name="network">The layers.</param>
    /// <param name="data">The samples, all of which are looked at.</param>
    /// <param name="batch">Samples at a time.</param>
    /// <param name="progress">Hears how many samples of all passes are done, and how many there are.</param>
    /// <param name="mostKept">Floats that are kept at a time; null for 512 MB.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <exception cref="GraphException">The network does not take the data, there are too many samples, or a pre-activation is not finite.</exception>
    public static SampleProducts[] Collect(NetworkLayers network, Dataset data, int batch, Action<long, long>? progress = null, long? mostKept = null, CancellationToken cancel = default)
    {
        LayerValues values = new(network, data, unitsFirst: false);
        long products = values.Features.Sum(features => (long)data.Count * Math.Min(features, data.Count));
        if (products > MostProducts)
            throw new GraphException($"the inner products of {data.Count} samples in {values.Nodes.Length} layers take {products >> 18} MB, more than {MostProducts >> 18}; compare the layers by fewer samples");
        return new LayerActivations(values, data, batch, mostKept ?? MostKept).Collect(progress, cancel);
    }

    private SampleProducts[] Collect(Action<long, long>? progress, CancellationToken cancel)
    {
        List<List<Part>> passes = Passes();
        float[] room = GC.AllocateUninitializedArray<float>(passes.Max(parts => parts[^1].At + (parts[^1].Count * _data.Count)));
        SampleProducts[] products = [.. _values.Features.Select(features => new SampleProducts(_data.Count, features))];
        for (int pass = 0; pass < passes.Count; pass++)
        {
            long before = (long)pass * _data.Count;
            Run(passes[pass], room, done => progress?.Invoke(before + done, (long)passes.Count * _data.Count), cancel);
            foreach (Part part in passes[pass])
            {
                cancel.ThrowIfCancellationRequested();
                products[part.Layer].Add(room.AsSpan(part.At, part.Count * _data.Count), part.First, part.Count);
                if (!products[part.Layer].IsFinite) throw new GraphException($"the pre-activations of '{_values.Layers.Layers[part.Layer].Name}' are not all finite; the network or its input is damaged");
            }
        }

        return products;
    }

    /// <summary>Which parts of which layers are looked at together: as many as may be kept, in order. What is left over is the first pass, which then is the least deep.</summary>
    private List<List<Part>> Passes()
    {
        List<List<Part>> passes = [[]];
        int most = (int)Math.Max(1, _mostKept / _data.Count), kept = 1 + (int)((_values.Features.Sum(features => (long)features) - 1) % most), free = kept;
        for (int layer = 0; layer < _values.Nodes.Length; layer++)
        {
            for (int first = 0; first < _values.Features[layer];)
            {
                if (free == 0) (kept, free, passes) = (most, most, [.. passes, []]);
                int count = Math.Min(free, _values.Features[layer] - first);
                passes[^1].Add(new(layer, first, count, (kept - free) * _data.Count));
                (first, free) = (first + count, free - count);
            }
        }

        return passes;
    }

    private void Run(List<Part> parts, float[] room, Action<long> progress, CancellationToken cancel)
    {
        int[] layers = [.. parts.Select(part => part.Layer).Distinct()];
        Observation observation = new([_values.Of(layers)], _data, _batch);
        foreach (ObservedBatch batch in observation.Run(cancel))
        {
            foreach (Part part in parts)
            {
                ReadOnlySpan<float> all = batch.Values[0][Array.IndexOf(layers, part.Layer)].Span;
                int features = all.Length / batch.Count;
                for (int sample = 0; sample < batch.Count; sample++)
                    all.Slice(sample * features + part.First, part.Count).CopyTo(room.AsSpan(part.At + ((batch.First + sample) * part.Count), part.Count));
            }

            progress(batch.First + batch.Count);
        }
    }
}
