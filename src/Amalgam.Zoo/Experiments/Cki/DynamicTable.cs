using Amalgam.Merging;
using Amalgam.Transfer;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>Table 3: a static network, and one whose head is made for each sample by a hypernetwork. Splices are soft.</summary>
/// <param name="subject">What is learned.</param>
/// <param name="networks">Trains and keeps.</param>
/// <param name="trials">Chooses and measures.</param>
internal sealed class DynamicTable(Subject subject, TrainedNetworks networks, Trials trials)
{
    /// <summary>Makes the rows of a seed.</summary>
    public void Run(CkiStart start, int seed)
    {
        StaticPair pair = new(subject, networks, start, seed);
        DynamicPair dynamic = new(subject, networks, pair);
        void Row(string method, IEnumerable<Candidate> candidates, Func<long>? steps = null) => trials.Run(start, seed, method, candidates, steps);

        Row(Methods.A, [Candidate.Of(() => pair.A)]);
        Row(Methods.Dynamic, [Candidate.Of(() => dynamic.B)]);
        Row(Methods.InAll(Methods.Pruning), StaticTable.Sparsities.Select(sparsity =>
            Candidate.Of(() => MagnitudePruning.Prune(dynamic.CopyOfB(), sparsity, _ => true), FormattableString.Invariant($"{sparsity:0%} of each matrix"))));
        Row(Methods.Ensemble, [new("", () => [pair.A, dynamic.B])]);
        Scope scope = subject.Scopes[0];
        Row(Methods.In(Methods.Averaging, scope), [Candidate.Of(() => dynamic.Averaged(scope))]);
        Row(Methods.In(Methods.Spliced, scope), [Candidate.Of(() => dynamic.Integrate(scope, CkiSplice.Soft, TrainScope.Splice).Network)], () => dynamic.Integrate(scope, CkiSplice.Soft, TrainScope.Splice).Steps);
        Row(Methods.In(Methods.TrainedAll, scope), [Candidate.Of(() => dynamic.Integrate(scope, CkiSplice.Soft, TrainScope.All).Network)],
            () => dynamic.Integrate(scope, CkiSplice.Soft, TrainScope.All).Steps);
        Row(Methods.DynamicTrainedOn, [Candidate.Of(() => dynamic.TrainedOn.Network)], () => dynamic.TrainedOn.Steps);
    }
}
