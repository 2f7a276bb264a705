using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Training;

namespace Amalgam.Transfer.Teaching;

/// <summary>What the divergence from a teacher is a mean over.</summary>
public enum DistillationMean
{
    /// <summary>The samples, as the formulas have it.</summary>
    Samples,

    /// <summary>Samples and classes, which makes it as many times smaller as there are classes: what the public code of CLAFusion, Tf-KD and others does (PyTorch's KLDivLoss with its default reduction).</summary>
    Elements,
}

/// <summary>
/// A student learns beside the labels from trained teachers, or from what stands for one: a record whose properties are its parameters. Teachers run beside the student on the same samples, frozen
/// and in their inference form; the student stays the network that it is. In evaluation the loss is the cross-entropy alone, so that teachers are not run.
/// One more way is one more record and a line in <see cref="All"/>.
/// </summary>
public abstract record Distillation() : Loss("label")
{
    /// <summary>Every way, with the parameters that it has when none are given.</summary>
    public static readonly ImmutableArray<Distillation> All = [new Kd(), new Rkd(), new Dkd(), new Nkd(), new TfKdSelf(), new TfKdReg(), new Uskd()];

    /// <summary>The way of a name; null when there is none.</summary>
    public static Distillation? Find(string name) => All.FirstOrDefault(way => way.Name == name);

    /// <summary>The name in run descriptions.</summary>
    public abstract string Name { get; }

    /// <summary>What it is, a sentence without the full stop.</summary>
    public abstract string Summary { get; }

    /// <summary>The parameters with their values, in the order in which help shows them.</summary>
    public abstract ImmutableArray<TeachingParameter> Parameters { get; }

    /// <summary>Fewest teachers.</summary>
    public virtual int FewestTeachers => 1;

    /// <summary>Most teachers; of several the mean of the scores counts.</summary>
    public virtual int MostTeachers => 1;

    /// <summary>The trained networks, the first output of each the scores of a sample's classes.</summary>
    /// <exception cref="ArgumentException">There are more than the way takes.</exception>
    public ImmutableArray<FrozenNetwork> Teachers
    {
        get;
        init => field = value.Length <= MostTeachers ? value : throw new ArgumentException(Takes(value.Length), nameof(Teachers));
    } = [];

    /// <summary>Share of the labels that is spread evenly over all classes, in [0, 1).</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>What the cross-entropy with the labels is multiplied by.</summary>
    protected abstract double ShareOfLabels { get; }

    public sealed override Loss ForEvaluation() => new CrossEntropy(LabelSmoothing, Target);

    public sealed override LossNodes Add(Node output)
    {
        if (output.Shape.Rank != 2 || output.Shape[1] < 2)
            throw new GraphException($"a score for each sample and each of two classes or more is needed, [samples, classes], found {output} {output.Shape}");
        if (Teachers.Length < FewestTeachers) throw new GraphException(Takes(Teachers.Length));
        ImmutableArray<Node> teachers = [.. Teachers.Select((teacher, i) => teacher.Include(output.Graph, output.Shape.Size(0), $"teacher{i + 1}/"))];
        LossNodes labels = ForEvaluation().Add(output);
        Node taught = Teach(output, teachers, labels.Truth!);
        return labels with { Value = ShareOfLabels == 0 ? taught : taught + labels.Value * (float)ShareOfLabels };
    }

    /// <summary>What is wrong with a number of teachers, in a sentence.</summary>
    /// <param name="found">The number.</param>
    public string Takes(int found) =>
        $"{Name} {(MostTeachers == 0 ? "has no teacher but the labels" : MostTeachers > 1 ? "learns from one teacher or more" : "learns from one teacher")}, "
        + $"found {(found == 0 ? "none" : $"{found}")}";

    /// <summary>Adds what is learned beside the labels.</summary>
    /// <param name="student">The student's scores, <c>[samples, classes]</c>.</param>
    /// <param name="teachers">Each teacher's output.</param>
    /// <param name="labels">The samples' classes.</param>
    /// <returns>One number.</returns>
    private protected abstract Node Teach(Node student, ImmutableArray<Node> teachers, Node labels);

    /// <summary>The mean of the teachers' scores for the student's classes.</summary>
    private protected static Node Scores(Node student, ImmutableArray<Node> teachers)
    {
        Node? sum = null;
        foreach (Node scores in teachers)
        {
            if (scores.Shape != student.Shape)
            {
                throw new GraphException($"teacher {teachers.IndexOf(scores) + 1} says {scores.Shape} of samples of which the student says {student.Shape}: "
                    + "both need a score for each of the same classes");
            }

            sum = sum is null ? scores : sum + scores;
        }

        return teachers.Length == 1 ? sum! : sum! * (1f / teachers.Length);
    }

    /// <summary>T^2 KL(softmax(teacher / T) || softmax(student / T)), times a weight.</summary>
    private protected static Node Divergence(Node student, Node teacher, double temperature, DistillationMean mean, double weight) =>
        student.KlDivergence(teacher, (float)temperature) * (float)(mean == DistillationMean.Samples ? weight : weight / student.Shape[1]);
}
