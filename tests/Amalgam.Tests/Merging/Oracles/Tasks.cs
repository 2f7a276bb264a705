using Amalgam.Numerics;

namespace Amalgam.Tests.Merging.Oracles;

/// <summary>Methods on task vectors, from their definitions: whole arrays, double precision.</summary>
internal static class Tasks
{
    /// <summary>The k largest magnitudes; of equal ones the first.</summary>
    public static bool[] Largest(double[] d, int k)
    {
        HashSet<int> kept = [.. Enumerable.Range(0, d.Length).OrderByDescending(i => Math.Abs(d[i])).Take(k)];
        return [.. Enumerable.Range(0, d.Length).Select(kept.Contains)];
    }

    /// <summary>Ascending ranks from bot to n - top.</summary>
    public static bool[] WithoutOutliers(double[] d, double density, double gamma)
    {
        int n = d.Length, keep = (int)(density * n), top = (int)(gamma * n), bottom = n - keep - top;
        if (bottom < 0) (top, bottom) = (top + bottom, 0);

        // Of equal magnitudes the first is the larger.
        int[] ascending = [.. Enumerable.Range(0, n).OrderBy(i => Math.Abs(d[i])).ThenByDescending(i => i)];
        HashSet<int> kept = [.. ascending[bottom..(n - top)]];
        return [.. Enumerable.Range(0, n).Select(kept.Contains)];
    }

    public static bool[] Drawn(ulong key, int count, Func<int, double> probability)
    {
        uint[] draws = new uint[count];
        Philox.Fill(key, 0, draws);
        return [.. draws.Select((draw, i) => draw < probability(i) * 4294967296.0)];
    }

    /// <summary>Keep probabilities that grow with the rank within a row, which runs along the second axis.</summary>
    public static double[] RankProbabilities(double[] d, long[] shape, double density, double epsilon)
    {
        double[] p = new double[d.Length];
        foreach (int[] row in Vectors.Along(shape, 1))
        {
            int[] ascending = [.. row.OrderBy(i => Math.Abs(d[i]))];
            for (int rank = 0; rank < row.Length; rank++)
                p[ascending[rank]] = row.Length == 1 ? density : density - epsilon + 2 * epsilon * rank / (row.Length - 1);
        }

        return p;
    }

    /// <summary>Generalised task arithmetic on pruned task vectors; where the elected sign hangs on rounding, the second array holds the other sign's result.</summary>
    public static (double[] Merged, double[] Other) Arithmetic(double[] b, double[][] deltas, bool[]?[] masks, double[] w, bool rescale, bool elects, bool normalize, double lambda)
    {
        double[][] v = [.. deltas.Select((d, i) => Pruned(d, masks[i], rescale).Select(x => x * w[i]).ToArray())];
        double[] merged = new double[b.Length], other = new double[b.Length];
        for (int at = 0; at < b.Length; at++)
        {
            double[] here = [.. v.Select(x => x[at])];
            double sum = here.Sum();
            bool unsure = elects && Math.Abs(sum) <= 1e-6 * here.Sum(Math.Abs);
            merged[at] = b[at] + lambda * Mix(here, sum >= 0);
            other[at] = unsure ? b[at] + lambda * Mix(here, !(sum >= 0)) : merged[at];
        }

        return (merged, other);

        double Mix(double[] here, bool positive)
        {
            bool[] kept = [.. here.Select(x => !elects || (positive ? x > 0 : x < 0))];
            double mix = here.Where((_, i) => kept[i]).Sum(), divisor = w.Where((_, i) => kept[i]).Sum();
            return normalize && Math.Abs(divisor) > 1e-8 ? mix / divisor : mix;
        }
    }

    public static double[] ModelStock(double[] b, double[][] x, long[] shape, bool rows)
    {
        double[][] deltas = [.. x.Select(v => Vectors.Subtract(v, b))];
        double[] merged = new double[b.Length];
        foreach (int[] vector in Vectors.Along(shape, rows ? shape.Length - 1 : null))
        {
            double[][] d = [.. deltas.Select(v => vector.Select(i => v[i]).ToArray())];
            var cosines = from i in Enumerable.Range(0, d.Length)
                          from j in Enumerable.Range(i + 1, d.Length - i - 1)
                          select Math.Clamp(Vectors.Dot(d[i], d[j]) / Math.Max(Vectors.Norm(d[i]) * Vectors.Norm(d[j]), 1e-6), -1, 1);
            double c = cosines.Average(), t = x.Length * c / (1 + (x.Length - 1) * c);

            // The mean of opposite task vectors says nothing of the centre: the base stays.
            if (Math.Abs(1 + (x.Length - 1) * c) < 1e-9) t = 0;
            foreach (int i in vector) merged[i] = t * x.Average(v => v[i]) + (1 - t) * b[i];
        }

        return merged;
    }

    public static double[] NearSwap(double[] b, double[] w, double t) =>
        [.. b.Zip(w, (x, y) => { double a = Math.Clamp(t / Math.Max(Math.Abs(x - y), 1e-6), 0, 1); return a * y + (1 - a) * x; })];

    public static double[] Sce(double[] b, double[][] x, double selected)
    {
        int n = x.Length;
        double[][] d = [.. x.Select(v => Vectors.Subtract(v, b))];
        if (selected < 1)
        {
            // n sum d^2 - (sum d)^2 is exact for the values that the tests take.
            double[] variance = [.. b.Select((_, i) => n * d.Sum(v => v[i] * v[i]) - Math.Pow(d.Sum(v => v[i]), 2))];
            bool[] kept = Largest(variance, (int)((float)variance.Count(v => v > 0) * (float)selected));
            d = [.. d.Select(v => v.Select((e, i) => kept[i] ? e : 0).ToArray())];
        }

        double[] squares = [.. d.Select(v => v.Select(e => e * e).Average())];
        double[] w = [.. squares.Select(s => squares.Sum() < 1e-6 ? 1.0 / n : s / squares.Sum())];
        return [.. b.Select((origin, i) =>
        {
            int sign = d.Sum(v => v[i]) >= 0 ? 1 : -1;
            double[] m = [.. d.Select(v => Math.Sign(v[i]) == sign ? 1.0 : 0)];
            return origin + Enumerable.Range(0, n).Sum(k => w[k] * m[k] * d[k][i]) / Math.Max(w.Zip(m, (a, e) => a * e).Sum(), 1e-6);
        })];
    }

    /// <summary>Where the importance lies on the threshold up to rounding, the second array holds the other choice.</summary>
    public static (double[] Merged, double[] Other) ArceeFusion(double[] b, double[] w, long[] shape)
    {
        double[] importance = new double[b.Length];
        foreach (int[] row in Vectors.Along(shape, shape.Length - 1))
        {
            double[] p = SoftMax([.. row.Select(i => w[i])]), q = SoftMax([.. row.Select(i => b[i])]);
            double divergence = Math.Max(0, p.Zip(q, (x, y) => x * Math.Log(x / y)).Sum());
            foreach (int i in row) importance[i] = Math.Abs(w[i] - b[i]) * divergence;
        }

        double[] sorted = [.. importance.Order()];
        double Quantile(double q) => sorted[(int)(q * (sorted.Length - 1))];
        double threshold = Quantile(0.5) + 1.5 * (Quantile(0.75) - Quantile(0.25));
        double[] merged = [.. b.Select((x, i) => importance[i] >= threshold ? w[i] : x)];
        double[] other = [.. b.Select((x, i) => Math.Abs(importance[i] - threshold) > 1e-6 * threshold + 1e-14 ? merged[i] : importance[i] >= threshold ? x : w[i])];
        return (merged, other);
    }

    public static double[] Ram(double[] b, double[][] x, double epsilon, double r, double alpha)
    {
        bool[][] active = [.. x.Select(v => v.Zip(b, (y, o) => Math.Abs(y - o) > epsilon).ToArray())];
        int At(int i) => active.Count(a => a[i]);
        double[] scale = [.. active.Select(a =>
        {
            double shared = a.Where((on, i) => on && At(i) > 1).Count(), own = a.Where((on, i) => on && At(i) == 1).Count();
            return shared == 0 ? 1 : 1 + r * Math.Clamp(shared / Math.Max(own, epsilon), 0, alpha);
        })];
        return [.. b.Select((origin, i) =>
        {
            int[] on = [.. Enumerable.Range(0, x.Length).Where(k => active[k][i])];
            return on.Length switch
            {
                0 => origin,
                1 => origin + scale[on[0]] * (x[on[0]][i] - origin),
                _ => origin + on.Average(k => x[k][i] - origin),
            };
        })];
    }

    private static double[] Pruned(double[] d, bool[]? mask, bool rescale)
    {
        if (mask is null) return d;
        double[] kept = [.. d.Select((x, i) => mask[i] ? x : 0)];
        double before = d.Sum(Math.Abs), after = kept.Sum(Math.Abs);
        return rescale && before >= 1e-7 && after >= 1e-7 ? Vectors.Scale(kept, before / after) : kept;
    }

    private static double[] SoftMax(double[] x)
    {
        double[] y = [.. x.Select(v => Math.Exp(v - x.Max()))];
        return [.. y.Select(v => v / y.Sum() + 1e-8)];
    }
}
