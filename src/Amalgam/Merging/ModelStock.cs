using System.Numerics.Tensors;

namespace Amalgam.Merging;

/// <summary>
/// Model Stock (Jang et al. 2024): the point between the base and the average of the fine-tunes that is closest to where many fine-tunes would average, from
/// the angle between them: t = N c / (1 + (N-1) c).
/// </summary>
/// <param name="FilterWise">One angle for each row (innermost axis) instead of one for the tensor.</param>
public sealed record ModelStock(bool FilterWise = false) : MergeMethod
{
    private static readonly MethodParameter FilterWiseParameter = new("filter_wise", ParameterKind.Flag, "One ratio for each row instead of one for the tensor") { Default = 0 };

    internal static readonly MethodEntry Entry = new(
        "model_stock", "Weighs the fine-tunes' average against the base by the angle between the fine-tunes",
        "Two or more fine-tunes of one base on one task, without weights to choose",
        "Jang et al. 2024, Model Stock, eq. 5", BaseRole.Origin, 2, int.MaxValue, [FilterWiseParameter], a => new ModelStock(a.Flag(FilterWiseParameter)))
    { CutsBase = true };

    public override long Grain(Shape shape) => IsWhole(shape) ? 1 : RowOf(shape);

    public override void Merge(TensorMerge t)
    {
        int models = t.Models;
        bool whole = IsWhole(t.Shape);
        float ofAll = whole ? (float)Ratio(Gram.Of(t, fromBase: true)) : 0;
        int row = whole ? 0 : checked((int)RowOf(t.Shape));
        t.Write((x, y) =>
        {
            TaskVectors.Subtract(x, models);
            y.Clear();
            for (int i = 0; i < models; i++) TensorPrimitives.Add(y, x[i], y);
            int step = whole ? x.Count : row;
            for (int start = 0; start < x.Count; start += step)
            {
                float ratio = whole ? ofAll : (float)Ratio(Gram.Of(x, start, step, models));
                TensorPrimitives.MultiplyAdd(y.Slice(start, step), ratio / models, x.Base.Slice(start, step), y.Slice(start, step));
            }
        });
    }

    private bool IsWhole(Shape shape) => !FilterWise || shape.Rank < 2;

    /// <summary>The share of the average; the rest is the base's.</summary>
    private static double Ratio(Gram gram)
    {
        int n = gram.Models, pairs = n * (n - 1) / 2;
        double sum = 0;
        for (int i = 0; i < n; i++)
            for (int j = i + 1; j < n; j++)
                sum += Math.Clamp(gram[i, j] / Math.Max(gram.Norm(i) * gram.Norm(j), 1e-6), -1, 1);
        double cosine = sum / pairs, divisor = 1 + (n - 1) * cosine;

        // Only two exactly opposite task vectors make the divisor 0; their average is the base itself.
        return Math.Abs(divisor) < 1e-12 ? 0 : n * cosine / divisor;
    }
}
