using Amalgam.Graphs;

namespace Amalgam.Alignment.Layers;

/// <summary>What layers are called.</summary>
internal static class LayerNames
{
    /// <summary>What the names of a layer's parameters begin with, up to a dot: those of its product, or of all where it is a block. Else the name of a parameter or a value, else its product.</summary>
    public static string Of(Node product, bool isBlock, IReadOnlyList<Node> nodes)
    {
        Node[] parameters = [.. nodes.Where(node => node.Op is Parameter)];
        string[] dotted = [.. parameters.Where(node => node.Name!.LastIndexOf('.') > 0).OrderByDescending(node => product.Inputs.Contains(node)).Select(node => node.Name![..node.Name!.LastIndexOf('.')])];
        if (dotted.Length > 0) return (isBlock ? Common(dotted) : null) ?? dotted[0];
        return parameters.FirstOrDefault()?.Name ?? nodes.LastOrDefault(node => node.Name is not null)?.Name ?? product.ToString();
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
