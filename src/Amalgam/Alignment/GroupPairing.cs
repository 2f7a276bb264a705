using Amalgam.Numerics;

namespace Amalgam.Alignment;

/// <summary>The best pairs of the units of the first model and of another one in a group, blocks kept together.</summary>
internal sealed class GroupPairing
{
    private readonly Dictionary<UnitClass, UnitSimilarity?> _similarity;
    private readonly Dictionary<UnitClass, int[]> _to = [];
    private readonly Dictionary<UnitClass, (double Sum, long Count)> _matched = [];
    private readonly CancellationToken _cancel;
    private readonly int _model;

    public GroupPairing(UnitGroup group, Dictionary<UnitClass, UnitSimilarity?> similarity, int model, CancellationToken cancel)
    {
        (_similarity, _model, _cancel) = (similarity, model, cancel);
        foreach (UnitClass units in group.Classes) (_to[units], _matched[units]) = (new int[units.Units], default);
        Place(group.Root, 0, 0);
    }

    /// <summary>The first model's unit that each unit of the other belongs to, within the block that is paired with its own.</summary>
    public int[] To(UnitClass units) => _to[units];

    /// <summary>Sum and number of a class's own similarities at its pairs.</summary>
    public (double Sum, long Count) Matched(UnitClass units) => _matched[units];

    /// <summary>Pairs the units of a block of the first model with those of a block of the other, and all inner ones.</summary>
    private void Place(UnitClass units, int block, int otherBlock)
    {
        int[] others = Best(units, block, otherBlock).Others;
        for (int i = 0; i < others.Length; i++)
        {
            (int unit, int other) = (block * units.Size + i, otherBlock * units.Size + others[i]);
            _to[units][other] = i;
            if (_similarity[units] is { } own) _matched[units] = (_matched[units].Sum + own[0, unit, _model, other], _matched[units].Count + 1);
            foreach (UnitClass inner in units.Inner) Place(inner, unit, other);
        }
    }

    /// <summary>What two blocks are worth to each other, and the other block's unit for each unit.</summary>
    private (double Worth, int[] Others) Best(UnitClass units, int block, int otherBlock)
    {
        _cancel.ThrowIfCancellationRequested();
        int size = units.Size;
        int[] places = [.. Enumerable.Range(0, size)];
        bool stays = units.Pinned is not null || (units.Inner.IsEmpty && _similarity[units] is null);
        if (stays) return (places.Sum(i => Worth(units, block * size + i, otherBlock * size + i)), places);

        double[] worth = new double[size * size];
        for (int i = 0; i < size; i++)
        {
            for (int j = 0; j < size; j++) worth[i * size + j] = Worth(units, block * size + i, otherBlock * size + j);
        }

        int[] others = Assignment.Maximize(worth, size, size);
        return (places.Sum(i => worth[i * size + others[i]]), others);
    }

    /// <summary>What two units are worth to each other: their own similarity, and that of all within them.</summary>
    private double Worth(UnitClass units, int unit, int other)
    {
        double worth = _similarity[units] is { } own ? own[0, unit, _model, other] : 0;
        foreach (UnitClass inner in units.Inner) worth += Best(inner, unit, other).Worth;
        return worth;
    }
}
