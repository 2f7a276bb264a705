using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Amalgam.Checkpoints.OnnxProtos;
using Google.Protobuf.Collections;

namespace Amalgam.Checkpoints;

/// <summary>Where the elements of an ONNX tensor lie in its file, in a typed field or as raw bytes.</summary>
/// <param name="Field">Number of the field: raw_data, float_data or double_data.</param>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Bytes.</param>
internal readonly record struct OnnxPayload(int Field, long Offset, long Length);

/// <summary>Makes tensor entries of a file's TensorProto messages, whose every claim is checked first.</summary>
internal sealed class OnnxTensors(FileStorage file, Func<string, InvalidDataException> invalid) : IDisposable
{
    private const int RankLimit = 64;

    private readonly Dictionary<string, FileStorage> _external = new(StringComparer.Ordinal);

    /// <summary>The model's file and those of external data.</summary>
    public IEnumerable<Storage> Storages => [file, .. _external.Values];

    /// <summary>The entry of a tensor.</summary>
    /// <param name="proto">The message.</param>
    /// <param name="name">The tensor's name.</param>
    /// <param name="payload">Where the elements lie, when they were left out of the message.</param>
    /// <exception cref="InvalidDataException">The message contradicts itself, or is of a type that Amalgam does not read.</exception>
    public TensorEntry Entry(TensorProto proto, string name, OnnxPayload? payload = null)
    {
        DType type = OnnxTypes.Find(proto.DataType) ?? throw invalid($"tensor '{name}' has the element type {OnnxTypes.Describe(proto.DataType)}, which Amalgam does not read");
        Shape shape = ShapeOf(proto, name);
        long bytes;
        try
        {
            bytes = type.BytesOf(shape.Count);
        }
        catch (OverflowException)
        {
            throw invalid($"tensor '{name}' {type}{shape} has too many bytes to count");
        }

        if (proto.Segment is not null) throw invalid($"tensor '{name}' is stored in segments, which Amalgam does not read");
        if (proto.DataLocation == TensorProto.Types.DataLocation.External) return External(proto, new(name, type, shape), bytes);
        if (payload is { } stored)
        {
            if (stored.Field == OnnxFile.FloatData ? type != DType.F32 && type != DType.C64 : stored.Field == OnnxFile.DoubleData && type != DType.F64)
                throw invalid($"tensor '{name}' {type}{shape} has its elements in {(stored.Field == OnnxFile.FloatData ? "float_data" : "double_data")}, which is not for its type");
            CheckLength(name, type, shape, bytes, stored.Length);
            return new(name, type, shape, file, stored.Offset);
        }

        ReadOnlyMemory<byte> elements = proto.RawData.Length > 0 ? proto.RawData.Memory : Decode(proto, name, type);
        CheckLength(name, type, shape, bytes, elements.Length);
        return new(name, type, shape, new MemoryStorage(file.Path, elements), 0);
    }

    public void Dispose()
    {
        foreach (FileStorage storage in _external.Values) storage.Dispose();
        file.Dispose();
    }

    private Shape ShapeOf(TensorProto proto, string name)
    {
        if (proto.Dims.Count > RankLimit) throw invalid($"tensor '{name}' has {proto.Dims.Count} axes, the limit is {RankLimit}");
        if (proto.Dims.Any(d => d < 0)) throw invalid($"tensor '{name}' has the shape [{string.Join(',', proto.Dims)}]; sizes cannot be negative");
        try
        {
            return new([.. proto.Dims]);
        }
        catch (OverflowException)
        {
            throw invalid($"tensor '{name}' has the shape [{string.Join(',', proto.Dims)}], too many elements to count");
        }
    }

    private void CheckLength(string name, DType type, Shape shape, long expected, long found)
    {
        if (expected != found) throw invalid($"tensor '{name}' {type}{shape} takes {expected} bytes, its data has {found}");
    }

    /// <summary>The elements of a typed field, as the bytes that raw_data would have.</summary>
    private byte[] Decode(TensorProto proto, string name, DType type)
    {
        if (type == DType.F32 || type == DType.C64) return Bytes(proto.FloatData);
        if (type == DType.F64) return Bytes(proto.DoubleData);
        if (type == DType.I64) return Bytes(proto.Int64Data);
        if (type == DType.U64) return Bytes(proto.Uint64Data);
        int width = type.Bits / 8;
        IList<long> values = type == DType.U32 ? [.. proto.Uint64Data.Select(v => (long)Math.Min(v, long.MaxValue))] : [.. proto.Int32Data.Select(v => (long)v)];
        bool isSigned = type == DType.I8 || type == DType.I16 || type == DType.I32;
        long least = isSigned ? -1L << (type.Bits - 1) : 0, most = (1L << (isSigned ? type.Bits - 1 : type.Bits)) - 1;
        byte[] bytes = new byte[values.Count * width];
        Span<byte> number = stackalloc byte[8];
        for (int i = 0; i < values.Count; i++)
        {
            if (values[i] < least || values[i] > most) throw invalid($"tensor '{name}' has the element {values[i]}, which {type} cannot hold");
            BinaryPrimitives.WriteInt64LittleEndian(number, values[i]);
            number[..width].CopyTo(bytes.AsSpan(i * width));
        }

        return bytes;
    }

    private static byte[] Bytes<T>(RepeatedField<T> values) where T : unmanaged
    {
        T[] copy = [.. values];
        return MemoryMarshal.AsBytes<T>(copy).ToArray();
    }

    /// <summary>Elements in another file of the model's folder. It must be there and long enough; it is not read yet.</summary>
    private TensorEntry External(TensorProto proto, TensorSpec tensor, long bytes)
    {
        string name = tensor.Name;
        if (proto.ExternalData.CountBy(e => e.Key).FirstOrDefault(n => n.Value > 1).Key is { } twice) throw invalid($"tensor '{name}' says twice what the {twice} of its external data is");
        Dictionary<string, string> said = proto.ExternalData.ToDictionary(e => e.Key, e => e.Value);
        string location = said.GetValueOrDefault("location") ?? throw invalid($"tensor '{name}' has external data without a location");
        long offset = Number(said, "offset", name) ?? 0;
        FileStorage storage = OpenExternal(location, name);
        long length = Number(said, "length", name) ?? Math.Min(bytes, Math.Max(0, storage.Length - offset));
        CheckLength(name, tensor.DType, tensor.Shape, bytes, length);
        if (offset > storage.Length - length) throw invalid($"tensor '{name}' {tensor.DType}{tensor.Shape} lies at bytes {offset} to {(decimal)offset + length} of '{location}', which has {storage.Length}");
        return new(name, tensor.DType, tensor.Shape, storage, offset);
    }

    private long? Number(Dictionary<string, string> said, string key, string name)
    {
        if (!said.TryGetValue(key, out string? text)) return null;
        return long.TryParse(text, System.Globalization.NumberStyles.None, null, out long value) ? value : throw invalid($"tensor '{name}' has external data with the {key} '{text}', expected a whole number");
    }

    private FileStorage OpenExternal(string location, string name)
    {
        if (_external.TryGetValue(location, out FileStorage? open)) return open;
        string[] parts = location.Split('/', '\\');
        if (location.Contains('\0') || location.Contains(':') || parts.Any(p => p is "" or ".."))
            throw invalid($"tensor '{name}' has external data in '{location}', which is not a file in or below the model's folder");
        string path = Path.Combine([Path.GetDirectoryName(Path.GetFullPath(file.Path))!, .. parts]);
        if (!File.Exists(path)) throw invalid($"tensor '{name}' has its data in '{location}', which is not beside the model");
        try
        {
            return _external[location] = new(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw invalid($"tensor '{name}' has its data in '{location}', which cannot be opened ({e.Message})");
        }
    }
}
