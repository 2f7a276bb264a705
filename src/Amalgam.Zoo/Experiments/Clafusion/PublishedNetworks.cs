using System.Collections.Immutable;
using System.Diagnostics;
using Amalgam.Alignment;
using Amalgam.Alignment.Fusion;
using Amalgam.Alignment.Layers;
using Amalgam.Graphs;
using Amalgam.Zoo.Data;
using Amalgam.Zoo.Experiments.Mudsc;
using Amalgam.Zoo.Runs;

namespace Amalgam.Zoo.Experiments.Clafusion;

/// <summary>Networks that others trained, or that lie in the data folder: OTFusion's MLPs, ResNets that know half of the classes each, and an MLP trained here that is deeper than one of OTFusion's.</summary>
internal sealed class PublishedNetworks(Bench bench)
{
    public const string Mlps = "OTFusion's MLPs", Halves = "ResNet-20 on halves of CIFAR-10", Deeper = "a deeper MLP and OTFusion's";

    private const int Samples = 200, Draws = 5;

    private readonly ImageSetting _mnist = new(ClafusionParents.OfMnist.Data, bench.Options);

    private static ImmutableArray<(string Name, FusionOptions How)> Ways =>
    [
        ("transport by activations", new() { Residual = ResidualMaps.Upstream }),
        ("transport by weights", new() { Residual = ResidualMaps.Upstream, Space = MatchingSpace.Weights }),
        ("transport by weights of length 1", new() { Residual = ResidualMaps.Upstream, Space = MatchingSpace.Weights, NormaliseWeights = true }),
        ("transport by activations, Sinkhorn .01", new() { Residual = ResidualMaps.Upstream, Sinkhorn = 0.01 }),
    ];

    /// <summary>OTFusion's table 1: equal widths and depths. Samples are drawn five times, as the plans depend on them.</summary>
    public void RunMlps()
    {
        Graph a = Mlp("a"), b = Mlp("b");
        for (int draw = 0; draw < (bench.Options.Seeds ?? Draws); draw++)
        {
            string pair = FormattableString.Invariant($"samples {draw}");
            bench.Parts(Mlps, pair, _mnist, ("A", () => a), ("B", () => b));
            bench.Row(Mlps, pair, "average", () => new(_mnist.Measure([LayerFusion.Mean(Siblings.Of([a, b]))])));
            foreach (var (name, how) in Ways)
            {
                foreach (var (direction, from, to) in new[] { ("A onto B", a, b), ("B onto A", b, a) })
                    bench.Row(Mlps, pair, $"{name}, {direction}", () => Transport(from, to, how with { Samples = bench.Options.Samples ?? Samples, Seed = draw }));
            }
        }
    }

    /// <summary>Batch normalisation: running statistics are estimated anew on training samples, those of the parents too.</summary>
    public void RunHalves()
    {
        const string Pair = "published";
        MudscOptions mudsc = new() { Part = "published", Limit = bench.Options.Limit, Cancel = bench.Options.Cancel };
        Lazy<MatchedPair> matched = new(() => new(PublishedPairs.All(mudsc).First(), mudsc));
        Outcome Measure(MatchedPair of, IReadOnlyList<Graph> networks, double seconds = double.NaN)
        {
            TaskScores scores = of.Pair.Measure(networks, of.Pair.Test, bench.Options.Cancel);
            return new([new("joint", scores.Joint), .. scores.Tasks.Select(task => new Figure(task.Name, task.Accuracy)), new("average", scores.Average)], Seconds: seconds);
        }

        bench.Row(Halves, Pair, "ensemble", () => Measure(matched.Value, matched.Value.Parents));
        bench.Row(Halves, Pair, "average", () => Measure(matched.Value, [Network(matched.Value, matched.Value.Models)]));
        ImmutableArray<(string Name, FusionOptions How)> ways = [.. Ways, ("transport by activations, a map for each stream", new()), ("transport by weights, a map for each stream", new() { Space = MatchingSpace.Weights })];
        foreach (var (name, how) in ways)
        {
            foreach (int samples in how.Space == MatchingSpace.Weights ? (int[])[Samples] : [Samples, 1000])
            {
                bench.Row(Halves, Pair, how.Space == MatchingSpace.Weights ? name : FormattableString.Invariant($"{name}, {samples} samples"), () =>
                {
                    MatchedPair of = matched.Value;
                    long start = Stopwatch.GetTimestamp();
                    Siblings both = TransportFusion.Match(Homologues.Of(of.Parents[0], of.Parents[1]), how with { Samples = samples }, of.Pair.Calibration.Data, cancel: bench.Options.Cancel).Siblings();
                    return Measure(of, [Network(of, both)], Stopwatch.GetElapsedTime(start).TotalSeconds);
                });
            }
        }
    }

    /// <summary>An MLP of five hidden layers that was trained here, and one of three that was not.</summary>
    public void RunDeeper()
    {
        Graph b = Mlp("a");
        foreach (int seed in bench.Seeds(0, Draws))
        {
            Graph a = bench.Parents.DeepMlp(seed);
            LayerFusion fusion = new(_mnist, bench.Options.Samples ?? Samples, bench.Options.Cancel);
            string pair = ResidualNetworks.Pair(seed);
            bench.Parts(Deeper, pair, _mnist, ("A, five hidden layers", () => a), ("B, mlp-mnist-a", () => b));
            foreach (var (name, gate) in MlpMappings.Balances)
            {
                bench.Row(Deeper, pair, name, () =>
                {
                    LayerMapping mapping = fusion.Map(a, b);
                    Fused fused = fusion.Run(a, b, () => mapping, gate);
                    return new(_mnist.Measure([fused.Network]), LayerFusion.Text(mapping), Seconds: fused.Seconds);
                });
            }
        }
    }

    private static Graph Network(MatchedPair of, Siblings models) => of.Network(UnitMaps.Identity(of.Models.Groups, of.Models.Count), Siblings.WeightsOf(LayerFusion.Mean(models)), 0);

    private Outcome Transport(Graph from, Graph to, FusionOptions how)
    {
        long start = Stopwatch.GetTimestamp();
        Siblings both = TransportFusion.Match(Homologues.Of(from, to), how, _mnist.Calibration, cancel: bench.Options.Cancel).Siblings();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new(_mnist.Measure([LayerFusion.Mean(both)]), Seconds: seconds);
    }

    private static Graph Mlp(string which) =>
        ModelLoader.Load(DataFolder.Find(DataFolder.Root, $"models/{PublishedPairs.Mlp}/mlp-mnist-{which}.safetensors") ?? throw new InvalidDataException($"models/{PublishedPairs.Mlp} is not under {DataFolder.Root}; set {DataFolder.Variable} to the folder that has it"), ModelDescription.Parse("mlp:bias=false"));
}
