using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Training.Data;

namespace Amalgam.Alignment.Layers;

/// <summary>Finds which layers of two networks belong together.</summary>
public static class LayerAlignment
{
    /// <summary>Compares the layers of each group and takes the increasing map of the least cost.</summary>
    /// <param name="a">The first network.</param>
    /// <param name="b">The second.</param>
    /// <param name="options">What makes layers unlike, and which are pinned.</param>
    /// <param name="data">Samples that both networks take; needed by the measures that look at activations.</param>
    /// <param name="progress">Hears how many samples are done.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <exception cref="GraphException">The groups of the two do not correspond, the layers that belong together are not of one kind, or the data does not fit.</exception>
    public static LayerMapping Run(
        NetworkLayers a, NetworkLayers b, LayerOptions? options = null, Dataset? data = null, IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
        => throw new NotSupportedException($"{a} {b} {options} {data} {progress} {cancel}");

    /// <summary>A mapping that is given: for each group, the layer of the larger one for each of the smaller.</summary>
    /// <exception cref="GraphException">The groups do not correspond, a map is not increasing or leads out of its group, or the layers are not of one kind.</exception>
    public static LayerMapping Given(NetworkLayers a, NetworkLayers b, IReadOnlyList<int[]> maps) => throw new NotSupportedException($"{a} {b} {maps}");
}
