using System.Collections.Immutable;
using Amalgam.Checkpoints.OnnxProtos;
using Amalgam.Graphs;

namespace Amalgam.Checkpoints;

/// <summary>A value that an ONNX graph takes or gives.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its element type; null where it is no tensor of a type that Amalgam reads.</param>
/// <param name="Sizes">One text an axis: a number, a symbol such as <c>batch</c>, or <c>?</c>; default where the file does not say.</param>
public sealed record OnnxValue(string Name, DType? Type, ImmutableArray<string> Sizes)
{
    /// <summary>For example <c>'input' F32[batch,3,32,32]</c>.</summary>
    public override string ToString() => $"'{Name}' {Type?.Name ?? "?"}{(Sizes.IsDefault ? "" : $"[{string.Join(',', Sizes)}]")}";
}

/// <summary>A node of an ONNX graph that Amalgam cannot import.</summary>
/// <param name="Node">Its name, or that of its first result where it has none.</param>
/// <param name="Operator">ONNX operator.</param>
/// <param name="Domain">Domain of the operator; <c>ai.onnx</c> is ONNX's own.</param>
/// <param name="Opset">Version of that domain's operator set.</param>
/// <param name="Reason">What stands in the way.</param>
public sealed record OnnxProblem(string Node, string Operator, string Domain, long Opset, string Reason)
{
    public override string ToString() => $"'{Node}' ({(Domain == OnnxModel.Domain ? "" : $"{Domain}.")}{Operator}, opset {Opset}): {Reason}";
}

/// <summary>
/// An ONNX model file. Opening parses the graph and finds the weights, which are read when a graph is made. What <see cref="Graph"/> does not carry (names of
/// nodes, symbolic sizes, notes) stays here, and <see cref="Save"/> writes it back.
/// </summary>
public sealed class OnnxModel : IDisposable
{
    /// <summary>ONNX's own domain, which files also write as an empty text.</summary>
    internal const string Domain = "ai.onnx";

    /// <summary>Versions of ONNX's operator set that are imported.</summary>
    internal const int OldestOpset = 1, NewestOpset = 25;

    private readonly OnnxFile _file;

    private OnnxModel(OnnxFile file) => _file = file;

    /// <summary>The file.</summary>
    public string Path => _file.Path;

    /// <summary>Version of ONNX's operator set that the file is written for.</summary>
    public long Opset => _file.Opset;

    /// <summary>What a run must be given.</summary>
    public IReadOnlyList<OnnxValue> Inputs => [.. _file.Inputs.Select(Describe)];

    /// <summary>The results.</summary>
    public IReadOnlyList<OnnxValue> Outputs => [.. Proto.Graph.Output.Select(Describe)];

    /// <summary>Name and version of the program that wrote the file.</summary>
    public string Producer => $"{Proto.ProducerName} {Proto.ProducerVersion}".Trim();

    /// <summary>The file's own notes; the last counts where a key stands twice.</summary>
    public IReadOnlyDictionary<string, string> Metadata => Proto.MetadataProps.GroupBy(m => m.Key).ToDictionary(m => m.Key, m => m.Last().Value);

    /// <summary>Nodes whose operator Amalgam does not know; empty where all may be imported. An <c>If</c> is known, but can be imported only when its condition is.</summary>
    public IReadOnlyList<OnnxProblem> Unsupported => [.. Proto.Graph.Node.Select(_file.Problem).OfType<OnnxProblem>()];

    /// <summary>What the file says, without the weights.</summary>
    internal ModelProto Proto => _file.Model;

    /// <summary>Opens a model.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file breaks a rule of the format, or external data is missing or too short.</exception>
    public static OnnxModel Open(string path) => File.Exists(path) ? new(OnnxFile.Open(path)) : throw new FileNotFoundException($"{path} does not exist", path);

    /// <summary>
    /// Makes a graph. Floating-point initialisers with axes become parameters of their names (the running statistics of BatchNormalization not trainable), and
    /// so do Constant nodes that hold a floating-point tensor of two or more axes; numbers, integers and truth values become constants. Integers must be
    /// exact as floats, up to 2^24 and some beyond, but for those of 2^31 - 1 and more in magnitude, which stand for "to the end" and may round.
    /// </summary>
    /// <param name="inputs">Shapes of inputs, by name. Needed where a size other than the leading one is symbolic.</param>
    /// <param name="batch">The size that stands for a symbolic leading one.</param>
    /// <param name="known">Inputs that are the same at every run, such as a shape or axes: they become constants.</param>
    /// <exception cref="GraphException">Nodes cannot be imported (the message lists all of them), or sizes are missing.</exception>
    /// <exception cref="InvalidDataException">The file contradicts itself.</exception>
    public Graph ToGraph(IReadOnlyDictionary<string, Shape>? inputs = null, int batch = 1, IReadOnlyDictionary<string, Tensor>? known = null) =>
        new OnnxImport(_file, inputs ?? ImmutableDictionary<string, Shape>.Empty, batch, known ?? ImmutableDictionary<string, Tensor>.Empty).Run();

    /// <summary>Writes a graph that came from this model, changed or not, with the model's notes, names and symbolic sizes.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="path">The file, which ends in <c>.onnx</c> and is not this one.</param>
    /// <param name="options">How to write.</param>
    /// <exception cref="GraphException">An operation of the graph has no ONNX form.</exception>
    /// <exception cref="IOException">The file cannot be written, or is there and not to be replaced.</exception>
    public void Save(Graph graph, string path, OnnxOptions? options = null) => Write(graph, path, options, Proto);

    /// <summary>
    /// Writes a graph as an ONNX model: opset 17, IR version 8, values under their own names, weights in their own element types (a graph that stores half
    /// precision is a half-precision model), shape arithmetic as arithmetic.
    /// </summary>
    /// <param name="graph">The graph.</param>
    /// <param name="path">The file, which ends in <c>.onnx</c>.</param>
    /// <param name="options">How to write.</param>
    /// <exception cref="GraphException">An operation of the graph has no ONNX form.</exception>
    /// <exception cref="IOException">The file cannot be written, or is there and not to be replaced.</exception>
    public static void Write(Graph graph, string path, OnnxOptions? options = null) => Write(graph, path, options, null);

    public void Dispose() => _file.Dispose();

    private static void Write(Graph graph, string path, OnnxOptions? options, ModelProto? like)
    {
        options ??= new();
        OnnxOutput.Write(graph, new(like, options.Batch), path, options);
    }

    private static OnnxValue Describe(ValueInfoProto value)
    {
        TypeProto.Types.Tensor? tensor = value.Type?.TensorType;
        return new(value.Name, tensor is null ? null : OnnxTypes.Find(tensor.ElemType), tensor?.Shape is null ? default : [.. tensor.Shape.Dim.Select(OnnxShapes.Text)]);
    }
}
