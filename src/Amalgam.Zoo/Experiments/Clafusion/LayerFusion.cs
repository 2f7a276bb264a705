using System.Collections.Immutable;
using System.Diagnostics;
using Amalgam.Alignment;
using Amalgam.Alignment.Fusion;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>A network that was fused, and what it took.</summary>
/// <param name="Network">The network.</param>
/// <param name="Seconds">Time of mapping, balancing and transport.</param>
internal sealed record Fused(Graph Network, double Seconds);

/// <summary>CLAFusion's three steps with the settings of its experiments: which layers belong together, balancing, transport of units and the average.</summary>
/// <param name="setting">The data.</param>
/// <param name="samples">Training samples whose activations are compared.</param>
/// <param name="cancel">Stops between operations.</param>
internal sealed class LayerFusion(ImageSetting setting, int samples, CancellationToken cancel)
{
    /// <summary>Activations before the non-linearity, Euclidean distances, uniform masses, exact transport; residual streams as the public code treats them.</summary>
    public FusionOptions Transport => new() { Samples = samples, Residual = ResidualMaps.Upstream, Incoming = IncomingScale.Column };

    /// <summary>Layers by one minus CKA, the first and the last of each group pinned.</summary>
    public LayerOptions Layers => new() { Samples = samples };

    /// <summary>Which layers belong together.</summary>
    public LayerMapping Map(Graph a, Graph b, LayerOptions? how = null) => LayerAlignment.Run(NetworkLayers.Of(a), NetworkLayers.Of(b), how ?? Layers, setting.Calibration, cancel: cancel);

    /// <summary>A mapping that is given, group by group.</summary>
    public static LayerMapping Given(Graph a, Graph b, IReadOnlyList<int[]> maps) => LayerAlignment.Given(NetworkLayers.Of(a), NetworkLayers.Of(b), maps);

    /// <summary>Gives both networks the same layers.</summary>
    /// <param name="mapping">Which layers belong together.</param>
    /// <param name="gate">How layers are merged; null to add identity layers.</param>
    public BalancedNetworks Balance(LayerMapping mapping, Gate? gate = null) =>
        gate is { } how ? LayerBalancing.Merge(mapping, how, setting.Calibration, samples, cancel) : LayerBalancing.Add(mapping, cancel);

    /// <summary>Both networks with the same layers and widths: the second one, and the first with its units transported onto it.</summary>
    public Siblings Bring(BalancedNetworks pair, FusionOptions? how = null) =>
        TransportFusion.Match(Homologues.Of(pair.A, pair.B, cancel: cancel), how ?? Transport, setting.Calibration, cancel: cancel).Siblings();

    /// <summary>The weighted mean of networks of one architecture.</summary>
    /// <param name="networks">The networks.</param>
    /// <param name="weights">A weight for each; null for equal ones.</param>
    public static Graph Mean(Siblings networks, IReadOnlyList<double>? weights = null)
    {
        Dictionary<string, Tensor> mean = new(StringComparer.Ordinal);
        foreach (var (name, first) in networks.Weights[0])
        {
            double[] sums = new double[first.Count];
            for (int k = 0; k < networks.Count; k++)
            {
                ReadOnlySpan<float> values = networks.Weights[k][name].Span;
                double weight = weights?[k] ?? 1.0 / networks.Count;
                for (int i = 0; i < sums.Length; i++) sums[i] += weight * values[i];
            }

            Tensor sum = new(first.Shape);
            for (int i = 0; i < sums.Length; i++) sum.Span[i] = (float)sums[i];
            mean.Add(name, sum);
        }

        return networks.With(mean).Graph;
    }

    /// <summary>All three steps: the average of the second network and the first one brought to it.</summary>
    public Fused Run(Graph a, Graph b, Func<LayerMapping>? mapping = null, Gate? gate = null, FusionOptions? how = null)
    {
        long start = Stopwatch.GetTimestamp();
        Graph network = Mean(Bring(Balance(mapping?.Invoke() ?? Map(a, b), gate), how));
        return new(network, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    /// <summary>Several networks of one kind brought to the deepest, the first of them, and averaged (section 3.3).</summary>
    public Fused Run(ImmutableArray<Graph> networks)
    {
        long start = Stopwatch.GetTimestamp();
        Siblings[] pairs = [.. networks.Skip(1).Select(other => Bring(Balance(Map(other, networks[0]))))];
        Siblings all = new(pairs[0].Groups, pairs.Select(pair => pair.Weights[1]).Prepend(pairs[0].Weights[0]));
        return new(Mean(all), Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    /// <summary>A mapping for people, from 1: <c>[1, 2, 5]</c>, groups with a bar between.</summary>
    public static string Text(LayerMapping mapping) => string.Join(" | ", mapping.Groups.Select(group => $"[{string.Join(", ", group.Map.Select(layer => layer + 1))}]"));
}
