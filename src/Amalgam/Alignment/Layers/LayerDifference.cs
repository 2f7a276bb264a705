using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Alignment.Layers;

/// <summary>Why layers of two networks do not belong together, in words.</summary>
internal static class LayerDifference
{
    /// <summary>The networks have other kinds or numbers of groups.</summary>
    public static GraphException OfGroups(NetworkLayers a, NetworkLayers b)
    {
        var (nameOfA, nameOfB) = Names(a, b);
        return new($"the groups of layers do not correspond: {nameOfA} has {Describe(a)}; {nameOfB} has {Describe(b)}. Layers are matched group by group, so both must have the same kinds of layers between their changes of resolution{After(Resolved(a, b))}");
    }

    /// <summary>The networks have other numbers of layers after their trunks.</summary>
    public static GraphException OfOutside(NetworkLayers a, NetworkLayers b)
    {
        (NetworkLayers more, NetworkLayers fewer) = a.Outside.Length > b.Outside.Length ? (a, b) : (b, a);
        var (nameOfA, nameOfB) = Names(a, b);
        var (nameOfMore, nameOfFewer) = more == a ? (nameOfA, nameOfB) : (nameOfB, nameOfA);
        return new($"the layers do not correspond: in {nameOfMore} {TrunkRefusals.Outside(more.Graph, more.Outside)}, and {nameOfFewer} has {(fewer.Outside.IsEmpty ? "none" : $"{fewer.Outside.Length}")} of that kind");
    }

    /// <summary>Two layers that are to be matched do different things.</summary>
    public static GraphException OfLayers(NetworkLayers a, NetworkLayer one, NetworkLayers b, NetworkLayer other)
    {
        const string Rule = "matched layers do the same but for their widths";
        var (nameOfA, nameOfB) = Names(a, b);
        return new(one.Operations == other.Operations
            ? $"'{one}' of {nameOfA} cannot be matched with '{other}' of {nameOfB}: both are {one.Operations}, but {First(one, other)}; {Rule}"
            : $"'{one}' of {nameOfA} ({one.Operations}) cannot be matched with '{other}' of {nameOfB} ({other.Operations}): {Rule}{After(Resolved(a, b))}");
    }

    private static (string A, string B) Names(NetworkLayers a, NetworkLayers b) => (a.Name ?? "the first network", b.Name ?? "the second network");

    private static string After(string? sentence) => sentence is null ? "" : $"; {sentence}";

    private static string Describe(NetworkLayers network) => string.Join(", ", network.Groups.Select(group => $"{group.Name} ({group.Count})"));

    /// <summary>The first operation that one layer has and the other has not.</summary>
    private static string First(NetworkLayer one, NetworkLayer other)
    {
        foreach (bool withAttributes in (ReadOnlySpan<bool>)[false, true])
        {
            string[] ofOne = Operations(one, withAttributes), ofOther = Operations(other, withAttributes);
            string? here = Without(ofOne, ofOther), there = Without(ofOther, ofOne);
            if (here is not null && there is not null) return $"the first has {here} where the second has {there}";
            if (here is not null) return $"the first has {here}, which the second has not";
            if (there is not null) return $"the second has {there}, which the first has not";
        }

        return "their operations are wired in other ways";
    }

    private static string? Without(string[] these, string[] those)
    {
        List<string> left = [.. those];
        return these.FirstOrDefault(operation => !left.Remove(operation));
    }

    private static string[] Operations(NetworkLayer layer, bool withAttributes)
    {
        LayerPattern pattern = new(layer);
        return [.. pattern.Nodes.Where(node => pattern.IsData(node) && !LayerStructure.IsIdle(node.Op)).Select(node => LayerStructure.Word(node, withAttributes))];
    }

    /// <summary>
    /// The first part of the networks, by its name, that is a block in one and a row of layers in the other, as the rounding of widths gives a part of MobileNetV2 a shortcut in one of two sizes; null where
    /// there is none. Names are for people here: nothing else is read off them.
    /// </summary>
    private static string? Resolved(NetworkLayers a, NetworkLayers b)
    {
        var (nameOfA, nameOfB) = Names(a, b);
        return Resolved(a, b, nameOfA, nameOfB) ?? Resolved(b, a, nameOfB, nameOfA);
    }

    private static string? Resolved(NetworkLayers whole, NetworkLayers parted, string nameOfWhole, string nameOfParted)
    {
        HashSet<string> names = [.. parted.Layers.Select(layer => layer.Name)];
        foreach (NetworkLayer block in whole.Layers.Where(layer => layer.Kind == LayerKind.Block && !names.Contains(layer.Name)))
        {
            NetworkLayer[] parts = [.. parted.Layers.Where(layer => layer.Name.StartsWith(block.Name + ".", StringComparison.Ordinal))];
            if (parts.Length < 2 || parts.Any(part => part.Kind != parts[0].Kind || part.Kind == LayerKind.Block)) continue;
            bool isResidual = block.Nodes.Any(node => node.Op is Add && node.Inputs.Contains(block.Entry));
            return $"'{block}' is a {(isResidual ? "residual block" : "block")} in {nameOfWhole} and {parts.Length} {(parts[0].Kind == LayerKind.Dense ? "dense layers" : "convolutions")} in a row in {nameOfParted}";
        }

        return null;
    }
}
