using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using Amalgam.Checkpoints.OnnxProtos;
using Amalgam.Graphs;
using Google.Protobuf;

namespace Amalgam.Checkpoints;

/// <summary>Writes a graph to a file, with its weights inside or beside it. Either appears under its name when it is complete, the model last.</summary>
internal static class OnnxOutput
{
    private const int Alignment = 4096, SmallBytes = 1024, Chunk = 1 << 20;

    public static void Write(Graph graph, OnnxNotes notes, string path, OnnxOptions options)
    {
        if (CheckpointFormat.ByExtension(path) is not Onnx) throw new IOException($"{path} is to be an ONNX model; end its name in .onnx");
        if (graph.Outputs.Count == 0) throw new GraphException("the graph has no outputs, so there is nothing to write as ONNX");
        CheckpointOutput.CheckTarget(path, options.Overwrite);
        string full = CheckpointOutput.FullPath(path), data = full + ".data";
        OnnxWriter writer = new(graph, notes);
        ModelProto model = writer.Write();
        bool isExternal = options.ExternalData || writer.Weights.Sum(w => w.ByteCount) > options.InlineLimit;
        if (isExternal && File.Exists(data) && !options.Overwrite) throw new IOException($"{data} exists; it is where the weights go");

        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        using Partial file = new(full);
        using Partial? beside = isExternal ? new(data) : null;
        foreach (OnnxWeight weight in writer.Weights)
        {
            if (beside is not null && weight.ByteCount >= SmallBytes) PutBeside(weight, beside.Stream, Path.GetFileName(data));
            else weight.Tensor.RawData = Inline(weight);
        }

        using (BufferedStream stream = new(file.Stream, Chunk))
        {
            model.WriteTo(stream);
            stream.Flush();
            beside?.Flush();
            file.Flush();
            // An old model must not be found with the new weights.
            if (beside is not null) File.Delete(full);
            beside?.Commit();
            file.Commit();
        }
    }

    private static ByteString Inline(OnnxWeight weight) =>
        weight.Type == DType.F32 && BitConverter.IsLittleEndian
            ? UnsafeByteOperations.UnsafeWrap(new FloatBytes(weight.Value.Memory).Memory)
            : UnsafeByteOperations.UnsafeWrap(OnnxValues.Bytes(weight.Value.Span, weight.Type));

    private static void PutBeside(OnnxWeight weight, FileStream stream, string location)
    {
        stream.Position = (stream.Position + Alignment - 1) / Alignment * Alignment;
        weight.Tensor.DataLocation = TensorProto.Types.DataLocation.External;
        weight.Tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
        weight.Tensor.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = stream.Position.ToString(CultureInfo.InvariantCulture) });
        weight.Tensor.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = weight.ByteCount.ToString(CultureInfo.InvariantCulture) });
        Span<float> values = weight.Value.Span;
        for (int first = 0; first < values.Length; first += Chunk)
        {
            Span<float> part = values[first..Math.Min(values.Length, first + Chunk)];
            stream.Write(weight.Type == DType.F32 ? MemoryMarshal.AsBytes(part) : OnnxValues.Bytes(part, weight.Type));
        }
    }

    /// <summary>A file that has another name until it is complete; another run that makes the same one is refused.</summary>
    private sealed class Partial : IDisposable
    {
        private readonly string _path;
        private bool _isCommitted;

        public Partial(string path)
        {
            _path = path;
            if (Directory.Exists(Name)) throw new IOException($"{Name} is in the way: it was left by an interrupted merge; finish that with --resume, or remove it");
            Stream = ExclusiveFile.Open(Name, path);
            Stream.SetLength(0);
        }

        public FileStream Stream { get; }

        private string Name => _path + ".partial";

        public void Flush() => Stream.Flush(flushToDisk: true);

        public void Commit()
        {
            File.Move(Name, _path, overwrite: true);
            _isCommitted = true;
        }

        public void Dispose()
        {
            if (!_isCommitted) File.Delete(Name);
            Stream.Dispose();
        }
    }

    /// <summary>The bytes of floats, shared.</summary>
    private sealed class FloatBytes(Memory<float> values) : MemoryManager<byte>
    {
        public override Span<byte> GetSpan() => MemoryMarshal.AsBytes(values.Span);

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
