using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Alignment;

/// <summary>Networks of one architecture that were trained apart: one graph, and each network's weights.</summary>
public sealed class Siblings
{
    /// <param name="groups">Units of the architecture.</param>
    /// <param name="weights">Each network's weights by name of the parameter; all of them.</param>
    /// <param name="names">What the networks are called.</param>
    /// <exception cref="GraphException">A network lacks a weight, has one too many, or one of another shape.</exception>
    public Siblings(UnitGroups groups, IEnumerable<IReadOnlyDictionary<string, Tensor>> weights, IEnumerable<string>? names = null)
    {
        (Groups, Weights) = (groups, [.. weights]);
        Names = names is null ? [.. Enumerable.Range(0, Weights.Length).Select(i => i < 26 ? ((char)('a' + i)).ToString() : $"model {i + 1}")] : [.. names];
        for (int i = 0; i < Weights.Length; i++) Check(groups.Graph, Weights[i], Names[i]);
    }

    /// <summary>Units of the architecture.</summary>
    public UnitGroups Groups { get; }

    /// <summary>Each network's weights by name.</summary>
    public ImmutableArray<IReadOnlyDictionary<string, Tensor>> Weights { get; }

    /// <summary>What the networks are called.</summary>
    public ImmutableArray<string> Names { get; }

    /// <summary>Number of networks.</summary>
    public int Count => Weights.Length;

    /// <summary>Networks whose graphs are the same but for the weights.</summary>
    /// <param name="graphs">The networks.</param>
    /// <param name="options">What else is free or pinned.</param>
    /// <param name="names">What the networks are called.</param>
    /// <param name="check">Whether units are checked on the first network (<see cref="SelfCheck"/>), and those that change its outputs pinned.</param>
    /// <param name="cancel">Looked at while they are checked.</param>
    /// <exception cref="GraphException">The graphs are not the same: the first difference is named. Or the first one's units cannot be checked.</exception>
    public static Siblings Of(IReadOnlyList<Graph> graphs, UnitOptions? options = null, IEnumerable<string>? names = null, bool check = true, CancellationToken cancel = default)
    {
        UnitGroups groups = UnitGroups.Of(graphs[0], options);
        Siblings siblings = new(groups, graphs.Select(WeightsOf), names);
        for (int i = 1; i < graphs.Count; i++)
        {
            if (GraphComparison.Difference(graphs[0], graphs[i]) is { } difference)
                throw new GraphException($"{siblings.Names[i]} is another network than {siblings.Names[0]}: {difference}; units are matched of networks of one architecture");
        }

        return check ? new(SelfCheck.Run(groups, options, cancel: cancel).Groups, siblings.Weights, siblings.Names) : siblings;
    }

    /// <summary>A graph's parameters.</summary>
    public static IReadOnlyDictionary<string, Tensor> WeightsOf(Graph graph) => graph.Parameters.ToDictionary(p => p.Key, p => p.Value.Value!, StringComparer.Ordinal);

    /// <summary>The network with weights, which it shares.</summary>
    /// <param name="weights">By name of the parameter, all of them.</param>
    /// <returns>With what became of the nodes of the groups' graph.</returns>
    public GraphCopy With(IReadOnlyDictionary<string, Tensor> weights)
    {
        Check(Groups.Graph, weights, "the weights");
        return Rewrite.Apply(Groups.Graph, (to, node, _) => node.Op is Parameter ? to.Parameter(node.Name!, weights[node.Name!], node.Trainable, node.Type) : null);
    }

    /// <summary>The network of a model.</summary>
    public GraphCopy With(int model) => With(Weights[model]);

    private static void Check(Graph graph, IReadOnlyDictionary<string, Tensor> weights, string who)
    {
        foreach (var (name, node) in graph.Parameters)
        {
            if (!weights.TryGetValue(name, out Tensor? value)) throw new GraphException($"{who} has no '{name}' {node.Shape}; networks to match have the same parameters");
            if (value.Shape != node.Shape) throw new GraphException($"'{name}' is {node.Shape} in the first network and {value.Shape} in {who}; networks to match have parameters of the same shapes");
        }

        foreach (string name in weights.Keys.Where(name => !graph.Parameters.ContainsKey(name))) throw new GraphException($"{who} has '{name}', which the first network has not; networks to match have the same parameters");
    }
}
