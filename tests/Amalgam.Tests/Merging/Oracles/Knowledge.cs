namespace Amalgam.Tests.Merging.Oracles;

/// <summary>CKI in closed form, from its definition with n models: whole arrays, double precision.</summary>
internal static class Knowledge
{
    /// <summary>Entropy of a histogram of equal bins, the last one closed.</summary>
    public static double Entropy(IReadOnlyCollection<double> x, int bins)
    {
        if (x.Count == 0 || x.Min() == x.Max()) return 0;
        double min = x.Min(), width = (x.Max() - min) / bins;
        return x.GroupBy(v => Math.Min(bins - 1, Math.Floor((v - min) / width))).Sum(g => -(g.Count() / (double)x.Count) * Math.Log(g.Count() / (double)x.Count));
    }

    public static double[] Global(double[] entropies, double a, double c) =>
        [.. entropies.Select((e, k) => entropies.Where((_, l) => l != k).Average(other => a / Math.PI * Math.Atan(c * (e - other)) + 0.5))];

    /// <summary>V of each model at each position, after the softmax.</summary>
    public static double[][] Shares(double[][] x, Func<int, double[]> entropiesAt, bool local, double scale, double a, double c)
    {
        int n = x.Length, count = x[0].Length;
        double[][] v = [.. x.Select(_ => new double[count])];
        double[][] rms = [.. x.Select(p => x.Select(q => Math.Sqrt(p.Zip(q, (y, z) => (y - z) * (y - z)).Sum() / count)).ToArray())];
        for (int i = 0; i < count; i++)
        {
            double[] g = Global(entropiesAt(i), a, c), e = new double[n];
            for (int k = 0; k < n; k++)
            {
                double l = !local ? 1 : Enumerable.Range(0, n).Where(o => o != k).Average(o => rms[k][o] == 0 ? 0.5 : Sigmoid(scale * Math.Abs(x[k][i] - x[o][i]) / rms[k][o]));
                e[k] = Math.Exp(g[k] * (1 - Math.Exp(-g[k] * l)));
            }

            for (int k = 0; k < n; k++) v[k][i] = e[k] / e.Sum();
        }

        return v;
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
