namespace Amalgam.Tests.Merging.Oracles;

/// <summary>Averages and spherical methods, from their definitions: whole arrays, double precision.</summary>
internal static class Spheres
{
    public static double[] Linear(double[][] x, double[] w, bool normalize)
    {
        double[] sum = Vectors.Combine(x, w);
        return normalize ? Vectors.Scale(sum, 1 / w.Sum()) : sum;
    }

    public static double[] Slerp(double[] b, double[] w, double t)
    {
        double[] u = Vectors.Norm(b) > 1e-8 ? Vectors.Scale(b, 1 / Vectors.Norm(b)) : b, v = Vectors.Norm(w) > 1e-8 ? Vectors.Scale(w, 1 / Vectors.Norm(w)) : w;
        double c = Vectors.Dot(u, v);
        return Math.Abs(c) > 0.9995 ? Vectors.Combine([b, w], [1 - t, t]) : Arc(b, w, t, Math.Acos(c));
    }

    /// <summary>NuSLERP along one axis: each vector for itself; no axis takes the tensor as one vector.</summary>
    public static double[] NuSlerp(double[][] x, double[]? origin, double[] w, long[] shape, int? axis)
    {
        if (origin is not null) return Vectors.Add(NuSlerp([.. x.Select(v => Vectors.Subtract(v, origin))], null, w, shape, axis), origin);
        double t = Math.Abs(w[0] + w[1]) < 1e-6 ? 0.5 : w[1] / (w[0] + w[1]);
        double[] merged = new double[x[0].Length];
        foreach (int[] vector in Vectors.Along(shape, axis))
        {
            double[] a = [.. vector.Select(i => x[0][i])], b = [.. vector.Select(i => x[1][i])];
            double c = Vectors.Dot(Vectors.Scale(a, 1 / Math.Max(Vectors.Norm(a), 1e-7)), Vectors.Scale(b, 1 / Math.Max(Vectors.Norm(b), 1e-7)));
            double angle = Math.Acos(Math.Clamp(c, -1, 1));

            // Exactly opposite vectors have a sine of 1e-8 or so in double precision; the definition wants them on the line.
            double[] arc = Math.Sin(angle) < 1e-7 ? Vectors.Combine([a, b], [1 - t, t]) : Arc(a, b, t, angle);
            for (int i = 0; i < vector.Length; i++) merged[vector[i]] = arc[i];
        }

        return merged;
    }

    /// <summary>Null where the directions of more than two models cancel, which has no result.</summary>
    public static double[]? MultiSlerp(double[][] x, double[]? origin, double[] weights, bool normalize, double eps)
    {
        if (origin is not null)
        {
            double[]? merged = MultiSlerp([.. x.Select(v => Vectors.Subtract(v, origin))], null, weights, normalize, eps);
            return merged is null ? null : Vectors.Add(merged, origin);
        }

        double[] w = normalize ? Vectors.Scale(weights, 1 / weights.Sum()) : weights;
        double[][] u = [.. x.Select(v => Vectors.Scale(v, 1 / (Vectors.Norm(v) + eps)))];
        double[] m = Vectors.Combine(u, w);
        double length = Vectors.Norm(m);
        if (length < Math.Max(eps, 1e-7)) return x.Length == 2 || x.All(v => Vectors.Norm(v) == 0) ? Vectors.Combine(x, w) : null;

        m = Vectors.Scale(m, 1 / length);
        double[] tangent = Vectors.Combine([.. u.Select(v => Vectors.Combine([v, m], [1, -Vectors.Dot(v, m)]))], w);
        double r = Vectors.Norm(tangent) + eps;
        return Vectors.Scale(Vectors.Combine([m, tangent], [Math.Cos(r), Math.Sin(r) / r]), w.Zip(x, (a, v) => a * Vectors.Norm(v)).Sum());
    }

    public static double[] Karcher(double[][] x, int iterations, double tolerance)
    {
        if (x.Length == 1) return x[0];
        double[][] units = [.. x.Where(v => Vectors.Norm(v) > tolerance).Select(v => Vectors.Scale(v, 1 / Vectors.Norm(v)))];
        if (units.Length == 0) return new double[x[0].Length];
        double[] equal = [.. units.Select(_ => 1.0 / units.Length)];
        double[] u = Vectors.Combine(units, equal);
        u = Vectors.Norm(u) < Math.Max(tolerance, 1e-7) ? units[0] : Vectors.Scale(u, 1 / Vectors.Norm(u));
        for (int step = 0; step < iterations; step++)
        {
            double[] tangent = new double[u.Length];
            foreach (double[] v in units)
            {
                double c = Math.Clamp(Vectors.Dot(v, u), -1, 1), angle = Math.Acos(c);

                // From the opposite point no direction is the shortest.
                if (angle < tolerance || Math.Sin(angle) < 1e-6) continue;
                tangent = Vectors.Combine([tangent, v, u], [1, angle / Math.Sin(angle) / units.Length, -c * angle / Math.Sin(angle) / units.Length]);
            }

            double length = Vectors.Norm(tangent);
            if (length < tolerance || length == 0) break;
            u = Vectors.Combine([u, tangent], [Math.Cos(length), Math.Sin(length) / length]);
            u = Vectors.Scale(u, 1 / Vectors.Norm(u));
        }

        return Vectors.Scale(u, x.Average(Vectors.Norm));
    }

    private static double[] Arc(double[] a, double[] b, double t, double angle) => Vectors.Combine([a, b], [Math.Sin((1 - t) * angle) / Math.Sin(angle), Math.Sin(t * angle) / Math.Sin(angle)]);
}

/// <summary>Arithmetic on whole arrays.</summary>
internal static class Vectors
{
    public static double[] Of(float[] x) => [.. x.Select(v => (double)v)];

    public static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    public static double Norm(double[] x) => Math.Sqrt(Dot(x, x));

    public static double[] Scale(double[] x, double factor) => [.. x.Select(v => v * factor)];

    public static double[] Add(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    public static double[] Subtract(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x - y)];

    public static double[] Combine(double[][] x, double[] c) => [.. Enumerable.Range(0, x[0].Length).Select(i => x.Select((v, k) => c[k] * v[i]).Sum())];

    /// <summary>The positions of every vector along an axis; without one, or of a tensor of fewer than two axes, all positions as one vector.</summary>
    public static IEnumerable<int[]> Along(long[] shape, int? axis)
    {
        int count = (int)shape.Aggregate(1L, (a, b) => a * b);
        if (axis is not { } along || shape.Length < 2) return [[.. Enumerable.Range(0, count)]];
        long stride = shape[(along + 1)..].Aggregate(1L, (a, b) => a * b);
        return Enumerable.Range(0, count).GroupBy(i => i - i / stride % shape[along] * stride).Select(g => g.ToArray());
    }
}
