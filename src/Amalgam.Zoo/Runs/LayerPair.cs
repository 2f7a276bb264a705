using System.Collections.Immutable;
using Amalgam.Alignment.Layers;

namespace Amalgam.Zoo.Runs;

/// <summary>A layer and the one of the other network that it belongs to.</summary>
/// <param name="Group">The layers among which it was looked for.</param>
/// <param name="A">Of the first network; null where that has none here.</param>
/// <param name="B">Of the second; null where that has none here.</param>
/// <param name="Cost">Cost of the pair; NaN where there is none, or none was counted.</param>
public sealed record LayerPair(string Group, NetworkLayer? A, NetworkLayer? B, double Cost)
{
    /// <summary>The layers of two networks in the order of the deeper one of each group.</summary>
    public static ImmutableArray<LayerPair> Of(LayerMapping mapping) => [.. mapping.Groups.SelectMany(Of)];

    /// <summary>The layers of two groups in the order of the deeper one.</summary>
    public static IEnumerable<LayerPair> Of(GroupMapping group)
    {
        int columns = group.B.Count;
        for (int deep = 0; deep < Math.Max(group.A.Count, columns); deep++)
        {
            int shallow = Array.IndexOf(group.Map, deep), a = group.BIsDeeper ? shallow : deep, b = group.BIsDeeper ? deep : shallow;
            double cost = a < 0 || b < 0 || group.Cost.Length == 0 ? double.NaN : group.Cost[a * columns + b];
            yield return new(group.A.Name, a < 0 ? null : group.A.Layers[a], b < 0 ? null : group.B.Layers[b], cost);
        }
    }
}
