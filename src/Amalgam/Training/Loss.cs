using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Training;

/// <summary>What training minimises: a record that adds its nodes to a network. The truth comes in by an input, named as the data's field that fills it.</summary>
/// <param name="Target">Name of the input and of the field.</param>
public abstract record Loss(string Target)
{
    /// <summary>Adds the loss to a network.</summary>
    /// <param name="output">The network's result, samples on its first axis.</param>
    /// <exception cref="GraphException">The result is of a shape that the loss does not take.</exception>
    public abstract LossNodes Add(Node output);

    /// <summary>What a network is judged by while it is trained with this loss: itself, unless it asks for more than the truth.</summary>
    public virtual Loss ForEvaluation() => this;

    /// <summary>The loss as one run uses it: itself, unless it trains parameters of its own, which begin here.</summary>
    /// <param name="output">The network's result, in its inference form.</param>
    /// <param name="seed">The run's seed.</param>
    /// <exception cref="GraphException">The network is not one that the loss is for.</exception>
    public virtual Loss Begin(Node output, long seed) => this;

    /// <summary>What is trained beside the network's parameters and is no part of the network, by name; nothing before <see cref="Begin"/>.</summary>
    public virtual IReadOnlyDictionary<string, Tensor> Own => ImmutableDictionary<string, Tensor>.Empty;

    /// <summary>Declares the input of the truth.</summary>
    private protected Node Truth(Node output, Shape shape, DType type) => output.Graph.Input(Target, shape, type);

    /// <summary>Declares the input of the samples' classes.</summary>
    private protected Node Classes(Node scores)
    {
        if (scores.Shape.Rank != 2) throw new GraphException($"a score for each sample and class is needed, [samples, classes], found {scores} {scores.Shape}");
        return Truth(scores, new(scores.Shape[0]), DType.I64);
    }
}

/// <summary>What a <see cref="Loss"/> added to a network.</summary>
/// <param name="Value">The loss, one number: the mean over the samples.</param>
/// <param name="Truth">The input of the truth; null where the loss asks for none.</param>
/// <param name="Scores">A score for each sample and class, <c>[samples, classes]</c>, whose largest is the prediction; null where the truth is no class.</param>
public sealed record LossNodes(Node Value, Node? Truth, Node? Scores = null);

/// <summary>Cross-entropy between the samples' classes and the softmax of the result <c>[samples, classes]</c>.</summary>
/// <param name="LabelSmoothing">Share of the truth that is spread evenly over all classes, in [0, 1).</param>
/// <param name="Target">Name of the input and of the field.</param>
public sealed record CrossEntropy(double LabelSmoothing = 0, string Target = "label") : Loss(Target)
{
    public override LossNodes Add(Node output)
    {
        Node truth = Classes(output);
        return new(output.SoftmaxCrossEntropy(truth, (float)LabelSmoothing), truth, output);
    }
}

/// <summary>Binary cross-entropy with the logistic function of the result; the truth has the shape of the result, with numbers from 0 to 1.</summary>
/// <param name="Target">Name of the input and of the field.</param>
public sealed record BinaryCrossEntropy(string Target = "target") : Loss(Target)
{
    public override LossNodes Add(Node output)
    {
        Node truth = Truth(output, output.Shape, DType.F32);
        return new(output.BinaryCrossEntropyWithLogits(truth), truth);
    }
}

/// <summary>The mean of the squared differences from the truth, which has the shape of the result.</summary>
/// <param name="Target">Name of the input and of the field.</param>
public sealed record SquaredError(string Target = "target") : Loss(Target)
{
    public override LossNodes Add(Node output)
    {
        Node truth = Truth(output, output.Shape, DType.F32);
        return new(output.MeanSquaredError(truth), truth);
    }
}

/// <summary>
/// The mean Shannon entropy, in nats, of the softmax of the result <c>[samples, classes]</c>: small where a network is sure. It asks for no truth, so that coefficients of a
/// merge can be learned on unlabelled samples (Yang et al., AdaMerging: adaptive model merging for multi-task learning, ICLR 2024, eq. 7).
/// </summary>
public sealed record PredictionEntropy() : Loss("")
{
    public override LossNodes Add(Node output)
    {
        if (output.Shape.Rank != 2) throw new GraphException($"a score for each sample and class is needed, [samples, classes], found {output} {output.Shape}");
        return new(-(output.Softmax() * output.LogSoftmax()).Sum(false, 1).Mean(), null);
    }
}
