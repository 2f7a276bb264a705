namespace Amalgam.Tests.Zoo.Models;

/// <summary>The forward pass of encoders, straight from the papers' formulas, in double precision, one sample at a time.</summary>
/// <param name="weights">Tensors by name.</param>
internal sealed class NaiveTransformer(IReadOnlyDictionary<string, (Shape Shape, float[] Values)> weights)
{
    /// <summary>Where the parts of a block lie and how it is put together.</summary>
    public sealed record Block(string Query, string Key, string Value, string AttentionOutput, string AttentionNorm, string Inner, string Output, string OutputNorm, int Heads, double Epsilon)
    {
        public bool NormFirst { get; init; }
        public Func<double, double> Activation { get; init; } = Gelu;
    }

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Has(string name) => weights.ContainsKey(name);

    /// <summary>Row of a table.</summary>
    public double[] Row(string name, int row)
    {
        var (shape, values) = weights[name];
        int size = (int)shape[^1];
        return [.. values.AsSpan(row * size, size).ToArray().Select(v => (double)v)];
    }

    public double[] Linear(double[] x, string name)
    {
        var (shape, w) = weights[$"{name}.weight"];
        double[] y = new double[(int)shape[0]];
        for (int o = 0; o < y.Length; o++)
        {
            y[o] = weights.TryGetValue($"{name}.bias", out var bias) ? bias.Values[o] : 0;
            for (int i = 0; i < x.Length; i++) y[o] += x[i] * w[(o * x.Length) + i];
        }

        return y;
    }

    public double[] Norm(double[] x, string name, double epsilon)
    {
        double mean = x.Average(), variance = x.Average(v => (v - mean) * (v - mean));
        float[] scale = weights.TryGetValue($"{name}.weight", out var w) ? w.Values : weights[$"{name}.gamma"].Values;
        float[] shift = weights.TryGetValue($"{name}.bias", out var b) ? b.Values : weights[$"{name}.beta"].Values;
        return [.. x.Select((v, i) => ((v - mean) / Math.Sqrt(variance + epsilon) * scale[i]) + shift[i])];
    }

    /// <summary>One block.</summary>
    /// <param name="x">Positions.</param>
    /// <param name="name">The block's name with a dot.</param>
    /// <param name="block">Its parts.</param>
    /// <param name="sees">Whether a position may look at another.</param>
    public double[][] Apply(double[][] x, string name, Block block, Func<int, int, bool> sees)
    {
        double[][] a = block.NormFirst ? [.. x.Select(v => Norm(v, name + block.AttentionNorm, block.Epsilon))] : x;
        double[][] q = [.. a.Select(v => Linear(v, name + block.Query))], k = [.. a.Select(v => Linear(v, name + block.Key))], u = [.. a.Select(v => Linear(v, name + block.Value))];
        int size = q[0].Length / block.Heads;
        double[][] y = new double[x.Length][];
        for (int t = 0; t < x.Length; t++)
        {
            double[] attended = new double[q[0].Length];
            for (int h = 0; h < block.Heads; h++)
            {
                double[] scores = new double[x.Length];
                for (int s = 0; s < x.Length; s++)
                    for (int i = h * size; i < (h + 1) * size; i++) scores[s] += q[t][i] * k[s][i] / Math.Sqrt(size);
                double most = Enumerable.Range(0, x.Length).Where(s => sees(t, s)).Max(s => scores[s]);
                double[] share = [.. scores.Select((v, s) => sees(t, s) ? Math.Exp(v - most) : 0)];
                for (int i = h * size; i < (h + 1) * size; i++) attended[i] = share.Select((v, s) => v * u[s][i]).Sum() / share.Sum();
            }

            double[] sum = Add(x[t], Linear(attended, name + block.AttentionOutput));
            if (!block.NormFirst) sum = Norm(sum, name + block.AttentionNorm, block.Epsilon);
            double[] f = block.NormFirst ? Norm(sum, name + block.OutputNorm, block.Epsilon) : sum;
            f = Linear([.. Linear(f, name + block.Inner).Select(block.Activation)], name + block.Output);
            y[t] = block.NormFirst ? Add(sum, f) : Norm(Add(sum, f), name + block.OutputNorm, block.Epsilon);
        }

        return y;
    }

    public static double[] Add(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    /// <summary>x times the normal distribution function, whose series converges everywhere.</summary>
    public static double Gelu(double x)
    {
        double term = x, sum = x;
        for (int n = 1; n < 200; n++) sum += term *= x * x / ((2 * n) + 1);
        return x * (0.5 + (sum * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI)));
    }
}
