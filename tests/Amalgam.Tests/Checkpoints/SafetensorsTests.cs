using System.Buffers.Binary;
using System.Text;
using Amalgam.Checkpoints;

namespace Amalgam.Tests.Checkpoints;

public class SafetensorsTests
{
    private const string Valid = """{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";

    [Fact]
    public void Every_type_comes_back_as_it_was_written() => Property.Holds(gen =>
    {
        using TemporaryFolder folder = new();
        TensorSpec[] tensors = [.. DType.All.Select((type, i) => new TensorSpec($"layer.{i} \"ß\\\u0001\u4e2d", type, RandomShape(gen)))];
        gen.Random.Shuffle(tensors);
        var values = tensors.ToDictionary(t => t.Name, t => RandomBytes(gen, t.ByteCount));
        Dictionary<string, string> metadata = new() { ["format"] = "pt", ["größe \"\n"] = "a\0b", [""] = "" };

        Write(folder["m.safetensors"], tensors, values, metadata, gen.Random);
        using Checkpoint read = Checkpoint.Open(folder["m.safetensors"]);

        Assert.Equal("safetensors", read.Format);
        Assert.Equal(metadata.OrderBy(m => m.Key), read.Metadata.OrderBy(m => m.Key));
        Assert.Equal(tensors.Length, read.Tensors.Length);
        foreach (TensorSpec tensor in tensors)
        {
            Assert.True(read.TryFind(tensor.Name, out TensorEntry? entry));
            Assert.Equal((tensor.DType, tensor.Shape), (entry.DType, entry.Shape));
            byte[] bytes = new byte[entry.ByteCount];
            entry.Read(0, bytes);
            Assert.Equal(values[tensor.Name], bytes);
            Assert.Equal(0, entry.Offset % Math.Max(1, entry.DType.Bits / 8));
        }
    }, runs: 20);

    [Fact]
    public void Files_do_not_depend_on_the_order_of_tensors_or_of_writes()
    {
        using TemporaryFolder folder = new();
        TensorSpec[] tensors = [new("b", DType.F32, new(3)), new("a", DType.F32, new(2)), new("c", DType.BF16, new(5))];
        var values = tensors.ToDictionary(t => t.Name, t => RandomBytes(new(1), t.ByteCount));
        Write(folder["x"], tensors, values, [], new(1));
        Write(folder["y"], [.. tensors.Reverse()], values, [], new(2));
        Assert.Equal(File.ReadAllBytes(folder["x"]), File.ReadAllBytes(folder["y"]));
    }

    [Theory]
    [InlineData("""{"w":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""", 4)]
    [InlineData("""{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", 0)]
    [InlineData("""{"w":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}""", 0)]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[0],"data_offsets":[4,4]},"c":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}""", 6)]
    [InlineData("""{"c":{"data_offsets":[1,3],"shape":[2,1],"dtype":"U8"},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 3)]
    [InlineData("""{"w":{"dtype":"F4","shape":[2,3],"data_offsets":[0,3]}}""", 3)]
    [InlineData("""{}""", 0)]
    [InlineData("""{"__metadata__":{}}          """, 0)]
    [InlineData("""{"__metadata__":{"a":"1"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}     """, 8)]
    public void Reads(string header, int dataBytes)
    {
        using TemporaryFolder folder = new();
        using Checkpoint read = Open(folder, FileBytes(header, dataBytes));
        Assert.Equal(dataBytes, read.ByteCount);
    }

    [Theory]
    [InlineData("""{"w":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}""", 8, "tensor 'w' has the unknown element type 'F33'")]
    [InlineData("""{"w":{"dtype":"float32","shape":[2],"data_offsets":[0,8]}}""", 8, "unknown element type 'float32'")]
    [InlineData("""{"w":{"dtype":1,"shape":[2],"data_offsets":[0,8]}}""", 8, "the dtype of 'w' is a Number, expected a String")]
    [InlineData("""{"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "the shape of 'w' holds something that is not a whole number")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}""", 8, "the shape of 'w' holds something that is not a whole number")]
    [InlineData("""{"w":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}""", 8, "the shape of 'w' holds something that is not a whole number")]
    [InlineData("""{"w":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", 8, "the shape of 'w' is a Number, expected a StartArray")]
    [InlineData("""{"w":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8]}}""", 8, "not a whole number")]
    [InlineData("""{"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}""", 8, "[4294967296,4294967296], too many elements")]
    [InlineData("""{"w":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,8]}}""", 8, "tensor 'w' F32[4611686018427387904] has too many bytes to count")]
    [InlineData("""{"w":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}""", 1, "the elements of tensor 'w' F4[3] do not fill whole bytes")]
    [InlineData("""{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "'w' F32[3] takes 12 bytes, its offsets span 8")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "'w' has the data_offsets [8,0]")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[8]}}""", 8, "'w' has the data_offsets [8]")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}""", 8, "the data_offsets of 'w' has more than 2 numbers")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "starts at byte 4 of the data, expected 0 (a gap)")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}}""", 7, "tensor 'b' starts at byte 3 of the data, expected 4 (an overlap)")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", 4, "(an overlap)")]
    [InlineData(Valid, 9, "1 bytes follow its last tensor")]
    [InlineData(Valid, 7, "its tensors need 8 bytes of data, it has 7; it was cut short")]
    [InlineData("""{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""", 0, "the name 'w' stands twice")]
    [InlineData("""{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0077":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""", 0, "the name 'w' stands twice")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", 0, "the name '__metadata__' stands twice")]
    [InlineData("""{"__metadata__":{"a":"1","a":"1"}}""", 0, "the metadata key 'a' stands twice")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "__metadata__ 'a' is a Number, expected a String")]
    [InlineData("""{"__metadata__":{"a":null}}""", 0, "__metadata__ 'a' is a Null, expected a String")]
    [InlineData("""{"__metadata__":[]}""", 0, "__metadata__ is a StartArray")]
    [InlineData("""{"w":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "tensor 'w' has 'dtype' twice")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}""", 8, "tensor 'w' has 'shape' twice")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"data_offsets":[0,8]}}""", 8, "tensor 'w' has 'data_offsets' twice")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"stride":[1]}}""", 8, "tensor 'w' has the unknown field 'stride'")]
    [InlineData("""{"w":{"shape":[2],"data_offsets":[0,8]}}""", 8, "tensor 'w' lacks its dtype")]
    [InlineData("""{"w":{"dtype":"F32","data_offsets":[0,8]}}""", 8, "tensor 'w' lacks its shape")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2]}}""", 8, "tensor 'w' lacks its data_offsets")]
    [InlineData("""{"w":null}""", 0, "tensor 'w' is a Null")]
    [InlineData("""{"w":[[[[[[[[[[]]]]]]]]]]}""", 0, "tensor 'w' is a StartArray")]
    [InlineData("""{"w":{"dtype":"F32","shape":[[[[[[2]]]]]],"data_offsets":[0,8]}}""", 8, "not")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "not the JSON of a safetensors header")]
    [InlineData("""{"__metadata__":{"a":"\udc00\ud800"}}""", 0, "not the JSON of a safetensors header")]
    [InlineData("""{"w":{"dtype":"\ud800","shape":[2],"data_offsets":[0,8]}}""", 8, "not the JSON of a safetensors header")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""", 8, "not the JSON of a safetensors header")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},}""", 8, "not the JSON of a safetensors header")]
    [InlineData("""{} {}""", 0, "not the JSON of a safetensors header")]
    [InlineData("""{}/**/""", 0, "not the JSON of a safetensors header")]
    [InlineData("{}\0\0\0\0", 0, "not the JSON of a safetensors header")]
    [InlineData("\ufeff{}", 0, "does not begin with '{'")]
    [InlineData(" {}", 0, "does not begin with '{'")]
    [InlineData("[]", 0, "does not begin with '{'")]
    [InlineData("", 0, "does not begin with '{'")]
    public void Refuses(string header, int dataBytes, string phrase) => CheckRefusal(FileBytes(header, dataBytes), phrase);

    [Theory]
    [InlineData(0, 0, "it has 0 bytes, too few")]
    [InlineData(7, 0, "it has 7 bytes, too few")]
    [InlineData(8, 1, "its header claims 1 bytes, the file has 0 after the length")]
    [InlineData(100, 93, "its header claims 93 bytes, the file has 92 after the length; it may be cut short")]
    [InlineData(100, 100_000_001, "its header claims 100000001 bytes, the limit is 100000000")]
    [InlineData(100, -1, "its header claims 18446744073709551615 bytes, the limit is")]
    [InlineData(100, long.MinValue, "its header claims 9223372036854775808 bytes, the limit is")]
    public void Refuses_lengths_that_the_file_does_not_have(int bytes, long headerBytes, string phrase)
    {
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, headerBytes);
        CheckRefusal([.. length.Concat(new byte[100]).Take(bytes)], phrase);
    }

    [Fact]
    public void Refuses_what_is_not_utf8()
    {
        byte[] file = FileBytes(Valid, 8);
        file[Array.IndexOf(file, (byte)'w')] = 0xFF;
        CheckRefusal(file, "its header is not UTF-8");
    }

    [Fact]
    public void Refuses_nesting_without_end() => CheckRefusal(FileBytes(string.Concat(Enumerable.Repeat("""{"w":""", 200_000)), 0), "not");

    [Fact]
    public void Refuses_more_axes_than_anyone_has() =>
        CheckRefusal(FileBytes($$$"""{"w":{"dtype":"U8","shape":[{{{string.Join(',', Enumerable.Repeat(1, 65))}}}],"data_offsets":[0,1]}}""", 1), "the shape of 'w' has more than 64 numbers");

    [Fact]
    public void Refuses_more_tensors_than_anyone_has()
    {
        string tensors = string.Join(',', Enumerable.Range(0, 200_001).Select(i => $$"""{"{{i}}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}""".TrimStart('{')));
        CheckRefusal(FileBytes($"{{{tensors}}}", 0), "its header has more than 200000 tensors");
    }

    [Fact]
    public void Refuses_more_metadata_than_anyone_has()
    {
        string entries = string.Join(',', Enumerable.Range(0, 100_001).Select(i => $"\"{i}\":\"\""));
        CheckRefusal(FileBytes("{\"__metadata__\":{" + entries + "}}", 0), "its header has more than 100000 metadata entries");
        CheckRefusal(FileBytes($$$"""{"__metadata__":{"a":"{{{new string('v', 1 << 24)}}}"}}""", 0), "its metadata takes more than 16777216 bytes");
    }

    [Theory]
    [InlineData("[9223372036854775807,9223372036854775807]")]
    [InlineData("[9223372036854775700,9223372036854775700]")]
    public void Refuses_offsets_that_overflow(string offsets) =>
        CheckRefusal(FileBytes("{\"w\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":" + offsets + "}}", 0), "tensor 'w' ");

    [Fact]
    public void A_refused_file_is_closed()
    {
        using TemporaryFolder folder = new();
        Assert.Throws<InvalidDataException>(() => Open(folder, FileBytes("{", 0)));
        File.OpenHandle(folder["m.safetensors"], FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
    }

    [Fact]
    public void A_file_that_shrinks_after_it_was_opened_says_so()
    {
        using TemporaryFolder folder = new();
        using Checkpoint read = Open(folder, FileBytes(Valid, 8));
        using (var file = File.OpenHandle(folder["m.safetensors"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) RandomAccess.SetLength(file, 12);
        Assert.Contains("cut short or changed", Assert.Throws<InvalidDataException>(() => read.Tensors[0].Read(0, new byte[8])).Message);
    }

    [Fact]
    public void Is_recognised_without_its_file_name_ending()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["blob"], FileBytes(Valid, 8));
        using Checkpoint read = Checkpoint.Open(folder["blob"]);
        Assert.Equal("safetensors", read.Format);
    }

    [Fact]
    public void Damaged_files_are_read_or_refused_as_invalid_data()
    {
        using TemporaryFolder folder = new();
        byte[] whole = FileBytes("""{"__metadata__":{"a":"1"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"b":{"dtype":"I8","shape":[3],"data_offsets":[8,11]}}""", 11);
        byte[] bits = "0123456789-.eE{}[]\":,\\ unlF\0\u00ff"u8.ToArray();
        int read = 0;
        Property.Holds(gen =>
        {
            List<byte> bytes = [.. whole];
            for (int n = gen.Random.Next(1, 4); n > 0; n--)
            {
                int at = gen.Random.Next(bytes.Count);
                switch (gen.Random.Next(5))
                {
                    case 0: bytes[at] ^= (byte)(1 << gen.Random.Next(8)); break;
                    case 1: bytes[at] = bits[gen.Random.Next(bits.Length)]; break;
                    case 2: bytes.RemoveAt(at); break;
                    case 3: bytes.Insert(at, bits[gen.Random.Next(bits.Length)]); break;
                    default: bytes.RemoveRange(at, gen.Random.Next(Math.Min(20, bytes.Count - at))); break;
                }

                if (bytes.Count == 0) break;
            }

            // Half of them get a length that fits, so that the damage reaches the JSON reader.
            if (gen.Random.Next(2) == 0 && bytes.Count > 20) bytes[0] = (byte)(bytes.Count - 8 - 11);
            try
            {
                using Checkpoint checkpoint = Open(folder, [.. bytes]);
                foreach (TensorEntry tensor in checkpoint.Tensors) tensor.Read(0, new byte[tensor.ByteCount]);
                read++;
            }
            catch (InvalidDataException e)
            {
                Assert.Contains("m.safetensors", e.Message);
            }
        }, runs: 5000);
        Assert.InRange(read, 100, 4000);
    }

    [Fact]
    public void Refuses_to_write_names_that_no_reader_takes()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("__metadata__", Assert.Throws<ArgumentException>(() => new Safetensors().Create(folder["x"], [new("__metadata__", DType.U8, new(1))], new Dictionary<string, string>())).Message);
        Assert.Contains("'w'", Assert.Throws<ArgumentException>(() => new Safetensors().Create(folder["x"], [new("w", DType.U8, new(1)), new("w", DType.F32, new(1))], new Dictionary<string, string>())).Message);
        Assert.Throws<ArgumentException>(() => new Safetensors().Create(folder["x"], [new("\ud800", DType.U8, new(1))], new Dictionary<string, string>()));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Refuses_to_write_past_the_end_of_a_tensor()
    {
        using TemporaryFolder folder = new();
        using CheckpointWriter writer = new Safetensors().Create(folder["x"], [new("a", DType.U8, new(4)), new("b", DType.U8, new(4))], new Dictionary<string, string>());
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write("a", 2, new byte[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write("b", -1, new byte[1]));
        writer.Write("a", 2, new byte[2]);
    }

    private static void CheckRefusal(byte[] file, string phrase)
    {
        using TemporaryFolder folder = new();
        string message = Assert.Throws<InvalidDataException>(() => Open(folder, file)).Message;
        Assert.Contains(phrase, message);
        Assert.StartsWith($"{folder["m.safetensors"]} is not a valid safetensors file: ", message);
        Assert.DoesNotContain("Parameter '", message);
    }

    private static Checkpoint Open(TemporaryFolder folder, byte[] file)
    {
        File.WriteAllBytes(folder["m.safetensors"], file);
        return Checkpoint.Open(folder["m.safetensors"]);
    }

    private static byte[] FileBytes(string header, int dataBytes)
    {
        byte[] json = Encoding.UTF8.GetBytes(header), length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        return [.. length, .. json, .. new byte[dataBytes]];
    }

    private static void Write(string path, TensorSpec[] tensors, Dictionary<string, byte[]> values, Dictionary<string, string> metadata, Random random)
    {
        using CheckpointWriter writer = new Safetensors().Create(path, tensors, metadata);
        TensorSpec[] order = [.. tensors];
        random.Shuffle(order);
        foreach (TensorSpec tensor in order)
        {
            byte[] bytes = values[tensor.Name];
            int half = (int)tensor.DType.BytesOf(tensor.Shape.Count / 8 * 4);
            writer.Write(tensor.Name, tensor.Shape.Count / 8 * 4, bytes.AsSpan(half));
            writer.Write(tensor.Name, 0, bytes.AsSpan(0, half));
        }

        writer.Complete();
    }

    /// <summary>A scalar, an empty tensor, or one whose innermost axis is a multiple of 8, so that packed types fit.</summary>
    private static Shape RandomShape(Generator gen) => gen.Random.Next(4) switch
    {
        0 => new(3, 0, 5),
        1 => new(8),
        2 => new(1, gen.Random.Next(1, 5), 8, 1),
        _ => new(gen.Random.Next(1, 9), 8 * gen.Random.Next(1, 5)),
    };

    private static byte[] RandomBytes(Generator gen, long count)
    {
        byte[] bytes = new byte[count];
        gen.Random.NextBytes(bytes);
        return bytes;
    }
}
