using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Graphs.Ops;

/// <summary>
/// Cross-entropy between targets and the softmax of logits [...,C], the mean over samples. Targets are labels [...] (class numbers) or distributions [...,C]; they
/// take no gradient.
/// </summary>
/// <param name="LabelSmoothing">Share of the target that is spread evenly over all classes (C. Szegedy et al., Rethinking the Inception Architecture, 2016).</param>
/// <param name="IgnoreIndex">Samples with this label do not count.</param>
public sealed record SoftmaxCrossEntropy(float LabelSmoothing = 0, int IgnoreIndex = -100) : Loss
{
    public override void Link(Node y, AxisLinks links)
    {
        base.Link(y, links);
        Node logits = y.Inputs[0];
        if (y.Inputs[1].Shape.Rank < logits.Shape.Rank) links.Fix(AxisLinks.Of(logits, ^1), "labels are positions along it");
    }

    private protected override void Check(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        Shape logits = x[0].Shape, targets = x[1].Shape;
        if (logits.Rank == 0 || logits[^1] == 0) throw new GraphException($"logits must have an axis of classes, found {logits}");
        if (targets != logits && targets != new Shape(logits.Sizes[..^1])) throw new GraphException($"targets must be labels {new Shape(logits.Sizes[..^1])} or distributions {logits}, found {targets}");
    }

    internal override int PartOf(Tensor x) => x.Shape.Size(^1);

    internal override double Samples(Tensor x, Tensor t)
    {
        if (t.Shape.Rank == x.Shape.Rank) return x.Count / PartOf(x);
        int count = 0, classes = PartOf(x);
        for (int i = 0; i < t.Count; i++)
        {
            float label = t.Span[i];
            if (label == IgnoreIndex) continue;
            if (!(label >= 0 && label < classes && label == (int)label)) throw new GraphException($"label {label} of sample {i} is not one of the {classes} classes");
            count++;
        }

        return count;
    }

    private protected override double Part(Tensor x, Tensor t, Tensor? w, int from, int count)
    {
        ReadOnlySpan<float> row = x.Span.Slice(from, count);
        if (LabelOf(x, t, from, count) is var label && label == IgnoreIndex && t.Shape.Rank < x.Shape.Rank) return 0;
        double logSum = LogSumExp(row, out _), mean = LabelSmoothing == 0 ? 0 : Moments.Mean(row);
        if (t.Shape.Rank < x.Shape.Rank) return logSum - (1 - LabelSmoothing) * row[label] - LabelSmoothing * mean;
        ReadOnlySpan<float> target = t.Span.Slice(from, count);
        double total = 0, product = 0;
        for (int i = 0; i < count; i++)
        {
            total += target[i];
            product += target[i] == 0 ? 0 : (double)target[i] * row[i];
        }

        return ((1 - LabelSmoothing) * total + LabelSmoothing) * logSum - (1 - LabelSmoothing) * product - LabelSmoothing * mean;
    }

    internal override void PartGradient(Tensor x, Tensor t, Tensor? w, int from, float scale, Span<float> dx)
    {
        int label = LabelOf(x, t, from, dx.Length);
        bool isLabel = t.Shape.Rank < x.Shape.Rank;
        if (isLabel && label == IgnoreIndex)
        {
            dx.Clear();
            return;
        }

        ReadOnlySpan<float> row = x.Span.Slice(from, dx.Length), target = isLabel ? [] : t.Span.Slice(from, dx.Length);
        LogSumExp(row, out float greatest);
        Special.Exp(row, greatest, dx);
        float total = isLabel ? 1 : (1 - LabelSmoothing) * TensorPrimitives.Sum(target) + LabelSmoothing;
        TensorPrimitives.Multiply(dx, total / TensorPrimitives.Sum(dx), dx);
        if (LabelSmoothing != 0) TensorPrimitives.Subtract(dx, LabelSmoothing / dx.Length, dx);
        if (isLabel) dx[label] -= 1 - LabelSmoothing;
        else TensorPrimitives.MultiplyAdd(target, LabelSmoothing - 1, dx, dx);
        TensorPrimitives.Multiply(dx, scale, dx);
    }

    /// <summary>The logarithm of the sum of exp(x).</summary>
    internal static double LogSumExp(ReadOnlySpan<float> x, out float greatest)
    {
        greatest = TensorPrimitives.Max(x);
        Span<float> buffer = stackalloc float[1024];
        double sum = 0;
        for (; !x.IsEmpty; x = x[Math.Min(x.Length, buffer.Length)..])
        {
            Span<float> part = buffer[..Math.Min(x.Length, buffer.Length)];
            Special.Exp(x[..part.Length], greatest, part);
            sum += TensorPrimitives.Sum(part);
        }

        return greatest + Math.Log(sum);
    }

    private static int LabelOf(Tensor x, Tensor t, int from, int classes) => t.Shape.Rank == x.Shape.Rank ? -1 : (int)t.Span[from / classes];
}
