using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Alignment.Layers;

/// <summary>Goes along a trunk and makes layers of its stretches, and groups of the layers.</summary>
internal sealed class LayerSearch
{
    private readonly Trunk _trunk;
    private readonly List<List<NetworkLayer>> _groups = [];
    private readonly HashSet<Node> _named = [];
    private Stretch? _start;
    private Node? _preActivation, _exit;
    private bool _isNewStage = true;

    private LayerSearch(Trunk trunk) => _trunk = trunk;

    /// <summary>The hidden layers, by group.</summary>
    public static List<List<NetworkLayer>> Run(Trunk trunk)
    {
        LayerSearch search = new(trunk);
        foreach (Stretch stretch in trunk.Stretches) search.Add(stretch);
        search.Close();
        search.LeaveOutLast();
        return [.. search._groups.Select(group => LayerPeriod.Join(trunk, group))];
    }

    private void Add(Stretch stretch)
    {
        bool isProduct = stretch.IsPlain && _trunk.IsProduct(stretch.To);
        if (isProduct || (stretch.From is not null && stretch.Data.Any(_trunk.IsProduct)))
        {
            Close();
            (_start, _preActivation, _exit) = (stretch, stretch.To, stretch.To);
        }
        else if (_start is not null && TrunkOperations.Follows(stretch, _trunk) && !(NormalisesFirst(_start) && TrunkOperations.IsNormalisation(stretch)))
        {
            // A block's pre-activation is what its branches are joined to, whatever follows.
            if (_start.IsPlain) _preActivation = TrunkOperations.IsActivation(stretch) ? _exit : _preActivation == _exit ? stretch.To : _preActivation;
            _exit = stretch.To;
        }
        else
        {
            Close();
            bool keepsUnits = stretch.From is { Shape.Rank: > 0 } from && stretch.To.Shape.Rank > 0 && from.Shape[^1] == stretch.To.Shape[^1];
            bool isMove = stretch.IsPlain && (stretch.To.Op is Transpose || (TrunkOperations.IsMove(stretch.To.Op) && keepsUnits));
            _isNewStage |= !isMove && !TrunkOperations.Follows(stretch, _trunk);
        }
    }

    /// <summary>Whether a block normalises what it reads, and so leaves the sum as it is: a normalisation after the last such block is none of its own.</summary>
    private static bool NormalisesFirst(Stretch stretch)
    {
        if (stretch.IsPlain) return false;
        HashSet<Node> untouched = [stretch.From!];
        foreach (Node node in stretch.Data.Where(node => node != stretch.To && node.Inputs.Any(untouched.Contains)))
        {
            if (TrunkOperations.IsNormalisation(node.Op) || node.Op is Reduction) return true;
            if (TrunkOperations.Follows(node.Op)) untouched.Add(node);
        }

        return false;
    }

    private void Close()
    {
        if (_start is not { } start) return;
        NetworkLayer layer = Make(start);
        bool isFirst = _isNewStage || layer.IsTransition || _groups.Count == 0 || _groups[^1][0].Kind != layer.Kind;
        if (isFirst) _groups.Add([layer]);
        else _groups[^1].Add(layer);
        (_start, _isNewStage) = (null, false);
    }

    private NetworkLayer Make(Stretch start)
    {
        Node product = start.IsPlain ? start.To : start.Data.Last(_trunk.IsProduct);
        int input = _trunk.ProductInput(product)!.Value;
        Node entry = start.From is { } from && !start.IsPlain ? from : product.Inputs[input];
        bool isConvolution = product.Op is Conv or ConvTranspose;
        LayerKind kind = !start.IsPlain ? LayerKind.Block : isConvolution ? LayerKind.Convolution : LayerKind.Dense;
        int axis = isConvolution ? 1 : _exit!.Shape.Rank - (start.IsPlain && input == 1 && product.Shape.Rank > 1 ? 2 : 1);
        ImmutableArray<Node> nodes = _trunk.Between(entry, _exit!);
        Node[] own = [.. nodes.Where(_named.Add)];
        string name = LayerNames.Of(product, !start.IsPlain, own.Any(node => node.Op is Parameter) ? own : nodes);
        return new(0, name, kind, LayerStructure.Of(_trunk, entry, _exit!), entry, _preActivation!, _exit!, _exit!.Shape.Size(axis), nodes)
        {
            Axis = axis,
            Operations = LayerStructure.Products(_trunk, nodes),
            IsTransition = kind == LayerKind.Block ? start.To.Shape != entry.Shape : isConvolution && !entry.Shape.Sizes[2..].SequenceEqual(product.Shape.Sizes[2..]),
        };
    }

    /// <summary>The output layer is matched with the output layer: it is the last product where no other comes after the trunk.</summary>
    private void LeaveOutLast()
    {
        if (_groups.Count == 0 || _groups[^1][^1].Kind == LayerKind.Block || _trunk.Rest.Any(_trunk.IsProduct)) return;
        _groups[^1].RemoveAt(_groups[^1].Count - 1);
        if (_groups[^1].Count == 0) _groups.RemoveAt(_groups.Count - 1);
    }
}
