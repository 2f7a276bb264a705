using System.Numerics.Tensors;

namespace Amalgam.Graphs.Ops;

/// <summary>
/// T^2 times the Kullback-Leibler divergence of softmax(student / T) from softmax(teacher / T), the mean over samples (G. Hinton, O. Vinyals and J. Dean, Distilling
/// the Knowledge in a Neural Network, 2015). Inputs are logits [...,C] of the student and of the teacher; the teacher takes no gradient.
/// </summary>
/// <param name="Temperature">T; above 1 it makes distributions flatter.</param>
public sealed record KlDivergence(float Temperature = 1) : Loss
{
    private protected override void Check(ReadOnlySpan<Node> x)
    {
        Arity.Check(x, 2);
        if (x[0].Shape != x[1].Shape || x[0].Shape.Rank == 0 || x[0].Shape[^1] == 0) throw new GraphException("student and teacher must have one shape, with an axis of classes");
        if (!(Temperature > 0)) throw new GraphException($"the temperature must be positive, found {Temperature}");
    }

    internal override int PartOf(Tensor x) => x.Shape.Size(^1);

    internal override double Samples(Tensor x, Tensor t) => x.Count / PartOf(x);

    private protected override double Part(Tensor x, Tensor t, Tensor? w, int from, int count)
    {
        ReadOnlySpan<float> student = x.Span.Slice(from, count), teacher = t.Span.Slice(from, count);
        double ofStudent = LogSum(student), ofTeacher = LogSum(teacher), sum = 0;
        for (int i = 0; i < count; i++)
        {
            double log = teacher[i] / (double)Temperature - ofTeacher;
            sum += Math.Exp(log) * (log - (student[i] / (double)Temperature - ofStudent));
        }

        return sum * Temperature * Temperature;
    }

    internal override void PartGradient(Tensor x, Tensor t, Tensor? w, int from, float scale, Span<float> dx)
    {
        ReadOnlySpan<float> student = x.Span.Slice(from, dx.Length), teacher = t.Span.Slice(from, dx.Length);
        double ofStudent = LogSum(student), ofTeacher = LogSum(teacher);
        for (int i = 0; i < dx.Length; i++)
        {
            dx[i] = (float)(scale * Temperature * (Math.Exp(student[i] / (double)Temperature - ofStudent) - Math.Exp(teacher[i] / (double)Temperature - ofTeacher)));
        }
    }

    private double LogSum(ReadOnlySpan<float> x)
    {
        double greatest = TensorPrimitives.Max(x), sum = 0;
        foreach (float value in x) sum += Math.Exp((value - greatest) / Temperature);
        return greatest / Temperature + Math.Log(sum);
    }
}
