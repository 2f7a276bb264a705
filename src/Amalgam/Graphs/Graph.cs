using System.Text;

namespace Amalgam.Graphs;

/// <summary>
/// A network as values and operations, ONNX-shaped: nodes in an order in which they can be run, named inputs, named parameters with their weights, and named
/// outputs. Shapes are concrete; another batch size is another instance (Resize), which shares the weights.
/// </summary>
public sealed class Graph
{
    /// <summary>More elements than this, of all nodes together, are not computed while a graph is built: a file could ask for any number.</summary>
    private const long MostKnown = 1L << 28;

    private long _known;
    private readonly List<Node> _nodes = [];
    private readonly Dictionary<string, Node> _named = [];
    private readonly OrderedDictionary<string, Node> _inputs = [], _parameters = [], _outputs = [];
    private readonly OrderedDictionary<Node, Node> _updates = [];

    /// <summary>All nodes; each comes after its inputs.</summary>
    public IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>What a run must be given, in the order of declaration.</summary>
    public IReadOnlyDictionary<string, Node> Inputs => _inputs;

    /// <summary>The weights, in the order of declaration.</summary>
    public IReadOnlyDictionary<string, Node> Parameters => _parameters;

    /// <summary>The results, in the order of declaration.</summary>
    public IReadOnlyDictionary<string, Node> Outputs => _outputs;

    /// <summary>Parameters that a training step sets to a value of the graph, such as running statistics, each with that value.</summary>
    public IReadOnlyDictionary<Node, Node> Updates => _updates;

    /// <summary>The node of that name: an input, a parameter, or another node that was given one; null when there is none.</summary>
    public Node? Find(string name) => _named.GetValueOrDefault(name);

    /// <summary>Declares a value that each run is given.</summary>
    public Node Input(string name, Shape shape, DType? type = null) => Add(_inputs, new Input(), name, shape, type ?? DType.F32, null);

    /// <summary>Declares a weight.</summary>
    /// <param name="name">Its name in checkpoints.</param>
    /// <param name="value">Its elements; shared, not copied, so instances of one model train the same weights.</param>
    /// <param name="trainable">Whether training changes it.</param>
    /// <param name="type">Element type in files.</param>
    public Node Parameter(string name, Tensor value, bool trainable = true, DType? type = null)
    {
        Node node = Add(_parameters, new Parameter(), name, value.Shape, type ?? DType.F32, value);
        node.Trainable = trainable;
        return node;
    }

    /// <summary>A value that is part of the graph.</summary>
    public Node Constant(Tensor value, DType? type = null, string? name = null) => Append(new Constant(), [], value.Shape, type ?? DType.F32, name, value);

    /// <summary>A number that is part of the graph.</summary>
    public Node Constant(float value) => Constant(Tensor.Scalar(value));

    /// <summary>A vector of integers that is part of the graph: axes, a shape, positions.</summary>
    public Node Constant(ReadOnlySpan<long> values) => Constant(Tensor.Integers(values), DType.I64);

    /// <summary>Adds an operation.</summary>
    /// <exception cref="GraphException">The inputs do not fit it.</exception>
    public Node Add(Op op, params ReadOnlySpan<Node> inputs) => Add(op, null, inputs);

    /// <summary>Adds an operation whose value has a name.</summary>
    /// <exception cref="GraphException">The inputs do not fit it, or the name is taken.</exception>
    public Node Add(Op op, string? name, params ReadOnlySpan<Node> inputs)
    {
        foreach (Node input in inputs)
        {
            if (input.Graph != this) throw new ArgumentException($"{input} belongs to another graph", nameof(inputs));
        }

        Shape shape;
        try
        {
            shape = op.Infer(inputs);
        }
        catch (Exception e) when (e is GraphException or OverflowException or ArgumentException)
        {
            throw new GraphException($"{op.Name}{(name is null ? "" : $" '{name}'")} with inputs {Describe(inputs)}: {e.Message}", e);
        }

        Tensor? known = null;
        if (shape.Count <= MostKnown - _known && op.IsKnown(inputs))
        {
            if (op.Reuse != Reuse.View) _known += shape.Count;
            Tensor[] values = new Tensor[inputs.Length];
            // An operation that is known whatever its inputs are looks at their shapes alone; a tensor without memory would do, an empty one is what there is.
            for (int i = 0; i < values.Length; i++) values[i] = inputs[i].Value ?? Nothing;
            known = op.Reuse == Reuse.View ? values[0].Reshape(shape) : new(shape);
            if (op is IKnownByShape byShape) byShape.Run(inputs, known);
            else if (op.Reuse != Reuse.View) op.Run(values, known);
        }

        return Append(op, [.. inputs], shape, op.TypeOf(inputs), name, known);
    }

    /// <summary>Gives a node that has no name one.</summary>
    /// <exception cref="GraphException">The name is taken.</exception>
    internal void Name(Node node, string name)
    {
        if (node.Name is not null || node.Graph != this) throw new ArgumentException($"{node} is of another graph or has a name", nameof(node));
        if (!_named.TryAdd(name, node)) throw new GraphException($"the graph has two values named '{name}'");
        node.Name = name;
    }

    /// <summary>Names a node as a result.</summary>
    public Node Output(string name, Node node)
    {
        if (node.Graph != this) throw new ArgumentException($"{node} belongs to another graph", nameof(node));
        if (!_outputs.TryAdd(name, node)) throw new GraphException($"the graph has two outputs named '{name}'");
        return node;
    }

    /// <summary>Says that a training step sets a parameter to a value of the graph.</summary>
    public void Update(Node parameter, Node value)
    {
        if (parameter.Op is not Graphs.Parameter || parameter.Graph != this) throw new ArgumentException($"{parameter} is not a parameter of this graph", nameof(parameter));
        if (value.Shape != parameter.Shape) throw new GraphException($"'{parameter.Name}' {parameter.Shape} cannot be set to {value} {value.Shape}");
        if (!_updates.TryAdd(parameter, value)) throw new GraphException($"'{parameter.Name}' is set to two values in one step; give each user of it statistics of its own");
    }

    /// <summary>The nodes that read each node, each once and in order.</summary>
    internal ILookup<Node, Node> Users() => Nodes.SelectMany(node => node.Inputs.Distinct().Select(input => (input, node))).ToLookup(pair => pair.input, pair => pair.node);

    /// <summary>A name that no node has yet: the given one, or it with a number.</summary>
    public string FreeName(string name)
    {
        string free = name;
        for (int i = 1; _named.ContainsKey(free); i++) free = $"{name}.{i}";
        return free;
    }

    /// <summary>One line a node, for people.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        foreach (Node node in _nodes)
        {
            text.Append($"%{node.Id} {node.Op}{(node.Name is null ? "" : $" '{node.Name}'")}({string.Join(", ", node.Inputs.Select(i => $"%{i.Id}"))}) {node.Type}{node.Shape}");
            text.AppendLine(node.Known is { Count: <= 8 } known ? $" = {string.Join(' ', known.Span.ToArray())}" : "");
        }

        foreach (var (name, node) in _outputs) text.AppendLine($"output '{name}' = %{node.Id}");
        return text.ToString();
    }

    private static readonly Tensor Nothing = new(new Shape(0));

    private static string Describe(ReadOnlySpan<Node> inputs)
    {
        List<string> texts = [];
        foreach (Node input in inputs) texts.Add($"{(input.Name is null ? "" : $"'{input.Name}' ")}{input.Shape}");
        return string.Join(", ", texts);
    }

    private Node Add(OrderedDictionary<string, Node> to, Op op, string name, Shape shape, DType type, Tensor? value)
    {
        Node node = Append(op, [], shape, type, name, value);
        to.Add(name, node);
        return node;
    }

    private Node Append(Op op, System.Collections.Immutable.ImmutableArray<Node> inputs, Shape shape, DType type, string? name, Tensor? value)
    {
        Node node = new(this, _nodes.Count, op, inputs, shape, type, name, value);
        if (name is not null && !_named.TryAdd(name, node)) throw new GraphException($"the graph has two values named '{name}'");
        _nodes.Add(node);
        return node;
    }
}

/// <summary>An operation whose result depends on the shapes of its inputs alone, so that it is known when the graph is built: Shape, Size.</summary>
public interface IKnownByShape
{
    /// <summary>Computes the result.</summary>
    void Run(ReadOnlySpan<Node> x, Tensor y);
}
