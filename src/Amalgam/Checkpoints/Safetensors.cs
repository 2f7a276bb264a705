using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Amalgam.Checkpoints;

/// <summary>
/// safetensors: a length, a JSON header, the tensors' bytes. Strict, so that no two readers can see different tensors in one file: names are distinct,
/// tensors cover the data exactly, nothing follows them. Format: https://github.com/huggingface/safetensors#format.
/// </summary>
public sealed class Safetensors : CheckpointFormat
{
    private const int LengthBytes = 8;
    private const long HeaderLimit = 100_000_000;
    private const int TensorLimit = 200_000, MetadataLimit = 100_000, MetadataBytes = 16 << 20;
    private const int RankLimit = 64;
    private const string MetadataKey = "__metadata__";

    public override string Name => "safetensors";

    public override ImmutableArray<string> Extensions => [".safetensors"];

    internal override bool Recognizes(ReadOnlySpan<byte> head, List<ZipEntry>? zip) =>
        head.Length > LengthBytes && BinaryPrimitives.ReadUInt64LittleEndian(head) <= HeaderLimit && head[LengthBytes] == '{';

    internal override Checkpoint OpenFile(string path, List<ZipEntry>? zip)
    {
        FileStorage storage = new(path);
        try
        {
            var (tensors, metadata, dataStart) = ReadHeader(storage);
            CheckLayout(path, tensors, dataStart, storage.Length);
            return new(path, Name, tensors, [storage], metadata);
        }
        catch
        {
            storage.Dispose();
            throw;
        }
    }

    /// <summary>What the header says. Its bytes and its names may be many, so they are gone when this returns.</summary>
    private (ImmutableArray<TensorEntry> Tensors, ImmutableDictionary<string, string> Metadata, long DataStart) ReadHeader(FileStorage storage)
    {
        byte[] header = ReadHeaderBytes(storage);
        Header parsed = new(storage, LengthBytes + header.Length, this);
        try
        {
            parsed.Parse(header);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Invalid(storage.Path, $"its header is not the JSON of a safetensors header ({e.Message})", e);
        }

        return (parsed.Tensors.DrainToImmutable(), parsed.Metadata.ToImmutable(), LengthBytes + header.Length);
    }

    /// <summary>Wide types first, then by name, as the reference implementation writes, so that every tensor is aligned to its element size.</summary>
    internal override CheckpointWriter Create(string path, IReadOnlyList<TensorSpec> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        if (tensors.FirstOrDefault(t => t.Name == MetadataKey) is { } reserved)
            throw new ArgumentException($"{path}: no tensor may have the name of {reserved}, it is the format's own", nameof(tensors));
        if (tensors.CountBy(t => t.Name).FirstOrDefault(n => n.Value > 1).Key is { } twice)
            throw new ArgumentException($"{path}: {tensors.Count(t => t.Name == twice)} tensors have the name '{twice}'", nameof(tensors));
        if (tensors.FirstOrDefault(t => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(t.Name)) != t.Name) is { } broken)
            throw new ArgumentException($"{path}: the name of {broken} has half a surrogate pair, it cannot be stored as UTF-8", nameof(tensors));

        var ordered = tensors.OrderBy(t => DType.All.IndexOf(t.DType)).ThenBy(t => t.Name, StringComparer.Ordinal).ToArray();
        byte[] header = WriteHeader(ordered, metadata);
        if (header.Length > HeaderLimit)
            throw new ArgumentException($"{path}: the header of {tensors.Count} tensors takes {header.Length} bytes, readers accept {HeaderLimit}; use smaller shards", nameof(tensors));

        Dictionary<string, (TensorSpec, long)> layout = new(StringComparer.Ordinal);
        long offset = LengthBytes + header.Length;
        foreach (TensorSpec tensor in ordered)
        {
            layout.Add(tensor.Name, (tensor, offset));
            offset = checked(offset + tensor.ByteCount);
        }

        CheckpointWriter writer = new(path, offset, layout);
        byte[] length = new byte[LengthBytes];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        writer.WriteAt(0, length);
        writer.WriteAt(LengthBytes, header);
        return writer;
    }

    private static byte[] WriteHeader(TensorSpec[] tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject(MetadataKey);
                foreach (var (key, value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal)) json.WriteString(key, value);
                json.WriteEndObject();
            }

            long begin = 0;
            foreach (TensorSpec tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.DType.Name);
                json.WriteStartArray("shape");
                foreach (long size in tensor.Shape.Sizes) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(begin);
                json.WriteNumberValue(begin = checked(begin + tensor.ByteCount));
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (stream.Length % 8 != 0) stream.WriteByte((byte)' ');
        return stream.ToArray();
    }

    private byte[] ReadHeaderBytes(FileStorage storage)
    {
        if (storage.Length < LengthBytes) throw Invalid(storage.Path, $"it has {storage.Length} bytes, too few for the header's length");
        byte[] length = new byte[LengthBytes];
        storage.Read(0, length);
        ulong count = BinaryPrimitives.ReadUInt64LittleEndian(length);
        if (count > HeaderLimit) throw Invalid(storage.Path, $"its header claims {count} bytes, the limit is {HeaderLimit}");
        if ((long)count > storage.Length - LengthBytes) throw Invalid(storage.Path, $"its header claims {count} bytes, the file has {storage.Length - LengthBytes} after the length; it may be cut short");

        byte[] header = new byte[count];
        storage.Read(LengthBytes, header);
        if (header is not [(byte)'{', ..]) throw Invalid(storage.Path, "its header does not begin with '{'");
        return Utf8.IsValid(header) ? header : throw Invalid(storage.Path, "its header is not UTF-8");
    }

    /// <summary>Tensors must cover the data without gap or overlap.</summary>
    private void CheckLayout(string path, ImmutableArray<TensorEntry> tensors, long dataStart, long fileBytes)
    {
        long end = dataStart;
        foreach (TensorEntry t in tensors.OrderBy(t => t.Offset).ThenBy(t => t.ByteCount))
        {
            if (t.Offset != end) throw Invalid(path, $"tensor '{t.Name}' starts at byte {t.Offset - dataStart} of the data, expected {end - dataStart} ({(t.Offset > end ? "a gap" : "an overlap")})");
            end += t.ByteCount;
        }

        if (end > fileBytes) throw Invalid(path, $"its tensors need {end - dataStart} bytes of data, it has {fileBytes - dataStart}; it was cut short");
        if (end < fileBytes) throw Invalid(path, $"{fileBytes - end} bytes follow its last tensor");
    }

    /// <summary>The header's JSON, read token by token, since a document model would hide duplicates.</summary>
    private sealed class Header(FileStorage storage, long dataStart, Safetensors format)
    {
        private readonly HashSet<string> _names = new(StringComparer.Ordinal);

        public ImmutableArray<TensorEntry>.Builder Tensors { get; } = ImmutableArray.CreateBuilder<TensorEntry>();

        public ImmutableDictionary<string, string>.Builder Metadata { get; } = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);

        public void Parse(ReadOnlySpan<byte> header)
        {
            Utf8JsonReader json = new(header, new() { MaxDepth = 4 });
            Expect(ref json, JsonTokenType.StartObject, "the header");
            while (NextKey(ref json, out string name))
            {
                if (!_names.Add(name)) throw Fail($"the name '{name}' stands twice in its header");
                if (name == MetadataKey) ParseMetadata(ref json);
                else Tensors.Add(ParseTensor(ref json, name));
                if (Tensors.Count > TensorLimit) throw Fail($"its header has more than {TensorLimit} tensors");
            }

            // Only white space may follow: the reader throws at anything else.
            json.Read();
        }

        private void ParseMetadata(ref Utf8JsonReader json)
        {
            Expect(ref json, JsonTokenType.StartObject, MetadataKey);
            long begin = json.BytesConsumed;
            while (NextKey(ref json, out string key))
            {
                Expect(ref json, JsonTokenType.String, $"{MetadataKey} '{key}'");
                if (json.BytesConsumed - begin > MetadataBytes) throw Fail($"its metadata takes more than {MetadataBytes} bytes");
                if (!Metadata.TryAdd(key, json.GetString()!)) throw Fail($"the metadata key '{key}' stands twice");
                if (Metadata.Count > MetadataLimit) throw Fail($"its header has more than {MetadataLimit} metadata entries");
            }
        }

        private TensorEntry ParseTensor(ref Utf8JsonReader json, string name)
        {
            DType? type = null;
            Shape? shape = null;
            List<long>? offsets = null;
            Expect(ref json, JsonTokenType.StartObject, $"tensor '{name}'");
            while (NextKey(ref json, out string field))
            {
                switch (field)
                {
                    case "dtype" when type is null:
                        Expect(ref json, JsonTokenType.String, $"the dtype of '{name}'");
                        string typeName = json.GetString()!;
                        type = DType.All.FirstOrDefault(t => t.Name == typeName) ?? throw Fail($"tensor '{name}' has the unknown element type '{typeName}'");
                        break;
                    case "shape" when shape is null:
                        shape = ShapeOf(name, Integers(ref json, name, "shape", RankLimit));
                        break;
                    case "data_offsets" when offsets is null:
                        offsets = Integers(ref json, name, "data_offsets", 2);
                        break;
                    case "dtype" or "shape" or "data_offsets":
                        throw Fail($"tensor '{name}' has '{field}' twice");
                    default:
                        throw Fail($"tensor '{name}' has the unknown field '{field}'");
                }
            }

            if (type is null || shape is null || offsets is null)
                throw Fail($"tensor '{name}' lacks its {(type is null ? "dtype" : shape is null ? "shape" : "data_offsets")}");
            if (offsets.Count != 2 || offsets[1] < offsets[0]) throw Fail($"tensor '{name}' has the data_offsets [{string.Join(',', offsets)}], expected [begin,end]");
            if (offsets[1] > long.MaxValue - dataStart) throw Fail($"tensor '{name}' ends at byte {offsets[1]} of the data, more than a file can have");
            long size = SizeOf(name, type, shape.Value);
            if (offsets[1] - offsets[0] != size) throw Fail($"tensor '{name}' {type}{shape} takes {size} bytes, its offsets span {offsets[1] - offsets[0]}");
            return new(name, type, shape.Value, storage, dataStart + offsets[0]);
        }

        private long SizeOf(string name, DType type, Shape shape)
        {
            try
            {
                return type.BytesOf(shape.Count);
            }
            catch (OverflowException e)
            {
                throw format.Invalid(storage.Path, $"tensor '{name}' {type}{shape} has too many bytes to count", e);
            }
            catch (ArgumentException e)
            {
                throw format.Invalid(storage.Path, $"the elements of tensor '{name}' {type}{shape} do not fill whole bytes", e);
            }
        }

        private Shape ShapeOf(string name, List<long> sizes)
        {
            try
            {
                return new(sizes.ToArray());
            }
            catch (OverflowException e)
            {
                throw format.Invalid(storage.Path, $"tensor '{name}' has the shape [{string.Join(',', sizes)}], too many elements to count", e);
            }
        }

        private List<long> Integers(ref Utf8JsonReader json, string name, string field, int limit)
        {
            Expect(ref json, JsonTokenType.StartArray, $"the {field} of '{name}'");
            List<long> values = [];
            while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            {
                if (json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out long value) || value < 0)
                    throw Fail($"the {field} of '{name}' holds something that is not a whole number of 0 or more");
                if (values.Count == limit) throw Fail($"the {field} of '{name}' has more than {limit} numbers");
                values.Add(value);
            }

            return values;
        }

        private static bool NextKey(ref Utf8JsonReader json, out string key)
        {
            json.Read();
            key = json.TokenType == JsonTokenType.PropertyName ? json.GetString()! : "";
            return json.TokenType == JsonTokenType.PropertyName;
        }

        private void Expect(ref Utf8JsonReader json, JsonTokenType token, string what)
        {
            json.Read();
            if (json.TokenType != token) throw Fail($"{what} is a {json.TokenType}, expected a {token}");
        }

        private InvalidDataException Fail(string why) => format.Invalid(storage.Path, why);
    }
}
