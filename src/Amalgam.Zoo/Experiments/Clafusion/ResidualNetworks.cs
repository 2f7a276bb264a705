using System.Collections.Immutable;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>Tables 1, 2 and 12: ResNet-34 and ResNet-18 fused and fine-tuned, four and six of them, and other mappings of their blocks.</summary>
internal sealed class ResidualNetworks(Bench bench)
{
    public const string Two = "table 1", Four = "table 2, 4 networks", Six = "table 2, 6 networks", Mappings = "table 12";
    public const string FusedName = "fused", Deepened = "B deepened", Random = "random ResNet-34";

    /// <summary>The learning rate of fine-tuning, chosen on the held-out training samples (<see cref="RateChoice"/>).</summary>
    public const double Rate = 0.03;

    private const int Samples = 200, First = 40, Seeds = 3;

    private readonly Lazy<FineTuning> _tuning = new(() => new(ClafusionParents.OfResNets, bench.Options));

    /// <summary>The data.</summary>
    public ImageSetting Setting { get; } = new(ClafusionParents.OfResNets.Data, bench.Options);

    /// <summary>How networks are fused.</summary>
    public LayerFusion Fusion => new(Setting, bench.Options.Samples ?? Samples, bench.Options.Cancel);

    /// <summary>The seeds of the pairs.</summary>
    public IEnumerable<int> All => bench.Seeds(First, Seeds);

    /// <summary>What a table calls a row after fine-tuning.</summary>
    public static string Tuned(string method) => $"{method}, fine-tuned";

    /// <summary>What a table calls a pair.</summary>
    public static string Pair(int seed) => FormattableString.Invariant($"seed {seed}");

    /// <summary>Table 1.</summary>
    public void RunTwo()
    {
        foreach (int seed in All)
        {
            Graph a = bench.Parents.ResNet34(seed), b = bench.Parents.ResNet18(seed);
            string pair = Pair(seed);
            bench.Parts(Two, pair, Setting, ("A", () => a), ("B", () => b));
            Lazy<Fused> fused = new(() => Fusion.Run(a, b));
            bench.Row(Two, pair, FusedName, () => new(Setting.Measure([fused.Value.Network]), LayerFusion.Text(Fusion.Map(a, b)), Seconds: fused.Value.Seconds));
            Tune(Two, seed, FusedName, () => fused.Value.Network);
            Tune(Two, seed, "A", () => a);
            Tune(Two, seed, "B", () => b);
            Tune(Two, seed, Random, () => ModelLoader.Build(ClafusionParents.OfResNets.Model, 2, 1000 + seed));
        }

        // Blocks of zeros have no gradient, so what is deepened by them learns as B does, to the bit: one seed is enough to show it.
        int first = All.First();
        Tune(Two, first, Deepened, () => Fusion.Balance(Fusion.Map(bench.Parents.ResNet34(first), bench.Parents.ResNet18(first))).B);
    }

    /// <summary>Table 2. The pairs of the next seeds join that of a seed, whose deep network is the one that all are brought to; so the six networks are the same for each of three seeds.</summary>
    public void RunMany()
    {
        foreach (int seed in All)
        {
            int[] order = [.. All.SkipWhile(s => s != seed), .. All.TakeWhile(s => s != seed)], four = [.. order.Take(2)], six = [.. order.Take(3)];
            foreach (var (table, seeds) in new[] { (Four, four), (Six, six) })
            {
                ImmutableArray<Graph> networks = [.. seeds.SelectMany(s => (Graph[])[bench.Parents.ResNet34(s), bench.Parents.ResNet18(s)])];
                bench.Row(table, Pair(seed), "ensemble", () => new(Setting.Measure(networks)));
                Lazy<Fused> fused = new(() => Fusion.Run(networks));
                bench.Row(table, Pair(seed), FusedName, () => new(Setting.Measure([fused.Value.Network]), Seconds: fused.Value.Seconds));
                Tune(table, seed, FusedName, () => fused.Value.Network);
            }
        }
    }

    /// <summary>Table 12: all seeds as they are fused, then all fine-tuned. A mapping that comes out twice is fine-tuned once.</summary>
    public void RunMappings()
    {
        foreach (bool tuned in new[] { false, true })
        {
            foreach (int seed in All) RunMappings(seed, tuned);
        }
    }

    private void RunMappings(int seed, bool tuned)
    {
        Graph a = bench.Parents.ResNet34(seed), b = bench.Parents.ResNet18(seed);
        Lazy<LayerMapping> chosen = new(() => Fusion.Map(a, b));
        Dictionary<string, Outcome> known = [];
        foreach (var (name, mapping) in new (string, Func<LayerMapping>)[]
        {
            ("CLA", () => chosen.Value),
            ("naive", () => LayerFusion.Given(a, b, [.. chosen.Value.Groups.Select(group => Enumerable.Range(0, group.Map.Length).ToArray())])),
            ("random", () => LayerFusion.Given(a, b, RandomMaps(chosen.Value, seed))),
            ("CLA without the last layer's constraint", () => Fusion.Map(a, b, Fusion.Layers with { PinnedLast = 0 })),
        })
        {
            bench.Row(Mappings, Pair(seed), tuned ? Tuned(name) : name, () =>
            {
                LayerMapping map = mapping();
                string text = LayerFusion.Text(map);
                if (known.TryGetValue(text, out Outcome there)) return there;
                Graph network = Fusion.Run(a, b, () => map).Network;
                return known[text] = tuned ? Tune(seed, network) : new(Setting.Measure([network]), text);
            });
            if (!tuned) bench.Unbiased(Mappings, Pair(seed), name, Setting, () => Fusion.Run(a, b, mapping).Network);
        }
    }

    /// <summary>Makes the row of a network after fine-tuning.</summary>
    public void Tune(string table, int seed, string method, Func<Graph> network) => bench.Row(table, Pair(seed), Tuned(method), () => Tune(seed, network()));

    private Outcome Tune(int seed, Graph network)
    {
        Tuned tuned = _tuning.Value.Run(network, Rate, seed);
        return new(Setting.Measure([tuned.Network]), Choice: tuned.Choice, Seconds: tuned.Seconds);
    }

    /// <summary>Mappings by chance, but for the first layer of each group.</summary>
    private static int[][] RandomMaps(LayerMapping like, int seed)
    {
        Random random = new(seed);
        return [.. like.Groups.Select(group =>
        {
            int[] others = [.. Enumerable.Range(1, Math.Max(group.A.Count, group.B.Count) - 1)];
            random.Shuffle(others);
            return (int[])[0, .. others.Take(group.Map.Length - 1).Order()];
        })];
    }
}
