using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Amalgam.Training.Data;

namespace Amalgam.Alignment.Layers;

/// <summary>A network from which dense layers are taken out, each merged into the product that reads it.</summary>
internal sealed class LayerMerging(NetworkLayers network)
{
    private const int Batch = 100;

    private readonly Graph _graph = network.Graph;
    private readonly ILookup<Node, Node> _users = network.Graph.Users();
    private readonly List<Removed> _removed = [];

    /// <summary>A layer to take out.</summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="Product">Its product, with its weight and bias.</param>
    /// <param name="IsGated">Whether an activation follows.</param>
    /// <param name="Next">The product that reads it.</param>
    private sealed record Removed(NetworkLayer Layer, PreActivation Product, bool IsGated, PreActivation Next)
    {
        public double[] Gate { get; set; } = [];
    }

    /// <summary>Marks layers of a group to be taken out.</summary>
    /// <exception cref="GraphException">A layer cannot be merged.</exception>
    public void Remove(LayerGroup group, IEnumerable<NetworkLayer> layers)
    {
        foreach (NetworkLayer layer in layers)
        {
            try
            {
                if (group.Kind != LayerKind.Dense) throw new GraphException("only dense layers can be, since two convolutions or blocks in a row are not one of the same size; add identity layers instead");
                _removed.Add(Read(layer));
            }
            catch (GraphException e)
            {
                throw new GraphException($"the layer '{layer}' cannot be merged: {e.Message}", e);
            }
        }
    }

    /// <summary>Makes the network without those layers; the old one stays as it is.</summary>
    public Graph Run(Gate gate, Dataset data, int samples, CancellationToken cancel)
    {
        if (_removed.Count == 0) return _graph;
        Observe(gate, ActivationStatistics.Calibration(data, new() { Samples = samples }), cancel);
        Dictionary<Node, Tensor> values = [];
        Dictionary<Node, Removed> byNext = _removed.ToDictionary(r => r.Next.Product);
        foreach (Removed last in _removed.Where(r => !_removed.Any(other => other.Product.Product == r.Next.Product))) Merge(Chain(last), last.Next, values);

        Dictionary<Node, Node> made = [];
        HashSet<Node> gone = [.. _removed.SelectMany(r => r.Layer.Nodes)];
        Dictionary<Node, Node> entries = _removed.SelectMany(r => Data(r.Layer).Select(node => (node, r.Layer.Entry))).ToDictionary();
        GraphCopy copy = Rewrite.Apply(_graph, (to, node, inputs) =>
        {
            foreach (var (old, input) in node.Inputs.Zip(inputs.ToArray())) made[old] = input;
            if (values.TryGetValue(node, out Tensor? value)) return to.Parameter(node.Name!, value, node.Trainable, node.Type);
            return entries.TryGetValue(node, out Node? entry) ? made[entry] : null;
        });
        Node[] stay = [.. _graph.Outputs.Values, .. _graph.Updates.Keys, .. _graph.Updates.Values, .. _graph.Parameters.Values.Where(node => !gone.Contains(node))];
        return Rewrite.Then(copy, graph => Rewrite.Prune(graph, stay.Select(node => copy.Map[node]))).Graph;

        List<Removed> Chain(Removed last)
        {
            List<Removed> chain = [last];
            while (byNext.TryGetValue(chain[0].Product.Product, out Removed? before)) chain.Insert(0, before);
            return chain;
        }
    }

    /// <summary>What of a layer depends on what it reads; the rest are its weights, as they are or turned.</summary>
    private static IEnumerable<Node> Data(NetworkLayer layer)
    {
        HashSet<Node> data = [layer.Entry];
        return layer.Nodes.Where(node => node.Inputs.Any(data.Contains) && data.Add(node));
    }

    private Removed Read(NetworkLayer layer)
    {
        PreActivation product = layer.Nodes.Where(node => node.Op is MatMul).Select(Matrix).OfType<PreActivation>().FirstOrDefault()
            ?? throw new GraphException("it has no product by a matrix of its own");
        bool isGated = false;
        for (Node node = layer.Exit; node != product.Result; node = node.Inputs[0])
        {
            if (node.Op is not (Relu or Dropout or Identity)) throw new GraphException($"{node.Op.Name} follows its product; Relu or no activation can be merged");
            isGated |= node.Op is Relu;
        }

        return new(layer, product, isGated, Next(layer.Exit));
    }

    /// <summary>The one product that reads a value.</summary>
    private PreActivation Next(Node value)
    {
        for (Node node = value; ;)
        {
            Node[] users = [.. _users[node]];
            if (users.Length != 1 || _graph.Outputs.Values.Contains(node)) throw new GraphException($"its result is read by {users.Length} operations{(users.Length == 1 ? " and is an output" : "")}, and not by one product alone");
            if (Matrix(users[0]) is { } next && users[0].Inputs[0] == node) return next;
            if (users[0].Op is not View || users[0].Shape != node.Shape) throw new GraphException($"its result is read by {users[0]}, and not by a product by a matrix of its own");
            node = users[0];
        }
    }

    private PreActivation? Matrix(Node node) => node.Op is MatMul { TransposeA: false } && PreActivation.Of(node, _users) is { Weight.Shape.Rank: 2 } product ? product : null;

    private void Observe(Gate gate, Dataset data, CancellationToken cancel)
    {
        Removed[] gated = [.. _removed.Where(r => r.IsGated)];
        foreach (Removed removed in _removed) removed.Gate = [.. Enumerable.Repeat(removed.IsGated ? 0.0 : 1.0, removed.Product.Size)];
        if (gated.Length == 0) return;
        double[] counts = new double[gated.Length];
        Observation observation = new([(_graph, [.. gated.Select(r => r.Product.Result)])], data, Batch);
        foreach (ObservedBatch batch in observation.Run(cancel))
        {
            for (int i = 0; i < gated.Length; i++) counts[i] += Add(gated[i].Gate, batch.Values[0][i].Span, gate);
        }

        for (int i = 0; i < gated.Length; i++)
        {
            foreach (ref double d in gated[i].Gate.AsSpan())
            {
                d = gate switch { Gate.Sum => d >= 0 ? 1 : 0, Gate.Majority => d >= counts[i] / 2 ? 1 : 0, _ => d / counts[i] };
            }
        }
    }

    /// <summary>Adds rows of pre-activations, or of whether they are above zero.</summary>
    private static int Add(double[] sums, ReadOnlySpan<float> z, Gate gate)
    {
        for (int i = 0; i < z.Length; i++) sums[i % sums.Length] += gate == Gate.Sum ? z[i] : z[i] > 0 ? 1 : 0;
        return z.Length / sums.Length;
    }

    private static void Merge(List<Removed> chain, PreActivation next, Dictionary<Node, Tensor> values)
    {
        double[] w = MatrixOf(chain[0].Product), b = BiasOf(chain[0].Product);
        for (int i = 0; i < chain.Count; i++)
        {
            PreActivation into = i + 1 < chain.Count ? chain[i + 1].Product : next;
            (w, b) = Product(MatrixOf(into), BiasOf(into), chain[i].Gate, w, b);
        }

        if (next.Bias is null && Array.Exists(b, value => value != 0)) throw new GraphException($"'{chain[^1].Layer}' has a bias, and the layer that it is merged into, '{next.Weight.Name}', has none to take it");
        int rows = next.Size, columns = w.Length / rows;
        Tensor merged = new(next.Axis == 0 ? new(rows, columns) : new Shape(columns, rows));
        for (int i = 0; i < w.Length; i++) merged.Span[next.Axis == 0 ? i : i % columns * rows + i / columns] = (float)w[i];
        values.Add(next.Weight, merged);
        if (next.Bias is not null) values.Add(next.Bias, new(next.Bias.Shape, [.. b.Select(value => (float)value)]));
    }

    /// <summary>W_next D W and W_next (D b) + b_next.</summary>
    private static (double[] W, double[] B) Product(double[] next, double[] nextBias, double[] gate, double[] w, double[] b)
    {
        int rows = nextBias.Length, inner = gate.Length, columns = w.Length / inner;
        double[] product = new double[rows * columns], bias = [.. nextBias];
        for (int row = 0; row < rows; row++)
        {
            for (int k = 0; k < inner; k++)
            {
                double scale = next[row * inner + k] * gate[k];
                if (scale == 0) continue;
                bias[row] += scale * b[k];
                for (int column = 0; column < columns; column++) product[row * columns + column] += scale * w[k * columns + column];
            }
        }

        return (product, bias);
    }

    /// <summary>A layer's weights as [outputs, inputs].</summary>
    private static double[] MatrixOf(PreActivation product)
    {
        ReadOnlySpan<float> values = product.Weight.Value!.Span;
        int rows = product.Size, columns = values.Length / rows;
        double[] w = new double[values.Length];
        for (int i = 0; i < w.Length; i++) w[i] = product.Axis == 0 ? values[i] : values[i % columns * rows + i / columns];
        return w;
    }

    private static double[] BiasOf(PreActivation product) => product.Bias is { } bias ? [.. bias.Value!.Span.ToArray().Select(value => (double)value)] : new double[product.Size];
}
