using Amalgam.Graphs;

namespace Amalgam.Alignment.Layers;

/// <summary>Blocks of different kinds that come again and again in one order, such as the attention and the two linear layers of a transformer: each time round is one layer.</summary>
internal static class LayerPeriod
{
    /// <summary>Joins a group's blocks where they have a period; the first block stays apart where it changes the resolution or the width.</summary>
    public static List<NetworkLayer> Join(Trunk trunk, List<NetworkLayer> group)
    {
        if (group[0].Kind != LayerKind.Block) return group;
        int first = group[0].IsTransition ? 1 : 0, count = group.Count - first;
        for (int period = 2; period <= count; period++)
        {
            // One time round is a period where it has attention: blocks of other kernels in a row are layers of their own.
            if (count % period != 0 || (period == count && !group.Skip(first).Any(layer => layer.Nodes.Any(node => LayerStructure.IsProductOfValues(trunk, node))))) continue;
            bool repeats = Enumerable.Range(first, count - period).All(i => group[i].Signature == group[i + period].Signature);
            bool isAlike = Enumerable.Range(first, period - 1).All(i => group[i].Signature == group[i + 1].Signature);
            if (isAlike && repeats) return group;
            if (repeats) return [.. group.Take(first), .. group.Skip(first).Chunk(period).Select(blocks => Join(trunk, blocks))];
        }

        return group;
    }

    private static NetworkLayer Join(Trunk trunk, NetworkLayer[] blocks)
    {
        NetworkLayer last = blocks[^1];
        Node entry = blocks[0].Entry;
        return last with
        {
            Name = LayerNames.Common(blocks.Select(block => block.Name)) ?? blocks[0].Name,
            Signature = string.Join(" | ", blocks.Select(block => block.Signature)),
            Entry = entry,
            Nodes = trunk.Between(entry, last.Exit),
            Operations = string.Join("; ", blocks.Select(block => block.Operations)),
        };
    }
}
