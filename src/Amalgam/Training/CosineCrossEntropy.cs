using Amalgam.Graphs;

namespace Amalgam.Training;

/// <summary>
/// Cross-entropy where a class's score is the cosine between the result <c>[samples, units]</c> and the class's vector, times a scale: how networks are trained
/// whose classes are told apart by text encodings (Radford et al., Learning transferable visual models from natural language supervision, 2021).
/// </summary>
/// <param name="Vectors">A vector for each class, <c>[classes, units]</c>.</param>
/// <param name="Scale">What the cosines are multiplied by.</param>
/// <param name="LabelSmoothing">Share of the truth that is spread evenly over all classes, in [0, 1).</param>
/// <param name="Target">Name of the input and of the field.</param>
public sealed record CosineCrossEntropy(Tensor Vectors, double Scale = 100, double LabelSmoothing = 0, string Target = "label") : Loss(Target)
{
    public override LossNodes Add(Node output)
    {
        Node scores = Scores(output, Vectors, Scale), truth = Classes(scores);
        return new(scores.SoftmaxCrossEntropy(truth, (float)LabelSmoothing), truth, scores);
    }

    /// <summary>Adds the scores <c>[samples, classes]</c> to a network.</summary>
    /// <param name="output">The embedding, <c>[samples, units]</c>.</param>
    /// <param name="vectors">A vector for each class, <c>[classes, units]</c>.</param>
    /// <param name="scale">What the cosines are multiplied by.</param>
    /// <exception cref="GraphException">The shapes do not go together.</exception>
    public static Node Scores(Node output, Tensor vectors, double scale = 100)
    {
        if (output.Shape.Rank != 2 || vectors.Shape.Rank != 2 || output.Shape[1] != vectors.Shape[1])
            throw new GraphException($"class vectors {vectors.Shape} do not go with an embedding {output.Shape}: expected [classes, units] and [samples, units]");
        Node directions = output.Graph.Constant(vectors).Normalize() * (float)scale;
        return output.Graph.Add(new Graphs.Ops.MatMul(TransposeB: true), output.Normalize(), directions);
    }
}
