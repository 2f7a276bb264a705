using System.Collections.Immutable;
using System.Diagnostics;
using Amalgam.Alignment;
using Amalgam.Graphs;

namespace Amalgam.Zoo.Experiments.Mudsc;

/// <summary>A pair whose units are matched: discovery and self-check, the parents with statistics estimated on the calibration data, and what matching and merging make of them.</summary>
internal sealed class MatchedPair
{
    private const int Batch = 500;

    private readonly MudscOptions _options;
    private readonly Dictionary<UnitMatching, (ActivationStatistics Statistics, double Seconds)> _statistics = [];

    /// <param name="pair">The pair.</param>
    /// <param name="options">How the reproduction runs.</param>
    /// <exception cref="GraphException">The networks are not of one architecture, or moving units changes what they compute.</exception>
    public MatchedPair(ModelPair pair, MudscOptions options)
    {
        (Pair, _options) = (pair, options);
        Check = SelfCheck.Run(UnitGroups.Of(pair.Parents[0]), cancel: options.Cancel);
        Graph[] reset = [.. pair.Parents.Select(parent => Rewrite.Apply(parent, (to, node, _) => node.Op is Parameter ? to.Parameter(node.Name!, node.Value!.Copy(), node.Trainable, node.Type) : null).Graph)];
        foreach (Graph parent in reset) Estimate(parent);
        Parents = [.. reset];
        Models = new(Check.Groups, Parents.Select(Siblings.WeightsOf), pair.Test.Tasks.Length == Parents.Length ? pair.Test.Tasks.Select(task => task.Name) : null);
    }

    /// <summary>The pair.</summary>
    public ModelPair Pair { get; }

    /// <summary>What the self-check said of the units.</summary>
    public SelfCheckResult Check { get; }

    /// <summary>The parents, their running statistics estimated on the calibration data of both.</summary>
    public ImmutableArray<Graph> Parents { get; }

    /// <summary>The parents' weights, and the units.</summary>
    public Siblings Models { get; }

    /// <summary>Matches.</summary>
    /// <returns>Which units belong together, and the seconds that it took with the statistics of activations.</returns>
    public (AlignmentResult Result, double Seconds) Match(AlignmentOptions how)
    {
        how = how with { Samples = _options.Calibration, Batch = Batch, ResetParents = false };
        var (statistics, seconds) = UnitAlignment.NeedsData(how) ? Statistics(how) : (null, 0);
        long start = Stopwatch.GetTimestamp();
        AlignmentResult result = UnitAlignment.Match(Models, how, statistics, cancel: _options.Cancel);
        return (result, seconds + Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    /// <summary>The average of the parents after their units were moved: one network, or one for each task with the head of its own.</summary>
    /// <param name="maps">Where units go.</param>
    /// <param name="repairs">Whether layers are given the means and deviations that they have in the parents.</param>
    public ImmutableArray<Graph> Average(UnitMaps maps, bool repairs = false)
    {
        var merged = Rearrangement.Merge(maps, Models);
        Graph[] networks = [.. Enumerable.Range(0, Pair.Networks).Select(task => Network(maps, merged, task))];
        if (!repairs) return [.. networks];
        return [.. networks.Select(network => Repair.Run(network, Models, maps, Pair.Calibration.Data, Batch, cancel: _options.Cancel).Network)];
    }

    /// <summary>A network of given weights: for a task with a head of its own with that, and with statistics estimated on the calibration data.</summary>
    /// <param name="maps">Where units went.</param>
    /// <param name="merged">The weights.</param>
    /// <param name="task">The task.</param>
    public Graph Network(UnitMaps maps, IReadOnlyDictionary<string, Tensor> merged, int task)
    {
        Dictionary<string, Tensor> weights = merged.ToDictionary(w => w.Key, w => w.Value.Copy(), StringComparer.Ordinal);
        foreach (string head in Pair.Heads) weights[head] = Rearrangement.Apply(maps, task, Models.Groups.Graph.Parameters[head], Models.Weights[task][head]);
        Graph network = Models.With(weights).Graph;
        Estimate(network);
        return network;
    }

    /// <summary>The parents merged up to a cut, with a head of each after it, and statistics estimated on the calibration data.</summary>
    public Graph Partial(UnitMaps maps, NetworkCut cut)
    {
        Graph network = PartialZip.Build(Models, maps, cut.Node);
        Estimate(network);
        return network;
    }

    private void Estimate(Graph network) => BatchNormReset.Run(network, Pair.Calibration.Data, Batch, _options.Cancel);

    private (ActivationStatistics, double) Statistics(AlignmentOptions how)
    {
        if (_statistics.TryGetValue(how.Matching, out var known)) return known;
        long start = Stopwatch.GetTimestamp();
        ActivationStatistics statistics = UnitAlignment.Statistics(Models, how, Pair.Calibration.Data, cancel: _options.Cancel);
        return _statistics[how.Matching] = (statistics, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }
}
