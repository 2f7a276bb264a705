using Amalgam.Merging;

namespace Amalgam.Tests.Transfer;

/// <summary>CKI with a given matrix P by plain loops in double precision, formula by formula of the paper.</summary>
internal static class NaiveCki
{
    /// <param name="Value">The spliced weight.</param>
    /// <param name="Global">g of each model.</param>
    /// <param name="Local">l of each model and position.</param>
    /// <param name="V">V of each model and position, before the softmax.</param>
    /// <param name="Shares">V of each model and position, after it.</param>
    public sealed record Result(double[] Value, double[] Global, double[][] Local, double[][] V, double[][] Shares);

    /// <param name="models">A weight of each model, <c>[rows, columns, rest]</c>.</param>
    /// <param name="rows">First axis.</param>
    /// <param name="columns">Second axis.</param>
    /// <param name="p">P, <c>[columns, columns]</c>; of rows for weights made for each sample.</param>
    /// <param name="form">a, c, bins, soft or hard.</param>
    /// <param name="ofRows">P mixes rows.</param>
    public static Result Of(double[][] models, int rows, int columns, double[] p, Cki form, bool ofRows = false)
    {
        int n = models.Length, size = models[0].Length, rest = size / (rows * columns);
        double[] entropies = [.. models.Select(m => Entropy(m, form.Bins))], global = new double[n];
        double[][] local = [.. models.Select(_ => new double[size])];
        for (int k = 0; k < n; k++)
        {
            for (int l = 0; l < n; l++)
            {
                if (k == l) continue;
                global[k] += (form.A / Math.PI * Math.Atan(form.C * (entropies[k] - entropies[l])) + 0.5) / (n - 1);
                for (int at = 0; at < size; at++)
                {
                    int r = at / (columns * rest), c = at / rest % columns, z = at % rest;
                    double sum = 0;
                    for (int j = 0; j < (ofRows ? rows : columns); j++)
                    {
                        int other = ofRows ? (j * columns + c) * rest + z : (r * columns + j) * rest + z;
                        sum += Math.Abs(models[k][other] - models[l][other]) * p[ofRows ? j * rows + r : j * columns + c];
                    }

                    double s = 1 / (1 + Math.Exp(-sum));
                    local[k][at] += (k < l ? s : 1 - s) / (n - 1);
                }
            }
        }

        double[][] v = [.. local.Select((l, k) => l.Select(x => global[k] * (1 - Math.Exp(-global[k] * x))).ToArray())];
        double[][] shares = [.. v.Select(own => own.Select((x, at) => Math.Exp(x) / v.Sum(other => Math.Exp(other[at]))).ToArray())];
        double[] value = [.. Enumerable.Range(0, size).Select(at => form.Splice == CkiSplice.Soft
            ? Enumerable.Range(0, n).Sum(k => models[k][at] * shares[k][at])
            : models[Enumerable.Range(0, n).MaxBy(k => v[k][at])][at])];
        return new(value, global, local, v, shares);
    }

    public static double Entropy(double[] x, int bins)
    {
        double min = x.Min(), width = (x.Max() - min) / bins;
        if (width == 0) return 0;
        return -x.GroupBy(v => Math.Min(bins - 1, Math.Floor((v - min) / width))).Sum(bin => (double)bin.Count() / x.Length * Math.Log((double)bin.Count() / x.Length));
    }
}
