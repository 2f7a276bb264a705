using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Transfer.Teaching;

/// <summary>What is softened where a made-up teacher is compared with a student.</summary>
public enum Softening
{
    /// <summary>Both distributions: the teacher's probabilities to the power 1 / T, normalised, and the student's scores divided by T, as the paper's formula has it.</summary>
    Both,

    /// <summary>The teacher's probabilities, divided by T as if they were scores, which makes them nearly even; the student's scores stay. That is what the authors' code does.</summary>
    Probabilities,
}

/// <summary>
/// A student learns from a trained copy of itself (L. Yuan, F. Tay, G. Li, T. Wang and J. Feng, Revisiting Knowledge Distillation via Label Smoothing Regularization, CVPR 2020, Tf-KD_self):
/// (1 - alpha) CE + alpha m T^2 KL(softmax(t / T) || softmax(s / T)).
/// </summary>
public sealed record TfKdSelf : Distillation
{
    public override string Name => "tf_kd_self";

    public override string Summary => "A trained copy of the student as its teacher (Yuan et al., 2020)";

    /// <summary>T: what scores are divided by, above 0.</summary>
    public double Temperature { get; init => field = NumberRange.Temperature.Check(value, nameof(Temperature)); } = 20;

    /// <summary>Share of the teacher, from 0 to 1; the rest is that of the labels.</summary>
    public double Alpha { get; init => field = NumberRange.Share.Check(value, nameof(Alpha)); } = 0.95;

    /// <summary>m: what the divergence is multiplied by beside its share, above 0.</summary>
    public double Multiplier { get; init => field = NumberRange.Positive.Check(value, nameof(Multiplier)); } = 1;

    /// <summary>What the divergence is a mean over.</summary>
    public DistillationMean Mean { get; init; }

    public override ImmutableArray<TeachingParameter> Parameters =>
    [
        TeachingParameter.Number("temperature", "T, what scores are divided by", NumberRange.Temperature, Temperature, x => this with { Temperature = x }),
        TeachingParameter.Number("alpha", "share of the teacher; the rest is that of the labels", NumberRange.Share, Alpha, x => this with { Alpha = x }),
        TeachingParameter.Number("multiplier", "what the divergence is multiplied by beside its share", NumberRange.Positive, Multiplier, x => this with { Multiplier = x }),
        TeachingParameter.Word("mean", "what the divergence is a mean over: the samples, or samples and classes as in the authors' code", Mean, x => this with { Mean = x }),
    ];

    protected override double ShareOfLabels => 1 - Alpha;

    private protected override Node Teach(Node student, ImmutableArray<Node> teachers, Node labels) => Divergence(student, Scores(student, teachers), Temperature, Mean, Alpha * Multiplier);
}

/// <summary>
/// A made-up teacher (the same paper, Tf-KD_reg, eq. 8 and 9): with u = correct for a sample's own class and (1 - correct) / (classes - 1) for every other, (1 - alpha) CE +
/// alpha m KL(u softened || softmax(s / T)). There is no T^2 in it.
/// </summary>
public sealed record TfKdReg : Distillation
{
    public override string Name => "tf_kd_reg";

    public override string Summary => "A made-up teacher that knows the label and nothing else (Yuan et al., 2020)";

    public override int FewestTeachers => 0;

    public override int MostTeachers => 0;

    /// <summary>T, above 0.</summary>
    public double Temperature { get; init => field = NumberRange.Temperature.Check(value, nameof(Temperature)); } = 40;

    /// <summary>Share of the teacher, from 0 to 1; the rest is that of the labels.</summary>
    public double Alpha { get; init => field = NumberRange.Share.Check(value, nameof(Alpha)); } = 0.95;

    /// <summary>m: what the divergence is multiplied by beside its share, above 0.</summary>
    public double Multiplier { get; init => field = NumberRange.Positive.Check(value, nameof(Multiplier)); } = 1;

    /// <summary>The teacher's probability of a sample's own class, above 0 and below 1.</summary>
    public double Correct { get; init => field = NumberRange.Probability.Check(value, nameof(Correct)); } = 0.99;

    /// <summary>What is softened.</summary>
    public Softening Softens { get; init; }

    /// <summary>What the divergence is a mean over.</summary>
    public DistillationMean Mean { get; init; }

    public override ImmutableArray<TeachingParameter> Parameters =>
    [
        TeachingParameter.Number("temperature", "T, by which the teacher, and of softens: both also the student, is softened", NumberRange.Temperature, Temperature, x => this with { Temperature = x }),
        TeachingParameter.Number("alpha", "share of the teacher; the rest is that of the labels", NumberRange.Share, Alpha, x => this with { Alpha = x }),
        TeachingParameter.Number("multiplier", "what the divergence is multiplied by beside its share", NumberRange.Positive, Multiplier, x => this with { Multiplier = x }),
        TeachingParameter.Number("correct", "the teacher's probability of a sample's own class", NumberRange.Probability, Correct, x => this with { Correct = x }),
        TeachingParameter.Word("softens", "both distributions as the paper's formula has it, or the teacher's probabilities alone, as if they were scores, as in the authors' code", Softens, x => this with { Softens = x }),
        TeachingParameter.Word("mean", "what the divergence is a mean over: the samples, or samples and classes as in the authors' code", Mean, x => this with { Mean = x }),
    ];

    protected override double ShareOfLabels => 1 - Alpha;

    private protected override Node Teach(Node student, ImmutableArray<Node> teachers, Node labels)
    {
        long classes = student.Shape[1];
        double other = (1 - Correct) / (classes - 1), weight = Alpha * Multiplier;
        return Softens == Softening.Both
            ? Divergence(student, ClassSplit.OneHot(labels, classes, (float)Math.Log(other), (float)Math.Log(Correct)), Temperature, Mean, weight / (Temperature * Temperature))
            : Divergence(student, ClassSplit.OneHot(labels, classes, (float)(other / Temperature), (float)(Correct / Temperature)), 1, Mean, weight);
    }
}
