using System.Numerics.Tensors;

namespace Amalgam.Merging;

/// <summary>
/// Arcee Fusion: takes from the model the changes of outstanding importance, |W - B| times the divergence KL(softmax W || softmax B) of their row; outstanding
/// is above the median by 1.5 interquartile ranges.
/// </summary>
public sealed record ArceeFusion : MergeMethod
{
    private const double Epsilon = 1e-8;

    internal static readonly MethodEntry Entry = new(
        "arcee_fusion", "Takes over only the model's outstanding changes",
        "One fine-tune whose small changes are noise",
        "Arcee AI; mergekit (quantiles over all entries, also of large tensors)", BaseRole.Origin, 1, 1, [], _ => new ArceeFusion())
    { CutsBase = true };

    public override long Grain(Shape shape) => RowOf(shape);

    public override long Scratch(Shape shape, int models) =>
        Selection.Scratch(1, 3) + (shape.Count / RowOf(shape) + 2 * RowOf(shape)) * sizeof(double);

    public override void Merge(TensorMerge t)
    {
        int row = checked((int)RowOf(t.Shape));
        long n = t.Shape.Count;
        double[] divergence = new double[n / row];
        t.Visit(x =>
        {
            for (int start = 0; start < x.Count; start += row)
                divergence[(x.First + start) / row] = Divergence(x[0].Slice(start, row), x.Base.Slice(start, row));
        });

        if (n == 0)
        {
            t.Write((_, _) => { });
            return;
        }

        // The order statistic at ascending rank r is the smallest of the n - r largest.
        (int, long)[] quartiles = [.. ((double[])[0.25, 0.5, 0.75]).Select(q => (0, n - (long)(q * (n - 1))))];
        double[] at = [.. Selection.Largest(t, quartiles, x => OverwriteWithImportance(x, row, divergence)).Select(c => (double)c.Magnitude)];
        double threshold = at[1] + 1.5 * (at[2] - at[0]);
        t.Write((x, y) =>
        {
            TensorPrimitives.Subtract(x[0], x.Base, y);
            OverwriteWithImportance(x, row, divergence);
            for (int i = 0; i < y.Length; i++) y[i] = x[0][i] >= threshold ? x.Base[i] + y[i] : x.Base[i];
        });
    }

    private static void OverwriteWithImportance(Block x, int row, double[] divergence)
    {
        TensorPrimitives.Subtract(x[0], x.Base, x[0]);
        for (int start = 0; start < x.Count; start += row)
        {
            double d = divergence[(x.First + start) / row];
            foreach (ref float value in x[0].Slice(start, row)) value = (float)(Math.Abs(value) * d);
        }
    }

    /// <summary>KL divergence of the softmax of a row of the model from that of the base.</summary>
    private static double Divergence(ReadOnlySpan<float> w, ReadOnlySpan<float> b)
    {
        double[] p = SoftMax(w), q = SoftMax(b);
        double sum = 0;
        for (int i = 0; i < p.Length; i++) sum += p[i] * Math.Log(p[i] / q[i]);

        // Both have the same sum, so only rounding can make the divergence negative.
        return Math.Max(0, sum);
    }

    private static double[] SoftMax(ReadOnlySpan<float> x)
    {
        double[] y = new double[x.Length];
        TensorPrimitives.ConvertTruncating(x, y);
        TensorPrimitives.Subtract(y, TensorPrimitives.Max<double>(y), y);
        TensorPrimitives.Exp(y, y);
        TensorPrimitives.Divide(y, TensorPrimitives.Sum<double>(y), y);
        TensorPrimitives.Add(y, Epsilon, y);
        return y;
    }
}
