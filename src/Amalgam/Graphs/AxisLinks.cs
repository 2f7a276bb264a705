using System.Collections.Immutable;

namespace Amalgam.Graphs;

/// <summary>An axis of a value, or a digit of one that has no axis of its own (the head in a flattened [head, unit] axis).</summary>
/// <param name="Node">The value; null for a digit.</param>
/// <param name="Index">Position of the axis, or the digit's number among those of all links.</param>
/// <param name="Size">How many positions it has.</param>
public readonly record struct Axis(Node? Node, int Index, long Size);

/// <summary>One thing that an operation says of axes.</summary>
public abstract record AxisLink(Node Source);

/// <summary>Two products of axes, most significant first, run through the same positions in the same order: a permutation of one is a permutation of the other.</summary>
/// <param name="Source">The node that says so.</param>
/// <param name="Left">A product of axes, most significant first.</param>
/// <param name="Right">Another with as many positions.</param>
/// <param name="Contracted">The axes are summed over, as a matrix product does: a parameter's axis is then on the incoming side.</param>
public sealed record SameAxis(Node Source, ImmutableArray<Axis> Left, ImmutableArray<Axis> Right, bool Contracted) : AxisLink(Source);

/// <summary>An axis is its parts one behind the other.</summary>
public sealed record JoinedAxis(Node Source, Axis Whole, ImmutableArray<Axis> Parts) : AxisLink(Source);

/// <summary>An axis is a selection of another's positions, known when the graph is built.</summary>
public sealed record TakenAxis(Node Source, Axis Part, Axis Whole, ImmutableArray<int> Positions) : AxisLink(Source);

/// <summary>
/// Values at different positions of some axes are put together where all other axes are at one position, and the axes stay: a softmax, a normalisation. The order of
/// another axis of the source's values is then the same at all of those positions.
/// </summary>
public sealed record MixedAxes(Node Source, ImmutableArray<Axis> Axes) : AxisLink(Source);

/// <summary>The order of an axis matters.</summary>
public sealed record FixedAxis(Node Source, Axis Axis, string Reason) : AxisLink(Source);

/// <summary>
/// Collects what the operations of a graph say of axes. An axis of which an operation says nothing is free as far as that operation is concerned (a reduced
/// axis, a normalised one): its positions may be permuted and the result stays the same.
/// </summary>
public sealed class AxisLinks
{
    private readonly List<AxisLink> _links = [];
    private int _digits;

    /// <summary>What was said, in order.</summary>
    public IReadOnlyList<AxisLink> Links => _links;

    /// <summary>The node whose operation is being asked.</summary>
    public Node Source { get; private set; } = null!;

    /// <summary>Asks every node of a graph that is not known beforehand.</summary>
    public static AxisLinks Of(Graph graph)
    {
        AxisLinks links = new();
        foreach (Node node in graph.Nodes.Where(node => node.Known is null)) links.Ask(node);
        return links;
    }

    /// <summary>Asks one node.</summary>
    public void Ask(Node node)
    {
        Source = node;
        node.Op.Link(node, this);
    }

    /// <summary>An axis of a value.</summary>
    public static Axis Of(Node node, Index axis) => new(node, axis.GetOffset(node.Shape.Rank), node.Shape[axis]);

    /// <summary>A new digit: a factor of an axis, such as the group of a grouped convolution.</summary>
    public Axis Digit(long size) => new(null, _digits++, size);

    /// <summary>Two axes run through the same positions.</summary>
    public void Same(Axis left, Axis right) => Same([left], [right]);

    /// <summary>Two products of axes, most significant first, run through the same positions.</summary>
    public void Same(ReadOnlySpan<Axis> left, ReadOnlySpan<Axis> right) => _links.Add(new SameAxis(Source, [.. left], [.. right], false));

    /// <summary>Two products of axes run through the same positions and are summed over.</summary>
    public void Contracted(ReadOnlySpan<Axis> left, ReadOnlySpan<Axis> right) => _links.Add(new SameAxis(Source, [.. left], [.. right], true));

    /// <summary>An axis is its parts one behind the other.</summary>
    public void Joined(Axis whole, params ReadOnlySpan<Axis> parts) => _links.Add(new JoinedAxis(Source, whole, [.. parts]));

    /// <summary>An axis is a selection of another's positions.</summary>
    public void Taken(Axis part, Axis whole, ImmutableArray<int> positions) => _links.Add(new TakenAxis(Source, part, whole, positions));

    /// <summary>Values at different positions of some axes are put together where all other axes are at one position, and the axes stay.</summary>
    public void Mixed(params ReadOnlySpan<Axis> axes) => _links.Add(new MixedAxes(Source, [.. axes]));

    /// <summary>The order of an axis matters, for the reason given.</summary>
    public void Fix(Axis axis, string reason) => _links.Add(new FixedAxis(Source, axis, reason));

    /// <summary>The order of every axis of a value matters.</summary>
    public void FixAll(Node node, string reason)
    {
        for (int axis = 0; axis < node.Shape.Rank; axis++) Fix(Of(node, axis), reason);
    }

    /// <summary>Every axis of the result is the same as that of each input, aligned at the innermost; an input's axis of size 1 that is stretched says nothing.</summary>
    public void Elementwise(Node y)
    {
        foreach (Node x in y.Inputs)
        {
            for (int i = 1; i <= x.Shape.Rank; i++)
            {
                if (x.Shape[^i] == y.Shape[^i]) Same(Of(y, ^i), Of(x, ^i));
            }
        }
    }
}
