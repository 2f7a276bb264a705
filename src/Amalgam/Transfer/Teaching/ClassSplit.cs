using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Transfer.Teaching;

/// <summary>Scores of the samples' own classes and of all others, apart. Others are picked, not masked by a number, so that no score of a sample's own class is left in them.</summary>
internal static class ClassSplit
{
    /// <summary>The score of each sample's own class, <c>[samples, 1]</c>.</summary>
    public static Node Own(Node scores, Node labels) => scores.Graph.Add(new GatherElements(1), scores, labels.Unsqueeze(1));

    /// <summary>The scores of the others in their order, <c>[samples, classes - 1]</c>.</summary>
    public static Node Others(Node scores, Node labels)
    {
        long others = scores.Shape[1] - 1;
        Node place = scores.Graph.Constant(Tensor.Integers([.. Enumerable.Range(0, (int)others).Select(i => (long)i)]), DType.I64);
        Node beyond = scores.Graph.Add(new GreaterOrEqual(), place, labels.Unsqueeze(1));
        return scores.Graph.Add(new GatherElements(1), scores, place + beyond);
    }

    /// <summary>A number for each sample at its own class and zeros elsewhere, <c>[samples, classes]</c>.</summary>
    /// <param name="labels">The samples' classes.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="off">What stands elsewhere.</param>
    /// <param name="on">The number.</param>
    public static Node OneHot(Node labels, long classes, float off = 0, float on = 1) =>
        labels.Graph.Add(new OneHot(), labels, labels.Graph.Constant([classes]), labels.Graph.Constant(new Tensor(new(2), [off, on])));
}
