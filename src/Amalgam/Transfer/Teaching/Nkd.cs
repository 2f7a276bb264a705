using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Transfer.Teaching;

/// <summary>
/// Normalised distillation (Z. Yang, A. Zeng, Z. Li, T. Zhang, C. Yuan and Y. Li, From Knowledge Distillation to Self-Knowledge Distillation, ICCV 2023, eq. 5): - p_t,y log p_s,y - gamma T^2 sum p_t,k log p_s,k
/// + labels CE, where y is a sample's own class, its probabilities are those at temperature 1, and the sum is over the softmax among the other classes at temperature T.
/// </summary>
public sealed record Nkd : Distillation
{
    public override string Name => "nkd";

    public override string Summary => "The teachers' certainty as a soft label, and their opinion of the other classes among themselves (Yang et al., 2023)";

    public override int MostTeachers => int.MaxValue;

    /// <summary>T: what scores of the other classes are divided by, above 0.</summary>
    public double Temperature { get; init => field = NumberRange.Temperature.Check(value, nameof(Temperature)); } = 1;

    /// <summary>Weight of the part about the other classes, 0 or more.</summary>
    public double Gamma { get; init => field = NumberRange.NotNegative.Check(value, nameof(Gamma)); } = 1.5;

    /// <summary>Weight of the cross-entropy with the labels, 0 or more.</summary>
    public double Labels { get; init => field = NumberRange.NotNegative.Check(value, nameof(Labels)); } = 1;

    public override ImmutableArray<TeachingParameter> Parameters =>
    [
        TeachingParameter.Number("temperature", "T, what scores of the other classes are divided by", NumberRange.Temperature, Temperature, x => this with { Temperature = x }),
        TeachingParameter.Number("gamma", "weight of the part about the other classes", NumberRange.NotNegative, Gamma, x => this with { Gamma = x }),
        TeachingParameter.Number("labels", "weight of the cross-entropy with the labels", NumberRange.NotNegative, Labels, x => this with { Labels = x }),
    ];

    protected override double ShareOfLabels => Labels;

    private protected override Node Teach(Node student, ImmutableArray<Node> teachers, Node labels)
    {
        Node teacher = Scores(student, teachers);
        Node own = student.SoftmaxCrossEntropy(ClassSplit.OneHot(labels, student.Shape[1]) * ClassSplit.Own(teacher.Softmax(), labels));
        float colder = (float)(1 / Temperature);
        Node others = (ClassSplit.Others(student, labels) * colder).SoftmaxCrossEntropy((ClassSplit.Others(teacher, labels) * colder).Softmax());
        return own + others * (float)(Gamma * Temperature * Temperature);
    }
}
