using System.Collections.Immutable;
using System.Numerics.Tensors;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Training.Data;

namespace Amalgam.Alignment;

/// <summary>A network on the straight line between two.</summary>
/// <param name="Lambda">Share of the second network's weights.</param>
/// <param name="Loss">Mean over the samples.</param>
/// <param name="Accuracy">Share of the samples that are right; null where there are no classes.</param>
/// <param name="Barrier">How far the loss lies above the straight line between the losses of the two networks.</param>
public sealed record InterpolationPoint(double Lambda, double Loss, double? Accuracy, double Barrier);

/// <summary>
/// Losses along the straight line between the weights of two networks: flat where their units were matched well
/// (Ainsworth, Hayase and Srinivasa, Git Re-Basin, ICLR 2023, definition 2.1).
/// </summary>
public static class Interpolation
{
    /// <summary>Points that are looked at by default.</summary>
    public const int DefaultPoints = 25;

    /// <summary>Evenly spread shares of the second network, 0 and 1 among them.</summary>
    public static ImmutableArray<double> Lambdas(int points = DefaultPoints)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(points, 2);
        return [.. Enumerable.Range(0, points).Select(i => (double)i / (points - 1))];
    }

    /// <summary>Evaluates the networks (1 - lambda) A + lambda B.</summary>
    /// <param name="models">A and B, their units already moved to match.</param>
    /// <param name="loss">What the loss is.</param>
    /// <param name="data">Samples to evaluate on.</param>
    /// <param name="lambdas">Shares of B; null for <see cref="DefaultPoints"/> from 0 to 1.</param>
    /// <param name="reset">Samples on which the statistics of batch normalisations are estimated anew at every point, the ends among them; null for leaving them interpolated.</param>
    /// <param name="batch">Samples at a time.</param>
    /// <param name="output">Name of the network's output; null for the first.</param>
    /// <param name="progress">Hears how many points are done.</param>
    /// <param name="cancel">Stops between operations.</param>
    /// <returns>A point for each lambda, in their order.</returns>
    /// <exception cref="GraphException">There are not two networks, or the data does not fit them.</exception>
    public static ImmutableArray<InterpolationPoint> Run(Siblings models, Loss loss, Dataset data, IReadOnlyList<double>? lambdas = null, Dataset? reset = null, int batch = 500,
        string? output = null, IProgress<int>? progress = null, CancellationToken cancel = default)
    {
        if (models.Count != 2) throw new GraphException($"a line goes through two networks, found {models.Count}");
        lambdas ??= Lambdas();
        Dictionary<string, Tensor> weights = models.Weights[0].ToDictionary(w => w.Key, w => w.Value.Copy(), StringComparer.Ordinal);
        Graph network = models.With(weights).Graph;
        Evaluation evaluation = new(network, loss, data, batch, output);
        Dictionary<double, Score> scores = [];
        foreach (double lambda in lambdas.Append(0).Append(1))
        {
            if (scores.ContainsKey(lambda)) continue;
            foreach (var (name, tensor) in weights) Mix(models.Weights[0][name].Span, models.Weights[1][name].Span, lambda, tensor.Span);
            if (reset is not null) BatchNormReset.Run(network, reset, batch, cancel);
            scores[lambda] = evaluation.Run(cancel);
            progress?.Report(scores.Count);
        }

        double a = scores[0].Loss, b = scores[1].Loss;
        return [.. lambdas.Select(lambda => new InterpolationPoint(lambda, scores[lambda].Loss, scores[lambda].Accuracy, scores[lambda].Loss - ((1 - lambda) * a + lambda * b)))];
    }

    /// <summary>The barrier between the two networks: the greatest of the points'.</summary>
    public static double Barrier(IEnumerable<InterpolationPoint> points) => points.Max(point => point.Barrier);

    /// <summary>The ends have the very bits of the networks.</summary>
    private static void Mix(ReadOnlySpan<float> a, ReadOnlySpan<float> b, double lambda, Span<float> y)
    {
        if (lambda is 0 or 1) (lambda == 0 ? a : b).CopyTo(y);
        else TensorPrimitives.Lerp(a, b, (float)lambda, y);
    }
}
