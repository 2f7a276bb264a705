using System.Collections.Immutable;
using System.Diagnostics;
using Amalgam.Alignment;
using Amalgam.Alignment.Fusion;
using Amalgam.Graphs;
using Amalgam.Training.Data;
using Amalgam.Zoo.Demo;
using Amalgam.Zoo.Experiments.Mudsc;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>
/// What no paper has: ResNet-34 and ResNet-18 get the same layers, then their units are brought together by transport or by one of the ways for networks of one architecture, then the weights are averaged
/// or merged by another method. Parameters of methods are chosen on the held-out training samples.
/// </summary>
internal sealed class Compositions(Bench bench)
{
    public const string Table = "balance, match, merge", TunedTable = $"{Table}, fine-tuned", Repaired = "average, REPAIR";

    private const int Batch = 250;

    private readonly ResidualNetworks _networks = new(bench);

    private ImmutableArray<(string Name, Func<Siblings, Siblings, (Siblings Models, UnitMaps Maps)> Match)> Matchings =>
    [
        ("units in place", (balanced, _) => (balanced, UnitMaps.Identity(balanced.Groups, 2))),
        ("transport, a map for each layer", (_, upstream) => (upstream, UnitMaps.Identity(upstream.Groups, 2))),
        ("weight matching (Git Re-Basin)", (balanced, _) => Match(balanced, new() { Space = MatchingSpace.Weights, WeightMeasure = SimilarityMeasure.InnerProduct })),
        ("activation align", (balanced, _) => Match(balanced, new() { Space = MatchingSpace.Activations })),
        ("MuDSC align", (balanced, _) => Match(balanced, new())),
        ("MuDSC zip", (balanced, _) => Match(balanced, new() { Matching = UnitMatching.Zip })),
    ];

    /// <summary>Makes the rows.</summary>
    public void Run()
    {
        foreach (int seed in _networks.All)
        {
            string pair = ResidualNetworks.Pair(seed);
            Lazy<(Siblings Balanced, Siblings Upstream, Siblings Shared)> brought = new(() => Bring(seed));
            foreach (var (name, match) in Matchings) Run(pair, name, () => match(brought.Value.Balanced, brought.Value.Upstream));
            Run(pair, "transport, a map for each stream", () => (brought.Value.Shared, UnitMaps.Identity(brought.Value.Shared.Groups, 2)));
        }
    }

    /// <summary>Two of them, on all test samples and fine-tuned, beside table 1.</summary>
    public void RunTuned()
    {
        foreach (int seed in _networks.All)
        {
            foreach (var (matching, merge) in new[] { ("MuDSC align", "SLERP"), ("MuDSC zip", Repaired) })
            {
                Lazy<Graph> network = new(() =>
                {
                    var (balanced, upstream, _) = Bring(seed);
                    Matched matched = Of(ResidualNetworks.Pair(seed), Matchings.Single(m => m.Name == matching).Match(balanced, upstream));
                    return merge == Repaired ? matched.Repair(Calibration, bench.Options.Cancel) : Best(matched, AfterMatching.Combinations.Single(c => c.Name == merge).Alternatives).Network;
                });
                bench.Row(TunedTable, ResidualNetworks.Pair(seed), $"{matching}; {merge}", () => new(_networks.Setting.Measure([network.Value])));
                _networks.Tune(TunedTable, seed, $"{matching}; {merge}", () => network.Value);
            }
        }
    }

    private (Siblings Balanced, Siblings Upstream, Siblings Shared) Bring(int seed)
    {
        Graph a = bench.Parents.ResNet34(seed), b = bench.Parents.ResNet18(seed);
        LayerFusion fusion = _networks.Fusion;
        var pair = fusion.Balance(fusion.Map(a, b));
        Homologues homologues = Homologues.Of(pair.A, pair.B, cancel: bench.Options.Cancel);
        Dictionary<string, Tensor> first = pair.A.Parameters.ToDictionary(p => homologues.InB(p.Value).Name!, p => p.Value.Value!, StringComparer.Ordinal);
        return (new(homologues.B, [Siblings.WeightsOf(pair.B), first]), fusion.Bring(pair), fusion.Bring(pair, fusion.Transport with { Residual = ResidualMaps.Shared }));
    }

    private (Siblings Models, UnitMaps Maps) Match(Siblings models, AlignmentOptions how) =>
        (models, UnitAlignment.Run(models, how with { Samples = Calibration.Count, Batch = Batch, ResetParents = false }, Calibration, cancel: bench.Options.Cancel).Maps);

    private Dataset Calibration => Subset.First(_networks.Setting.Calibration, 1000);

    private void Run(string pair, string matching, Func<(Siblings Models, UnitMaps Maps)> match)
    {
        Lazy<Matched> matched = new(() => Of(pair, match()));
        foreach (var (name, alternatives) in AfterMatching.Combinations) bench.Row(Table, pair, $"{matching}; {name}", () => Best(matched.Value, alternatives).Outcome(_networks.Setting));
        bench.Row(Table, pair, $"{matching}; {Repaired}", () => new(_networks.Setting.Measure([matched.Value.Repair(Calibration, bench.Options.Cancel)])));
    }

    private Matched Of(string pair, (Siblings Models, UnitMaps Maps) matched)
    {
        var (models, maps) = matched;
        return new(models, maps, new(models, [.. models.Weights.Select((weights, i) => Rearrangement.Apply(maps, i, weights))], Path.Combine(bench.Folder, "merged", pair.Replace(' ', '-'))));
    }

    private Choice Best(Matched matched, ImmutableArray<DemoMerge> alternatives)
    {
        long start = Stopwatch.GetTimestamp();
        Choice? best = null;
        foreach (DemoMerge merge in alternatives)
        {
            Graph network = matched.Models.With(matched.Weights.Merge(merge, bench.Options.Cancel)).Graph;
            double worth = alternatives.Length == 1 ? double.NaN : _networks.Setting.Choice(network);
            if (best is null || worth > best.Worth) best = new(merge.Label, worth, network, alternatives.Length, 0);
        }

        return best! with { Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds };
    }

    /// <summary>Networks whose units were brought together, also as files that a merge method takes.</summary>
    private sealed record Matched(Siblings Models, UnitMaps Maps, WeightMerge Weights)
    {
        public Graph Repair(Dataset calibration, CancellationToken cancel) =>
            Alignment.Repair.Run(Models.With(Rearrangement.Merge(Maps, Models)).Graph, Models, Maps, calibration, Batch, cancel: cancel).Network;
    }

    /// <summary>What the held-out samples chose of several merges; a single one is taken unseen.</summary>
    private sealed record Choice(string Label, double Worth, Graph Network, int Tried, double Seconds)
    {
        public Outcome Outcome(ImageSetting setting) => new(setting.Measure([Network]), Tried == 1 ? "" : Label, Worth, Tried, Seconds);
    }
}
