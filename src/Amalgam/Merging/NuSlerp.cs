using System.Collections.Immutable;
using System.Numerics.Tensors;

namespace Amalgam.Merging;

/// <summary>
/// Spherical interpolation with weights, of whole tensors or of their rows or columns; with a base, of the task vectors.
/// </summary>
/// <param name="Weight">The two weights; the second's share is the position between the models.</param>
/// <param name="Flatten">One vector per tensor.</param>
/// <param name="RowWise">Without <paramref name="Flatten"/>: vectors along the first axis instead of the last (the words are mergekit's).</param>
public sealed record NuSlerp(ImmutableArray<double> Weight, bool Flatten = true, bool RowWise = false) : MergeMethod
{
    /// <summary>
    /// Below this sine two directions agree, or are opposite, to single precision. There the interpolation is linear: for equal directions it is the same, for
    /// opposite ones the spherical form would divide rounding noise by rounding noise.
    /// </summary>
    private const double SmallSine = 1e-6;

    private const double NoLength = 1e-7;

    private static readonly MethodParameter FlattenParameter = new("nuslerp_flatten", ParameterKind.Flag, "Treat the tensor as one vector") { Default = 1 };

    private static readonly MethodParameter RowWiseParameter =
        new("nuslerp_row_wise", ParameterKind.Flag, "Without nuslerp_flatten: vectors along the first axis instead of the last") { Default = 0 };

    internal static readonly MethodEntry Entry = new(
        "nuslerp", "Spherical interpolation by weights, of tensors, rows or columns; of task vectors with a base",
        "Two models with weights of their own, or two task vectors of one base",
        "mergekit", BaseRole.OptionalOrigin, 2, 2, [Linear.WeightParameter, FlattenParameter, RowWiseParameter],
        a => new NuSlerp(a.Each(Linear.WeightParameter), a.Flag(FlattenParameter), a.Flag(RowWiseParameter)))
    { CutsBase = true };

    private double Position { get; } = Math.Abs(Weight[0] + Weight[1]) < 1e-6 ? 0.5 : Weight[1] / (Weight[0] + Weight[1]);

    public override long Grain(Shape shape) => IsWhole(shape) || RowWise ? 1 : RowOf(shape);

    public override long Scratch(Shape shape, int models) => RowWise && !IsWhole(shape) ? 4 * sizeof(double) * (shape.Count / Math.Max(1, shape[0])) : 0;

    public override void Merge(TensorMerge t)
    {
        if (IsWhole(t.Shape)) MergeWhole(t);
        else if (RowWise) MergeAlongFirstAxis(t);
        else MergeAlongLastAxis(t);
    }

    private bool IsWhole(Shape shape) => Flatten || shape.Rank < 2;

    private void MergeWhole(TensorMerge t)
    {
        Gram gram = Gram.Of(t, t.HasBase);
        double[] c = Weights(gram[0, 0], gram[0, 1], gram[1, 1]);
        t.Write((x, y) =>
        {
            if (t.HasBase) TaskVectors.Subtract(x, 2);
            Linear.Combine(x, c, y);
            if (t.HasBase) TensorPrimitives.Add(y, x.Base, y);
        });
    }

    private void MergeAlongLastAxis(TensorMerge t)
    {
        int row = checked((int)RowOf(t.Shape));
        t.Write((x, y) =>
        {
            if (t.HasBase) TaskVectors.Subtract(x, 2);
            for (int start = 0; start < x.Count; start += row)
            {
                Gram gram = Gram.Of(x, start, row, 2);
                double[] c = Weights(gram[0, 0], gram[0, 1], gram[1, 1]);
                Span<float> merged = y.Slice(start, row);
                TensorPrimitives.Multiply(x[0].Slice(start, row), (float)c[0], merged);
                TensorPrimitives.MultiplyAdd(x[1].Slice(start, row), (float)c[1], merged, merged);
            }

            if (t.HasBase) TensorPrimitives.Add(y, x.Base, y);
        });
    }

    /// <summary>One vector per position of the other axes: element i belongs to vector i modulo their number.</summary>
    private void MergeAlongFirstAxis(TensorMerge t)
    {
        int vectors = checked((int)(t.Shape.Count / Math.Max(1, t.Shape[0])));
        double[] sums = t.Sum(3 * vectors, (x, sum) =>
        {
            if (t.HasBase) TaskVectors.Subtract(x, 2);
            int vector = (int)(x.First % vectors);
            for (int i = 0; i < x.Count; i++)
            {
                double a = x[0][i], b = x[1][i];
                sum[3 * vector] += a * a;
                sum[3 * vector + 1] += a * b;
                sum[3 * vector + 2] += b * b;
                if (++vector == vectors) vector = 0;
            }
        });

        float[] first = new float[vectors], second = new float[vectors];
        for (int v = 0; v < vectors; v++)
        {
            double[] c = Weights(sums[3 * v], sums[3 * v + 1], sums[3 * v + 2]);
            (first[v], second[v]) = ((float)c[0], (float)c[1]);
        }

        t.Write((x, y) =>
        {
            if (t.HasBase) TaskVectors.Subtract(x, 2);
            for (int start = 0; start < x.Count;)
            {
                int vector = (int)((x.First + start) % vectors), run = Math.Min(vectors - vector, x.Count - start);
                Span<float> merged = y.Slice(start, run);
                TensorPrimitives.Multiply(x[0].Slice(start, run), first.AsSpan(vector, run), merged);
                TensorPrimitives.MultiplyAdd(x[1].Slice(start, run), second.AsSpan(vector, run), merged, merged);
                start += run;
            }

            if (t.HasBase) TensorPrimitives.Add(y, x.Base, y);
        });
    }

    /// <summary>Coefficients of two vectors from their inner products.</summary>
    private double[] Weights(double aa, double ab, double bb)
    {
        double cosine = ab / (Math.Max(NoLength, Math.Sqrt(aa)) * Math.Max(NoLength, Math.Sqrt(bb)));
        double angle = Math.Acos(Math.Clamp(cosine, -1, 1));
        return Math.Sin(angle) < SmallSine ? [1 - Position, Position] : Slerp.Weights(Position, angle);
    }
}
