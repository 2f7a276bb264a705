using System.Buffers;
using Amalgam.Checkpoints.OnnxProtos;
using Google.Protobuf;

namespace Amalgam.Checkpoints;

/// <summary>
/// A copy of an ONNX file whose initialisers are written anew. What is not an initialiser is copied byte for byte; an initialiser whose elements lie in the file
/// as they are in memory is copied around them, any other (external data, packed integers) is written out inside.
/// </summary>
internal static class OnnxCopy
{
    private const int Chunk = 1 << 20;

    /// <summary>Refuses tensors that are not those of the graph.</summary>
    /// <exception cref="ArgumentException">There is one.</exception>
    public static void Check(string path, IReadOnlyList<TensorSpec> tensors, OnnxFile model)
    {
        Dictionary<string, TensorEntry> own = model.Initializers.ToDictionary(t => t.Name, StringComparer.Ordinal);
        foreach (TensorSpec tensor in tensors)
        {
            if (!own.TryGetValue(tensor.Name, out TensorEntry? entry)) throw new ArgumentException($"{path}: the graph of {model.Path} has no tensor '{tensor.Name}'", nameof(tensors));
            if (entry.DType != tensor.DType || entry.Shape != tensor.Shape)
                throw new ArgumentException($"{path}: the graph of {model.Path} wants '{entry.Name}' as {entry.DType}{entry.Shape}, and it would be {tensor.DType}{tensor.Shape}", nameof(tensors));
        }

        if (LengthOf(model) > int.MaxValue) throw new ArgumentException($"{path}: a file of more than 2 GB cannot be read as ONNX, and {model.Path} with its external data makes {LengthOf(model)} bytes; end the name in .safetensors", nameof(tensors));
    }

    /// <summary>Lays out the copy and writes all of it but the elements of the tensors given.</summary>
    public static CheckpointWriter Create(string path, IReadOnlyList<TensorSpec> tensors, OnnxFile model)
    {
        HashSet<string> open = [.. tensors.Select(t => t.Name)];
        Piece[] pieces = Pieces(model);
        Dictionary<string, (TensorSpec, long)> layout = new(StringComparer.Ordinal);
        long length = 0;
        foreach (Piece piece in pieces)
        {
            if (piece.Tensor is { } tensor && open.Contains(tensor.Name)) layout.Add(tensor.Name, (new(tensor.Name, tensor.DType, tensor.Shape), length));
            length += piece.Length;
        }

        CheckpointWriter writer = new(path, length, layout);
        try
        {
            // Also into a file that an interrupted run left: only the elements that the run writes are known to be whole there.
            long at = 0;
            foreach (Piece piece in pieces)
            {
                if (piece.Tensor is null || !open.Contains(piece.Tensor.Name)) Copy(piece, writer, at);
                at += piece.Length;
            }

            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    private static long LengthOf(OnnxFile model) => Pieces(model).Sum(p => p.Length);

    /// <summary>The copy from its first byte to its last.</summary>
    private static Piece[] Pieces(OnnxFile model)
    {
        List<Piece> graph = [];
        long from = model.Graph.Value;
        for (int i = 0; i < model.Initializers.Length; i++)
        {
            TensorEntry tensor = model.Initializers[i];
            ProtoRange range = model.InitializerRanges[i];
            if (tensor.Storage == model.Storage && tensor.ByteCount > 0)
            {
                graph.Add(new(model.Storage, from, tensor.Offset));
                graph.Add(new(tensor));
                from = tensor.Offset + tensor.ByteCount;
                continue;
            }

            graph.Add(new(model.Storage, from, range.Begin));
            graph.AddRange(WrittenOut(model.Model.Graph.Initializer[i], tensor));
            from = range.End;
        }

        graph.Add(new(model.Storage, from, model.Graph.End));
        return
        [
            new(model.Storage, 0, model.Graph.Begin), new(Header(OnnxFile.GraphOfModel, graph.Sum(p => p.Length))), .. graph,
            new(model.Storage, model.Graph.End, model.Storage.Length),
        ];
    }

    private static Piece[] WrittenOut(TensorProto proto, TensorEntry tensor)
    {
        TensorProto head = new() { Name = proto.Name, DataType = proto.DataType, DocString = proto.DocString };
        head.Dims.AddRange(proto.Dims);
        head.MetadataProps.AddRange(proto.MetadataProps);
        byte[] raw = [.. head.ToByteArray(), .. Header(OnnxFile.RawData, tensor.ByteCount)];
        return [new([.. Header(OnnxFile.InitializerOfGraph, raw.Length + tensor.ByteCount), .. raw]), new(tensor)];
    }

    private static byte[] Header(int field, long length)
    {
        using MemoryStream stream = new();
        using (CodedOutputStream output = new(stream, leaveOpen: true))
        {
            output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            output.WriteUInt64((ulong)length);
        }

        return stream.ToArray();
    }

    private static void Copy(Piece piece, CheckpointWriter writer, long at)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Chunk);
        for (long done = 0; done < piece.Length;)
        {
            Span<byte> bytes = buffer.AsSpan(0, (int)Math.Min(Chunk, piece.Length - done));
            piece.Storage.Read(piece.From + done, bytes);
            writer.WriteAt(at + done, bytes);
            done += bytes.Length;
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>Bytes of the copy that lie somewhere in one piece.</summary>
    private sealed record Piece(Storage Storage, long From, long End)
    {
        public Piece(byte[] bytes) : this(new MemoryStorage("", bytes), 0, bytes.Length)
        {
        }

        public Piece(TensorEntry tensor) : this(tensor.Storage, tensor.Offset, tensor.Offset + tensor.ByteCount) => Tensor = tensor;

        /// <summary>The tensor whose elements they are.</summary>
        public TensorEntry? Tensor { get; }

        public long Length => End - From;
    }
}
