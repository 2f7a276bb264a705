using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Zoo.Experiments.Mergenet;

/// <summary>A weight of one subject teaches a weight of another, or of the same, while they train.</summary>
/// <param name="From">Whose weight is learned from.</param>
/// <param name="Source">Its name.</param>
/// <param name="To">Whose weight is written.</param>
/// <param name="Target">Its name.</param>
internal sealed record Flow(Subject From, string Source, Subject To, string Target)
{
    /// <summary>T_cycle.</summary>
    public int Cycle { get; init; } = 4;

    /// <summary>The adapter's learning rate.</summary>
    public double Rate { get; init; } = 1e-3;

    /// <summary>What generates the target.</summary>
    public ParameterAdapter Adapter { get; init; } = new LowRankAdapter();

    /// <summary>What the adapter learns by.</summary>
    public AdapterRule Rule { get; init; }

    /// <summary>How much of what a transfer itself changed is added to what the adapter learns from; 0 is the paper's rule.</summary>
    public double Damping { get; init; }

    /// <summary>The same with the damping that is usual with the adapter.</summary>
    public Flow Damped() => this with { Damping = Adapter.UsualDamping };

    /// <summary>How many of the target's own steps a transfer may go; 0 for no bound, as in the paper.</summary>
    public double TrustRegion { get; init; }

    /// <summary>The same by the rule that is usual with the adapter: damped, and within its trust region.</summary>
    public Flow Usual() => Damped() with { TrustRegion = Adapter.UsualTrustRegion };

    /// <summary>Rank of the target's factors, which begin with the decomposition of what the network has learned; 0 for the matrix itself.</summary>
    public int Rank { get; init; }

    /// <summary>Whether the source is a network that never learns anything, with weights drawn by another seed: what is gained from it is no knowledge.</summary>
    public bool FromNothing { get; init; }

    /// <summary>What the source is called among the networks that train together.</summary>
    public string SourceName => FromNothing ? $"{From.Name}, never trained" : From.Name;

    /// <summary>The transfer between the networks of a seed.</summary>
    /// <param name="from">Whose weight is learned from.</param>
    /// <param name="to">Whose weight is written.</param>
    /// <param name="seed">Draws the adapter.</param>
    public KnowledgeTransfer Of(Graph from, Graph to, int seed) => new(new TransferMatrix(SourceName, WeightMatrix.Of(from, Source)), new(To.Name, WeightMatrix.Of(to, Target), Rank), Adapter, Cycle)
    {
        Rule = Rule,
        Rate = Rate,
        Schedule = new ConstantRate(),
        Damping = Damping,
        TrustRegion = TrustRegion,
        Seed = seed,
    };

    /// <summary>All that decides on what comes of it: rows of an earlier run are found by it, so it says the same whatever members a type gets.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"{SourceName}:{Source} -> {To.Name}:{Target}, cycle {Cycle}, rate {Rate}{(Rank > 0 ? $", decomposed at rank {Rank}" : "")}{(Rule == AdapterRule.Change ? "" : $", by {Rule}")}{(Damping > 0 ? $", damping {Damping}" : "")}{(TrustRegion > 0 ? $", trust region {TrustRegion}" : "")}, {Text(Adapter)}");

    private static string Text(ParameterAdapter adapter) => adapter switch
    {
        LowRankAdapter a => FormattableString.Invariant(
            $"lpka layers {a.Layers}, heads {a.Heads}, unfoldings {a.Unfoldings}, mixing {a.Mixing}, form {a.Form}, dropout {a.AttentionDropout} {a.Dropout}{(a.SourceEvolves ? ", source evolves" : "")}"),
        MlpAdapter a => FormattableString.Invariant($"mlp width {a.Width}"),
        _ => throw new ArgumentException($"no table has the adapter '{adapter.Name}'", nameof(adapter)),
    };
}
