using Amalgam.Graphs;

namespace Amalgam.Alignment.Layers;

/// <summary>What layers are called.</summary>
internal static class LayerNames
{
    /// <summary>What the names of a layer's parameters begin with, up to a dot; else the name of a parameter or a value; else its product.</summary>
    public static string Of(Node product, IReadOnlyList<Node> nodes)
    {
        string[] names = [.. nodes.Where(node => node.Op is Parameter && node.Name!.LastIndexOf('.') > 0).Select(node => node.Name!)];
        if (names.Length > 0 && Common(names.Select(name => name[..name.LastIndexOf('.')])) is { } common) return common;
        if (names.Length > 0) return names[0][..names[0].LastIndexOf('.')];
        return nodes.LastOrDefault(node => node.Name is not null && node.Op is Parameter)?.Name ?? nodes.LastOrDefault(node => node.Name is not null)?.Name ?? product.ToString();
    }

    /// <summary>The parts, between dots, that names begin with in common; null where there are none.</summary>
    public static string? Common(IEnumerable<string> names)
    {
        string[]? common = null;
        foreach (string[] parts in names.Select(name => name.Split('.')))
            common = common is null ? parts : [.. common.Zip(parts).TakeWhile(pair => pair.First == pair.Second).Select(pair => pair.First)];
        return common is null or [] ? null : string.Join('.', common);
    }
}
