using System.Collections.Immutable;
using System.Numerics.Tensors;
using Amalgam.Graphs;
using Amalgam.Numerics;

namespace Amalgam.Alignment;

/// <summary>
/// The plane that lies nearest to the weights of several networks: their mean and the first two principal components (Xu et al., MuDSC, section 4.2). As there are few networks
/// and many weights, the components come from the matrix of inner products of the networks; each is a combination of their weights.
/// </summary>
public sealed class WeightPlane
{
    private const double Flat = 1e-10;

    private readonly IReadOnlyDictionary<string, Tensor> _mean, _first, _second;
    private readonly Func<string, bool> _spans;

    private WeightPlane(
        IReadOnlyDictionary<string, Tensor> mean, IReadOnlyDictionary<string, Tensor> first, IReadOnlyDictionary<string, Tensor> second, Func<string, bool> spans,
        ImmutableArray<(double X, double Y)> places, (double First, double Second) explained) =>
        (_mean, _first, _second, _spans, Places, Explained) = (mean, first, second, spans, places, explained);

    /// <summary>Where each network's nearest point of the plane is, in the weights' own unit of length from the mean.</summary>
    public ImmutableArray<(double X, double Y)> Places { get; }

    /// <summary>Which share of the networks' squared distances from their mean lies along each axis.</summary>
    public (double First, double Second) Explained { get; }

    /// <summary>Finds the plane.</summary>
    /// <param name="networks">Weights by name, the same names and shapes in each; at least three networks.</param>
    /// <param name="spans">Which weights the plane is drawn through; the others, such as running statistics, follow by the same combination. Null for all.</param>
    /// <exception cref="GraphException">There are fewer than three networks, they do not have the same weights, or they lie on a line.</exception>
    public static WeightPlane Of(IReadOnlyList<IReadOnlyDictionary<string, Tensor>> networks, Func<string, bool>? spans = null)
    {
        if (networks.Count < 3) throw new GraphException($"a plane goes through three networks or more, found {networks.Count}");
        spans ??= _ => true;
        foreach (var network in networks) Check(networks[0], network);
        int n = networks.Count;
        double[] centred = Centre(Products(networks, spans), n);
        double total = Enumerable.Range(0, n).Sum(i => centred[i * n + i]);
        SymmetricEigen eigen = SymmetricEigen.Of(centred, n);
        if (!(eigen.Values[1] > Flat * total)) throw new GraphException("the networks lie on a line, or are all the same: no plane is nearest to them");

        double[] mean = [.. Enumerable.Repeat(1.0 / n, n)];
        double[] first = Component(eigen, 0), second = Component(eigen, 1);
        double x = Math.Sqrt(eigen.Values[0]), y = Math.Sqrt(eigen.Values[1]);
        ImmutableArray<(double, double)> places = [.. Enumerable.Range(0, n).Select(i => (x * eigen.Vector(0)[i], y * eigen.Vector(1)[i]))];
        return new(Combine(networks, mean), Combine(networks, first), Combine(networks, second), spans, places, (eigen.Values[0] / total, eigen.Values[1] / total));
    }

    /// <summary>The weights at a point of the plane.</summary>
    public IReadOnlyDictionary<string, Tensor> At(double x, double y) => Near(_mean, x, y);

    /// <summary>Weights that are moved along the plane's axes; they need not lie in it.</summary>
    /// <param name="weights">Weights by name.</param>
    /// <param name="dx">How far along the first axis.</param>
    /// <param name="dy">How far along the second.</param>
    public IReadOnlyDictionary<string, Tensor> Near(IReadOnlyDictionary<string, Tensor> weights, double dx, double dy) =>
        _mean.Keys.ToDictionary(name => name, name =>
        {
            Tensor moved = weights[name].Copy();
            TensorPrimitives.MultiplyAdd(_first[name].Span, (float)dx, moved.Span, moved.Span);
            TensorPrimitives.MultiplyAdd(_second[name].Span, (float)dy, moved.Span, moved.Span);
            return moved;
        }, StringComparer.Ordinal);

    /// <summary>The nearest point of the plane to some weights, and how far they are from it.</summary>
    public (double X, double Y, double Distance) Project(IReadOnlyDictionary<string, Tensor> weights)
    {
        double x = 0, y = 0, squares = 0;
        foreach (var (name, mean) in _mean)
        {
            if (!_spans(name)) continue;
            float[] away = new float[mean.Count];
            TensorPrimitives.Subtract(weights[name].Span, mean.Span, away);
            x += Sums.Dot(away, _first[name].Span);
            y += Sums.Dot(away, _second[name].Span);
            squares += Sums.SumOfSquares(away);
        }

        return (x, y, Math.Sqrt(Math.Max(0, squares - x * x - y * y)));
    }

    private static void Check(IReadOnlyDictionary<string, Tensor> first, IReadOnlyDictionary<string, Tensor> other)
    {
        if (first.Keys.FirstOrDefault(name => !other.ContainsKey(name)) is { } missing) throw new GraphException($"one of the networks has no '{missing}'; those of a plane have the same weights");
        if (other.Keys.FirstOrDefault(name => !first.ContainsKey(name)) is { } extra) throw new GraphException($"the first network has no '{extra}'; those of a plane have the same weights");
        foreach (var (name, tensor) in first)
        {
            if (other[name].Shape != tensor.Shape) throw new GraphException($"'{name}' is {tensor.Shape} in one network and {other[name].Shape} in another");
        }
    }

    /// <summary>Inner products of the networks' weights.</summary>
    private static double[] Products(IReadOnlyList<IReadOnlyDictionary<string, Tensor>> networks, Func<string, bool> spans)
    {
        int n = networks.Count;
        string[] names = [.. networks[0].Keys.Where(spans)];
        double[] products = new double[n * n];
        Cores.For(n * n, (networks, names, products), static (of, cell) =>
        {
            int n = of.networks.Count, i = cell / n, j = cell % n;
            if (j < i) return;
            foreach (string name in of.names) of.products[cell] += Sums.Dot(of.networks[i][name].Span, of.networks[j][name].Span);
        });
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < i; j++) products[i * n + j] = products[j * n + i];
        }

        return products;
    }

    /// <summary>Inner products of differences from the mean.</summary>
    private static double[] Centre(double[] products, int n)
    {
        double[] rows = [.. Enumerable.Range(0, n).Select(i => products.AsSpan(i * n, n).ToArray().Average())];
        double all = rows.Average();
        return [.. products.Select((value, cell) => value - rows[cell / n] - rows[cell % n] + all)];
    }

    /// <summary>How much of each network is in a component of length 1.</summary>
    private static double[] Component(SymmetricEigen eigen, int index)
    {
        double[] shares = [.. eigen.Vector(index).ToArray().Select(u => u / Math.Sqrt(eigen.Values[index]))];
        double mean = shares.Average();
        return [.. shares.Select(share => share - mean)];
    }

    private static Dictionary<string, Tensor> Combine(IReadOnlyList<IReadOnlyDictionary<string, Tensor>> networks, double[] shares) =>
        networks[0].Keys.ToDictionary(name => name, name =>
        {
            double[] sum = new double[networks[0][name].Count];
            for (int i = 0; i < shares.Length; i++)
            {
                ReadOnlySpan<float> of = networks[i][name].Span;
                for (int k = 0; k < sum.Length; k++) sum[k] += shares[i] * of[k];
            }

            Tensor combined = new(networks[0][name].Shape);
            TensorPrimitives.ConvertTruncating<double, float>(sum, combined.Span);
            return combined;
        }, StringComparer.Ordinal);
}
