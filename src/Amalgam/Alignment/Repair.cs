using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Training.Data;

namespace Amalgam.Alignment;

/// <summary>How a merged layer was repaired.</summary>
/// <param name="Weight">Name of its weight.</param>
/// <param name="Scale">Mean over the channels of the factor that each was multiplied by: above 1 where merging made them vary less.</param>
/// <param name="HasBias">Whether its means were repaired too; a layer without a bias has its deviations repaired alone.</param>
public sealed record RepairedLayer(string Weight, double Scale, bool HasBias);

/// <summary>What <see cref="Repair"/> gave.</summary>
/// <param name="Network">The network: the one that was given, its weights overwritten, or where biases were asked for a new one that shares its other weights.</param>
/// <param name="Layers">The layers that were repaired, in the order of the network.</param>
public sealed record RepairResult(Graph Network, ImmutableArray<RepairedLayer> Layers);

/// <summary>
/// Gives the channels of a merged network the means and deviations that they have in its parents. Averaged units partly cancel, so that activations vary less from layer to layer;
/// batch normalisations take care of that once their statistics are estimated anew, networks without them need this (Jordan et al., REPAIR: REnormalizing Permuted Activations
/// for Interpolation Repair, ICLR 2023, section 4).
/// </summary>
/// <remarks>
/// For each layer before a non-linearity (a convolution or matrix product whose units may change places) the goal of a channel is the mean over its members in the parents of their
/// means and of their standard deviations. Weights and biases are scaled so that the channel has them: W' = W s, b' = (b - mean) s + goal mean, s = goal deviation / deviation.
/// </remarks>
public static class Repair
{
    /// <summary>A channel that hardly varies after merging is not blown up by more than this.</summary>
    private const double MostScale = 1000;

    /// <summary>Added to deviations, so that those of channels that never vary are equal to one another.</summary>
    private const double LeastDeviation = 1e-12;

    /// <summary>Repairs a merged network.</summary>
    /// <param name="merged">The merged network, its parameters named as the parents'; they are overwritten.</param>
    /// <param name="parents">The networks that it was merged from, as they were before.</param>
    /// <param name="maps">Which units became one.</param>
    /// <param name="data">Samples on which activations are measured.</param>
    /// <param name="batch">Samples at a time.</param>
    /// <param name="sequential">Layers are measured and repaired one after the other, each in a pass of its own: exact. Else all are measured in one pass in which
    /// each layer is normalised by the batch's own statistics, as the paper does: exact where there is one batch, else nearly.</param>
    /// <param name="addBiases">Layers without a bias get one, in a new network.</param>
    /// <param name="shares">How much each parent counts, 1 in all; null for as much as each other.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <exception cref="GraphException">The data does not fit the networks.</exception>
    public static RepairResult Run(
        Graph merged, Siblings parents, UnitMaps maps, Dataset data, int batch, bool sequential = false, bool addBiases = false, IReadOnlyList<double>? shares = null, CancellationToken cancel = default)
    {
        Dictionary<string, PreActivation> known = PreActivation.Of(parents.Groups.Graph).Where(layer => IsFree(parents.Groups, layer)).ToDictionary(layer => layer.Weight.Name!, StringComparer.Ordinal);
        if (addBiases) merged = AddBiases(merged, known.Keys);
        PreActivation[] layers = [.. PreActivation.Of(merged).Where(layer => known.ContainsKey(layer.Weight.Name!))];
        if (layers.Length == 0) return new(merged, []);

        Goal[] goals = Goals(parents, maps, [.. layers.Select(layer => known[layer.Weight.Name!])], data, batch, shares ?? [.. Enumerable.Repeat(1.0 / parents.Count, parents.Count)], cancel);
        double[] scales = new double[layers.Length];
        if (sequential)
        {
            for (int i = 0; i < layers.Length; i++) scales[i] = Fold(layers[i], goals[i], Measure(merged, [layers[i]], null, data, batch, cancel)[0]);
        }
        else
        {
            ChannelMoments[] found = Measure(merged, layers, goals, data, batch, cancel);
            for (int i = 0; i < layers.Length; i++) scales[i] = Fold(layers[i], goals[i], found[i]);
        }

        return new(merged, [.. layers.Select((layer, i) => new RepairedLayer(layer.Weight.Name!, scales[i], layer.Bias is not null))]);
    }

    private readonly record struct Goal(float[] Mean, float[] Deviation);

    private static bool IsFree(UnitGroups groups, PreActivation layer)
    {
        UnitDigit[] digits = [.. groups.LayoutOf(layer.Weight)[layer.Axis].Parts.SelectMany(part => part.Digits)];
        return digits.Any(digit => digit.Class is { Pinned: null }) && digits.All(digit => digit.Class is null || digit.Class.Chain.All(link => digits.Any(d => d.Class == link)));
    }

    /// <summary>A network whose layers of the weights named all have a bias, of zeros where they had none.</summary>
    private static Graph AddBiases(Graph network, IEnumerable<string> weights)
    {
        HashSet<string> named = [.. weights];
        Dictionary<Node, PreActivation> without = PreActivation.Of(network).Where(layer => layer.Bias is null && named.Contains(layer.Weight.Name!)).ToDictionary(layer => layer.Product);
        return Rewrite.Apply(network, (to, node, inputs) =>
        {
            if (!without.TryGetValue(node, out PreActivation? layer)) return null;
            string name = layer.Weight.Name!, stem = name.EndsWith(".weight", StringComparison.Ordinal) ? name[..^".weight".Length] : name;
            Node bias = to.Parameter(to.FreeName($"{stem}.bias"), new(new Shape(layer.Size)));
            return node.Op is Conv ? to.Add(node.Op, node.Name, inputs[0], inputs[1], bias) : to.Add(new Add(), node.Name, to.Add(node.Op, inputs), bias);
        }).Graph;
    }

    /// <summary>The mean over the parents of means and deviations, each parent's channels where they are in the merged network.</summary>
    private static Goal[] Goals(Siblings parents, UnitMaps maps, PreActivation[] layers, Dataset data, int batch, IReadOnlyList<double> shares, CancellationToken cancel)
    {
        Goal[] goals = [.. layers.Select(layer => new Goal(new float[layer.Size], new float[layer.Size]))];
        for (int model = 0; model < parents.Count; model++)
        {
            GraphCopy parent = parents.With(model);
            PreActivation[] own = [.. layers.Select(layer => layer with { Result = parent.Map[layer.Result] })];
            ChannelMoments[] moments = Measure(parent.Graph, own, null, data, batch, cancel);
            for (int i = 0; i < layers.Length; i++)
            {
                AxisMove move = new(maps, model, layers[i].Weight, parents.Groups.LayoutOf(layers[i].Weight), layers[i].Axis, Gathering.Merge, null);
                Add(move, layers[i], [.. moments[i].Means], shares[model], goals[i].Mean);
                Add(move, layers[i], [.. Enumerable.Range(0, layers[i].Size).Select(moments[i].Deviation)], shares[model], goals[i].Deviation);
            }
        }

        return goals;
    }

    private static void Add(AxisMove move, PreActivation layer, double[] values, double share, float[] to)
    {
        Tensor vector = new(new([.. Enumerable.Repeat(1L, layer.Axis), values.Length]), [.. values.Select(value => (float)(value * share))]);
        System.Numerics.Tensors.TensorPrimitives.Add(to, move.Apply(vector).Span, to);
    }

    /// <summary>Means and deviations of the results of layers; where goals are given, each layer is brought to its own in every batch before the next one reads it.</summary>
    private static ChannelMoments[] Measure(Graph network, PreActivation[] layers, Goal[]? goals, Dataset data, int batch, CancellationToken cancel)
    {
        Node[] statistics = new Node[layers.Length];
        Dictionary<Node, int> at = layers.Select((layer, i) => (layer.Result, i)).ToDictionary();
        Graph measured = Rewrite.Apply(network, (to, node, inputs) =>
        {
            if (!at.TryGetValue(node, out int i)) return null;
            Node result = Rewrite.Replay(to, node, inputs, node.Name);
            statistics[i] = to.Add(new BatchStatistics(), layers[i].ChannelsSecond(result));
            return goals is null ? result : Normalise(layers[i], result, statistics[i], goals[i]);
        }).Graph;
        ChannelMoments[] moments = [.. layers.Select(layer => new ChannelMoments(layer.Size))];
        foreach (ObservedBatch seen in new Observation([(measured, statistics)], data, batch).Run(cancel))
        {
            for (int i = 0; i < layers.Length; i++) moments[i].Add(seen.Values[0][i].Span, Channels.Of(seen.Nodes[0][i].Inputs[0].Shape).Share);
        }

        return moments;
    }

    private static Node Normalise(PreActivation layer, Node result, Node statistics, Goal goal)
    {
        Graph graph = result.Graph;
        Node deviation = graph.Add(new ChannelRow(1), statistics).Sqrt();
        Node scale = graph.Constant(Tensor.Vector([.. goal.Deviation.Select(d => (float)(d + LeastDeviation))]))
            / deviation.Max(graph.Constant(Tensor.Vector([.. goal.Deviation.Select(d => (float)(d / MostScale + LeastDeviation))])));
        Node scaled = result * layer.Spread(scale, result.Shape.Rank);
        if (layer.Bias is null) return scaled;
        Node shift = graph.Constant(Tensor.Vector(goal.Mean)) - graph.Add(new ChannelRow(0), statistics) * scale;
        return scaled + layer.Spread(shift, result.Shape.Rank);
    }

    /// <summary>Scales the weights of a layer, and shifts its bias.</summary>
    /// <returns>The mean factor.</returns>
    private static double Fold(PreActivation layer, Goal goal, ChannelMoments found)
    {
        double[] scale = [.. goal.Deviation.Select((d, c) => (d + LeastDeviation) / Math.Max(found.Deviation(c), d / MostScale + LeastDeviation))];
        Tensor weight = layer.Weight.Value!;
        int inner = 1;
        for (int axis = layer.Axis + 1; axis < weight.Shape.Rank; axis++) inner *= weight.Shape.Size(axis);
        Span<float> w = weight.Span;
        for (int i = 0; i < w.Length; i++) w[i] = (float)(w[i] * scale[i / inner % layer.Size]);
        if (layer.Bias is { } bias)
        {
            Span<float> b = bias.Value!.Span;
            for (int c = 0; c < b.Length; c++) b[c] = (float)((b[c] - found.Means[c]) * scale[c] + goal.Mean[c]);
        }

        return scale.Average();
    }
}
