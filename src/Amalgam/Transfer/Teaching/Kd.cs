using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Transfer.Teaching;

/// <summary>
/// Softened predictions (G. Hinton, O. Vinyals and J. Dean, Distilling the Knowledge in a Neural Network, 2015): alpha T^2 KL(softmax(t / T) || softmax(s / T)) + (1 - alpha) CE(s, labels), where s
/// are the student's scores and t the mean of the teachers'.
/// </summary>
public sealed record Kd : Distillation
{
    public override string Name => "kd";

    public override string Summary => "The teachers' softened predictions (Hinton, Vinyals and Dean, 2015)";

    public override int MostTeachers => int.MaxValue;

    /// <summary>T: what scores are divided by, above 0.</summary>
    public double Temperature { get; init => field = NumberRange.Temperature.Check(value, nameof(Temperature)); } = 4;

    /// <summary>Share of the teachers, from 0 to 1; the rest is that of the labels.</summary>
    public double Alpha { get; init => field = NumberRange.Share.Check(value, nameof(Alpha)); } = 0.5;

    /// <summary>What the divergence is a mean over.</summary>
    public DistillationMean Mean { get; init; }

    public override ImmutableArray<TeachingParameter> Parameters =>
    [
        TeachingParameter.Number("temperature", "T, what scores are divided by", NumberRange.Temperature, Temperature, x => this with { Temperature = x }),
        TeachingParameter.Number("alpha", "share of the teachers; the rest is that of the labels", NumberRange.Share, Alpha, x => this with { Alpha = x }),
        TeachingParameter.Word("mean", "what the divergence is a mean over: the samples, or samples and classes as in some public code", Mean, x => this with { Mean = x }),
    ];

    protected override double ShareOfLabels => 1 - Alpha;

    private protected override Node Teach(Node student, ImmutableArray<Node> teachers, Node labels) => Divergence(student, Scores(student, teachers), Temperature, Mean, Alpha);
}
