using Amalgam.Graphs;
using Amalgam.Merging;
using Amalgam.Transfer;

namespace Amalgam.Zoo.Experiments.Cki;

/// <summary>A network, and the training steps that it took beyond those of its parents.</summary>
internal sealed record MadeNetwork(Graph Network, long Steps);

/// <summary>Two networks of one architecture, trained when they are first asked for, and what is learned from them.</summary>
internal sealed class StaticPair
{
    private const long OtherSeeds = 1000;

    private readonly Subject _subject;
    private readonly TrainedNetworks _networks;
    private readonly Lazy<(Graph Network, string Path)> _a, _b;
    private readonly Lazy<string> _origin;

    /// <param name="subject">What is learned.</param>
    /// <param name="networks">Trains and keeps.</param>
    /// <param name="start">The kind of pair.</param>
    /// <param name="seed">The seed.</param>
    public StaticPair(Subject subject, TrainedNetworks networks, CkiStart start, int seed)
    {
        (_subject, _networks, Start, Seed) = (subject, networks, start, seed);
        _a = new(() => subject.Published is { } published ? (subject.Read(published), published) : Train($"a-{seed}", seed, 2 * seed));
        _b = new(() => Train($"b-{Label}", SeedOfB, OrderOfB));
        _origin = new(() => networks.Keep($"start-{seed}", subject.Build(seed)));
    }

    /// <summary>The kind of pair.</summary>
    public CkiStart Start { get; }

    /// <summary>The seed.</summary>
    public int Seed { get; }

    /// <summary>Tells the pair from the subject's others.</summary>
    public string Label => $"{(Start == CkiStart.Same ? "same" : "other")}-{Seed}";

    /// <summary>Model A. Who changes it copies it first.</summary>
    public Graph A => _a.Value.Network;

    /// <summary>Model B.</summary>
    public Graph B => _b.Value.Network;

    /// <summary>Where model A is kept.</summary>
    public string PathOfA => _a.Value.Path;

    /// <summary>Where model B is kept.</summary>
    public string PathOfB => _b.Value.Path;

    /// <summary>Where the weights are kept that both began with; null where they began with different ones.</summary>
    public string? PathOfOrigin => Start == CkiStart.Same ? _origin.Value : null;

    /// <summary>Draws the first weights of model B.</summary>
    public long SeedOfB => Start == CkiStart.Same ? Seed : Seed + OtherSeeds;

    /// <summary>The order of the samples that model B sees.</summary>
    public long OrderOfB => 2 * Seed + 1;

    /// <summary>The order of the samples in everything that is trained after the pair.</summary>
    public long LaterOrder => 10_000 + Seed;

    /// <summary>Model A after as many more steps as an integration has, with the same samples in the same order.</summary>
    public MadeNetwork TrainedOn
    {
        get
        {
            Graph network = _subject.Copy(A);
            return new(network, _networks.Train($"a-{Seed}-on", network, _subject.MoreEpochs, LaterOrder).Steps);
        }
    }

    /// <summary>The network that learned compatibility makes of the pair, baked.</summary>
    public MadeNetwork Integrate(Scope scope, CkiSplice splice, TrainScope train)
    {
        var (integration, steps) = Learn(scope, splice, train);
        return new(integration.Bake(), steps);
    }

    /// <summary>What learned compatibility makes of the pair, trained, and its steps.</summary>
    public (Integration Integration, long Steps) Learn(Scope scope, CkiSplice splice, TrainScope train)
    {
        Integration integration = new([A, B], new LearnedCki(new Merging.Cki(splice)), new() { Train = train, Include = scope.Includes, Seed = Seed });
        string name = $"cki-{Label}-{scope.Name.Replace(' ', '-')}-{(splice == CkiSplice.Soft ? "soft" : "hard")}-{(train == TrainScope.Splice ? "splice" : "all")}";
        return (integration, _networks.Train(name, integration.Graph, _subject.MoreEpochs, LaterOrder).Steps);
    }

    private (Graph, string) Train(string name, long weights, long order)
    {
        Graph network = _subject.Build(weights);
        _networks.Train(name, network, _subject.Epochs, order, isFirst: true);
        return (network, _networks.PathOf(name));
    }
}
