using System.Globalization;
using System.Text.RegularExpressions;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Alignment.Layers;

/// <summary>
/// What a layer computes, as text that is the same for layers that differ in widths alone: <c>Relu(Add(Conv 3x3(Relu(Conv 3x3(x))), x))</c>. Parameters, constants, shapes and what does nothing when a
/// network is run, such as dropout, are left out, and the terms of a sum have one order.
/// </summary>
internal sealed partial class LayerStructure
{
    /// <summary>A longer text becomes a number where it is part of another: a value that is read twice would else double it each time.</summary>
    private const int MostLetters = 240;

    private readonly Trunk _trunk;
    private readonly Dictionary<Node, string> _texts;

    private LayerStructure(Trunk trunk, Node entry) => (_trunk, _texts) = (trunk, new() { [entry] = "x" });

    /// <summary>The text of what makes a value out of another.</summary>
    public static string Of(Trunk trunk, Node entry, Node exit) => new LayerStructure(trunk, entry).Text(exit);

    /// <summary>The products of some nodes in a few words: <c>2 x Conv 3x3</c>, <c>4 x MatMul, attention</c>.</summary>
    public static string Products(Trunk trunk, IEnumerable<Node> nodes)
    {
        List<(string Text, int Count)> parts = [];
        bool isAttention = false;
        foreach (Node node in nodes)
        {
            isAttention |= IsProductOfValues(trunk, node);
            if (!trunk.IsProduct(node)) continue;
            string text = Kernel(node);
            if (parts.Count > 0 && parts[^1].Text == text) parts[^1] = (text, parts[^1].Count + 1);
            else parts.Add((text, 1));
        }

        IEnumerable<string> texts = parts.Select(part => part.Count == 1 ? part.Text : $"{part.Count} x {part.Text}");
        return string.Join(", ", isAttention ? texts.Append("attention") : texts);
    }

    /// <summary>Whether a node multiplies two values of the data's way, as attention does.</summary>
    public static bool IsProductOfValues(Trunk trunk, Node node) => node.Op is MatMul && trunk.IsData(node.Inputs[0]) && trunk.IsData(node.Inputs[1]);

    /// <summary>A product without its widths: <c>Conv 3x3 /2</c>.</summary>
    public static string Kernel(Node product)
    {
        if (product.Op is MatMul) return "MatMul";
        Shape filters = product.Inputs[1].Shape;
        (Conv conv, string name) = product.Op is ConvTranspose t ? (new Conv(t.Strides, t.Pads, t.Dilations, t.Groups), "ConvTranspose") : ((Conv)product.Op, "Conv");
        int axes = filters.Rank - 2;
        int[] kernel = [.. Enumerable.Range(2, axes).Select(axis => filters.Size(axis))];
        int[] strides = All(conv.Strides, axes, 1), dilations = All(conv.Dilations, axes, 1), pads = All(conv.Pads, 2 * axes, 0);
        bool isSame = pads.Select((pad, i) => 2 * pad == (kernel[i % axes] - 1) * dilations[i % axes]).All(same => same);
        bool isByChannel = conv.Groups > 1 && filters[1] == 1;
        return $"{name} {Join(kernel)}{(strides.All(s => s == 1) ? "" : $" /{Short(strides)}")}{(dilations.All(d => d == 1) ? "" : $" dilated {Short(dilations)}")}"
            + $"{(isSame ? "" : $" pads {Short(pads)}")}{(isByChannel ? " by channel" : conv.Groups > 1 ? $" in {conv.Groups} groups" : "")}";
    }

    /// <summary>An operation in a word or a few; with attributes in more.</summary>
    public static string Word(Node node, bool withAttributes) => node.Op is Conv or ConvTranspose or MatMul ? Kernel(node) : withAttributes ? Attributes(node.Op) : node.Op.Name;

    /// <summary>Whether an operation does nothing when a network is run.</summary>
    public static bool IsIdle(Op op) => op is Dropout or Identity or Cast or StraightThrough;

    private string Text(Node node)
    {
        if (_texts.TryGetValue(node, out string? known)) return known;
        string text = IsIdle(node.Op) ? Text(node.Inputs[0]) : _trunk.IsOfInput(node) ? Describe(node) : "";
        if (text.Length > MostLetters) text = "#" + Hash(text).ToString("x16", CultureInfo.InvariantCulture);
        return _texts[node] = text;
    }

    private string Describe(Node node)
    {
        if (!_trunk.IsData(node)) return "given";
        if (_trunk.ProductInput(node) is { } input)
        {
            string product = $"{Kernel(node)}({Text(node.Inputs[input])})";
            return node.Inputs.Length > 2 ? $"Add({product}, p)" : product;
        }

        string[] texts = [.. node.Inputs.Select(x => _trunk.IsWeight(x) ? "p" : Text(x)).Where(text => text.Length > 0)];
        if (node.Op is Add or Mul or Min or Max) Array.Sort(texts, string.CompareOrdinal);
        return $"{Attributes(node.Op)}({string.Join(", ", texts)})";
    }

    /// <summary>An operation with its attributes, but for lists, which hold axes and sizes, and what only keeps a normalisation from dividing by zero or is of training.</summary>
    private static string Attributes(Op op)
    {
        string text = op.ToString()!;
        int open = text.IndexOf(" { ", StringComparison.Ordinal);
        if (open < 0) return text;
        string[] parts = [.. text[(open + 3)..].TrimEnd(' ', '}').Split(", ").Where(part => !Needless().IsMatch(part))];
        return parts.Length == 0 ? op.Name : $"{op.Name} {string.Join(' ', parts)}";
    }

    private static ulong Hash(string text)
    {
        ulong hash = 14695981039346656037;
        foreach (char c in text) hash = (hash ^ c) * 1099511628211;
        return hash;
    }

    private static int[] All(System.Collections.Immutable.ImmutableArray<int> list, int count, int otherwise) => list.IsDefaultOrEmpty ? [.. Enumerable.Repeat(otherwise, count)] : [.. list];

    private static string Join(int[] sizes) => string.Join('x', sizes);

    private static string Short(int[] sizes) => sizes.Distinct().Count() == 1 ? $"{sizes[0]}" : Join(sizes);

    [GeneratedRegex(@"^(Name|Reuse|Epsilon|Momentum) = |System\.Collections|^\s*$")]
    private static partial Regex Needless();
}
