using Amalgam.Graphs;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Tests.Transfer.OfMergeNet;

/// <summary>The low-rank adapter by loops in double precision, from the values of its parameters.</summary>
internal sealed class NaiveAdapter(Graph graph, LowRankAdapter adapter, string prefix = "")
{
    private readonly bool _isResidual = adapter.Form == AdapterForm.Residual;

    /// <summary>The parameters, by name; they may be changed.</summary>
    public Dictionary<string, double[]> Parameters { get; } = graph.Parameters.ToDictionary(p => p.Key, p => p.Value.Value!.Span.ToArray().Select(v => (double)v).ToArray());

    public double[,] Run(double[,] target, params double[][,] sources)
    {
        double[][,] first = sources;
        for (int layer = 0; layer < adapter.Layers; layer++)
        {
            string name = $"layers.{layer}";
            double[,] next = Layer(name, target, sources, _isResidual ? Values($"{name}.scale") : null);
            if (adapter.SourceEvolves && layer + 1 < adapter.Layers) sources = [.. sources.Select((source, i) => Evolved(Numbered($"{name}.source", i), source, first[i], target))];
            target = next;
        }

        return target;
    }

    private static string Numbered(string name, int source) => source == 0 ? name : $"{name}.{source}";

    private double[,] Evolved(string name, double[,] source, double[,] first, double[,] target)
    {
        double[]? scale = _isResidual ? [.. Values($"{name}.scale")] : null;
        for (int row = 0; row < scale?.Length; row++) scale[row] *= Math.Sqrt(Row(first, row).Average(v => Math.Pow(v - Row(first, row).Average(), 2)));
        return Layer(name, source, [target], scale);
    }

    public static double[,] Of(ReadOnlySpan<float> values, int rows, int columns)
    {
        double[,] matrix = new double[rows, columns];
        for (int i = 0; i < values.Length; i++) matrix[i / columns, i % columns] = values[i];
        return matrix;
    }

    public static double[] Flat(double[,] matrix) => [.. matrix.Cast<double>()];

    private double[,] Layer(string name, double[,] target, double[][,] sources, double[]? scale)
    {
        double[,] mixed = Mixed(name, target, sources);
        if (_isResidual)
        {
            target = Map(target, (i, j, x) => x + scale![i] * mixed[i, j]);
            double[,] inner = Linear(Gelu(Linear(Norm(target, $"{name}.feed_forward.norm"), $"{name}.feed_forward.up")), $"{name}.feed_forward.down");
            return Map(target, (i, j, x) => x + scale![i] * inner[i, j]);
        }

        double[,] result = Linear(Gelu(Linear(mixed, $"{name}.feed_forward.up", true)), $"{name}.feed_forward.down", true);
        return Norm(Map(mixed, (i, j, x) => x + result[i, j]), $"{name}.feed_forward.norm");
    }

    private double[,] Mixed(string name, double[,] target, double[][,] sources)
    {
        double[][,] columns = [.. sources.Select(Transposed)];
        double[,] rr = Attention($"{name}.rr", target, sources);
        if (adapter.Unfoldings == Unfoldings.Rows) return rr;
        double[][,] parts = [rr, Attention($"{name}.rc", target, columns), Transposed(Attention($"{name}.cr", Transposed(target), sources)), Transposed(Attention($"{name}.cc", Transposed(target), columns))];
        double[] weights = [1, 1, 1, 1];
        if (adapter.Mixing == Mixing.Learned) weights = [.. Values($"{name}.mixing").Select(v => Math.Exp(v))];
        return Map(rr, (i, j, _) => parts.Select((part, k) => weights[k] / weights.Sum() * part[i, j]).Sum());
    }

    private double[,] Attention(string name, double[,] queries, double[][,] keys)
    {
        double[,] asked = _isResidual ? Norm(queries, $"{name}.norm_query") : queries;
        double[][,] given = [.. keys.Select((x, i) => _isResidual ? Norm(x, Numbered($"{name}.norm_source", i)) : x)];
        double[,] q = Linear(asked, $"{name}.query"), joined = new double[q.GetLength(0), q.GetLength(1)];
        double[,] k = Stacked([.. given.Select((x, i) => Linear(x, Numbered($"{name}.key", i)))]), v = Stacked([.. given.Select((x, i) => Linear(x, Numbered($"{name}.value", i)))]);
        int width = q.GetLength(1) / adapter.Heads;
        for (int head = 0; head < adapter.Heads; head++)
        {
            for (int i = 0; i < q.GetLength(0); i++)
            {
                double[] scores = new double[k.GetLength(0)];
                for (int j = 0; j < scores.Length; j++)
                {
                    for (int d = head * width; d < (head + 1) * width; d++) scores[j] += q[i, d] * k[j, d] / Math.Sqrt(width);
                }

                double most = scores.Max(), sum = scores.Sum(s => Math.Exp(s - most));
                for (int d = head * width; d < (head + 1) * width; d++) joined[i, d] = Enumerable.Range(0, scores.Length).Sum(j => Math.Exp(scores[j] - most) / sum * v[j, d]);
            }
        }

        double[,] result = Linear(joined, $"{name}.output");
        return _isResidual ? result : Norm(Map(queries, (i, j, x) => x + result[i, j]), $"{name}.norm");
    }

    private double[,] Linear(double[,] x, string name, bool isNormed = false)
    {
        double[,] w = Matrix($"{name}.weight");
        double[] bias = Values($"{name}.bias");
        double norm = 1;
        if (isNormed)
        {
            double[] u = Values($"{name}.u"), v = Values($"{name}.v");
            norm = w.Cast<double>().Select((value, i) => u[i / v.Length] * value * v[i % v.Length]).Sum();
        }

        double[,] y = new double[x.GetLength(0), w.GetLength(0)];
        return Map(y, (i, j, _) =>
        {
            double sum = 0;
            for (int k = 0; k < w.GetLength(1); k++) sum += x[i, k] * w[j, k];
            return sum / norm + bias[j];
        });
    }

    private double[,] Norm(double[,] x, string name)
    {
        double[] scale = Values($"{name}.weight"), bias = Values($"{name}.bias");
        return Map(x, (i, j, value) =>
        {
            double mean = Row(x, i).Average(), variance = Row(x, i).Average(v => (v - mean) * (v - mean));
            return (x.GetLength(1) == 1 ? value : (value - mean) / Math.Sqrt(variance + 1e-12)) * scale[j] + bias[j];
        });
    }

    /// <summary>One below the other.</summary>
    private static double[,] Stacked(double[][,] parts)
    {
        double[][] rows = [.. parts.SelectMany(part => Enumerable.Range(0, part.GetLength(0)).Select(i => Row(part, i)))];
        return Map(new double[rows.Length, rows[0].Length], (i, j, _) => rows[i][j]);
    }

    private static double[,] Gelu(double[,] x) => Map(x, (_, _, v) => 0.5 * v * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v))));

    public static double[,] Transposed(double[,] x)
    {
        double[,] y = new double[x.GetLength(1), x.GetLength(0)];
        return Map(y, (i, j, _) => x[j, i]);
    }

    private static double[,] Map(double[,] x, Func<int, int, double, double> f)
    {
        double[,] y = new double[x.GetLength(0), x.GetLength(1)];
        for (int i = 0; i < y.GetLength(0); i++)
        {
            for (int j = 0; j < y.GetLength(1); j++) y[i, j] = f(i, j, x[i, j]);
        }

        return y;
    }

    private static double[] Row(double[,] x, int row) => [.. Enumerable.Range(0, x.GetLength(1)).Select(j => x[row, j])];

    private double[] Values(string name) => Parameters[prefix + name];

    private double[,] Matrix(string name)
    {
        int columns = graph.Parameters[prefix + name].Shape.Size(1);
        double[] values = Values(name);
        return Map(new double[values.Length / columns, columns], (i, j, _) => values[i * columns + j]);
    }
}
