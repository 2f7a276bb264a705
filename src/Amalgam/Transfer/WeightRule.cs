using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Transfer;

/// <summary>A weight that is to become an expression of what several models have in its place.</summary>
/// <param name="Graph">The graph that the expression is added to.</param>
/// <param name="Name">The weight's name.</param>
/// <param name="Shape">Its shape in a model whose weights are parameters.</param>
/// <param name="Parents">
/// Its value in each model: a node of the graph, in <paramref name="Shape"/>, or, where a hypernetwork makes it for each sample, in that shape behind an axis for the samples. Any node
/// will do: a constant, a parameter that trains too, or what an adapter makes of another network's parameters.
/// </param>
/// <param name="Base">Its value in the model that the others come from; null when there is none.</param>
/// <param name="Seed">Draws the first values of what is learned.</param>
public sealed record WeightSite(Graph Graph, string Name, Shape Shape, ImmutableArray<Node> Parents, Node? Base = null, long Seed = 0)
{
    /// <summary>The axis of <see cref="Shape"/> that the operation sums over: the inputs of a layer. 1 for weights [out, in, ...], 0 for a matrix [in, out] and for vectors.</summary>
    public int InputAxis { get; init; } = Shape.Rank > 1 ? 1 : 0;

    /// <summary>Whether a value is made for each sample.</summary>
    public bool IsDynamic => Parents.Any(parent => parent.Shape != Shape);

    /// <summary>What is learned under a name: declared at its first use, shared by the uses that follow.</summary>
    /// <param name="name">Name of the parameter.</param>
    /// <param name="first">Makes its first value.</param>
    public Node Learned(string name, Func<Tensor> first) => Graph.Find(name) ?? Graph.Parameter(name, first());
}

/// <summary>The expression of one weight, and what there is to see of it.</summary>
/// <param name="Value">The weight.</param>
/// <param name="Shares">What each model's value is multiplied by, in the shape of the weight or broadcasting to it.</param>
/// <param name="Global">Of CKI, each model's global term g: a number, or one for each sample.</param>
/// <param name="Local">Of CKI, each model's local term l.</param>
public sealed record WeightNodes(Node Value, ImmutableArray<Node> Shares, ImmutableArray<Node> Global = default, ImmutableArray<Node> Local = default);

/// <summary>How a weight follows from several models' weights and from what is learned. One rule, one record; <see cref="Integration"/> puts its expressions into a network.</summary>
public abstract record WeightRule
{
    /// <summary>What the rule usually does with vectors: biases, scales and shifts.</summary>
    public abstract VectorTreatment Vectors { get; }

    /// <summary>Adds the expression of one weight.</summary>
    /// <exception cref="GraphException">The rule cannot be used on such a weight.</exception>
    public abstract WeightNodes Express(WeightSite site);
}

/// <summary>What becomes of vectors, that is of tensors of one dimension.</summary>
public enum VectorTreatment
{
    /// <summary>They are the host's.</summary>
    Base,

    /// <summary>They are expressions like matrices.</summary>
    Splice,

    /// <summary>They are the models' mean.</summary>
    Average,
}
