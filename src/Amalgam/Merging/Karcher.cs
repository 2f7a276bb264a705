namespace Amalgam.Merging;

/// <summary>
/// Karcher (Riemannian) mean of the models' directions on the sphere, equally weighted, times their mean length (Karcher 1977). Iterates on coefficients: the
/// mean lies in the span of the models.
/// </summary>
/// <param name="MaxIterations">Most steps.</param>
/// <param name="Tolerance">Stops when a step is shorter; models of at most this length have no direction.</param>
public sealed record Karcher(int MaxIterations = 10, double Tolerance = 1e-5) : MergeMethod
{
    /// <summary>Below this sine a model lies opposite to the mean, and there is no shortest way to it.</summary>
    private const double SmallSine = 1e-6;

    /// <summary>A mean direction shorter than this is what rounding left of nothing.</summary>
    private const double RoundingNoise = 1e-7;

    private static readonly MethodParameter MaxIterationsParameter =
        new("max_iter", ParameterKind.Number, "Most steps of the iteration") { Default = 10, Low = (0, true), High = (1e6, true), Whole = true };

    private static readonly MethodParameter ToleranceParameter =
        new("tol", ParameterKind.Number, "The iteration stops when a step, in radians, is shorter") { Default = 1e-5, Low = (0, true) };

    internal static readonly MethodEntry Entry = new(
        "karcher", "Mean direction on the sphere, times the mean length",
        "Any number of models as equals, when the average would shrink the weights",
        "Karcher 1977; mergekit", BaseRole.Model, 1, int.MaxValue, [MaxIterationsParameter, ToleranceParameter],
        a => new Karcher((int)a.Number(MaxIterationsParameter), a.Number(ToleranceParameter)));

    public int MaxIterations { get; } = (int)MaxIterationsParameter.Check(MaxIterations, "karcher");

    public double Tolerance { get; } = ToleranceParameter.Check(Tolerance, "karcher");

    public override void Merge(TensorMerge t)
    {
        double[] c = t.Models == 1 ? [1] : Coefficients(Gram.Of(t, fromBase: false));
        t.Write((x, y) => Linear.Combine(x, c, y));
    }

    private double[] Coefficients(Gram gram)
    {
        int n = gram.Models;
        double[] length = [.. Enumerable.Range(0, n).Select(gram.Norm)];
        int[] members = [.. Enumerable.Range(0, n).Where(i => length[i] > Tolerance)];
        if (members.Length == 0) return new double[n];

        // A direction is a combination of the models: u = sum of c[i] x[i].
        double[] u = new double[n];
        foreach (int i in members) u[i] = 1.0 / members.Length / length[i];
        double norm = Math.Sqrt(gram.SquaredNorm(u));
        if (norm < Math.Max(Tolerance, RoundingNoise))
        {
            Array.Clear(u);
            u[members[0]] = 1 / length[members[0]];
        }
        else
        {
            Scale(u, 1 / norm);
        }

        for (int step = 0; step < MaxIterations; step++)
        {
            double[] tangent = Tangent(gram, u, length, members);
            double angle = Math.Sqrt(gram.SquaredNorm(tangent));
            if (angle < Tolerance || angle == 0) break;
            for (int i = 0; i < n; i++) u[i] = Math.Cos(angle) * u[i] + Math.Sin(angle) / angle * tangent[i];
            Scale(u, 1 / Math.Sqrt(gram.SquaredNorm(u)));
        }

        Scale(u, length.Average());
        return u;
    }

    /// <summary>Mean of the logarithms of the members' directions at u.</summary>
    private double[] Tangent(Gram gram, double[] u, double[] length, int[] members)
    {
        double[] tangent = new double[u.Length];
        foreach (int i in members)
        {
            double cosine = Math.Clamp(gram.Dot(i, u) / length[i], -1, 1);
            double angle = Math.Acos(cosine);
            if (angle < Tolerance || Math.Sin(angle) < SmallSine) continue;
            double factor = angle / Math.Sin(angle) / members.Length;
            tangent[i] += factor / length[i];
            for (int j = 0; j < u.Length; j++) tangent[j] -= factor * cosine * u[j];
        }

        return tangent;
    }

    private static void Scale(double[] values, double factor)
    {
        for (int i = 0; i < values.Length; i++) values[i] *= factor;
    }
}
