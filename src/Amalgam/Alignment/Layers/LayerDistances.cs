using Amalgam.Graphs;
using Amalgam.Numerics;
using Amalgam.Training.Data;

namespace Amalgam.Alignment.Layers;

/// <summary>
/// Wasserstein costs of layers: each unit is a point, the vector of its pre-activations over samples and positions, and the points of one layer, all of equal weight, are moved onto those of the
/// other at the least mean distance (CLAFusion, section 3.2; the distance is Euclidean, not squared, as in its experiments).
/// </summary>
internal sealed class LayerDistances
{
    private readonly record struct Pair(int A, int B, double[] Squares);

    private readonly LayerValues _a, _b;
    private readonly List<Pair> _pairs = [];

    private LayerDistances(LayerValues a, LayerValues b) => (_a, _b) = (a, b);

    /// <summary>Runs both networks over the data, batch by batch, and finds the cost of each pair of layers of corresponding groups.</summary>
    /// <returns>By the indices of the two layers.</returns>
    /// <exception cref="GraphException">Two layers have different numbers of positions, or the networks do not take the data.</exception>
    public static Dictionary<(int A, int B), double> Costs(NetworkLayers a, NetworkLayers b, Dataset data, int batch, Action<long, long>? progress = null, CancellationToken cancel = default)
    {
        LayerDistances distances = new(new(a, data, unitsFirst: true), new(b, data, unitsFirst: true));
        foreach (var (groupA, groupB) in a.Groups.Zip(b.Groups))
        {
            foreach (NetworkLayer one in groupA.Layers)
            {
                foreach (NetworkLayer other in groupB.Layers) distances.Add(one, other);
            }
        }

        distances.Run(data, batch, progress, cancel);
        Dictionary<(int, int), double> costs = [];
        foreach (Pair pair in distances._pairs)
        {
            int rows = a.Layers[pair.A].Width, columns = b.Layers[pair.B].Width;
            for (int i = 0; i < pair.Squares.Length; i++) pair.Squares[i] = Math.Sqrt(pair.Squares[i]);
            if (pair.Squares.Any(distance => !double.IsFinite(distance))) throw new GraphException($"the pre-activations of '{a.Layers[pair.A].Name}' or '{b.Layers[pair.B].Name}' are not all finite; a network or its input is damaged");
            costs[(pair.A, pair.B)] = OptimalTransport.Exact(pair.Squares, rows, columns, cancel).Cost;
        }

        return costs;
    }

    private void Add(NetworkLayer a, NetworkLayer b)
    {
        int ofA = _a.Features[a.Index] / a.Width, ofB = _b.Features[b.Index] / b.Width;
        if (ofA != ofB)
            throw new GraphException($"a unit of '{a.Name}' has {ofA} values for a sample and one of '{b.Name}' {ofB}: the Wasserstein cost compares units position by position; compare the layers by CKA");
        _pairs.Add(new(a.Index, b.Index, new double[a.Width * b.Width]));
    }

    private void Run(Dataset data, int batch, Action<long, long>? progress, CancellationToken cancel)
    {
        Observation ofA = Observe(_a, data, batch), ofB = Observe(_b, data, ofA.Batch);
        if (ofB.Batch < ofA.Batch) ofA = Observe(_a, data, ofB.Batch);
        if (ofA.Batch != ofB.Batch || ofA.Samples != ofB.Samples) throw new GraphException($"one network takes {ofA.Batch} samples at a time and the other {ofB.Batch}, and neither can be made for as many as the other");
        foreach (var (a, b) in ofA.Run(cancel).Zip(ofB.Run(cancel)))
        {
            foreach (Pair pair in _pairs)
            {
                cancel.ThrowIfCancellationRequested();
                Add(pair, a.Values[0][pair.A], b.Values[0][pair.B]);
            }

            progress?.Invoke(a.First + a.Count, ofA.Samples);
        }
    }

    private static Observation Observe(LayerValues values, Dataset data, int batch) => new([values.Of(Enumerable.Range(0, values.Nodes.Length))], data, batch);

    /// <summary>Adds the squared differences of a batch for each two units; each row of distances is summed by one core, in the order of the data.</summary>
    private void Add(Pair pair, Tensor a, Tensor b)
    {
        int rows = _a.Layers.Layers[pair.A].Width, columns = _b.Layers.Layers[pair.B].Width;
        Cores.ForRange(rows, Math.Max(1, Cores.WorthSharing / Math.Max(1, b.Count)), (pair, a, b, rows, columns), static (s, from, to) =>
        {
            int length = s.a.Count / s.rows;
            for (int row = from; row < to; row++)
            {
                ReadOnlySpan<float> unit = s.a.Span.Slice(row * length, length);
                for (int column = 0; column < s.columns; column++)
                    s.pair.Squares[row * s.columns + column] += Sums.SumOfSquaredDifferences(unit, s.b.Span.Slice(column * length, length));
            }
        });
    }
}
