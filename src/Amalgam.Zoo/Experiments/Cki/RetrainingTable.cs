using Amalgam.Graphs;
using Amalgam.Transfer;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>
/// Table 4: one more epoch, from model A, from the average, from the integrated model and from model A that was trained on for as many epochs as a splice, with the same samples in the
/// same order. The weights are those after the epoch, whatever the validation data say.
/// </summary>
/// <param name="subject">What is learned.</param>
/// <param name="networks">Trains and keeps.</param>
/// <param name="trials">Measures.</param>
/// <param name="options">How the reproduction runs.</param>
internal sealed class RetrainingTable(Subject subject, TrainedNetworks networks, Trials trials, CkiOptions options)
{
    private const long Order = 20_000;

    /// <summary>Makes the rows of a seed.</summary>
    public void Run(CkiStart start, int seed)
    {
        StaticPair pair = new(subject, networks, start, seed);
        Scope scope = subject.Scopes[0];
        From(pair, Methods.A, $"a-{seed}", () => new(pair.A, 0));
        From(pair, Methods.In(Methods.Averaging, scope), $"averaged-{pair.Label}", () => new(Merges.Of(subject, pair, options).Averaging(scope).Make()[0], 0));
        From(pair, Methods.In(Methods.Spliced, scope), $"cki-{pair.Label}", () => Chosen(pair, scope));
        From(pair, Methods.TrainedOn, $"a-{seed}-on", () => pair.TrainedOn);
    }

    /// <summary>The soft or the hard splice, by the validation data, and the steps of both.</summary>
    private MadeNetwork Chosen(StaticPair pair, Scope scope)
    {
        MadeNetwork[] both = [.. Methods.Splices.Select(splice => pair.Integrate(scope, splice, TrainScope.Splice))];
        return new(both.MaxBy(made => subject.Figures.Of([made.Network], subject.Validation, options.Cancel)[subject.Figures.MeritIndex])!.Network, both.Sum(made => made.Steps));
    }

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
}
