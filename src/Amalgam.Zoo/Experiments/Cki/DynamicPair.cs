using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Transfer;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>A static network and a dynamic one, and what is learned from them.</summary>
internal sealed class DynamicPair
{
    private readonly Subject _subject;
    private readonly TrainedNetworks _networks;
    private readonly StaticPair _pair;
    private readonly Lazy<Graph> _b;

    /// <param name="subject">What is learned.</param>
    /// <param name="networks">Trains and keeps.</param>
    /// <param name="pair">Has the static network as its first.</param>
    public DynamicPair(Subject subject, TrainedNetworks networks, StaticPair pair)
    {
        (_subject, _networks, _pair) = (subject, networks, pair);
        _b = new(() => Train($"dynamic-{pair.Label}", _subject.Dynamic!.Build(1, pair.SeedOfB), _subject.DynamicEpochs, pair.OrderOfB, isFirst: true).Network);
    }

    /// <summary>The dynamic network. Who changes it copies it first.</summary>
    public Graph B => _b.Value;

    /// <summary>The dynamic network after as many more steps as an integration has, with the same samples in the same order.</summary>
    public MadeNetwork TrainedOn => Train($"dynamic-{_pair.Label}-on", CopyOfB(), _subject.MoreEpochs, _pair.LaterOrder);

    /// <summary>A copy of the dynamic network.</summary>
    public Graph CopyOfB() => Subject.With(_subject.Dynamic!, name => B.Parameters[name].Value!);

    /// <summary>The dynamic network with a head that is, for each sample, the mean of both heads.</summary>
    public Graph Averaged(Scope scope) => new Integration([_pair.A, B], new LearnedCoefficients(CoefficientScope.Model), new() { Include = scope.Includes, Vectors = VectorTreatment.Base }).Graph;

    /// <summary>The dynamic network whose head learned compatibility splices with the static one's, for each sample.</summary>
    public MadeNetwork Integrate(Scope scope, CkiSplice splice, TrainScope train)
    {
        Integration integration = new([_pair.A, B], new LearnedCki(new Merging.Cki(splice)), new() { Train = train, Include = scope.Includes, Seed = _pair.Seed });
        string name = $"dynamic-cki-{_pair.Label}-{(splice == CkiSplice.Soft ? "soft" : "hard")}-{(train == TrainScope.Splice ? "splice" : "all")}";
        return Train(name, integration.Graph, _subject.MoreEpochs, _pair.LaterOrder);
    }

    private MadeNetwork Train(string name, Graph network, int epochs, long order, bool isFirst = false) => new(network, _networks.Train(name, network, epochs, order, isFirst).Steps);
}
