namespace Amalgam.Graphs;

/// <summary>One node of an ONNX graph as an importer sees it: the operator, its inputs as nodes of the graph being built, and its attributes. What is left unread is refused.</summary>
public sealed class OnnxCall
{
    private readonly IReadOnlyList<Node?> _inputs;
    private readonly IReadOnlyDictionary<string, object> _attributes;
    private readonly HashSet<string> _read = [];

    /// <param name="graph">The graph being built.</param>
    /// <param name="type">ONNX operator.</param>
    /// <param name="opset">Version of the operator set.</param>
    /// <param name="inputs">Inputs; null for one left out.</param>
    /// <param name="attributes">Values: long, float, string, long[], float[], string[] or <see cref="Node"/> (a constant made of a tensor).</param>
    /// <param name="outputs">How many results someone uses, counted up to the last one.</param>
    public OnnxCall(Graph graph, string type, int opset, IReadOnlyList<Node?> inputs, IReadOnlyDictionary<string, object> attributes, int outputs)
    {
        (Graph, Type, Opset, _inputs, _attributes, Outputs) = (graph, type, opset, inputs, attributes, outputs);
    }

    /// <summary>The graph being built.</summary>
    public Graph Graph { get; }

    /// <summary>ONNX operator.</summary>
    public string Type { get; }

    /// <summary>Version of the operator set that the file was written for.</summary>
    public int Opset { get; }

    /// <summary>How many results someone uses, counted up to the last one.</summary>
    public int Outputs { get; }

    /// <summary>Number of inputs given, those left out in between included.</summary>
    public int Inputs => _inputs.Count;

    /// <summary>Attributes that no importer has asked for.</summary>
    public IEnumerable<string> Unread => _attributes.Keys.Where(name => !_read.Contains(name));

    /// <summary>An input that must be there.</summary>
    public Node this[int input] => Optional(input) ?? throw new GraphException($"{Type} needs an input number {input + 1}");

    /// <summary>An input that may be left out.</summary>
    public Node? Optional(int input) => input < _inputs.Count ? _inputs[input] : null;

    /// <summary>All inputs, none of them left out.</summary>
    public Node[] All() => [.. Enumerable.Range(0, Inputs).Select(i => this[i])];

    /// <summary>Whether the file gives an attribute.</summary>
    public bool Has(string attribute) => _attributes.ContainsKey(attribute);

    public long Int(string attribute, long fallback) => Read<long>(attribute, out long value) ? value : fallback;

    public long Int(string attribute) => Read<long>(attribute, out long value) ? value : throw Missing(attribute);

    public float Float(string attribute, float fallback) => Read<float>(attribute, out float value) ? value : fallback;

    public string Text(string attribute, string fallback) => Read<string>(attribute, out string? value) ? value! : fallback;

    /// <summary>A list of integers; null when it is not given.</summary>
    public long[]? Ints(string attribute) => Read<long[]>(attribute, out long[]? value) ? value : null;

    public float[]? Floats(string attribute) => Read<float[]>(attribute, out float[]? value) ? value : null;

    public string[]? Texts(string attribute) => Read<string[]>(attribute, out string[]? value) ? value : null;

    /// <summary>A tensor as a constant of the graph; null when it is not given.</summary>
    public Node? Tensor(string attribute) => Read<Node>(attribute, out Node? value) ? value : null;

    /// <summary>Says that an attribute is known and has no influence here.</summary>
    public void Ignore(params ReadOnlySpan<string> attributes)
    {
        foreach (string name in attributes) _read.Add(name);
    }

    /// <summary>Adds an operation to the graph.</summary>
    public Node Add(Op op, params ReadOnlySpan<Node> inputs) => Graph.Add(op, inputs);

    /// <summary>Integers that newer operator sets take as an input and older ones as an attribute; null when neither is given.</summary>
    public long[]? Integers(int input, string attribute) => Optional(input) is { } node ? node.Integers($"{Type}'s {attribute}") : Ints(attribute);

    private bool Read<T>(string attribute, out T? value)
    {
        _read.Add(attribute);
        if (!_attributes.TryGetValue(attribute, out object? found))
        {
            value = default;
            return false;
        }

        value = found is T typed ? typed : throw new GraphException($"{Type}'s attribute '{attribute}' is a {found.GetType().Name}, expected a {typeof(T).Name}");
        return true;
    }

    private GraphException Missing(string attribute) => new($"{Type} needs the attribute '{attribute}'");
}
