using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Transfer;

/// <summary>What is trained of an integrated network.</summary>
public enum TrainScope
{
    /// <summary>What the rule learns, and nothing else.</summary>
    Splice,

    /// <summary>Also the weights that are the host's, but for the biases of spliced layers.</summary>
    All,
}

/// <summary>What is integrated, and how.</summary>
public sealed record IntegrationOptions
{
    /// <summary>What is trained.</summary>
    public TrainScope Train { get; init; } = TrainScope.Splice;

    /// <summary>
    /// What becomes of vectors; null for what the rule usually does. A vector that <see cref="Include"/> holds for is spliced; running statistics are averaged where the scales of their norms are not the host's.
    /// </summary>
    public VectorTreatment? Vectors { get; init; }

    /// <summary>Which weights, by name, are spliced; null for all matrices and kernels. What is done with vectors is done to the biases of those layers, or to all where this is null.</summary>
    public Func<string, bool>? Include { get; init; }

    /// <summary>Draws the first values of what is learned.</summary>
    public long Seed { get; init; }

    /// <summary>The model that the others come from, for rules that take differences from it.</summary>
    public Graph? Base { get; init; }
}

/// <summary>
/// Several trained networks of one architecture as one network to train: that of a host in which weights are expressions of all models' weights (<see cref="WeightRule"/>). The host is the
/// first model, or the one whose weights a hypernetwork makes for each sample. The models given stay as they are; their weights are constants of the network.
/// </summary>
public sealed class Integration
{
    private readonly Graph _host;
    private readonly Dictionary<string, WeightNodes> _weights = [];

    /// <param name="models">Two networks or more, in the order that the rule sees.</param>
    /// <param name="rule">How a weight follows from the models' weights.</param>
    /// <param name="options">What is integrated.</param>
    /// <exception cref="GraphException">The networks do not belong together, or nothing is left to splice.</exception>
    public Integration(IReadOnlyList<Graph> models, WeightRule rule, IntegrationOptions? options = null)
    {
        options ??= new();
        ParentWeights parents = new(models, options);
        _host = parents.Host;
        VectorTreatment vectors = options.Vectors ?? rule.Vectors;
        Spliced = parents.Spliced(vectors);
        if (Spliced.IsEmpty) throw new GraphException("nothing is spliced: the models share no weight that is asked for");
        Graph = Surgery.Replace(_host, Spliced.ToDictionary(name => name, name => (Func<Graph, Node, Node>)((to, own) =>
        {
            _weights[name] = rule.Express(parents.Site(to, name, own));
            return _weights[name].Value;
        }))).Graph;
        (IsDynamic, Host, Unshared) = (parents.Dynamic is not null, parents.HostNumber, parents.Unshared);

        HashSet<string> learned = [.. Graph.Parameters.Keys.Where(name => !_host.Parameters.ContainsKey(name))];
        if (options.Train == TrainScope.Splice) Surgery.Freeze(Graph, name => !learned.Contains(name));
        else Surgery.Freeze(Graph, name => !learned.Contains(name) && name.EndsWith(ParentWeights.Bias, StringComparison.Ordinal) && Spliced.Contains(name[..^ParentWeights.Bias.Length] + ParentWeights.Weight));
        if (!Graph.Parameters.Values.Any(node => node.Trainable)) throw new GraphException("nothing is trained");

        if (vectors != VectorTreatment.Base) parents.Average(Graph, Spliced);
    }

    /// <summary>The network to train: inputs and outputs are the host's.</summary>
    public Graph Graph { get; }

    /// <summary>Names of the weights that are expressions, in the host's order.</summary>
    public ImmutableArray<string> Spliced { get; }

    /// <summary>Number of the model, from 0 on, whose network this is but for what is spliced.</summary>
    public int Host { get; }

    /// <summary>Weights that would be spliced and are not, since not all models have them.</summary>
    public ImmutableArray<string> Unshared { get; }

    /// <summary>Whether a weight is made for each sample, so that the network cannot be baked whole.</summary>
    public bool IsDynamic { get; }

    /// <summary>The network with the weights that its expressions have now: the host's graph, operator for operator, with the same parameters. What is made for each sample stays an expression.</summary>
    public Graph Bake()
    {
        Graph baked = Surgery.Bake(Graph).Graph;
        foreach (var (name, node) in baked.Parameters)
        {
            if (_host.Parameters.TryGetValue(name, out Node? own)) node.Trainable = own.Trainable;
        }

        return baked;
    }

    /// <summary>What the rule makes of each weight, as it is now. Of weights that are made for each sample it is what it is for the samples that the executor is given.</summary>
    /// <param name="fill">Fills the network's inputs; null where no weight is made for each sample.</param>
    public ImmutableArray<SplicedWeight> Inspect(Action<Executor>? fill = null)
    {
        Executor executor = new(Graph, Spliced.SelectMany(name => Shown(_weights[name])));
        fill?.Invoke(executor);
        executor.Run();
        return [.. Spliced.Select(name => new SplicedWeight(name, Graph.Find(name)!.Shape, Values(_weights[name].Global), Values(_weights[name].Local), Values(_weights[name].Shares)))];

        ImmutableArray<Tensor> Values(ImmutableArray<Node> nodes) => nodes.IsDefault ? [] : [.. nodes.Select(node => node.Known ?? executor[node].Copy())];

        static IEnumerable<Node> Shown(WeightNodes w) =>
            w.Shares.Concat(w.Global.IsDefault ? [] : w.Global).Concat(w.Local.IsDefault ? [] : w.Local).Where(node => node.Known is null);
    }
}

/// <summary>What a rule made of one weight.</summary>
/// <param name="Name">The weight's name.</param>
/// <param name="Shape">Its shape; behind an axis for the samples where it is made for each.</param>
/// <param name="Global">Of CKI, each model's global term g: a number, or one for each sample.</param>
/// <param name="Local">Of CKI, each model's local term l, in the shape of the weight.</param>
/// <param name="Shares">What each model's value is multiplied by: in the shape of the weight, or a number.</param>
public sealed record SplicedWeight(string Name, Shape Shape, ImmutableArray<Tensor> Global, ImmutableArray<Tensor> Local, ImmutableArray<Tensor> Shares);
