namespace Amalgam.Tests.Transfer.OfTeaching;

/// <summary>The ways to distil as their papers have them, in double precision and one sample after the other.</summary>
internal static class NaiveTeaching
{
    public static double[] LogSoftmax(double[] x, double temperature = 1)
    {
        double greatest = x.Max() / temperature, sum = x.Sum(v => Math.Exp(v / temperature - greatest));
        return [.. x.Select(v => v / temperature - greatest - Math.Log(sum))];
    }

    public static double[] Softmax(double[] x, double temperature = 1) => [.. LogSoftmax(x, temperature).Select(Math.Exp)];

    public static double CrossEntropy(double[][] s, int[] y) => s.Zip(y, (row, label) => -LogSoftmax(row)[label]).Average();

    public static double Kd(double[][] s, double[][] t, double temperature) =>
        temperature * temperature * s.Zip(t, (a, b) => Kl(LogSoftmax(b, temperature), LogSoftmax(a, temperature))).Average();

    public static double OwnPart(double[][] s, double[][] t, int[] y, double temperature) => temperature * temperature * y.Select((label, n) =>
    {
        double a = LogSoftmax(s[n], temperature)[label], b = LogSoftmax(t[n], temperature)[label];
        double restA = LogOfOthers(s[n], label, temperature), restB = LogOfOthers(t[n], label, temperature);
        return Kl([b, restB], [a, restA]);
    }).Average();

    public static double OthersPart(double[][] s, double[][] t, int[] y, double temperature) => temperature * temperature * y.Select((label, n) =>
        Kl(LogSoftmax(Without(t[n], label), temperature), LogSoftmax(Without(s[n], label), temperature))).Average();

    public static double Nkd(double[][] s, double[][] t, int[] y, double temperature, double gamma) => -y.Select((label, n) =>
        Softmax(t[n])[label] * LogSoftmax(s[n])[label]
        + gamma * temperature * temperature * Softmax(Without(t[n], label), temperature).Zip(LogSoftmax(Without(s[n], label), temperature), (p, log) => p * log).Sum()).Average();

    public static double TfKdReg(double[][] s, int[] y, double temperature, double alpha, double multiplier, double correct, bool both, bool elements)
    {
        double divergence = y.Select((label, n) =>
        {
            double[] u = [.. s[n].Select((_, k) => k == label ? correct : (1 - correct) / (s[n].Length - 1))];
            double[] powers = [.. u.Select(p => Math.Pow(p, 1 / temperature))];
            return both
                ? Kl([.. powers.Select(p => Math.Log(p / powers.Sum()))], LogSoftmax(s[n], temperature))
                : Kl(LogSoftmax(u, temperature), LogSoftmax(s[n]));
        }).Average();
        return (1 - alpha) * CrossEntropy(s, y) + alpha * multiplier * divergence / (elements ? s[0].Length : 1);
    }

    /// <summary>p^2 + 1 - mean p^2 of each sample's own class.</summary>
    public static double[] OwnWeights(double[][] s, int[] y)
    {
        double[] squares = [.. y.Select((label, n) => Math.Pow(Softmax(s[n])[label], 2))];
        return [.. squares.Select(p => p + 1 - squares.Average())];
    }

    /// <summary>1 / rank of the classes but the sample's own, over their sum; of equal ones the first is first.</summary>
    public static double[][] Zipf(double[][] s, double[][] weak, int[] y, bool logarithms) =>
    [
        .. y.Select((label, n) =>
        {
            double[] w = Softmax(weak[n]), f = logarithms ? LogSoftmax(s[n]) : Softmax(s[n]);
            double[] worth = [.. w.Select((p, k) => p / (1 - w[label] + 1e-6) + f[k] / (1 - f[label] + 1e-6))];
            double[] z = Without([.. worth.Select((own, k) => 1.0 / (1 + worth.Where((other, j) => other > own || (other == own && j < k)).Count()))], label);
            return z.Select(v => v / z.Sum()).ToArray();
        }),
    ];

    public static double Uskd(double[][] s, double[][] weak, int[] y, double[] ownWeights, double[][] zipf, double alpha, double beta, double mu) => y.Select((label, n) =>
    {
        double[] smooth = [.. s[n].Select((_, k) => (k == label ? 0.9 : 0) + 0.1 / s[n].Length)];
        return -alpha * ownWeights[n] * LogSoftmax(s[n])[label]
            - beta * zipf[n].Zip(LogSoftmax(Without(s[n], label)), (z, log) => z * log).Sum()
            - mu * smooth.Zip(LogSoftmax(weak[n]), (q, log) => q * log).Sum();
    }).Average();

    public static double Distances(double[][] a, double[][] b)
    {
        double[,] Of(double[][] f)
        {
            int n = f.Length;
            double[,] d = new double[n, n];
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++) d[i, j] = i == j ? 0 : Math.Sqrt(Math.Max(1e-12, Minus(f[i], f[j]).Sum(v => v * v)));
            double mean = d.Cast<double>().Where(v => v > 0).Average();
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++) d[i, j] /= mean;
            return d;
        }

        return Of(a).Cast<double>().Zip(Of(b).Cast<double>(), Smooth).Average();
    }

    public static double Angles(double[][] a, double[][] b)
    {
        static IEnumerable<double> Of(double[][] f)
        {
            double[] Way(int i, int j) => Minus(f[j], f[i]) is var way && Math.Sqrt(way.Sum(v => v * v)) is > 1e-6 and var length ? [.. way.Select(v => v / length)] : new double[f[i].Length];
            for (int i = 0; i < f.Length; i++)
                for (int j = 0; j < f.Length; j++)
                    for (int k = 0; k < f.Length; k++) yield return Way(i, j).Zip(Way(i, k), (v, w) => v * w).Sum();
        }

        return Of(a).Zip(Of(b), Smooth).Average();
    }

    private static double Smooth(double a, double b) => Math.Abs(a - b) is var x && x < 1 ? x * x / 2 : x - 0.5;

    private static double[] Minus(double[] a, double[] b) => [.. a.Zip(b, (v, w) => v - w)];

    private static double[] Without(double[] x, int label) => [.. x.Where((_, k) => k != label)];

    private static double LogOfOthers(double[] x, int label, double temperature)
    {
        double[] logs = Without(LogSoftmax(x, temperature), label);
        return logs.Max() + Math.Log(logs.Sum(log => Math.Exp(log - logs.Max())));
    }

    /// <summary>KL(p || q) of logarithms.</summary>
    private static double Kl(double[] p, double[] q) => p.Zip(q, (a, b) => Math.Exp(a) == 0 ? 0 : Math.Exp(a) * (a - b)).Sum();
}
