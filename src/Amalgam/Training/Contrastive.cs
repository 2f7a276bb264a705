using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Training;

/// <summary>
/// The contrastive loss of pairs (Radford et al., Learning transferable visual models from natural language supervision, 2021, figure 3): a batch's scores are the products of
/// every first embedding with every second one, and the loss is the mean of the cross-entropies along rows and along columns, in which each is to find its partner. Samples of
/// one thing, such as two captions of a picture, are all partners, each with the same share (Li et al., ALBEF, NeurIPS 2021, section 3.2).
/// The result is <c>[samples, 2 d]</c>, both embeddings side by side, already divided by the temperature's root.
/// </summary>
/// <param name="Target">Name of the input and of the field that numbers the things: samples with one number belong together.</param>
public sealed record Contrastive(string Target = Contrastive.UsualTarget) : Loss(Target)
{
    /// <summary>The field of pictures with captions.</summary>
    public const string UsualTarget = "picture";

    /// <inheritdoc/>
    public override LossNodes Add(Node output)
    {
        Node scores = Scores(output);
        int samples = output.Shape.Size(0);
        Node things = Truth(output, new(samples), DType.I64);
        Node partners = output.Graph.Add(new Equal(), things.Unsqueeze(1), things.Unsqueeze(0)).Cast(DType.F32);
        Node shares = partners / partners.Sum(true, 1);
        return new((scores.SoftmaxCrossEntropy(shares) + scores.Transpose(1, 0).SoftmaxCrossEntropy(shares)) * 0.5f, things);
    }

    /// <summary>Adds the scores of every first embedding, a row each, with every second one.</summary>
    /// <exception cref="GraphException">The result has no two embeddings for each sample.</exception>
    private static Node Scores(Node output)
    {
        if (output.Shape.Rank != 2 || output.Shape[1] % 2 != 0) throw new GraphException($"the loss contrastive takes two embeddings of a sample side by side, [samples, 2 d], found {output} {output.Shape}");
        long size = output.Shape[1] / 2;
        return output.Graph.Add(new MatMul(TransposeB: true), output.Slice(1, 0, size), output.Slice(1, size));
    }
}
