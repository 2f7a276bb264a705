using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Training;
using Amalgam.Transfer;
using Amalgam.Transfer.MergeNet;
using Amalgam.Transfer.Teaching;

namespace Amalgam.Zoo.Experiments.Mergenet;

/// <summary>What a training made of one of its networks.</summary>
/// <param name="Subject">Which network.</param>
/// <param name="Network">It, after the last epoch.</param>
/// <param name="More">Figures of the training itself.</param>
internal sealed record Trained(Subject Subject, Graph Network, ImmutableArray<Figure> More);

/// <summary>One training of one network or several, whose rows tables share.</summary>
/// <param name="Name">All that decides on it beside the runs of its subjects.</param>
internal abstract record Trial(string Name)
{
    /// <summary>Whose networks it makes.</summary>
    public abstract IEnumerable<Subject> Makes { get; }

    /// <summary>Trains.</summary>
    /// <param name="bench">Where teachers come from.</param>
    /// <param name="seed">First weights, order of the samples, adapters.</param>
    public abstract IEnumerable<Trained> Run(TrialBench bench, int seed);
}

/// <summary>A network before its first step.</summary>
/// <param name="Subject">Which.</param>
internal sealed record Untrained(Subject Subject) : Trial("before")
{
    public override IEnumerable<Subject> Makes => [Subject];

    public override IEnumerable<Trained> Run(TrialBench bench, int seed) => [new(Subject, bench.Begin(Subject, seed), [])];
}

/// <summary>A network trains alone.</summary>
/// <param name="Subject">Which.</param>
internal sealed record Solo(Subject Subject) : Trial("solo")
{
    public override IEnumerable<Subject> Makes => [Subject];

    public override IEnumerable<Trained> Run(TrialBench bench, int seed) => [new(Subject, bench.Solo(Subject, seed), [])];
}

/// <summary>A network learns from the predictions of another that was trained alone, or of itself.</summary>
/// <param name="Subject">Which network learns.</param>
/// <param name="Teacher">Which one teaches, trained with the same seed; null where there is no teacher.</param>
/// <param name="Way">How.</param>
internal sealed record Taught(Subject Subject, Subject? Teacher, Distillation Way) : Trial($"{Text(Way)}{(Teacher is null ? "" : $" from {Teacher.Name}")}")
{
    public override IEnumerable<Subject> Makes => [Subject];

    public override IEnumerable<Trained> Run(TrialBench bench, int seed)
    {
        Loss loss = Teacher is null ? Way : Way with { Teachers = [new FrozenNetwork(bench.Solo(Teacher, seed))] };
        return [new(Subject, bench.Train(Subject, loss, seed), [])];
    }

    private static string Text(Distillation way) => $"{way.Name} {string.Join(", ", way.Parameters.Select(p => $"{p.Name}={p.Value}"))}";
}

/// <summary>Networks train together, and weights of one teach weights of another.</summary>
internal sealed record Joint : Trial
{
    private const int Unrelated = 1000;

    /// <param name="flows">What flows; a network that nothing flows into trains as alone, and has no row.</param>
    public Joint(params ImmutableArray<Flow> flows) : base(string.Join(" and ", flows)) => Flows = flows;

    /// <summary>What flows.</summary>
    public ImmutableArray<Flow> Flows { get; }

    public override IEnumerable<Subject> Makes => Flows.Select(flow => flow.To).Distinct();

    public override IEnumerable<Trained> Run(TrialBench bench, int seed)
    {
        Dictionary<string, Learner> learners = [];
        foreach (Flow flow in Flows)
        {
            if (flow.FromNothing) learners.TryAdd(flow.SourceName, Learner.Source(flow.SourceName, flow.From.Network(seed + Unrelated)));
            foreach (Subject subject in flow.FromNothing ? [flow.To] : new[] { flow.From, flow.To })
            {
                if (!learners.ContainsKey(subject.Name)) learners.Add(subject.Name, subject.Learner(bench.Begin(subject, seed), seed));
            }
        }

        JointTraining joint = new(learners.Values, Flows.Select(flow => flow.Of(learners[flow.SourceName].Network, learners[flow.To.Name].Network, seed)));
        bench.Run(joint);
        foreach (Subject subject in Makes)
        {
            int into = Flows.ToList().FindIndex(flow => flow.To == subject);
            TransferRecord? last = joint.HistoryOf(into) is [.., var end] ? end : null;
            yield return new(subject, joint.NetworkOf(subject.Name),
            [
                new("change", last?.Change ?? double.NaN),
                new("steps, s", joint.Times.Steps.TotalSeconds), new("transfers, s", joint.Times.Transfers.TotalSeconds), new("adapters, s", joint.Times.AdapterUpdates.TotalSeconds),
            ]);
        }
    }
}
