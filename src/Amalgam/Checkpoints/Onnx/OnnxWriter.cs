using Amalgam.Checkpoints.OnnxProtos;
using Amalgam.Graphs;
using Amalgam.Graphs.Ops;
using Google.Protobuf;
using Kind = Amalgam.Checkpoints.OnnxProtos.AttributeProto.Types.AttributeType;

namespace Amalgam.Checkpoints;

/// <summary>An initialiser that is to be written.</summary>
/// <param name="Tensor">Its message, without elements.</param>
/// <param name="Value">Its elements.</param>
/// <param name="Type">Their stored type.</param>
internal sealed record OnnxWeight(TensorProto Tensor, Tensor Value, DType Type)
{
    public long ByteCount => Type.BytesOf(Value.Count);
}

/// <summary>
/// Writes a graph as the message of an ONNX model, opset 17. Every value keeps its name and its element type; a value without a name gets one made of its
/// operation and its number. Shape arithmetic stays arithmetic. The same graph gives the same bytes.
/// </summary>
internal sealed class OnnxWriter : OnnxExport
{
    public const int IrVersion = 8, Opset = 17;

    /// <summary>Constants of at most so many elements are written once, however many operations use them.</summary>
    private const int SharedElements = 16;

    private readonly Graph _graph;
    private readonly OnnxNotes _notes;
    private readonly GraphProto _to = new();
    private readonly List<OnnxWeight> _weights = [];
    private readonly Dictionary<Node, string> _values = [];
    private readonly Dictionary<(Node, DType), string> _constants = [];
    private readonly Dictionary<string, string> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Node> _named = new(StringComparer.Ordinal);
    private readonly HashSet<string> _made = new(StringComparer.Ordinal);
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private Node? _current;
    private int _emitted;

    public OnnxWriter(Graph graph, OnnxNotes notes)
    {
        (_graph, _notes) = (graph, notes);
        _taken.UnionWith(graph.Outputs.Keys);
        _taken.UnionWith(graph.Nodes.Select(node => node.Name).OfType<string>());
        foreach (Node node in graph.Nodes.Where(n => n is { Op: Graphs.Constant, Name: not null, Value.Count: <= SharedElements })) _named.TryAdd(KeyOf(node.Value!, node.Type), node);
    }

    /// <summary>The initialisers that the model uses.</summary>
    public IReadOnlyList<OnnxWeight> Weights => _weights;

    public override string this[Node node] => node.Op is Constant ? ConstantFor(node, TypeBeside(node)) : _values[node];

    /// <summary>The model's message; its initialisers have no elements yet.</summary>
    /// <exception cref="GraphException">An operation has no ONNX form.</exception>
    public ModelProto Write()
    {
        foreach (var (name, node) in _graph.Outputs)
        {
            if (_graph.Find(name) is { Op: Parameter or Input } other && other != node) throw new GraphException($"the output '{name}' has the name of {other}, which is another value; ONNX has one name for one value");
        }

        bool[] needed = Rewrite.Needed(_graph, _graph.Outputs.Values);
        foreach (Node node in _graph.Inputs.Values) _values[node] = node.Name!;
        foreach (Node node in _graph.Parameters.Values.Where(node => needed[node.Id])) _values[node] = Weight(node.Name!, node.Value!, node.Type);
        foreach (Node node in _graph.Nodes.Where(node => needed[node.Id] && node.Op is not Leaf)) _values[node] = Export(node);

        _current = null;
        foreach (var (name, node) in _graph.Outputs)
        {
            if (this[node] != name) Add(new() { OpType = "Identity", Input = { this[node] }, Output = { name } });
        }

        RemoveUnused();
        _notes.Describe(_graph, _to);
        ModelProto model = _notes.Model();
        model.IrVersion = IrVersion;
        model.OpsetImport.Add(new OperatorSetIdProto { Version = Opset });
        _to.Initializer.AddRange(_weights.Select(w => w.Tensor));
        model.Graph = _to;
        return model;
    }

    public override string Integers(params ReadOnlySpan<long> values)
    {
        Tensor tensor = OnnxValues.Integers(new(values.Length), values.ToArray(), $"{_current}");
        return Number(tensor, DType.I64);
    }

    public override string Constant(Tensor value, DType? type = null)
    {
        type ??= _current?.Type is { IsFloat: true } own ? own : DType.F32;
        return value.Count > SharedElements ? Weight(FreeName("constant"), value, type) : Number(value, type);
    }

    public override string[] Emit(int results, string opType, ReadOnlySpan<string> inputs, params ReadOnlySpan<(string Name, object? Value)> attributes)
    {
        NodeProto node = new() { OpType = opType };
        foreach (string input in inputs) node.Input.Add(input);
        while (node.Input is [.., ""]) node.Input.RemoveAt(node.Input.Count - 1);
        foreach (var (name, value) in attributes)
        {
            if (value is not null) node.Attribute.Add(Attribute(name, value));
        }

        string first = $"{NameOf(_current!)}/{opType}{(_emitted++ == 0 ? "" : $"_{_emitted}")}";
        for (int i = 0; i < results; i++) node.Output.Add(FreeName(i == 0 ? first : $"{first}:{i}"));
        Add(node);
        return [.. node.Output];
    }

    /// <summary>Exports a node; the ONNX value that holds its result takes its name.</summary>
    private string Export(Node node)
    {
        (_current, _emitted) = (node, 0);
        int first = _to.Node.Count;
        string result;
        try
        {
            result = node.Op.Export(node, this);
        }
        catch (GraphException) when (node.Known is not null)
        {
            return ConstantFor(node, node.Type);
        }
        catch (GraphException e)
        {
            throw new GraphException($"{node} {node.Shape} cannot be written as ONNX: {e.Message}", e);
        }

        int maker = _to.Node.Count - 1;
        while (maker >= first && !_to.Node[maker].Output.Contains(result)) maker--;
        if (maker < first) return result;

        string name = FinalName(node);
        _made.Remove(result);
        _made.Add(name);
        _to.Node[maker].Output[_to.Node[maker].Output.IndexOf(result)] = name;
        _notes.Describe(_to.Node[maker], name);
        for (int i = first; i < _to.Node.Count; i++)
        {
            for (int k = 0; k < _to.Node[i].Input.Count; k++)
            {
                if (_to.Node[i].Input[k] == result) _to.Node[i].Input[k] = name;
            }
        }

        return name;
    }

    /// <summary>Its own name, or that of the output which it alone is; another output may not take the name of a value that is not it.</summary>
    private string FinalName(Node node)
    {
        if (node.Name is { } own && (!_graph.Outputs.TryGetValue(own, out Node? output) || output == node)) return own;
        return _graph.Outputs.FirstOrDefault(o => o.Value == node && !_made.Contains(o.Key) && _graph.Find(o.Key) is null).Key ?? FreeName(NameOf(node));
    }

    private static string NameOf(Node node) => node.Name ?? $"{node.Op.Name}_{node.Id}";

    private string FreeName(string name)
    {
        string free = name;
        for (int i = 1; !_taken.Add(free); i++) free = $"{name}.{i}";
        return free;
    }

    private void Add(NodeProto node)
    {
        _made.UnionWith(node.Output);
        _to.Node.Add(node);
    }

    /// <summary>
    /// A number beside a value of another type takes that type, since ONNX's arithmetic wants both of one. Graphs are built with plain floats.
    /// </summary>
    private DType TypeBeside(Node constant) =>
        constant.Type == DType.F32 && _current is { Op: Binary } && _current.Inputs.FirstOrDefault(i => i.Op is not Graphs.Constant) is { } other ? other.Type : constant.Type;

    private string ConstantFor(Node node, DType type)
    {
        if (_constants.TryGetValue((node, type), out string? name)) return name;
        bool isOwn = type == node.Type && node.Name is not null && (!_graph.Outputs.TryGetValue(node.Name, out Node? output) || output == node);
        return _constants[(node, type)] = Weight(isOwn ? node.Name! : FreeName(node.Name ?? $"{node.Op.Name}_{node.Id}"), node.Known!, type);
    }

    /// <summary>A few numbers that operations wrote, or that the graph has under a name, stand in the file once.</summary>
    private string Number(Tensor value, DType type)
    {
        string key = KeyOf(value, type);
        if (_named.TryGetValue(key, out Node? node)) return ConstantFor(node, type);
        return _numbers.TryGetValue(key, out string? name) ? name : _numbers[key] = Weight(FreeName("constant"), value, type);
    }

    private static string KeyOf(Tensor value, DType type) => $"{type}{value.Shape} {string.Join(' ', value.Span.ToArray().Select(BitConverter.SingleToInt32Bits))}";

    private string Weight(string name, Tensor value, DType type)
    {
        TensorProto tensor = new() { Name = name, DataType = OnnxTypes.NumberOf(type) };
        tensor.Dims.AddRange(value.Shape.Sizes.ToArray());
        _weights.Add(new(tensor, value, type));
        return name;
    }

    private static AttributeProto Attribute(string name, object value)
    {
        AttributeProto attribute = new() { Name = name };
        switch (value)
        {
            case long or int or bool:
                (attribute.Type, attribute.I) = (Kind.Int, Convert.ToInt64(value, null));
                break;
            case float number:
                (attribute.Type, attribute.F) = (Kind.Float, number);
                break;
            case string text:
                (attribute.Type, attribute.S) = (Kind.String, ByteString.CopyFromUtf8(text));
                break;
            case IEnumerable<long> numbers:
                attribute.Type = Kind.Ints;
                attribute.Ints.AddRange(numbers);
                break;
            case IEnumerable<int> numbers:
                attribute.Type = Kind.Ints;
                attribute.Ints.AddRange(numbers.Select(n => (long)n));
                break;
            case IEnumerable<float> numbers:
                attribute.Type = Kind.Floats;
                attribute.Floats.AddRange(numbers);
                break;
            case IEnumerable<string> texts:
                attribute.Type = Kind.Strings;
                attribute.Strings.AddRange(texts.Select(ByteString.CopyFromUtf8));
                break;
            default:
                throw new ArgumentException($"the attribute '{name}' is a {value.GetType().Name}", nameof(value));
        }

        return attribute;
    }

    /// <summary>Operations may export more than is read in the end: an input that became an attribute.</summary>
    private void RemoveUnused()
    {
        HashSet<string> read = [.. _graph.Outputs.Keys];
        for (int i = _to.Node.Count - 1; i >= 0; i--)
        {
            if (_to.Node[i].Output.Any(read.Contains)) read.UnionWith(_to.Node[i].Input);
            else _to.Node.RemoveAt(i);
        }

        _weights.RemoveAll(w => !read.Contains(w.Tensor.Name));
    }
}
