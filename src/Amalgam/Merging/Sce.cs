using System.Numerics;
using System.Numerics.Tensors;
using Amalgam.Numerics;

namespace Amalgam.Merging;

/// <summary>
/// SCE (Wan et al. 2024, FuseChat): selects the positions where the task vectors vary most, calculates each model's weight from its squared changes, erases
/// the entries of the minority sign.
/// </summary>
/// <param name="SelectTopK">Share of the positions of nonzero variance that is selected; 1 selects all.</param>
public sealed record Sce(double SelectTopK = 1) : MergeMethod
{
    /// <summary>Below this sum of mean squared changes the models weigh the same.</summary>
    private const double NoChange = 1e-6;

    private const float SmallestDivisor = 1e-6f;

    private static readonly MethodParameter SelectTopKParameter =
        new("select_topk", ParameterKind.Number, "Share of the positions, those where the task vectors vary most, that is merged") { Default = 1, Low = (0, true), High = (1, true) };

    private static readonly MethodParameter Int8Mask = new("int8_mask", ParameterKind.Flag, "Accepted for mergekit's sake, without effect") { Default = 0 };

    internal static readonly MethodEntry Entry = new(
        "sce", "Weighs the models by the size of their changes, on the positions where they differ most, and elects signs",
        "Several fine-tunes of one base, without weights to choose",
        "Wan et al. 2024, FuseChat", BaseRole.Origin, 1, int.MaxValue, [SelectTopKParameter, Int8Mask], a => new Sce(a.Number(SelectTopKParameter)));

    public double SelectTopK { get; } = SelectTopKParameter.Check(SelectTopK, "sce");

    public override long Scratch(Shape shape, int models) => Selection.Scratch(1, 1) + 4L * TensorMerge.BlockElements * sizeof(float);

    public override void Merge(TensorMerge t)
    {
        int models = t.Models;
        Cut? cut = SelectTopK < 1 ? SelectPositions(t) : null;
        double[] squares = t.Sum(models, (x, sum) =>
        {
            Prepare(x, models, cut);
            for (int i = 0; i < models; i++) sum[i] += Sums.SumOfSquares(x[i]);
        });
        double count = Math.Max(1, t.Shape.Count), total = squares.Sum() / count;
        double[] weights = [.. squares.Select(s => total < NoChange ? 1.0 / models : s / count / total)];
        t.Write((x, y) =>
        {
            Prepare(x, models, cut);
            Merge(x, weights, y);
        });
    }

    private Cut SelectPositions(TensorMerge t)
    {
        int models = t.Models;
        long varying = t.Count(1, (x, count) =>
        {
            OverwriteWithVariances(x, models);
            count[0] += x.Count - x[0].Count(0f);
        })[0];

        // The product is taken in single precision, as the method's users know it: 0.29 of 100 selects 29.
        long selected = (long)((float)varying * (float)SelectTopK);
        return Selection.Largest(t, [(0, selected)], x => OverwriteWithVariances(x, models))[0];
    }

    /// <summary>Task vectors, zero where the position is not selected.</summary>
    private static void Prepare(Block x, int models, Cut? cut)
    {
        if (cut is null)
        {
            TaskVectors.Subtract(x, models);
            return;
        }

        float[] selected = new float[x.Count];
        Variances(x, models, selected);
        cut.Value.KeepAbove(x.First, selected);
        TaskVectors.Subtract(x, models);
        for (int i = 0; i < models; i++) Map.Apply<WhereSelected>(x[i], selected, x[i]);
    }

    private static void OverwriteWithVariances(Block x, int models)
    {
        float[] variances = new float[x.Count];
        Variances(x, models, variances);
        variances.CopyTo(x[0]);
    }

    /// <summary>Population variance over the models of each position's change; exactly 0 where all are equal.</summary>
    private static void Variances(Block x, int models, Span<float> y)
    {
        for (int at = 0; at < x.Count; at++)
        {
            double mean = 0, squares = 0;
            for (int i = 0; i < models; i++) mean += x[i][at] - x.Base[at];
            mean /= models;
            for (int i = 0; i < models; i++)
            {
                double d = x[i][at] - x.Base[at] - mean;
                squares += d * d;
            }

            y[at] = (float)(squares / models);
        }
    }

    /// <summary>B + sum of w m D / max(sum of w m, 1e-6), with m = 1 where D has the sign of the sum over the models.</summary>
    private static void Merge(Block x, double[] weights, Span<float> y)
    {
        float[] sum = new float[x.Count], share = new float[x.Count], weight = new float[x.Count];
        for (int i = 0; i < weights.Length; i++) TensorPrimitives.Add(sum, x[i], sum);
        y.Clear();
        for (int i = 0; i < weights.Length; i++)
        {
            Map.Apply<WeightOfMajority>(x[i], sum, (float)weights[i], share);
            TensorPrimitives.Add(weight, share, weight);
            TensorPrimitives.MultiplyAdd(x[i], share, y, y);
        }

        TensorPrimitives.Max(weight, SmallestDivisor, weight);
        TensorPrimitives.Divide(y, weight, y);
        TensorPrimitives.Add(y, x.Base, y);
    }

    private readonly struct WhereSelected : IMap2
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b) => Vector.ConditionalSelect(Vector.Equals(b, Vector<float>.Zero), Vector<float>.Zero, a);
    }

    /// <summary>The weight where the change and the sum of the changes have one sign; a sum of 0 counts as positive.</summary>
    private readonly struct WeightOfMajority : IMap3
    {
        public static Vector<float> Invoke(Vector<float> a, Vector<float> b, Vector<float> c)
        {
            var positive = Vector.GreaterThanOrEqual(b, Vector<float>.Zero);
            var agrees = Vector.ConditionalSelect(positive, Vector.GreaterThan(a, Vector<float>.Zero), Vector.LessThan(a, Vector<float>.Zero));
            return Vector.ConditionalSelect(agrees, c, Vector<float>.Zero);
        }
    }
}
