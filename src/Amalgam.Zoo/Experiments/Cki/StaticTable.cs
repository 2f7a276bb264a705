using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Transfer;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>Tables 1 and 2: two networks of one architecture, and what can be made of them.</summary>
/// <param name="subject">What is learned.</param>
/// <param name="networks">Trains and keeps.</param>
/// <param name="trials">Chooses and measures.</param>
/// <param name="options">How the reproduction runs.</param>
internal sealed class StaticTable(Subject subject, TrainedNetworks networks, Trials trials, CkiOptions options)
{
    /// <summary>Shares of a matrix that pruning may take away.</summary>
    public static readonly ImmutableArray<double> Sparsities = [0.1, 0.2, 0.3, 0.5, 0.7, 0.9];

    /// <summary>Makes the rows of a seed.</summary>
    public void Run(CkiStart start, int seed)
    {
        StaticPair pair = new(subject, networks, start, seed);
        void Row(string method, IEnumerable<Candidate> candidates, Func<long>? steps = null) => trials.Run(start, seed, method, candidates, steps);

        Row(Methods.A, [Candidate.Of(() => pair.A)]);
        Row(Methods.B, [Candidate.Of(() => pair.B)]);
        foreach (Scope scope in subject.Scopes) Row(Methods.In(Methods.Pruning, scope), Pruned(pair.A, scope.Includes));
        if (!subject.Scopes.Any(scope => scope.IsAll)) Row(Methods.InAll(Methods.Pruning), Pruned(pair.A, _ => true));
        Row(Methods.Ensemble, [new("", () => [pair.A, pair.B])]);
        Merge(pair, Row);
        foreach (Scope scope in subject.Scopes)
        {
            Row(Methods.In(Methods.Spliced, scope), Learned(pair, scope), () => Methods.Splices.Sum(splice => Steps(pair, scope, splice, TrainScope.Splice)));
        }

        Scope first = subject.Scopes[0];
        Row(Methods.In(Methods.TrainedAll, first), [Candidate.Of(() => pair.Integrate(first, CkiSplice.Soft, TrainScope.All).Network)], () => Steps(pair, first, CkiSplice.Soft, TrainScope.All));
        Row(Methods.TrainedOn, [Candidate.Of(() => pair.TrainedOn.Network)], () => pair.TrainedOn.Steps);
    }

    private void Merge(StaticPair pair, Action<string, IEnumerable<Candidate>, Func<long>?> row)
    {
        Merges merges = Merges.Of(subject, pair, options);
        foreach (Scope scope in subject.Scopes) row(Methods.In(Methods.Averaging, scope), [merges.Averaging(scope)], null);
        row(Methods.InAll(Methods.Averaging), [merges.Averaging()], null);
        foreach (Scope scope in subject.Scopes) row(Methods.In(Methods.ClosedForm, scope), merges.ClosedForm(scope), null);
        if (!options.EveryMethod) return;
        foreach (MethodEntry method in merges.Others) row(method.Name, merges.Alternatives(method), null);
    }

    private IEnumerable<Candidate> Pruned(Graph a, Func<string, bool> which) =>
        Sparsities.Select(sparsity => Candidate.Of(() => MagnitudePruning.Prune(subject.Copy(a), sparsity, which), FormattableString.Invariant($"{sparsity:0%} of each matrix")));

    private static IEnumerable<Candidate> Learned(StaticPair pair, Scope scope) =>
        Methods.Splices.Select(splice => Candidate.Of(() => pair.Integrate(scope, splice, TrainScope.Splice).Network, splice == CkiSplice.Soft ? "soft" : "hard"));

    private static long Steps(StaticPair pair, Scope scope, CkiSplice splice, TrainScope train) => pair.Integrate(scope, splice, train).Steps;
}
