using System.Globalization;
using Amalgam.Alignment;
using Amalgam.Alignment.Fusion;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>Tables 9 and 10: two MLPs at the paper's full scale, which mapping each measure chooses, and what each of the ten mappings comes to.</summary>
internal sealed class MlpMappings(Bench bench)
{
    public const string Chosen = "table 9", Compared = "table 10", Varied = $"{Compared}, [1, 2, 5] with other settings";

    private const int Samples = 200, Seeds = 5, Deep = 5, Shallow = 3;

    private static readonly (string Name, LayerMeasure Measure)[] Measures =
        [("number of neurons, squared difference", LayerMeasure.Width), ("pre-activations, 1 - linear CKA", LayerMeasure.Cka), ("pre-activations, Wasserstein distance", LayerMeasure.Wasserstein)];

    private static readonly (string Name, int First, int Last)[] Constraints = [("both", 1, 1), ("last layer", 0, 1), ("first layer", 1, 0), ("none", 0, 0)];

    public static readonly (string Name, Gate? Gate)[] Balances = [("add", null), ("merge (sum)", Gate.Sum), ("merge (average)", Gate.Average)];

    /// <summary>Other settings of the transport than the paper's.</summary>
    private static readonly (string Name, Func<FusionOptions, FusionOptions> How)[] Settings =
    [
        ("sums over incoming weights kept", how => how with { Incoming = IncomingScale.Row }),
        ("units compared by weights", how => how with { Space = MatchingSpace.Weights }),
        ("units compared by weights of length 1", how => how with { Space = MatchingSpace.Weights, NormaliseWeights = true }),
        ("cosine", how => how with { Metric = GroundMetric.Cosine }),
        ("squared distances", how => how with { Squared = true }),
        ("2,000 samples", how => how with { Samples = 2000 }),
    ];

    private readonly ImageSetting _setting = new(ClafusionParents.OfMnist.Data, bench.Options);

    private LayerFusion Fusion => new(_setting, bench.Options.Samples ?? Samples, bench.Options.Cancel);

    /// <summary>Table 9.</summary>
    public void Choose()
    {
        foreach (int seed in bench.Seeds(0, Seeds))
        {
            foreach (var (name, measure) in Measures)
            {
                foreach (var (constraint, first, last) in Constraints)
                    bench.Row(Chosen, Pair(seed), $"{name}; {constraint}", () => Map(seed, measure, first, last));
            }
        }
    }

    /// <summary>Table 10, and the chosen mapping for networks that begin alike.</summary>
    public void Compare()
    {
        foreach (int seed in bench.Seeds(0, Seeds))
        {
            Graph a = bench.Parents.DeepMlp(seed), b = bench.Parents.ShallowMlp(seed);
            bench.Parts(Compared, Pair(seed), _setting, ("A", () => a), ("B", () => b));
            foreach (int[] map in Maps())
            {
                foreach (var (name, gate) in Balances) Row(Compared, seed, $"{Text(map)}, {name}", a, b, map, gate);
            }

            foreach (var (name, how) in Settings)
            {
                foreach (var (balance, gate) in Balances) Row(Varied, seed, $"{name}, {balance}", a, b, [0, 1, 4], gate, how(Fusion.Transport));
            }

            Graph twin = bench.Parents.TwinMlp(seed);
            foreach (var (name, gate) in Balances) Row($"{Compared}, first weights in common", seed, $"[1, 2, 5], {name}", a, twin, [0, 1, 4], gate);
        }
    }

    /// <summary>All increasing mappings of the shallower network's layers.</summary>
    public static IEnumerable<int[]> Maps() =>
        from first in Enumerable.Range(0, Deep) from second in Enumerable.Range(first + 1, Deep - first - 1) from third in Enumerable.Range(second + 1, Deep - second - 1) select (int[])[first, second, third];

    private void Row(string table, int seed, string method, Graph a, Graph b, int[] map, Gate? gate, FusionOptions? how = null) => bench.Row(table, Pair(seed), method, () =>
    {
        Fused fused = Fusion.Run(a, b, () => LayerFusion.Given(a, b, [map]), gate, how);
        return new(_setting.Measure([fused.Network]), Seconds: fused.Seconds);
    });

    private Outcome Map(int seed, LayerMeasure measure, int first, int last)
    {
        LayerMapping mapping = Fusion.Map(bench.Parents.DeepMlp(seed), bench.Parents.ShallowMlp(seed), Fusion.Layers with { Measure = measure, PinnedFirst = first, PinnedLast = last });
        GroupMapping group = mapping.Groups.Single();
        return new([new("cost", Enumerable.Range(0, Shallow).Sum(layer => group.Cost[group.Map[layer] * Shallow + layer]))], LayerFusion.Text(mapping));
    }

    private static string Text(int[] map) => $"[{string.Join(", ", map.Select(layer => layer + 1))}]";

    private static string Pair(int seed) => string.Create(CultureInfo.InvariantCulture, $"seed {seed}");
}
