using System.Collections.Immutable;
using System.Numerics.Tensors;
using Amalgam.Graphs;
using Amalgam.Numerics;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Alignment;

/// <summary>How permutations are learned. The defaults are Git Re-Basin's.</summary>
/// <param name="Epochs">Passes over the data.</param>
/// <param name="Batch">Samples of a step.</param>
/// <param name="Rate">The learning rate.</param>
/// <param name="Momentum">Share of the step before that is kept.</param>
/// <param name="Seed">Draws the order of samples and of groups.</param>
public sealed record StraightThroughOptions(int Epochs = 250, int Batch = 1000, double Rate = 1e-2, double Momentum = 0.9, long Seed = 0);

/// <summary>What was learned.</summary>
/// <param name="Maps">The permutations whose midpoint had the lowest loss; the first network's units stay in their places.</param>
/// <param name="Losses">Loss of the midpoint on the batch of every step.</param>
/// <param name="Best">The step whose maps these are.</param>
public sealed record StraightThroughMatch(UnitMaps Maps, ImmutableArray<double> Losses, int Best);

/// <summary>
/// Git Re-Basin's straight-through estimator (Ainsworth, Hayase and Srinivasa, ICLR 2023, algorithm 2): permutations are learned by the loss half way between the networks. A shadow network
/// that starts as the first one is trained; at each step the second network is permuted to lie near it, and the gradient at the midpoint passes to the shadow as if it were the permuted network.
/// </summary>
public static class StraightThroughMatching
{
    /// <summary>Learns permutations of the second of two networks.</summary>
    /// <param name="models">Two networks.</param>
    /// <param name="data">Training samples.</param>
    /// <param name="loss">What the networks were trained by.</param>
    /// <param name="options">How it is learned.</param>
    /// <param name="progress">Is told of each step.</param>
    /// <param name="cancel">Looked at between operations and groups.</param>
    /// <exception cref="GraphException">There are not two networks, the data does not fit, or an operation has no gradient.</exception>
    /// <exception cref="TrainingException">The loss is not a finite number any more.</exception>
    public static StraightThroughMatch Run(Siblings models, Dataset data, Loss loss, StraightThroughOptions options, IProgress<AlignmentProgress>? progress = null, CancellationToken cancel = default)
    {
        if (models.Count != 2) throw new GraphException($"permutations are learned for two networks, found {models.Count}; match each of the others to the first");
        AlignmentOptions matching = new() { Space = MatchingSpace.Weights, WeightMeasure = SimilarityMeasure.InnerProduct, Seed = options.Seed };
        UnitAlignment.Check(models, matching);
        Dictionary<string, Tensor> midpoint = Copy(models.Weights[0]);
        Graph shadow = Surgery.Copy(models.With(0).Graph);
        Siblings pair = WeightMatching.Pair(models.Groups, Siblings.WeightsOf(shadow), models.Weights[1]);
        Midpoints steps = new(models.With(midpoint).Graph, shadow, data, loss, options);

        UnitMaps maps = UnitMaps.Identity(models.Groups, 2), best = maps;
        List<double> losses = [];
        int bestStep = 0;
        for (int step = 0; step < steps.Count; step++)
        {
            maps = WeightMatching.Match(pair, matching, maps, null, cancel).Maps;
            Blend(models.Weights[0], Rearrangement.Apply(maps.Of(1), 0, models.Weights[1]), midpoint);
            losses.Add(steps.Run(step, cancel));
            if (!double.IsFinite(losses[step]) || !CanBeMatched(pair)) throw new TrainingException($"the loss between the networks is {losses[step]} at step {step + 1}, and the next one is lost; lower the learning rate, which is {options.Rate}");
            if (step == 0 || losses[step] < losses[bestStep]) (best, bestStep) = (maps, step);
            progress?.Report(new("straight-through", step + 1, steps.Count));
        }

        return new(best, [.. losses], bestStep);
    }

    /// <summary>Whether inner products of the networks' weights are numbers, by the bound of their lengths.</summary>
    private static bool CanBeMatched(Siblings pair) => Math.Sqrt(pair.Weights.Aggregate(1.0, (product, weights) => product * weights.Values.Sum(w => Sums.SumOfSquares(w.Span)))) < float.MaxValue;

    private static Dictionary<string, Tensor> Copy(IReadOnlyDictionary<string, Tensor> weights) => weights.ToDictionary(w => w.Key, w => w.Value.Copy(), StringComparer.Ordinal);

    private static void Blend(IReadOnlyDictionary<string, Tensor> a, IReadOnlyDictionary<string, Tensor> b, Dictionary<string, Tensor> midpoint)
    {
        foreach (var (name, to) in midpoint) TensorPrimitives.Lerp(a[name].Span, b[name].Span, 0.5f, to.Span);
    }

    /// <summary>Losses at the midpoint, and the steps of the shadow that they call for.</summary>
    private sealed class Midpoints
    {
        private readonly Batches _batches;
        private readonly TrainingInstance _full;
        private readonly Optimizer _optimizer;
        private readonly Tensor[] _gradients;
        private readonly double _rate;

        public Midpoints(Graph midpoint, Graph shadow, Dataset data, Loss loss, StraightThroughOptions options)
        {
            _batches = new(data, options.Batch, options.Seed, dropLast: true);
            _full = new(midpoint, loss, data, _batches.Size, new() { Seed = options.Seed });
            _optimizer = new(new Sgd(options.Momentum), _full.Parameters.Select(node => shadow.Parameters[node.Name!]));
            _gradients = [.. _full.Gradients.Select(gradient => new Tensor(gradient.Shape))];
            (_rate, Count) = (options.Rate, checked(options.Epochs * _batches.PerEpoch));
        }

        /// <summary>Steps of all epochs; samples that do not fill a batch are left out.</summary>
        public int Count { get; }

        public double Run(int step, CancellationToken cancel)
        {
            _batches.Fill(step, _full.Inputs);
            _full.Run(step, step / _batches.PerEpoch + 1, cancel);
            // The midpoint is half the permuted network, so half the gradient is its own.
            for (int i = 0; i < _gradients.Length; i++) TensorPrimitives.Multiply(_full.Gradients[i].Span, 0.5f, _gradients[i].Span);
            _optimizer.Step(_gradients, _rate);
            return _full.Loss.Span[0];
        }
    }
}
