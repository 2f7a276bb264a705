using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Training;

namespace Amalgam.Transfer;

/// <summary>What the divergence from the teachers is a mean over.</summary>
public enum DistillationMean
{
    /// <summary>The samples, as the formula has it.</summary>
    Samples,

    /// <summary>Samples and classes, which makes it as many times smaller as there are classes: what the public code of CLAFusion and of others does (PyTorch's KLDivLoss with its default reduction).</summary>
    Elements,
}

/// <summary>
/// A student learns from the softened predictions of trained teachers (G. Hinton, O. Vinyals and J. Dean, Distilling the Knowledge in a Neural Network, 2015): alpha T^2 KL(softmax(t / T) ||
/// softmax(s / T)) + (1 - alpha) CE(s, labels), where s are the student's logits and t the mean of the teachers'. The teachers run beside the student on the same samples, frozen and in their
/// inference form; the student stays the network that it is. In evaluation the loss is the cross-entropy alone, so that teachers are not run.
/// </summary>
public sealed record Distillation : Loss
{
    /// <param name="teachers">The trained networks, whose outputs are logits for the student's classes.</param>
    /// <param name="temperature">T, above 0.</param>
    /// <param name="alpha">Share of the teachers, from 0 to 1.</param>
    /// <param name="target">Name of the labels' input and field.</param>
    public Distillation(IEnumerable<FrozenNetwork> teachers, double temperature = 4, double alpha = 0.5, string target = "label") : base(target)
    {
        Teachers = [.. teachers];
        if (Teachers.IsEmpty) throw new ArgumentException("a student needs one teacher or more", nameof(teachers));
        Temperature = temperature is > 0 and < double.PositiveInfinity ? temperature : throw new ArgumentOutOfRangeException(nameof(temperature), temperature, "the temperature must be above 0");
        Alpha = alpha is >= 0 and <= 1 ? alpha : throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "alpha must be from 0 to 1");
    }

    /// <param name="teachers">The trained networks; the first output of each are logits for the student's classes.</param>
    /// <param name="temperature">T, above 0.</param>
    /// <param name="alpha">Share of the teachers, from 0 to 1.</param>
    /// <param name="target">Name of the labels' input and field.</param>
    public Distillation(IEnumerable<Graph> teachers, double temperature = 4, double alpha = 0.5, string target = "label")
        : this(teachers.Select(teacher => new FrozenNetwork(teacher)), temperature, alpha, target)
    {
    }

    /// <summary>The trained networks.</summary>
    public ImmutableArray<FrozenNetwork> Teachers { get; }

    /// <summary>What logits are divided by.</summary>
    public double Temperature { get; }

    /// <summary>Share of the teachers; the rest is that of the labels.</summary>
    public double Alpha { get; }

    /// <summary>What the divergence is a mean over.</summary>
    public DistillationMean Mean { get; init; } = DistillationMean.Samples;

    /// <summary>Share of the labels that is spread evenly over all classes, in [0, 1).</summary>
    public double LabelSmoothing { get; init; }

    public override Loss ForEvaluation() => new CrossEntropy(LabelSmoothing, Target);

    public override LossNodes Add(Node output)
    {
        if (output.Shape.Rank != 2) throw new GraphException($"a score for each sample and class is needed, [samples, classes], found {output} {output.Shape}");
        Node divergence = output.KlDivergence(Logits(output), (float)Temperature) * (float)(Mean == DistillationMean.Samples ? Alpha : Alpha / output.Shape[1]);
        LossNodes labels = ForEvaluation().Add(output);
        return labels with { Value = divergence + labels.Value * (float)(1 - Alpha) };
    }

    /// <summary>The mean of the teachers' logits for the samples that the student is given.</summary>
    private Node Logits(Node student)
    {
        Node? sum = null;
        for (int i = 0; i < Teachers.Length; i++)
        {
            Node logits = Teachers[i].Include(student.Graph, student.Shape.Size(0), $"teacher{i + 1}/");
            if (logits.Shape != student.Shape) throw new GraphException($"teacher {i + 1} says {logits.Shape} of samples of which the student says {student.Shape}: both need a score for each of the same classes");
            sum = sum is null ? logits : sum + logits;
        }

        return Teachers.Length == 1 ? sum! : sum! * (1f / Teachers.Length);
    }
}
