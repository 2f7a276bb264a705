using Amalgam.Numerics;

namespace Amalgam.Merging;

/// <summary>
/// Inner products of the models' tensors with one another, in double precision. A combination of the models lies in their span, so every angle and norm that
/// a spherical method needs follows from these few numbers, and the tensors are read once, however many iterations the method takes.
/// </summary>
internal sealed class Gram
{
    private readonly double[] _products;

    private Gram(int models, double[] products) => (Models, _products) = (models, products);

    /// <summary>Number of models.</summary>
    public int Models { get; }

    /// <summary>Inner product of two models.</summary>
    public double this[int i, int j] => _products[i * Models + j];

    /// <summary>Of whole tensors.</summary>
    /// <param name="t">The tensor.</param>
    /// <param name="fromBase">Of the task vectors instead of the weights.</param>
    public static Gram Of(TensorMerge t, bool fromBase) => new(t.Models, t.Sum(t.Models * t.Models, (x, sum) =>
    {
        if (fromBase) TaskVectors.Subtract(x, t.Models);
        AddTo(x, 0, x.Count, t.Models, sum);
    }));

    /// <summary>Of a run of elements within a block.</summary>
    public static Gram Of(Block x, int start, int count, int models)
    {
        double[] products = new double[models * models];
        AddTo(x, start, count, models, products);
        return new(models, products);
    }

    /// <summary>Length of a model's vector.</summary>
    public double Norm(int i) => Math.Sqrt(this[i, i]);

    /// <summary>Squared length of a combination of the models.</summary>
    public double SquaredNorm(ReadOnlySpan<double> c)
    {
        double sum = 0;
        for (int i = 0; i < Models; i++)
            for (int j = 0; j < Models; j++)
                sum += c[i] * c[j] * this[i, j];
        return Math.Max(0, sum);
    }

    /// <summary>Inner product of one model with a combination of the models.</summary>
    public double Dot(int i, ReadOnlySpan<double> c)
    {
        double sum = 0;
        for (int j = 0; j < Models; j++) sum += c[j] * this[i, j];
        return sum;
    }

    private static void AddTo(Block x, int start, int count, int models, double[] sum)
    {
        for (int i = 0; i < models; i++)
        {
            for (int j = i; j < models; j++)
            {
                double dot = Sums.Dot(x[i].Slice(start, count), x[j].Slice(start, count));
                sum[i * models + j] += dot;
                if (i != j) sum[j * models + i] += dot;
            }
        }
    }
}
