using System.Collections.Immutable;

namespace Amalgam.Alignment.Layers;

/// <summary>Which layers of two groups belong together.</summary>
/// <param name="A">A group of the first network.</param>
/// <param name="B">The corresponding one of the second.</param>
/// <param name="Cost">Cost of each pair, [A, B], row by row; NaN where the two cannot be matched, and empty where a mapping was given and nothing compared.</param>
/// <param name="Map">For each layer of the smaller group, from 0, the layer of the larger one; of groups of equal size, for each of B the one of A.</param>
public sealed record GroupMapping(LayerGroup A, LayerGroup B, double[] Cost, int[] Map)
{
    /// <summary>Whether A has more layers.</summary>
    public bool AIsDeeper => A.Count > B.Count;

    /// <summary>Whether B has more layers.</summary>
    public bool BIsDeeper => B.Count > A.Count;

    /// <summary>What the layers that belong together cost in all; NaN where nothing was compared.</summary>
    public double Total => Cost.Length == 0 && Map.Length > 0 ? double.NaN : Pairs.Sum(pair => Cost[((pair.A.Index - A.Layers[0].Index) * B.Count) + pair.B.Index - B.Layers[0].Index]);

    /// <summary>The layers that belong together, in order.</summary>
    public IEnumerable<(NetworkLayer A, NetworkLayer B)> Pairs => Map.Select((deep, shallow) => BIsDeeper ? (A.Layers[shallow], B.Layers[deep]) : (A.Layers[deep], B.Layers[shallow]));
}

/// <summary>Which layers of two networks belong together.</summary>
/// <param name="A">The first network.</param>
/// <param name="B">The second.</param>
/// <param name="Groups">Group by group.</param>
public sealed record LayerMapping(NetworkLayers A, NetworkLayers B, ImmutableArray<GroupMapping> Groups)
{
    /// <summary>What the networks are called, for people.</summary>
    public (string A, string B) Names { get; init; } = (A.Name ?? "A", B.Name ?? "B");

    /// <summary>What is to be known of the mapping, for people.</summary>
    public ImmutableArray<string> Notes { get; init; } = [.. A.Notes, .. B.Notes];

    /// <summary>The layers that belong together, in order.</summary>
    public IEnumerable<(NetworkLayer A, NetworkLayer B)> Pairs => Groups.SelectMany(group => group.Pairs);
}
