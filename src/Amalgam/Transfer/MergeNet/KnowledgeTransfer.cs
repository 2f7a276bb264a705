using System.Collections.Immutable;
using Amalgam.Training;

namespace Amalgam.Transfer.MergeNet;

/// <summary>A matrix of a learner that takes part in a transfer.</summary>
/// <param name="Learner">The learner's name.</param>
/// <param name="Matrix">The weight as a matrix.</param>
/// <param name="Rank">
/// 0 for the matrix itself; else the weight becomes a product B A of that rank while it trains, both factors are trained, and the adapter reads and writes A alone (eqs. 4 and 5). That holds for a source too, which
/// then does not train as it would alone. Of a matrix that is not trained, in a frozen network or frozen itself, the factors are taken apart, and it stays.
/// </param>
public sealed record TransferMatrix(string Learner, WeightMatrix Matrix, int Rank = 0)
{
    /// <summary>What the factors of a rank above 0 begin with.</summary>
    public FactorStart Start { get; init; }

    /// <summary>The weight is this over the rank times B A, as in LoRA; 0 for the rank, which makes it the product itself.</summary>
    public double Alpha { get; init; }

    /// <summary>The learner and the weight.</summary>
    public override string ToString() => $"{Learner}:{Matrix.Label}{(Rank > 0 ? $" at rank {Rank}" : "")}";
}

/// <summary>What an adapter's parameters phi are updated by.</summary>
public enum AdapterRule
{
    /// <summary>
    /// The change that training makes of what was generated: (d generated / d phi)' (W_generated - W_after), where W_after is the matrix after the target's own steps of the round. The adapter
    /// chases the improved weight, whatever the target's optimiser is. The paper's sign is ambiguous; this one is the code's.
    /// </summary>
    Change,

    /// <summary>The chain rule: (d generated / d phi)' dL/dW, with the gradient of the target's loss where it stood after the transfer. With plain SGD of rate eta the other rule is eta times this one.</summary>
    ChainRule,
}

/// <summary>Parameters of one model, or of several, teach another's: an adapter generates the target matrix from itself and the source matrices every so many rounds (MergeNet, eqs. 1 to 7).</summary>
/// <param name="Sources">What is learned from, one matrix or more, each another one and none of it the target's; it stays as its own training makes it.</param>
/// <param name="Target">What is written.</param>
/// <param name="Adapter">What generates it.</param>
/// <param name="Cycle">T_cycle: a transfer at every round whose number, from 0 on, is divisible by it. 1 leaves no round of self-learning alone.</param>
public sealed record KnowledgeTransfer(ImmutableArray<TransferMatrix> Sources, TransferMatrix Target, ParameterAdapter Adapter, int Cycle)
{
    /// <summary>One matrix teaches another.</summary>
    public KnowledgeTransfer(TransferMatrix source, TransferMatrix target, ParameterAdapter adapter, int cycle)
        : this([source], target, adapter, cycle)
    {
    }

    /// <summary>From where to where: <c>a:x + b:y -> c:z</c>.</summary>
    public string Name => $"{string.Join(" + ", Sources)} -> {Target}";

    /// <summary>All matrices that take part: the sources, then the target.</summary>
    public ImmutableArray<TransferMatrix> Matrices => [.. Sources, Target];

    /// <summary>What the adapter's parameters are updated by.</summary>
    public AdapterRule Rule { get; init; }

    /// <summary>
    /// Of <see cref="AdapterRule.Change"/>: this times what the transfer itself changed, generated - before, is added to the change that the adapter learns from; 0 for the paper's rule, null for what is usual with the
    /// adapter. A target that an adapter adds to is the sum of what was added, and what is added is in turn a sum of gradients: an oscillator that nothing damps. With a damping of 1 / k it settles where a
    /// transfer goes k of the target's own steps ahead.
    /// </summary>
    public double? Damping { get; init; }

    /// <summary>
    /// How far a transfer may move the target: this many times as far as the target's own steps moved it in the round of the transfer before. What is generated beyond is written as far as that, on the straight line; before
    /// the first such round nothing is moved. 0 for no bound, as in the paper; null for what is usual with the adapter. It makes transfers follow the target's learning rate, whatever the adapter's is and however large.
    /// </summary>
    public double? TrustRegion { get; init; }

    /// <summary>How they follow from that.</summary>
    public UpdateRule Optimizer { get; init; } = new AdamW(WeightDecay: 0.01);

    /// <summary>What holds for one parameter apart: by default biases and norms' scales have no weight decay, as in the code.</summary>
    public Func<Graphs.Node, ParameterSetting>? Settings { get; init; } = ParameterSetting.ExemptVectors;

    /// <summary>The adapter's learning rate, which the schedule's factor multiplies.</summary>
    public double Rate { get; init; } = 1e-3;

    /// <summary>How the rate goes, over the target's epochs. The code's falls by a cosine too, after four epochs.</summary>
    public Schedule Schedule { get; init; } = new CosineRate();

    /// <summary>Largest norm of the adapter's gradient; null for no limit.</summary>
    public double? ClipNorm { get; init; } = 50;

    /// <summary>Whether the momentum (of Adam the first moment) of what is written is set to zero, as it points where the weights before would have gone; the code leaves it.</summary>
    public bool ResetsMomentum { get; init; }

    /// <summary>Whether what is written has gone through the adapter's dropout, as in the code; else it is generated without, and dropout acts on the adapter's gradient alone.</summary>
    public bool WritesDropout { get; init; } = true;

    /// <summary>Draws the adapter's first parameters and its dropout.</summary>
    public long Seed { get; init; }
}
