using System.Text;
using Amalgam.Checkpoints.OnnxProtos;
using Amalgam.Graphs;
using Kind = Amalgam.Checkpoints.OnnxProtos.AttributeProto.Types.AttributeType;

namespace Amalgam.Checkpoints;

/// <summary>
/// Makes a graph of an ONNX model. A node that cannot be imported is noted, and what depends on it is passed over, so that one exception names all of them.
/// </summary>
internal sealed class OnnxImport
{
    private const int Listed = 20;

    private readonly OnnxFile _file;
    private readonly Dictionary<string, Shape> _shapes;
    private readonly IReadOnlyDictionary<string, Tensor> _known;
    private readonly OnnxUses _uses;
    private readonly Graph _graph = new();
    private readonly List<OnnxProblem> _problems = [];

    public OnnxImport(OnnxFile file, IReadOnlyDictionary<string, Shape> inputs, int batch, IReadOnlyDictionary<string, Tensor> known)
    {
        (_file, _known) = (file, known);
        foreach (string name in known.Keys.Where(name => file.Inputs.All(i => i.Name != name))) throw new GraphException($"{file.Path} has no input '{name}' that could be known");
        _shapes = new OnnxShapes(file.Path, inputs, batch).Of([.. file.Inputs.Where(i => !known.ContainsKey(i.Name))]);
        _uses = new(file.Model.Graph);
    }

    public Graph Run()
    {
        if (_file.Opset is < OnnxModel.OldestOpset or > OnnxModel.NewestOpset)
            throw new GraphException($"{_file.Path} is written for opset {_file.Opset}; Amalgam imports {OnnxModel.OldestOpset} to {OnnxModel.NewestOpset}");
        Scope scope = new(null);
        foreach (ValueInfoProto input in _file.Inputs) scope.Add(input.Name, Input(input), _file);
        foreach (TensorEntry tensor in _file.Initializers.Where(t => _uses.Has(t.Name))) scope.Add(tensor.Name, Initializer(tensor), _file);
        foreach (NodeProto node in _file.Model.Graph.Node) Add(node, scope);
        if (_problems.Count > 0) throw new GraphException(Report());

        foreach (ValueInfoProto output in _file.Model.Graph.Output)
        {
            if (!scope.TryFind(output.Name, out Node? node)) throw Invalid($"nothing makes its output '{output.Name}'");
            _graph.Output(output.Name, node!);
        }

        // What operators took from constants that became attributes is of no more use.
        bool[] needed = Rewrite.Needed(_graph, _graph.Outputs.Values);
        return _graph.Nodes.All(node => needed[node.Id] || node.Op is Input) ? _graph : Rewrite.Prune(_graph).Graph;
    }

    private string Report()
    {
        string nodes = string.Join("; ", _problems.Take(Listed));
        string more = _problems.Count > Listed ? $"; and {_problems.Count - Listed} more" : "";
        return $"{_file.Path} has {_problems.Count} {(_problems.Count == 1 ? "node" : "nodes")} that Amalgam cannot import: {nodes}{more}";
    }

    private Node Input(ValueInfoProto input)
    {
        if (input.Type?.TensorType is not { } tensor) throw new GraphException($"{_file.Path} takes '{input.Name}', which is no tensor; Amalgam takes tensors alone");
        DType type = OnnxTypes.Find(tensor.ElemType) is { IsReadable: true } found
            ? found
            : throw new GraphException($"{_file.Path} takes '{input.Name}' with elements of type {OnnxTypes.Find(tensor.ElemType)?.Name ?? OnnxTypes.Describe(tensor.ElemType)}, which are no numbers");
        return _known.TryGetValue(input.Name, out Tensor? value) ? _graph.Constant(value, type, input.Name) : _graph.Input(input.Name, _shapes[input.Name], type);
    }

    private Node Initializer(TensorEntry tensor) =>
        tensor.DType.IsFloat && tensor.Shape.Rank > 0 && !_uses.IsValue(tensor.Name)
            ? _graph.Parameter(_graph.FreeName(tensor.Name), OnnxValues.Read(tensor), !_uses.IsStatistic(tensor.Name), tensor.DType)
            : _graph.Constant(OnnxValues.Read(tensor), tensor.DType, _graph.FreeName(tensor.Name));

    private void Add(NodeProto node, Scope scope)
    {
        Node?[] inputs = [.. node.Input.Select(name => name.Length == 0 ? null : scope.TryFind(name, out Node? value) ? value : throw Invalid($"its node '{OnnxFile.NameOf(node)}' ({node.OpType}) reads '{name}', which nothing before it makes"))];
        Node?[] results = [];
        if (_file.Problem(node) is { } problem) _problems.Add(problem);
        else if (node.Input.Zip(inputs).All(i => i.First.Length == 0 || i.Second is not null)) results = Import(node, inputs, scope);

        for (int i = 0; i < node.Output.Count; i++)
        {
            if (node.Output[i] is not { Length: > 0 } name) continue;
            Node? result = i < results.Length ? results[i] : null;
            scope.Add(name, result, _file);
            if (result is { Name: null }) _graph.Name(result, _graph.FreeName(name));
            if (result is null && results.Length > 0 && _uses.Has(name)) _problems.Add(_file.ProblemOf(node, $"its result number {i + 1}, '{name}', is not made"));
        }
    }

    /// <summary>The results of a node; none when it cannot be imported, which is then noted.</summary>
    private Node?[] Import(NodeProto node, Node?[] inputs, Scope scope)
    {
        try
        {
            if (node.OpType == "If") return If(node, inputs, scope);
            if (node.OpType == "Constant") return [Constant(node)];
            Dictionary<string, object> attributes = [];
            foreach (AttributeProto attribute in node.Attribute)
            {
                if (!attributes.TryAdd(attribute.Name, ValueOf(attribute, node))) throw new GraphException($"has two attributes '{attribute.Name}'");
            }

            OnnxCall call = new(_graph, node.OpType, (int)_file.Opset, inputs, attributes, 1 + node.Output.ToList().FindLastIndex(_uses.Has));
            Node[] results = OpTable.All[node.OpType](call);
            string[] unread = [.. call.Unread];
            return unread.Length == 0 ? results : throw new GraphException($"its {(unread.Length == 1 ? "attribute" : "attributes")} {string.Join(", ", unread.Select(a => $"'{a}'"))} would have no effect here");
        }
        catch (Exception e) when (e is GraphException or ArgumentException or OverflowException or IndexOutOfRangeException or DivideByZeroException)
        {
            _problems.Add(_file.ProblemOf(node, e.Message));
            return [];
        }
    }

    private Node Constant(NodeProto node)
    {
        if (node.Attribute is not [{ } attribute]) throw new GraphException($"has {node.Attribute.Count} attributes, expected one value");
        if (attribute is { Name: "value", T: { } tensor })
        {
            TensorEntry entry = _file.Entry(tensor, OnnxFile.NameOf(node));
            Tensor value = OnnxValues.Read(entry);
            return entry.DType.IsFloat && entry.Shape.Rank >= 2 && node.Output.Count > 0 ? _graph.Parameter(_graph.FreeName(node.Output[0]), value, type: entry.DType) : _graph.Constant(value, entry.DType);
        }

        return (attribute.Name, ValueOf(attribute, node)) switch
        {
            ("value_float", float number) => _graph.Constant(number),
            ("value_int", long number) => _graph.Constant(OnnxValues.Integers(default, [number], "its value"), DType.I64),
            ("value_floats", float[] numbers) => _graph.Constant(Tensor.Vector(numbers)),
            ("value_ints", long[] numbers) => _graph.Constant(OnnxValues.Integers(new(numbers.Length), numbers, "its value"), DType.I64),
            _ => throw new GraphException($"its {attribute.Name} is no tensor of numbers"),
        };
    }

    /// <summary>The branch that a condition takes, when that is known while the graph is built.</summary>
    private Node?[] If(NodeProto node, Node?[] inputs, Scope scope)
    {
        if (inputs is not [{ } condition]) throw new GraphException($"takes one condition, found {inputs.Length}");
        if (condition.Known is not { Count: 1 } known) throw new GraphException("has sub-graphs, and its condition is known only when the graph runs");
        string branch = known.Span[0] != 0 ? "then_branch" : "else_branch";
        GraphProto body = node.Attribute.FirstOrDefault(a => a.Name == branch)?.G ?? throw new GraphException($"has no {branch}");
        Scope inner = new(scope);
        foreach (TensorProto tensor in body.Initializer) inner.Add(tensor.Name, Initializer(_file.Entry(tensor, tensor.Name)), _file);
        foreach (NodeProto step in body.Node) Add(step, inner);
        return [.. body.Output.Select(output => inner.TryFind(output.Name, out Node? result) ? result : throw new GraphException($"nothing makes the result '{output.Name}' of its {branch}"))];
    }

    private object ValueOf(AttributeProto attribute, NodeProto node)
    {
        if (attribute.RefAttrName.Length > 0) throw new GraphException($"its attribute '{attribute.Name}' refers to a function's");
        return KindOf(attribute) switch
        {
            Kind.Float => attribute.F,
            Kind.Int => attribute.I,
            Kind.String => Encoding.UTF8.GetString(attribute.S.Span),
            Kind.Floats => attribute.Floats.ToArray(),
            Kind.Ints => attribute.Ints.ToArray(),
            Kind.Strings => attribute.Strings.Select(s => Encoding.UTF8.GetString(s.Span)).ToArray(),
            Kind.Tensor when attribute.T is { } tensor => TensorOf(tensor, $"{attribute.Name} of {OnnxFile.NameOf(node)}"),
            var kind => throw new GraphException($"its attribute '{attribute.Name}' is a {kind}, which Amalgam does not read"),
        };
    }

    private Node TensorOf(TensorProto tensor, string name)
    {
        TensorEntry entry = _file.Entry(tensor, name);
        return _graph.Constant(OnnxValues.Read(entry), entry.DType);
    }

    /// <summary>Files from before IR version 2 do not say of which type an attribute is.</summary>
    private static Kind KindOf(AttributeProto attribute) => attribute switch
    {
        { Type: not Kind.Undefined } => attribute.Type,
        { T: not null } => Kind.Tensor,
        { G: not null } => Kind.Graph,
        { Ints.Count: > 0 } => Kind.Ints,
        { Floats.Count: > 0 } => Kind.Floats,
        { Strings.Count: > 0 } => Kind.Strings,
        { S.Length: > 0 } => Kind.String,
        { F: not 0 } => Kind.Float,
        _ => Kind.Int,
    };

    private InvalidDataException Invalid(string why) => OnnxFile.Invalid(_file.Path, why);

    /// <summary>The values that a graph's nodes can read, with those of the graphs around it. A value is null when it could not be made.</summary>
    private sealed class Scope(Scope? outer)
    {
        private readonly Dictionary<string, Node?> _values = new(StringComparer.Ordinal);

        public void Add(string name, Node? value, OnnxFile file)
        {
            if (!_values.TryAdd(name, value)) throw OnnxFile.Invalid(file.Path, $"two things make its value '{name}'");
        }

        public bool TryFind(string name, out Node? value) => _values.TryGetValue(name, out value) || (outer?.TryFind(name, out value) ?? false);
    }
}
