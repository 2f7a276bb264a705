using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Transfer.MergeNet;

/// <summary>Where an adapter is built: what it is given, and where its parameters are declared.</summary>
/// <param name="Graph">The adapter's graph; no model's.</param>
/// <param name="Target">The matrix that is to be made anew, [r, m].</param>
/// <param name="Sources">The matrices that are learned from, each of any shape [R, M].</param>
/// <param name="First">The target's value at the start, in its shape: the adapter takes its scale from it.</param>
/// <param name="Prefix">Put before the names of the parameters.</param>
/// <param name="Seed">Draws the first values of the parameters.</param>
public sealed record AdapterSite(Graph Graph, Node Target, ImmutableArray<Node> Sources, Tensor First, string Prefix = "", long Seed = 0)
{
    /// <summary>Weights have small variances; the paper's code adds no more than this to them.</summary>
    private const float Epsilon = 1e-12f;

    /// <summary>Where an adapter with one source is built.</summary>
    public AdapterSite(Graph graph, Node target, Node source, Tensor first, string prefix = "", long seed = 0)
        : this(graph, target, [source], first, prefix, seed)
    {
    }

    /// <summary>The only source, for an adapter that learns from one.</summary>
    /// <exception cref="GraphException">There are several.</exception>
    public Node OnlySource() => Sources is [var only] ? only : throw new GraphException($"this adapter learns from one matrix, found {Sources.Length}; the adapter lpka learns from several");

    /// <summary>The sources' shapes.</summary>
    internal Shape[] SourceShapes => [.. Sources.Select(source => source.Shape)];

    /// <summary>The name of what belongs to one of several sources: that of the first is what it is where there is one.</summary>
    internal static string NameOf(string name, int source) => source == 0 ? name : $"{name}.{source}";

    /// <summary>Declares a weight.</summary>
    internal Node Weight(string name, Shape shape, Initialisation start) => Graph.Parameter(Prefix + name, start.Draw(shape, Seed, Prefix + name));

    /// <summary>A linear layer of rows, begun as PyTorch's: weight and bias uniform in +-1 / sqrt(inputs).</summary>
    internal Node Linear(Node x, string name, int outputs) => Linear(x, name, outputs, Initialisation.Default, Initialisation.Uniform(1 / Math.Sqrt(x.Shape[1])));

    /// <summary>A linear layer of rows.</summary>
    internal Node Linear(Node x, string name, int outputs, Initialisation weight, Initialisation bias) =>
        x.Linear(Weight($"{name}.weight", new(outputs, x.Shape[1]), weight), Weight($"{name}.bias", new(outputs), bias));

    /// <summary>A normalisation of rows with a scale and a shift for each column. Of a row of one number it would leave nothing, so there it is the scale and the shift alone.</summary>
    internal Node Norm(Node x, string name)
    {
        Shape row = new(x.Shape[1]);
        Node scale = Weight($"{name}.weight", row, Initialisation.Ones), shift = Weight($"{name}.bias", row, Initialisation.Zeros);
        return x.Shape[1] == 1 ? x * scale + shift : x.LayerNormalization(scale, shift, Epsilon);
    }

    /// <summary>Refuses what no adapter can be made for.</summary>
    /// <exception cref="GraphException">The nodes are no matrices, or the first value has another shape.</exception>
    internal void Check()
    {
        if (Sources.IsDefaultOrEmpty) throw new GraphException("an adapter goes from matrix to matrix, found no source");
        foreach (Node node in (ReadOnlySpan<Node>)[Target, .. Sources])
        {
            if (node.Shape.Rank != 2 || node.Shape.Count == 0) throw new GraphException($"an adapter goes from matrix to matrix, found {node} {node.Shape}");
        }

        if (First.Shape != Target.Shape) throw new GraphException($"the target is {Target.Shape} and its value at the start {First.Shape}");
    }
}

/// <summary>A network that makes a matrix of the target model from that matrix and those of one or more source models.</summary>
public abstract record ParameterAdapter
{
    /// <summary>Its name in descriptions of runs.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// Its name and all its options, parted by ", ": the state of a run is resumed with an adapter that says the same. It depends neither on the culture nor on the names of members.
    /// </summary>
    public abstract string Description { get; }

    /// <summary>
    /// Adds the adapter to a graph, in its inference form: dropout and power iterations act in the training form (<see cref="Rewrite.ForTraining"/>), of which the graph's updates are a part.
    /// Its trainable parameters are those that it declares in the graph.
    /// </summary>
    /// <returns>The new target, in the target's shape.</returns>
    /// <exception cref="GraphException">The adapter cannot be made for such matrices.</exception>
    public abstract Node Add(AdapterSite site);

    /// <summary>The damping of its training where none is given (<see cref="KnowledgeTransfer.Damping"/>); 0 for none.</summary>
    public virtual double UsualDamping => 0;

    /// <summary>The trust region where none is given (<see cref="KnowledgeTransfer.TrustRegion"/>); 0 for none.</summary>
    public virtual double UsualTrustRegion => 0;

    /// <summary>What each layer mixes its unfoldings by as it is now, in a graph that the adapter was added to; empty where it mixes nothing.</summary>
    public virtual ImmutableArray<double[]> SharesOf(Graph adapter) => [];
}
