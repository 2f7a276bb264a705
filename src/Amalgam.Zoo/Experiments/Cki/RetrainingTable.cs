using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Transfer;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>Table 4: one more epoch, from model A, from the integrated model and from the average, with the same samples in the same order. The weights are those after the epoch, whatever the validation data say.</summary>
/// <param name="subject">What is learned.</param>
/// <param name="networks">Trains and keeps.</param>
/// <param name="trials">Measures.</param>
internal sealed class RetrainingTable(Subject subject, TrainedNetworks networks, Trials trials)
{
    private const long Order = 20_000;

    /// <summary>Makes the rows of a seed.</summary>
    public void Run(CkiStart start, int seed)
    {
        StaticPair pair = new(subject, networks, start, seed);
        Scope scope = subject.Scopes[0];
        From(pair, Methods.A, $"a-{seed}", () => new(pair.A, 0));
        From(pair, Methods.In(Methods.Averaging, scope), $"averaged-{pair.Label}", () => new(
            subject.With(name => scope.Includes(name) ? Mean(pair.A.Parameters[name].Value!, pair.B.Parameters[name].Value!) : pair.A.Parameters[name].Value!), 0));
        From(pair, Methods.In(Methods.Spliced, scope), $"cki-{pair.Label}", () => Chosen(pair, scope));
    }

    /// <summary>The soft or the hard splice, by the validation data.</summary>
    private MadeNetwork Chosen(StaticPair pair, Scope scope) => new[] { CkiSplice.Soft, CkiSplice.Hard }.Select(splice => pair.Integrate(scope, splice, TrainScope.Splice))
        .MaxBy(made => subject.Figures.Of([made.Network], subject.Validation)[subject.Figures.MeritIndex])!;

    /// <summary>A network as it is, and after the epoch.</summary>
    private void From(StaticPair pair, string method, string name, Func<MadeNetwork> make)
    {
        Lazy<MadeNetwork> made = new(make), trained = new(() =>
        {
            Graph network = subject.Copy(made.Value.Network);
            return new(network, made.Value.Steps + networks.Train($"{name}-one-epoch", network, 1, Order + pair.Seed, lastEpoch: true).Steps);
        });
        trials.Run(pair.Start, pair.Seed, method, [Candidate.Of(() => made.Value.Network)], () => made.Value.Steps);
        trials.Run(pair.Start, pair.Seed, $"{method} + one epoch", [Candidate.Of(() => trained.Value.Network)], () => trained.Value.Steps);
    }

    private static Tensor Mean(Tensor a, Tensor b)
    {
        Tensor mean = new(a.Shape);
        for (int i = 0; i < mean.Count; i++) mean.Span[i] = (a.Span[i] + b.Span[i]) / 2;
        return mean;
    }
}
