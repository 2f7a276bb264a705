using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Transfer.Teaching;

/// <summary>By what the other classes of a sample are ranked.</summary>
public enum ClassRanking
{
    /// <summary>By probabilities, of the network and of the head.</summary>
    Probabilities,

    /// <summary>By probabilities of the head and their logarithms of the network: what the authors' code does, by a variable that it uses twice. It can change the ranks.</summary>
    LogProbabilities,
}

/// <summary>
/// A student as its own teacher, without training it twice (Z. Yang, A. Zeng, Z. Li, T. Zhang, C. Yuan and Y. Li, From Knowledge Distillation to Self-Knowledge Distillation, ICCV 2023, USKD): labels CE + alpha L_t + beta L_n
/// + mu L_w. L_t is the cross-entropy weighted by p^2 + 1 - mean p^2, where p is the probability of a sample's own class; L_w that of a linear head of its own on features, with labels smoothed by 0.1; L_n the
/// cross-entropy among the other classes with weights 1 / rank, where they are ranked by network and head together. The head is trained beside the network and is no part of it.
/// </summary>
public sealed record Uskd : Distillation
{
    private const string WeightName = "loss/weak.weight", BiasName = "loss/weak.bias";
    private const float Smoothing = 0.1f, Margin = 1e-6f;

    public override string Name => "uskd";

    public override string Summary => "The student itself with Zipf's law for the other classes, and a head that is trained beside it (Yang et al., 2023)";

    public override int FewestTeachers => 0;

    public override int MostTeachers => 0;

    /// <summary>Weight of the part about a sample's own class, 0 or more.</summary>
    public double Alpha { get; init => field = NumberRange.NotNegative.Check(value, nameof(Alpha)); } = 0.1;

    /// <summary>Weight of the part about the other classes, 0 or more.</summary>
    public double Beta { get; init => field = NumberRange.NotNegative.Check(value, nameof(Beta)); } = 0.1;

    /// <summary>Weight of the head's own loss, 0 or more.</summary>
    public double Mu { get; init => field = NumberRange.NotNegative.Check(value, nameof(Mu)); } = 0.1;

    /// <summary>By what classes are ranked.</summary>
    public ClassRanking Ranking { get; init; }

    /// <summary>Name of a weight of the network: the head looks at what its product reads. Null for what the output layer reads.</summary>
    public string? Middle { get; init; }

    /// <summary>Weight of the cross-entropy with the labels, 0 or more.</summary>
    public double Labels { get; init => field = NumberRange.NotNegative.Check(value, nameof(Labels)); } = 1;

    /// <summary>The head's weight <c>[classes, features]</c> and bias, which training changes; null before a run begins, which draws one.</summary>
    public (Tensor Weight, Tensor Bias)? Head { get; init; }

    public override ImmutableArray<TeachingParameter> Parameters =>
    [
        TeachingParameter.Number("alpha", "weight of the part about a sample's own class", NumberRange.NotNegative, Alpha, x => this with { Alpha = x }),
        TeachingParameter.Number("beta", "weight of the part about the other classes", NumberRange.NotNegative, Beta, x => this with { Beta = x }),
        TeachingParameter.Number("mu", "weight of the head's own loss", NumberRange.NotNegative, Mu, x => this with { Mu = x }),
        TeachingParameter.Word("ranking", "by what classes are ranked: probabilities, or as in the authors' code logarithms of the network's", Ranking, x => this with { Ranking = x }),
        TeachingParameter.Text("middle", "weight of the network whose product's input the head looks at; what the output layer reads where it is left out", "the name of a weight", Middle, x => this with { Middle = x }),
        TeachingParameter.Number("labels", "weight of the cross-entropy with the labels", NumberRange.NotNegative, Labels, x => this with { Labels = x }),
    ];

    protected override double ShareOfLabels => Labels;

    public override IReadOnlyDictionary<string, Tensor> Own =>
        Head is { } head ? new Dictionary<string, Tensor> { [WeightName] = head.Weight, [BiasName] = head.Bias } : ImmutableDictionary<string, Tensor>.Empty;

    public override Training.Loss Begin(Node output, long seed)
    {
        int features = Features.CountOf(output, Middle);
        Tensor weight = Initialisation.Default.Draw(new(output.Shape[1], features), seed, WeightName);
        return this with { Head = (weight, Initialisation.Uniform(1 / Math.Sqrt(features)).Draw(new(output.Shape[1]), seed, BiasName)) };
    }

    private protected override Node Teach(Node student, ImmutableArray<Node> teachers, Node labels)
    {
        var (weight, bias) = Head ?? ((Uskd)Begin(student, 0)).Head!.Value;
        Graph graph = student.Graph;
        Node weak = Features.Of(student, Middle).Linear(graph.Parameter(WeightName, weight), graph.Parameter(BiasName, bias));
        Node own = ClassSplit.Own(student.Softmax(), labels), squared = own * own;
        Node target = student.SoftmaxCrossEntropy(ClassSplit.OneHot(labels, student.Shape[1]) * (squared + 1 - squared.Mean()));
        Node zipf = ClassSplit.Others(Ranks(student, weak, labels).Reciprocal(), labels);
        Node others = ClassSplit.Others(student, labels).SoftmaxCrossEntropy(zipf / zipf.Sum(true, 1));
        return target * (float)Alpha + others * (float)Beta + weak.SoftmaxCrossEntropy(labels, Smoothing) * (float)Mu;
    }

    /// <summary>The rank of each class of a sample from 1 on, the sample's own among them; no gradient goes through it.</summary>
    private Node Ranks(Node student, Node weak, Node labels)
    {
        Node ByWorth(Node p) => p / (1 - ClassSplit.Own(p, labels) + Margin);
        Node final = Ranking == ClassRanking.Probabilities ? student.Softmax() : student.LogSoftmax();
        Node worth = ByWorth(weak.Softmax()) + ByWorth(final), all = student.Graph.Constant([student.Shape[1]]);
        Node order = student.Graph.Add(new TopKIndices(), worth, all);

        // Where a class stands in the order is where its number stands when the order is sorted.
        return student.Graph.Add(new TopKIndices(Largest: false), order, all) + 1;
    }
}
