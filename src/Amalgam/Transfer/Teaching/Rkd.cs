using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Transfer.Teaching;

/// <summary>Between what relations are compared.</summary>
public enum RelationsOf
{
    /// <summary>What the output layer reads.</summary>
    Features,

    /// <summary>What the networks say.</summary>
    Logits,
}

/// <summary>
/// Relations between samples (W. Park, D. Kim, Y. Lu and M. Cho, Relational Knowledge Distillation, CVPR 2019, eq. 6 and 9): distance Ld + angle La + labels CE. Ld is the mean over all pairs of the
/// smooth L1 difference of their distances, each network's over the mean of its own; La the mean over all triples of that of the cosines of the angles. A batch of one sample has no relations.
/// </summary>
public sealed record Rkd : Distillation
{
    private const float Smallest = 1e-12f;

    /// <summary>Numbers in the largest value that is not refused: half a gigabyte, of which a step needs several.</summary>
    private const long Most = 1L << 27;

    public override string Name => "rkd";

    public override string Summary => "Distances and angles between the samples of a batch (Park et al., 2019)";

    /// <summary>Weight of the distances, 0 or more.</summary>
    public double Distance { get; init => field = NumberRange.NotNegative.Check(value, nameof(Distance)); } = 25;

    /// <summary>Weight of the angles, 0 or more.</summary>
    public double Angle { get; init => field = NumberRange.NotNegative.Check(value, nameof(Angle)); } = 50;

    /// <summary>Between what.</summary>
    public RelationsOf Of { get; init; }

    /// <summary>Weight of the cross-entropy with the labels, 0 or more.</summary>
    public double Labels { get; init => field = NumberRange.NotNegative.Check(value, nameof(Labels)); } = 1;

    public override ImmutableArray<TeachingParameter> Parameters =>
    [
        TeachingParameter.Number("distance", "weight of the distances", NumberRange.NotNegative, Distance, x => this with { Distance = x }),
        TeachingParameter.Number("angle", "weight of the angles", NumberRange.NotNegative, Angle, x => this with { Angle = x }),
        TeachingParameter.Word("of", "between what: features that the output layer reads, or the scores themselves", Of, x => this with { Of = x }),
        TeachingParameter.Number("labels", "weight of the cross-entropy with the labels", NumberRange.NotNegative, Labels, x => this with { Labels = x }),
    ];

    protected override double ShareOfLabels => Labels;

    private protected override Node Teach(Node student, ImmutableArray<Node> teachers, Node labels)
    {
        if (student.Shape[0] < 2) return student.Graph.Constant(0);
        Node[] vectors = [Vectors(student), Vectors(teachers[0])];
        foreach (Node of in vectors) CheckSize(of.Shape[0], of.Shape[1]);
        Relations ours = Relations.Of(vectors[0]), theirs = Relations.Of(vectors[1]);
        return SmoothDifference(ours.Distances, theirs.Distances) * (float)Distance + SmoothDifference(ours.Cosines, theirs.Cosines) * (float)Angle;
    }

    private Node Vectors(Node output)
    {
        if (Of == RelationsOf.Features) return Features.Of(output);
        return output.Shape.Rank == 2 ? output : throw new GraphException($"a row of scores for each sample is needed, found {output} {output.Shape}");
    }

    /// <exception cref="GraphException">There are too many relations.</exception>
    private static void CheckSize(long rows, long length)
    {
        if (Size(rows) <= Most) return;
        long fewer = rows;
        while (fewer > 1 && Size(fewer) > Most) fewer--;
        throw new GraphException(
            $"rkd compares all pairs and triples of a batch: {rows} samples of {length} numbers need values of {4e-9 * Size(rows):0.0} GB, and several of them; take a batch of {fewer} or fewer");

        double Size(long of) => (double)of * of * Math.Max(of, length);
    }

    /// <summary>The mean of x^2 / 2 where the difference x is at most 1 and of |x| - 1 / 2 beyond.</summary>
    private static Node SmoothDifference(Node a, Node b)
    {
        Node difference = a - b, within = difference.Clip(-1, 1);
        return (within * (difference - within * 0.5f)).Mean();
    }

    /// <summary>How the rows of a matrix stand to each other.</summary>
    /// <param name="Distances">Over their mean, <c>[rows, rows]</c>.</param>
    /// <param name="Cosines">Of the angle at i between the ways to j and to k, <c>[rows, rows, rows]</c>; 0 where a way has no length.</param>
    private sealed record Relations(Node Distances, Node Cosines)
    {
        /// <summary>From the differences of rows, whose digits are not lost where two are near each other, as they are in a product of all rows.</summary>
        public static Relations Of(Node vectors)
        {
            Graph graph = vectors.Graph;
            long rows = vectors.Shape[0];
            Tensor same = new(new(rows, rows));
            for (int i = 0; i < rows; i++) same.Span[(int)(i * rows + i)] = 1;
            Node diagonal = graph.Constant(same), zero = graph.Constant(0);

            Node ways = vectors.Unsqueeze(0) - vectors.Unsqueeze(1), squares = (ways * ways).Sum(false, 2);
            Node apart = graph.Add(new Greater(), squares, graph.Constant(Smallest)) * (1 - diagonal);
            squares = diagonal.Where(zero, squares.Clip(Smallest, float.PositiveInfinity));
            Node distances = diagonal.Where(zero, diagonal.Where(graph.Constant(1), squares).Sqrt());
            Node mean = distances.Sum() * (1f / (rows * (rows - 1)));

            Node inverse = apart.Where(apart.Where(distances, graph.Constant(1)).Reciprocal(), zero);
            Node units = ways * inverse.Unsqueeze(2);
            return new(distances / mean, units.MatMul(units, false, true));
        }
    }
}
