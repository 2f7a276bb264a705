using Amalgam.Graphs;
using Amalgam.Numerics;

namespace Amalgam.Alignment.Fusion;

/// <summary>Solves the transports of layers one after the other, those of units that lie within others for each two blocks of these.</summary>
internal sealed class LayerTransport(TransportMaps maps, UnitStreams streams, FusionOptions options, IReadOnlyDictionary<UnitProducer, double[]> activations)
{
    private readonly Dictionary<UnitStream, double[]?> _costs = [];

    /// <summary>Finds the maps of a stream's units and of all units within them. If they lie in blocks, these stay in their places.</summary>
    /// <exception cref="GraphException">There is nothing to compare the units by.</exception>
    public void Solve(UnitStream stream, CancellationToken cancel)
    {
        for (int block = 0; block < stream.Units.Blocks; block++) Solve(stream, block, block, cancel);
    }

    private double Solve(UnitStream stream, int blockOfA, int blockOfB, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        HomologousUnits units = maps.Pair.Of(stream.Units);
        int rows = units.A.Size, columns = units.B.Size;
        UnitStream[] inner = [.. streams.All.Where(other => other.Units.Outer == stream.Units)];
        double[]? own = inner.Length == 0 || options.Space == MatchingSpace.Activations ? CostsOf(stream) : null;
        double[] cost = new double[rows * columns];
        if (own is null && inner.Length == 0) throw new GraphException($"units {units.A} are not to be seen by themselves anywhere, so there is nothing to compare them by");
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                int unitOfA = blockOfA * rows + row, unitOfB = blockOfB * columns + column;
                double sum = own is null ? 0 : own[unitOfA * units.B.Units + unitOfB];
                foreach (UnitStream within in inner) sum += Solve(within, unitOfA, unitOfB, cancel);
                cost[row * columns + column] = sum;
            }
        }

        TransportPlan plan = Plan(stream, units, cost, blockOfA, blockOfB, cancel);
        maps.Set(stream, blockOfA, blockOfB, UnitTransport.Of(plan, options.Incoming));
        if (blockOfA == 0 && blockOfB == 0) maps.Add(Summary(stream, units, plan, cost));
        return plan.Cost;
    }

    private TransportPlan Plan(UnitStream stream, HomologousUnits units, double[] cost, int blockOfA, int blockOfB, CancellationToken cancel)
    {
        int rows = units.A.Size, columns = units.B.Size;
        double largest = cost.Max();
        if (options.Marginals == Marginals.Uniform && options.Sinkhorn is null) return OptimalTransport.Exact(cost, rows, columns, cancel);
        double[] a = Mass(stream.Producers.SelectMany(producer => producer.Weights), units.A, blockOfA);
        double[] b = Mass(stream.Producers.SelectMany(producer => producer.Weights).Select(InB), units.B, blockOfB);
        return options.Sinkhorn is { } share && largest > 0 ? OptimalTransport.Sinkhorn(cost, a, b, new() { Regularization = share * largest }, cancel) : OptimalTransport.Exact(cost, a, b, cancel);

        UnitPlace InB(UnitPlace place)
        {
            Node node = maps.Pair.InB(place.Node);
            return units.B.Parameters.First(p => p.Node == node && p.Axis == place.Axis && p.Side == place.Side);
        }
    }

    /// <summary>Mass of the units of a block, 1 in all; none is without.</summary>
    private double[] Mass(IEnumerable<UnitPlace> places, UnitClass units, int block)
    {
        const double Least = 1e-9;
        double[] mass = options.Marginals == Marginals.Uniform ? [.. Enumerable.Repeat(1.0, units.Size)] : [.. WeightCosts.Importance(places, units, options.Marginals).Skip(block * units.Size).Take(units.Size).Select(m => m + Least)];
        double sum = mass.Sum();
        return [.. mass.Select(m => m / sum)];
    }

    /// <summary>Distances of the units of a stream: the sum over its layers.</summary>
    private double[]? CostsOf(UnitStream stream)
    {
        if (_costs.TryGetValue(stream, out double[]? known)) return known;
        double[]? sum = null;
        foreach (UnitProducer producer in stream.Producers)
        {
            double[]? cost = options.Space == MatchingSpace.Weights ? WeightCosts.Of(producer, maps, options) : activations.GetValueOrDefault(producer);
            if (cost is null) continue;
            if (sum is null) sum = cost;
            else System.Numerics.Tensors.TensorPrimitives.Add(sum, cost, sum);
        }

        return _costs[stream] = sum;
    }

    private static UnitTransportSummary Summary(UnitStream stream, HomologousUnits units, TransportPlan plan, double[] cost)
    {
        double? before = null;
        if (units.A.Size == units.B.Size) before = Enumerable.Range(0, units.A.Size).Average(i => cost[i * units.B.Size + i]);
        string name = stream.Producers is [{ Weights: [var first, ..] }] ? first.Node.Name! : units.A.Name;
        return new(name, units.A, units.B, units.A.Blocks == 1 ? plan : null, plan.Cost, before);
    }
}
