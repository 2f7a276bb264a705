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
    public const string Table = "balance, match, merge";

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
        Lazy<(Siblings Models, UnitMaps Maps, WeightMerge Weights)> matched = new(() =>
        {
            var (models, maps) = match();
            return (models, maps, new(models, [.. models.Weights.Select((weights, i) => Rearrangement.Apply(maps, i, weights))], Path.Combine(bench.Folder, "merged", pair.Replace(' ', '-'))));
        });
        foreach (var (name, alternatives) in AfterMatching.Combinations) bench.Row(Table, pair, $"{matching}; {name}", () => Best(matched.Value.Models, matched.Value.Weights, alternatives));
        bench.Row(Table, pair, $"{matching}; average, REPAIR", () =>
        {
            Graph average = matched.Value.Models.With(Rearrangement.Merge(matched.Value.Maps, matched.Value.Models)).Graph;
            return new(_networks.Setting.Measure([Repair.Run(average, matched.Value.Models, matched.Value.Maps, Calibration, Batch, cancel: bench.Options.Cancel).Network]));
        });
    }

    private Outcome Best(Siblings models, WeightMerge weights, ImmutableArray<DemoMerge> alternatives)
    {
        long start = Stopwatch.GetTimestamp();
        (string Label, double Choice, Graph Network)? best = null;
        foreach (DemoMerge merge in alternatives)
        {
            Graph network = models.With(weights.Merge(merge, bench.Options.Cancel)).Graph;
            double choice = alternatives.Length == 1 ? double.NaN : _networks.Setting.Choice(network);
            if (best is null || choice > best.Value.Choice) best = (merge.Label, choice, network);
        }

        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new(_networks.Setting.Measure([best!.Value.Network]), alternatives.Length == 1 ? "" : best.Value.Label, best.Value.Choice, alternatives.Length, seconds);
    }
}
