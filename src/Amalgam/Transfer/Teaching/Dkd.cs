using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Transfer.Teaching;

/// <summary>
/// The divergence taken apart (B. Zhao, Q. Cui, R. Song, Y. Qiu and J. Liang, Decoupled Knowledge Distillation, CVPR 2022, eq. 7): alpha T^2 KL(b_t || b_s) + beta T^2 KL(p_t || p_s) + labels CE, where b
/// is the probability of a sample's own class and that of all others together, and p the softmax among the others, all at temperature T. Of two classes the second part is 0.
/// </summary>
public sealed record Dkd : Distillation
{
    public override string Name => "dkd";

    public override string Summary => "The teachers' certainty of a sample's class and their opinion of the others, weighted apart (Zhao et al., 2022)";

    public override int MostTeachers => int.MaxValue;

    /// <summary>T: what scores are divided by, above 0.</summary>
    public double Temperature { get; init => field = NumberRange.Temperature.Check(value, nameof(Temperature)); } = 4;

    /// <summary>Weight of the part about a sample's own class, 0 or more.</summary>
    public double Alpha { get; init => field = NumberRange.NotNegative.Check(value, nameof(Alpha)); } = 1;

    /// <summary>Weight of the part about the others, 0 or more.</summary>
    public double Beta { get; init => field = NumberRange.NotNegative.Check(value, nameof(Beta)); } = 8;

    /// <summary>
    /// Epochs over which both parts rise to their weights, in even steps from epoch to epoch; 0 for none. A <see cref="Training.Trainer"/> tells the epoch by the input <see cref="TrainingForm.EpochName"/>; in a graph where
    /// nothing fills it, it is 0 and so are both parts.
    /// </summary>
    public double WarmUp { get; init => field = NumberRange.NotNegative.Check(value, nameof(WarmUp)); } = 20;

    /// <summary>Weight of the cross-entropy with the labels, 0 or more.</summary>
    public double Labels { get; init => field = NumberRange.NotNegative.Check(value, nameof(Labels)); } = 1;

    public override ImmutableArray<TeachingParameter> Parameters =>
    [
        TeachingParameter.Number("temperature", "T, what scores are divided by", NumberRange.Temperature, Temperature, x => this with { Temperature = x }),
        TeachingParameter.Number("alpha", "weight of the part about a sample's own class", NumberRange.NotNegative, Alpha, x => this with { Alpha = x }),
        TeachingParameter.Number("beta", "weight of the part about the other classes", NumberRange.NotNegative, Beta, x => this with { Beta = x }),
        TeachingParameter.Number("warmup", "epochs over which both parts rise to their weights; 0 for none", NumberRange.NotNegative, WarmUp, x => this with { WarmUp = x }),
        TeachingParameter.Number("labels", "weight of the cross-entropy with the labels", NumberRange.NotNegative, Labels, x => this with { Labels = x }),
    ];

    protected override double ShareOfLabels => Labels;

    private protected override Node Teach(Node student, ImmutableArray<Node> teachers, Node labels)
    {
        Node teacher = Scores(student, teachers);
        Node ofStudent = ClassSplit.Others(student, labels), ofTeacher = ClassSplit.Others(teacher, labels);
        Node taught = Divergence(OwnOrOther(student, ofStudent, labels), OwnOrOther(teacher, ofTeacher, labels), Temperature, DistillationMean.Samples, Alpha);
        if (student.Shape[1] > 2) taught += Divergence(ofStudent, ofTeacher, Temperature, DistillationMean.Samples, Beta);
        if (WarmUp == 0) return taught;
        Node epoch = new TrainingForm(student.Graph).Epoch;
        return taught * (epoch * (float)(1 / WarmUp)).Clip(0, 1);
    }

    /// <summary>Two scores whose softmax at temperature T is that of all, the other classes taken together.</summary>
    private Node OwnOrOther(Node scores, Node others, Node labels)
    {
        Node together = scores.Graph.Add(new ReduceLogSumExp([1]), others * (float)(1 / Temperature)) * (float)Temperature;
        return scores.Graph.Add(new Concat(1), ClassSplit.Own(scores, labels), together);
    }
}
