using System.Collections.Immutable;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Alignment.Layers;

/// <summary>What keeps a network from being a row of layers.</summary>
internal static class TrunkRefusals
{
    private const string Sequence = "layers are matched of networks that are a row of layers and of blocks";

    /// <exception cref="GraphException">The node in the way.</exception>
    public static void Check(Trunk trunk)
    {
        Stretch? start = trunk.Stretches.FirstOrDefault();
        if (start is null) throw NoLayers(trunk);
        foreach (Node node in trunk.Stretches.SelectMany(stretch => stretch.Data).Concat(trunk.Rest))
        {
            if (node.Op is Recurrent or RecurrentSteps) throw new GraphException($"{node} runs over a sequence step by step; {Sequence}, and a recurrence is neither");
            if (node.Op is Concat && KeptBeside(trunk, node) is { } kept)
                throw new GraphException($"{node} puts {kept} beside what is made of it, so that no single value holds what the next layer reads; {Sequence}, and densely connected or U-shaped networks are not");
        }

        if (!start.IsPlain && start.Data.FirstOrDefault(trunk.IsProduct) is { } product)
            throw new GraphException($"{product} is one of several branches from the inputs that only meet in {start.To}; {Sequence}, and this one starts with several side by side");
    }

    /// <summary>Says why a network has no hidden layers.</summary>
    public static GraphException NoLayers(Trunk trunk)
    {
        if (trunk.Rest.FirstOrDefault(trunk.IsProduct) is { } beside) return new($"{beside} is not on every way from the inputs to the outputs, and no layer is before it; {Sequence}");
        return new($"the network has no hidden layer: {(trunk.Graph.Nodes.Any(trunk.IsProduct) ? "its only product makes the output" : "nothing in it is a product by a parameter")}");
    }

    /// <summary>Says what is in no group of layers.</summary>
    public static string Outside(Graph graph, ImmutableArray<Node> products)
    {
        Node first = products[0];
        string name = LayerNames.Of(first, false, first.Inputs), what = products.Length == 1 ? $"the layer '{name}' is" : $"the {products.Length} layers from '{name}' on are";
        string[] taken = [.. graph.Outputs.Where(output => IsReadBy(output.Value, first)).Select(output => $"'{output.Key}'")];
        string reason = taken.Length == 0 ? "several ways lead from the layers before to several outputs" : $"the {(taken.Length == 1 ? "output" : "outputs")} {string.Join(", ", taken)} {(taken.Length == 1 ? "is" : "are")} taken before";
        return $"{what} in no group and matched with nothing, because {reason}; {Sequence}";
    }

    private static bool IsReadBy(Node value, Node by)
    {
        HashSet<Node> seen = [];
        Stack<Node> open = new([by]);
        while (open.TryPop(out Node? node))
        {
            if (node == value) return true;
            if (node.Id < value.Id || !seen.Add(node)) continue;
            foreach (Node input in node.Inputs) open.Push(input);
        }

        return false;
    }

    /// <summary>A value that a Concat takes as it is, beside another that products make of it; null where there is none.</summary>
    private static Node? KeptBeside(Trunk trunk, Node concat)
    {
        Node[] parts = [.. concat.Inputs.Where(trunk.IsData).Select(Source).Distinct()];
        return parts.FirstOrDefault(part => parts.Any(other => other != part && IsMadeOf(trunk, other, part)));
    }

    private static Node Source(Node node)
    {
        while (node.Op is View) node = node.Inputs[0];
        return node;
    }

    private static bool IsMadeOf(Trunk trunk, Node node, Node of)
    {
        HashSet<(Node, bool)> seen = [];
        Stack<(Node Node, bool Product)> open = new([(node, false)]);
        while (open.TryPop(out var at))
        {
            if (at.Node == of && at.Product) return true;
            bool product = at.Product || trunk.IsProduct(at.Node);
            foreach (Node input in at.Node.Inputs)
            {
                if (input.Id >= of.Id && trunk.IsData(input) && seen.Add((input, product))) open.Push((input, product));
            }
        }

        return false;
    }
}
