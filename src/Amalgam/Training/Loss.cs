using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Training;

/// <summary>What training minimises: a record that adds its nodes to a network. The truth comes in by an input, named as the data's field that fills it.</summary>
/// <param name="Target">Name of the input and of the field.</param>
public abstract record Loss(string Target)
{
    /// <summary>Adds the loss to a network.</summary>
    /// <param name="output">The network's result, samples on its first axis.</param>
    /// <exception cref="GraphException">The result is of a shape that the loss does not take.</exception>
    public abstract LossNodes Add(Node output);

    /// <summary>Declares the input of the truth.</summary>
    private protected Node Truth(Node output, Shape shape, DType type) => output.Graph.Input(Target, shape, type);
}

/// <summary>What a <see cref="Loss"/> added to a network.</summary>
/// <param name="Value">The loss, one number: the mean over the samples.</param>
/// <param name="Truth">The input of the truth.</param>
/// <param name="Scores">A score for each sample and class, <c>[samples, classes]</c>, whose largest is the prediction; null where the truth is no class.</param>
public sealed record LossNodes(Node Value, Node Truth, Node? Scores = null);

/// <summary>The mean of the squared differences from the truth, which has the shape of the result.</summary>
/// <param name="Target">Name of the input and of the field.</param>
public sealed record SquaredError(string Target = "target") : Loss(Target)
{
    public override LossNodes Add(Node output)
    {
        Node truth = Truth(output, output.Shape, DType.F32);
        Node difference = output - truth;
        return new(output.Graph.Add(new SumTo(default), difference * difference) / Math.Max(1f, output.Shape.Count), truth);
    }
}
