using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Alignment;

/// <summary>Units that are matched together: a class that depends on no other, and all that depend on it.</summary>
/// <param name="Name">The outermost class's name.</param>
/// <param name="Classes">Outer classes before inner ones.</param>
public sealed record UnitGroup(string Name, ImmutableArray<UnitClass> Classes)
{
    /// <summary>The class that depends on none.</summary>
    public UnitClass Root => Classes[0];

    /// <summary>Whether nothing of it may be permuted.</summary>
    public bool IsPinned => Classes.All(units => units.Pinned is not null);
}

/// <summary>An axis of a parameter, or some positions of it, that stay in their order.</summary>
/// <param name="Parameter">Name of the parameter.</param>
/// <param name="Axis">The axis.</param>
/// <param name="Size">Number of positions that are pinned together.</param>
/// <param name="Reason">What says so.</param>
public sealed record PinnedAxis(string Parameter, int Axis, int Size, string Reason);

/// <summary>What is free to be permuted beyond what the network says.</summary>
/// <param name="FreeOutputs">The positions of outputs may change places too, as of several heads that are told apart otherwise.</param>
/// <param name="Pins">Patterns (with *) of names of classes whose units keep their places, or of parameters that make such units (not of those that are only summed over them).</param>
public sealed record UnitOptions(bool FreeOutputs = false, ImmutableArray<string> Pins = default);

/// <summary>
/// The units of a network that may change places, found from what its operations say of their axes. Nothing is declared for an architecture: operations tie axes together
/// (<see cref="AxisLinks"/>), reshapes split them into digits, concatenations into segments, and what no operation fixes is free.
/// </summary>
public sealed class UnitGroups
{
    private readonly IReadOnlyDictionary<Node, ImmutableArray<AxisLayout>> _layouts;

    private UnitGroups(Graph graph, UnitBuilder found) =>
        (Graph, Classes, Groups, Pinned, _layouts) = (graph, found.Classes, found.Groups, found.Pinned(), found.Layouts());

    /// <summary>The network.</summary>
    public Graph Graph { get; }

    /// <summary>Classes of two units and more that a parameter has: all that are free, and pinned ones on which others depend or that were pinned by name. Outer ones come before inner ones.</summary>
    public ImmutableArray<UnitClass> Classes { get; }

    /// <summary>The classes by what must be matched together.</summary>
    public ImmutableArray<UnitGroup> Groups { get; }

    /// <summary>The groups in which something may be permuted.</summary>
    public ImmutableArray<UnitGroup> Matched => [.. Groups.Where(group => !group.IsPinned)];

    /// <summary>Axes of parameters that stay as they are, with the reason.</summary>
    public ImmutableArray<PinnedAxis> Pinned { get; }

    /// <summary>The axes of a parameter or a computed value of <see cref="Graph"/>, as digits of units.</summary>
    public ImmutableArray<AxisLayout> LayoutOf(Node node) => _layouts.TryGetValue(node, out var layout)
        ? layout
        : [.. node.Shape.Sizes.ToArray().Select(size => new AxisLayout([new(0, size == 1 ? [] : [new(null, (int)size, 1)])]))];

    /// <summary>Finds the units of a network.</summary>
    /// <param name="graph">The network; its batch size does not matter.</param>
    /// <param name="options">What else is free or pinned.</param>
    /// <exception cref="GraphException">A pin names nothing.</exception>
    public static UnitGroups Of(Graph graph, UnitOptions? options = null) => Of(graph, options ?? new(), new HashSet<int>());

    /// <summary>Finds the units of a network, with some classes pinned by their index.</summary>
    internal static UnitGroups Of(Graph graph, UnitOptions options, IReadOnlySet<int> pinned) => new(graph, new(graph, options, pinned));
}
