using System.Collections.Immutable;
using Amalgam.Graphs;

namespace Amalgam.Alignment;

/// <summary>What the axes of all values of a graph are made of, after all that its operations say of them has been taken in.</summary>
internal sealed class AxisTerms
{
    private readonly Dictionary<Node, PositionTerm[]> _axes = [];
    private readonly Dictionary<int, PositionTerm> _digits = [];

    /// <param name="graph">The graph.</param>
    /// <param name="freeOutputs">Positions of outputs, but for their first axis, may change places.</param>
    public AxisTerms(Graph graph, bool freeOutputs)
    {
        Links = AxisLinks.Of(graph).Links;
        foreach (Node input in graph.Inputs.Values) FixAll(input, 0, $"the network's input '{input.Name}'");
        foreach (var (name, output) in graph.Outputs) FixAll(output, 0, $"the network's output '{name}'", freeOutputs ? 1 : int.MaxValue);
        foreach (FixedAxis link in Links.OfType<FixedAxis>()) this[link.Axis].Fix($"{Describe(link.Source)}: {link.Reason}");
        foreach (AxisLink link in Links) Take(link);
        foreach (Node node in graph.Nodes.Where(node => node.Known is not null && _axes.ContainsKey(node))) FixUneven(node);
    }

    /// <summary>What was said, in order.</summary>
    public IReadOnlyList<AxisLink> Links { get; }

    /// <summary>An axis or a digit.</summary>
    public PositionTerm this[Axis axis]
    {
        get
        {
            if (axis.Node is { } node) return Of(node)[axis.Index];
            if (!_digits.TryGetValue(axis.Index, out PositionTerm? digit)) _digits[axis.Index] = digit = PositionTerm.Leaf(axis.Size);
            return digit;
        }
    }

    /// <summary>The axes of a value.</summary>
    public PositionTerm[] Of(Node node)
    {
        if (!_axes.TryGetValue(node, out PositionTerm[]? terms))
            _axes[node] = terms = [.. node.Shape.Sizes.ToArray().Select(size => PositionTerm.Leaf(size))];
        return terms;
    }

    /// <summary>How people know an operation.</summary>
    public static string Describe(Node node) => node.Name is { } name ? $"{node.Op.Name} '{name}'" : node.Inputs.FirstOrDefault(i => i.Op is Parameter) is { } weight ? $"{node.Op.Name} with '{weight.Name}'" : $"{node.Op.Name} (%{node.Id})";

    private PositionTerm Product(ImmutableArray<Axis> axes) => PositionTerm.Product(axes.Select(axis => this[axis]));

    private void Take(AxisLink link)
    {
        switch (link)
        {
            case SameAxis same:
                PositionUnion.Unite(Product(same.Left), Product(same.Right));
                break;
            case JoinedAxis joined:
                PositionUnion.Unite(this[joined.Whole], PositionTerm.Sum(joined.Parts.Select(part => this[part])));
                break;
            case TakenAxis taken:
                Take(taken);
                break;
        }
    }

    /// <summary>How far apart the positions lie that are taken, where they are a run, or evenly spread over the whole axis; else null.</summary>
    public static int? StepOf(TakenAxis taken)
    {
        int step = taken.Positions.Length < 2 ? 1 : taken.Positions[1] - taken.Positions[0];
        bool isEven = step > 0 && taken.Positions.Select((position, i) => position == taken.Positions[0] + i * step).All(right => right);
        return isEven && (step == 1 || taken.Part.Size * step == taken.Whole.Size) ? step : null;
    }

    private void Take(TakenAxis taken)
    {
        PositionTerm part = this[taken.Part], whole = this[taken.Whole];
        if (taken.Positions.Length == 0) return;
        switch (StepOf(taken))
        {
            case null:
                string reason = $"{Describe(taken.Source)} takes some of its positions";
                part.Fix(reason, isMixed: true);
                whole.Fix(reason, isMixed: true);
                break;
            case 1:
                PositionUnion.Take(part, whole, taken.Positions[0], taken.Positions.Length);
                break;
            case { } step:
                PositionUnion.Stride(part, whole, step);
                break;
        }
    }

    private void FixAll(Node node, int from, string reason, int to = int.MaxValue)
    {
        for (int axis = from; axis < Math.Min(to, node.Shape.Rank); axis++) Of(node)[axis].Fix(reason);
    }

    /// <summary>A constant that is not the same along an axis pins it: it does not move with the units.</summary>
    private void FixUneven(Node node)
    {
        ReadOnlySpan<float> values = node.Known!.Span;
        int inner = 1;
        for (int axis = node.Shape.Rank - 1; axis >= 0; axis--)
        {
            int size = node.Shape.Size(axis);
            if (size > 1 && !IsEven(values, size, inner)) Of(node)[axis].Fix($"{Describe(node)} differs along it");
            inner *= size;
        }
    }

    private static bool IsEven(ReadOnlySpan<float> values, int size, int inner)
    {
        for (int first = 0; first < values.Length; first += size * inner)
        {
            for (int i = 1; i < size; i++)
            {
                if (!values.Slice(first + i * inner, inner).SequenceEqual(values.Slice(first, inner))) return false;
            }
        }

        return true;
    }
}
