using Amalgam.Graphs;
using Amalgam.Graphs.Ops;

namespace Amalgam.Zoo.Runs;

/// <summary>The products, convolutions and recurrent layers of a network by their parameters, and which of them stand where.</summary>
internal sealed class NetworkProducts
{
    private readonly Dictionary<Node, Node> _parameters = [];
    private readonly Graph _network;

    public NetworkProducts(Graph network)
    {
        _network = network;
        foreach (Node node in network.Nodes)
        {
            if (ParameterOf(node) is { } parameter) _parameters.Add(node, parameter);
        }

        bool[] isAfter = new bool[network.Nodes.Count];
        foreach (Node node in network.Nodes)
        {
            bool reads = node.Inputs.Any(input => isAfter[input.Id]);
            isAfter[node.Id] = reads || _parameters.ContainsKey(node);
            if (!reads && _parameters.TryGetValue(node, out Node? first)) First.Add(first);
            if (node.Op is Conv { Groups: > 1 } && node.Inputs[1].Shape[1] == 1 && _parameters.TryGetValue(node, out Node? filters)) Channelwise.Add(filters);
        }
    }

    /// <summary>Parameters of products with no other product before them.</summary>
    public HashSet<Node> First { get; } = [];

    /// <summary>Parameters of convolutions of each channel by itself.</summary>
    public HashSet<Node> Channelwise { get; } = [];

    /// <summary>The parameter of the last product before the network's first output; null where there is none.</summary>
    public Node? Output => Before(_network.Outputs.Values.First(), _ => true) is { } product ? _parameters[product] : null;

    /// <summary>
    /// The parameter whose product makes the values of the last attention, that is of the last product of a softmax with something that is no parameter; and which of its rows do, where others make
    /// something else. Null where there is no attention.
    /// </summary>
    public (Node Parameter, (int From, int Count)? Rows)? Values
    {
        get
        {
            foreach (Node node in _network.Nodes.Reverse().Where(node => node.Op is MatMul && !_parameters.ContainsKey(node) && IsShare(node.Inputs[0])))
            {
                if (Before(node.Inputs[1], PassesOn) is not { } product) continue;
                return (_parameters[product], RowsOf(product, node.Inputs[1]));
            }

            return null;
        }
    }

    /// <summary>The last product on the ways to a value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="follows">Over which operations a way may lead.</param>
    private Node? Before(Node value, Func<Node, bool> follows)
    {
        HashSet<Node> seen = [];
        Stack<Node> open = new([value]);
        Node? last = null;
        while (open.TryPop(out Node? node))
        {
            if (!seen.Add(node)) continue;
            if (!_parameters.ContainsKey(node))
            {
                if (follows(node)) foreach (Node input in node.Inputs) open.Push(input);
            }
            else if (last is null || node.Id > last.Id) last = node;
        }

        return last;
    }

    /// <summary>Whether a value is a softmax, or one with some shares dropped or masked.</summary>
    private static bool IsShare(Node node) => node.Op is Softmax || (node.Op is View or Transpose or Where or Cast && node.Inputs.Any(IsShare));

    /// <summary>Whether an operation only puts values elsewhere, or adds a bias to them.</summary>
    private static bool PassesOn(Node node) => node.Op is View or Transpose or Slice or Gather or Expand or Cast or Add;

    /// <summary>The rows of a product's parameter that a value is made by, found by sending their numbers the way that the products go; null for all, or where they do not follow each other.</summary>
    private static (int, int)? RowsOf(Node product, Node value)
    {
        int axis = product.Op is Conv ? 1 : product.Shape.Rank - 1, count = product.Shape.Size(axis);
        Dictionary<Node, Tensor> numbers = new() { [product] = Numbers(product.Shape, axis) };
        foreach (Node node in product.Graph.Nodes.Where(node => node.Id > product.Id && node.Id <= value.Id && PassesOn(node)))
        {
            if (node.Op is Add && node.Inputs.FirstOrDefault(numbers.ContainsKey) is { } term && term.Shape == node.Shape) numbers[node] = numbers[term];
            else if (node.Op is not Add && node.Inputs.Length > 0 && numbers.TryGetValue(node.Inputs[0], out Tensor? of) && node.Inputs.Skip(1).All(input => input.Known is not null))
            {
                Tensor moved = node.Op.Reuse == Reuse.View ? of.Reshape(node.Shape) : new(node.Shape);
                if (node.Op.Reuse != Reuse.View) node.Op.Run([of, .. node.Inputs.Skip(1).Select(input => input.Known!)], moved);
                numbers[node] = moved;
            }
        }

        if (!numbers.TryGetValue(value, out Tensor? reached)) return null;
        int[] rows = [.. reached.Span.ToArray().Select(row => (int)row).Distinct().Order()];
        return rows.Length < count && rows[^1] - rows[0] == rows.Length - 1 ? (rows[0], rows.Length) : null;
    }

    private static Tensor Numbers(Shape shape, int axis)
    {
        Tensor numbers = new(shape);
        int step = 1;
        for (int i = axis + 1; i < shape.Rank; i++) step *= shape.Size(i);
        for (int i = 0; i < numbers.Count; i++) numbers.Span[i] = i / step % shape.Size(axis);
        return numbers;
    }

    /// <summary>The parameter that a node multiplies by, itself or put elsewhere.</summary>
    private static Node? ParameterOf(Node node)
    {
        int[] places = node.Op switch { MatMul => [1, 0], Conv or ConvTranspose => [1], Recurrent => [1], _ => [] };
        foreach (int place in places)
        {
            Node weight = node.Inputs[place];
            while (weight.Op is Identity or Transpose or Cast or Slice or Reshape or Substitute) weight = weight.Inputs[0];
            if (weight.Op is Parameter && weight.Shape.Rank > 1) return weight;
        }

        return null;
    }
}
