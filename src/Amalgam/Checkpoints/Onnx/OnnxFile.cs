using System.Collections.Immutable;
using Amalgam.Checkpoints.OnnxProtos;
using Amalgam.Graphs;
using Google.Protobuf;

namespace Amalgam.Checkpoints;

/// <summary>
/// An ONNX file: a ModelProto message. The elements of its initialisers are found in the file and not read; all else is small and parsed. Format:
/// https://github.com/onnx/onnx/blob/main/docs/IR.md.
/// </summary>
internal sealed class OnnxFile : IDisposable
{
    public const int FloatData = 4, RawData = 9, DoubleData = 10;
    public const int GraphOfModel = 7, InitializerOfGraph = 5;

    private const int TensorLimit = 200_000;
    private const long SkeletonLimit = 256L << 20;

    private static readonly MessageParser<ModelProto> Parser = ModelProto.Parser.WithDiscardUnknownFields(true);

    private readonly OnnxTensors _tensors;

    private OnnxFile(string path, ModelProto model, OnnxTensors tensors) => (Path, Model, _tensors) = (path, model, tensors);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The model, without the elements of its initialisers.</summary>
    public ModelProto Model { get; }

    /// <summary>The initialisers, in the file's order.</summary>
    public ImmutableArray<TensorEntry> Initializers { get; private set; } = [];

    /// <summary>Where the graph is.</summary>
    public ProtoRange Graph { get; private set; }

    /// <summary>Where each initialiser is.</summary>
    public IReadOnlyList<ProtoRange> InitializerRanges { get; private set; } = [];

    /// <summary>The storage of the file itself.</summary>
    public Storage Storage => _tensors.Storages.First();

    /// <summary>Version of ONNX's operator set that the file is written for.</summary>
    public long Opset => OpsetOf(OnnxModel.Domain);

    /// <summary>What a run must be given: files from before IR version 4 list initialisers as inputs too.</summary>
    public ImmutableArray<ValueInfoProto> Inputs { get; private set; } = [];

    /// <summary>Every storage that the tensors lie in, but for what was decoded into memory.</summary>
    public IEnumerable<Storage> Storages => _tensors.Storages;

    /// <summary>Opens a file and checks what it says of its tensors.</summary>
    /// <exception cref="InvalidDataException">It is not an ONNX file, or what it says cannot be.</exception>
    public static OnnxFile Open(string path)
    {
        FileStorage storage = new(path);
        OnnxTensors tensors = new(storage, why => Invalid(path, why));
        try
        {
            Scan scan = new(new(storage, why => Invalid(path, why)));
            OnnxFile file = new(path, Parse(path, scan.Skeleton(storage.Length)), tensors) { Graph = scan.GraphRange, InitializerRanges = scan.Ranges };
            file.ReadInitializers(scan.Payloads);
            return file;
        }
        catch
        {
            tensors.Dispose();
            throw;
        }
    }

    /// <summary>The entry of a tensor that is not an initialiser: a node's attribute.</summary>
    public TensorEntry Entry(TensorProto proto, string name) => _tensors.Entry(proto, name);

    /// <summary>What stands in the way of importing a node, as far as its operator says; null when nothing does.</summary>
    public OnnxProblem? Problem(NodeProto node) =>
        DomainOf(node.Domain) != OnnxModel.Domain ? ProblemOf(node, "Amalgam knows the operators of ai.onnx alone")
        : node.OpType is "Constant" or "If" || OpTable.All.ContainsKey(node.OpType) ? null
        : ProblemOf(node, node.Attribute.Any(a => a.G is not null || a.Graphs.Count > 0) ? "has sub-graphs, which Amalgam does not run" : "Amalgam does not have this operator");

    /// <summary>A node that cannot be imported.</summary>
    public OnnxProblem ProblemOf(NodeProto node, string reason) => new(NameOf(node), node.OpType, DomainOf(node.Domain), OpsetOf(DomainOf(node.Domain)), reason);

    /// <summary>What messages call a node.</summary>
    public static string NameOf(NodeProto node) => node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault(o => o.Length > 0) ?? "";

    public void Dispose() => _tensors.Dispose();

    public static InvalidDataException Invalid(string path, string why, Exception? inner = null) => new($"{path} is not a valid onnx file: {why}", inner);

    private static string DomainOf(string domain) => domain.Length == 0 ? OnnxModel.Domain : domain;

    private long OpsetOf(string domain) => Model.OpsetImport.Where(o => DomainOf(o.Domain) == domain).Select(o => o.Version).DefaultIfEmpty(domain == OnnxModel.Domain ? 1 : 0).Max();

    private static ModelProto Parse(string path, byte[] skeleton)
    {
        OnnxMessages.Check(skeleton, why => Invalid(path, why));
        try
        {
            ModelProto model = Parser.ParseFrom(skeleton);
            if (model.Graph is null) throw Invalid(path, "it holds no graph");
            if (model.Graph.SparseInitializer.Count > 0) throw Invalid(path, "it has sparse initialisers, which Amalgam does not read");
            return model;
        }
        catch (InvalidProtocolBufferException e)
        {
            throw Invalid(path, $"it cannot be parsed ({e.Message.TrimEnd('.')})", e);
        }
    }

    private void ReadInitializers(List<OnnxPayload?> payloads)
    {
        var entries = ImmutableArray.CreateBuilder<TensorEntry>(payloads.Count);
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (var (proto, payload) in Model.Graph.Initializer.Zip(payloads))
        {
            if (proto.Name.Length == 0) throw Invalid(Path, $"its initialiser number {entries.Count + 1} has no name");
            if (!names.Add(proto.Name)) throw Invalid(Path, $"it has two initialisers named '{proto.Name}'");
            entries.Add(_tensors.Entry(proto, proto.Name, payload));
        }

        Initializers = entries.DrainToImmutable();
        Inputs = [.. Model.Graph.Input.Where(i => !names.Contains(i.Name))];
    }

    /// <summary>One walk over the file: what is to be parsed, and where the elements of the initialisers lie.</summary>
    private sealed class Scan(ProtoBytes bytes)
    {
        public List<OnnxPayload?> Payloads { get; } = [];

        public List<ProtoRange> Ranges { get; } = [];

        public ProtoRange GraphRange { get; private set; }

        /// <summary>The file without the elements of its initialisers.</summary>
        public byte[] Skeleton(long length)
        {
            MemoryStream model = new();
            bool hasGraph = false;
            ProtoFields fields = new(bytes, 0, length);
            while (fields.Next())
            {
                if (fields.Number != GraphOfModel || fields.Wire != ProtoFields.Bytes)
                {
                    Copy(model, fields);
                    continue;
                }

                if (hasGraph) throw bytes.Invalid("it holds two graphs");
                hasGraph = true;
                GraphRange = new(fields.Begin, fields.Value, fields.End);
                Write(model, GraphOfModel, Graph(fields.Value, fields.End));
            }

            return model.ToArray();
        }

        private MemoryStream Graph(long begin, long end)
        {
            MemoryStream graph = new();
            ProtoFields fields = new(bytes, begin, end);
            while (fields.Next())
            {
                if (fields.Number != InitializerOfGraph || fields.Wire != ProtoFields.Bytes)
                {
                    Copy(graph, fields);
                    continue;
                }

                if (Payloads.Count == TensorLimit) throw bytes.Invalid($"it has more than {TensorLimit} initialisers");
                Ranges.Add(new(fields.Begin, fields.Value, fields.End));
                Write(graph, InitializerOfGraph, Tensor(fields.Value, fields.End));
            }

            return graph;
        }

        private MemoryStream Tensor(long begin, long end)
        {
            MemoryStream tensor = new();
            OnnxPayload? payload = null;
            ProtoFields fields = new(bytes, begin, end);
            while (fields.Next())
            {
                if (fields.Number is not (RawData or FloatData or DoubleData) || fields.Wire != ProtoFields.Bytes)
                {
                    Copy(tensor, fields);
                    continue;
                }

                if (fields.End == fields.Value) continue;
                if (payload is not null) throw bytes.Invalid($"the initialiser at byte {begin} has its elements in several pieces");
                payload = new(fields.Number, fields.Value, fields.End - fields.Value);
            }

            Payloads.Add(payload);
            return tensor;
        }

        private void Copy(MemoryStream to, ProtoFields field)
        {
            if (to.Length + field.End - field.Begin > SkeletonLimit) throw bytes.Invalid($"what it holds beside its initialisers takes more than {SkeletonLimit} bytes");
            bytes.CopyTo(to, field.Begin, field.End);
        }

        private static void Write(MemoryStream to, int number, MemoryStream value)
        {
            using CodedOutputStream output = new(to, leaveOpen: true);
            output.WriteTag(number, WireFormat.WireType.LengthDelimited);
            output.WriteLength((int)value.Length);
            output.Flush();
            value.WriteTo(to);
        }
    }
}
