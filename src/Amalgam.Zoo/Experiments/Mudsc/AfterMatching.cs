using System.Collections.Immutable;
using System.Diagnostics;
using Amalgam.Alignment;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Zoo.Demo;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>Other methods than the average on networks whose units were matched before: does the second step gain from the first?</summary>
internal sealed class AfterMatching(PairTable table, MethodLog log, MudscOptions options, string folder)
{
    private const string InPlace = "units in place";

    /// <summary>How units are matched before.</summary>
    private static readonly ImmutableArray<PairMethod> Matchings =
        [new(InPlace, new() { Space = MatchingSpace.None }), new(PairMethods.MudscAlign, new()), new(PairMethods.MudscZip, new() { Matching = UnitMatching.Zip })];

    /// <summary>What puts the weights together, with what there is to choose from. A base of zeros makes TIES keep what both signs agree on: networks that were trained apart come from no common one.</summary>
    public static readonly ImmutableArray<(string Name, ImmutableArray<DemoMerge> Alternatives)> Combinations =
    [
        ("average", [Of("linear")]),
        ("SLERP", [.. new[] { "0.5", "0.4", "0.6" }.Select(t => Of("slerp", ("t", t)))]),
        ("TIES from zero", [.. new[] { "0.5", "0.8", "1" }.Select(density => Of("ties", ("density", density), ("lambda", "1")))]),
        ("CKI", [Of("cki", ("splice", "soft"), ("biases", "average")), Of("cki", ("splice", "hard"), ("biases", "average"))]),
    ];

    /// <summary>What matching is worth to each method, and each method beside the average.</summary>
    public static IEnumerable<(string Method, string From)> Claims =>
        [
            .. Combinations.SelectMany(c => Matchings.Skip(1).Select(m => (Label(c.Name, m.Name), Label(c.Name, InPlace)))),
            .. Combinations.Skip(1).SelectMany(c => Matchings.Skip(1).Select(m => (Label(c.Name, m.Name), Label("average", m.Name)))),
            .. DinMatching.Claims,
        ];

    /// <summary>Makes the rows of a pair that are not there yet.</summary>
    public void Run(ModelPair pair)
    {
        Lazy<MatchedPair> matched = new(() => new(pair, options));
        foreach (PairMethod matching in Matchings)
        {
            Lazy<Aligned> aligned = new(() => Aligned.Of(matched.Value, matching.How, Path.Combine(folder, "merged", $"{pair.Table} {pair.Name}".Replace(' ', '-').Replace(',', '-'))));
            foreach (var (name, alternatives) in Combinations)
            {
                if (!log.Has(pair.Table, pair.Name, Label(name, matching.Name))) Run(matched.Value, aligned.Value, Label(name, matching.Name), alternatives);
            }
        }
    }

    private void Run(MatchedPair matched, Aligned aligned, string method, ImmutableArray<DemoMerge> alternatives)
    {
        long start = Stopwatch.GetTimestamp();
        (string Label, double Choice, Graph Network)? best = null;
        foreach (DemoMerge merge in alternatives)
        {
            Graph network = matched.Network(aligned.Maps, aligned.Weights.Merge(merge, options.Cancel), 0);
            double choice = alternatives.Length == 1 ? double.NaN : matched.Pair.Measure([network], matched.Pair.Calibration, options.Cancel).Average;
            if (best is null || choice > best.Value.Choice) best = (merge.Label, choice, network);
        }

        TaskScores scores = matched.Pair.Measure([best!.Value.Network], matched.Pair.Test, options.Cancel);
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        table.Add(matched.Pair, method, alternatives.Length == 1 ? "" : best.Value.Label, alternatives.Length, best.Value.Choice, scores, time.TotalSeconds, time);
    }

    private static string Label(string combination, string matching) => $"{combination}, {matching}";

    private static DemoMerge Of(string method, params ImmutableArray<(string, string)> parameters) => new(MergeMethod.Find(method)!, parameters);

    /// <summary>The pair's weights after matching, as files that a recipe names.</summary>
    private sealed record Aligned(UnitMaps Maps, WeightMerge Weights)
    {
        public static Aligned Of(MatchedPair matched, AlignmentOptions how, string folder)
        {
            UnitMaps maps = matched.Match(how).Result.Maps;
            return new(maps, new(matched.Models, [.. matched.Models.Weights.Select((weights, i) => Rearrangement.Apply(maps, i, weights))], folder));
        }
    }
}
