using Amalgam.Graphs;
using Amalgam.Numerics;

namespace Amalgam.Alignment.Fusion;

/// <summary>Solves the transports of layers one after the other, those of units that lie within others for each two blocks of these.</summary>
internal sealed class LayerTransport(TransportMaps maps, UnitStreams streams, FusionOptions options, IReadOnlyDictionary<UnitProducer, double[]> activations)
{
    /// <summary>Maps are divided by their columns' sums, so more than this is not to be seen in any weight.</summary>
    private const double SinkhornTolerance = 1e-6;

    private const int SinkhornRounds = 10_000;

    private readonly Dictionary<UnitStream, double[]> _costs = [];
    private readonly Dictionary<(UnitStream, int BlockOfA, int BlockOfB), (TransportPlan Plan, double? Before)> _plans = [];

    /// <summary>Whether weights are compared, too, whose other units have no map yet: two classes may each need the other's first.</summary>
    public bool IsLenient { get; set; }

    /// <summary>Whether there is something to compare a stream's units by, as far as other maps are known.</summary>
    public bool CanSolve(UnitStream stream)
    {
        UnitStream[] within = [.. Within(stream)];
        return within.Length == 0 ? CostsOf(stream) is not null : within.All(CanSolve);
    }

    /// <summary>Finds the maps of a stream's units and of all units within them. If they lie in blocks, these stay in their places.</summary>
    public void Solve(UnitStream stream, CancellationToken cancel)
    {
        for (int block = 0; block < stream.Units.Blocks; block++) Solve(stream, block, block, cancel);
        Summarise(stream, [.. Enumerable.Range(0, stream.Units.Blocks).Select(block => (block, block, 1.0 / stream.Units.Blocks))]);
    }

    private double Solve(UnitStream stream, int blockOfA, int blockOfB, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        HomologousUnits units = maps.Pair.Of(stream.Units);
        int rows = units.A.Size, columns = units.B.Size;
        UnitStream[] within = [.. Within(stream)];
        double[]? own = within.Length == 0 || options.Space == MatchingSpace.Activations ? CostsOf(stream) : null;
        double[] cost = new double[rows * columns];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                int unitOfA = blockOfA * rows + row, unitOfB = blockOfB * columns + column;
                double sum = own is null ? 0 : own[unitOfA * units.B.Units + unitOfB];
                foreach (UnitStream inner in within) sum += Solve(inner, unitOfA, unitOfB, cancel);
                cost[row * columns + column] = sum;
            }
        }

        TransportPlan plan = Plan(stream, units, cost, blockOfA, blockOfB, cancel);
        maps.Set(stream, blockOfA, blockOfB, UnitTransport.Of(plan, options.Incoming));
        _plans[(stream, blockOfA, blockOfB)] = (plan, rows == columns ? Enumerable.Range(0, rows).Average(i => cost[i * columns + i]) : null);
        return plan.Cost;
    }

    /// <summary>Notes what transports cost, over the blocks that come together.</summary>
    private void Summarise(UnitStream stream, List<(int OfA, int OfB, double Share)> blocks)
    {
        HomologousUnits units = maps.Pair.Of(stream.Units);
        double cost = blocks.Sum(block => block.Share * _plans[(stream, block.OfA, block.OfB)].Plan.Cost);
        // Where blocks change places, their units' places are not to be compared.
        double? before = units.A.Blocks == 1 ? _plans[(stream, 0, 0)].Before : null;
        string name = stream.Producers is [{ Weights: [var first, ..] }] ? first.Node.Name! : units.A.Name;
        maps.Add(new(name, units.A, units.B, units.A.Blocks == 1 ? _plans[(stream, 0, 0)].Plan : null, cost, before) { Converged = blocks.TrueForAll(block => _plans[(stream, block.OfA, block.OfB)].Plan.Converged) });
        foreach (UnitStream inner in Within(stream))
        {
            List<(int, int, double)> matched = [];
            foreach (var (ofA, ofB, share) in blocks)
            {
                TransportPlan plan = _plans[(stream, ofA, ofB)].Plan;
                for (int i = 0; i < plan.Mass.Length; i++) matched.Add((ofA * units.A.Size + plan.RowOf[i], ofB * units.B.Size + plan.ColumnOf[i], share * plan.Mass[i]));
            }

            Summarise(inner, matched);
        }
    }

    private IEnumerable<UnitStream> Within(UnitStream stream) => streams.All.Where(other => other.Units.Outer == stream.Units);

    private TransportPlan Plan(UnitStream stream, HomologousUnits units, double[] cost, int blockOfA, int blockOfB, CancellationToken cancel)
    {
        int rows = units.A.Size, columns = units.B.Size;
        double largest = cost.Max();
        if (options.Marginals == Marginals.Uniform && options.Sinkhorn is null) return OptimalTransport.Exact(cost, rows, columns, cancel);
        double[] a = Mass(stream.Producers.SelectMany(producer => producer.Weights), units.A, blockOfA);
        double[] b = Mass(stream.Producers.SelectMany(producer => producer.Weights).Select(maps.Pair.InB), units.B, blockOfB);
        return options.Sinkhorn is { } share && largest > 0 ? OptimalTransport.Sinkhorn(cost, a, b, new() { Regularization = share * largest, Tolerance = SinkhornTolerance, MaxIterations = SinkhornRounds }, cancel) : OptimalTransport.Exact(cost, a, b, cancel);
    }

    /// <summary>Mass of the units of a block, 1 in all; none is without.</summary>
    private double[] Mass(IEnumerable<UnitPlace> places, UnitClass units, int block)
    {
        const double Least = 1e-9;
        double[] mass = options.Marginals == Marginals.Uniform ? [.. Enumerable.Repeat(1.0, units.Size)] : [.. WeightCosts.Importance(places, units, options.Marginals).Skip(block * units.Size).Take(units.Size).Select(m => m + Least)];
        double sum = mass.Sum();
        return [.. mass.Select(m => m / sum)];
    }

    /// <summary>Distances of the units of a stream: the sum over its layers, of those that can be compared yet.</summary>
    private double[]? CostsOf(UnitStream stream)
    {
        if (_costs.TryGetValue(stream, out double[]? known)) return known;
        double[]? sum = null;
        foreach (UnitProducer producer in stream.Producers)
        {
            double[]? cost = options.Space == MatchingSpace.Weights ? WeightCosts.Of(producer, maps, options, IsLenient) : activations.GetValueOrDefault(producer);
            if (cost is null) continue;
            if (sum is null) sum = cost;
            else System.Numerics.Tensors.TensorPrimitives.Add(sum, cost, sum);
        }

        if (sum is not null) _costs[stream] = sum;
        return sum;
    }
}
