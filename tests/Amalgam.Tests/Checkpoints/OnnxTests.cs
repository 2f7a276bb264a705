using System.Globalization;
using Amalgam.Checkpoints;
using Amalgam.Checkpoints.OnnxProtos;
using Google.Protobuf;
using static Amalgam.Tests.Checkpoints.OnnxFiles;

namespace Amalgam.Tests.Checkpoints;

public sealed class OnnxTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Initialisers_are_the_tensors_of_a_checkpoint()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Small().Write(_folder["m.onnx"]));

        Assert.Equal("onnx", checkpoint.Format);
        Assert.Equal(["'w' F32[3]", "'b' F32[2,3]"], checkpoint.Tensors.Select(t => new TensorSpec(t.Name, t.DType, t.Shape).ToString()));
        Assert.Equal([1, 2, 3], checkpoint.Values("w"));
        Assert.Equal([1, 2, 3, 4, 5, 6], checkpoint.Values("b"));
        Assert.Equal("17", checkpoint.Metadata["opset"]);
        Assert.Equal("test 1.2", checkpoint.Metadata["producer"]);
    }

    [Fact]
    public void A_file_is_known_by_its_content()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Small().Write(_folder["model.bin"]));
        Assert.Equal("onnx", checkpoint.Format);
    }

    public static TheoryData<string> Types => [.. DType.All.Where(t => t.Bits >= 8 && t != DType.F6E2M3 && t != DType.F6E3M2).Select(t => t.Name)];

    [Theory, MemberData(nameof(Types))]
    public void Raw_bytes_of_every_element_type_are_read_as_they_are(string name)
    {
        DType type = DType.Find(name)!;
        byte[] bytes = new byte[type.BytesOf(6)];
        new Random(1).NextBytes(bytes);
        ModelProto model = Small();
        model.Graph.Initializer.Add(Raw("t", type, new(2, 3), bytes));

        using Checkpoint checkpoint = Checkpoint.Open(model.Write(_folder["m.onnx"]));

        Assert.True(checkpoint.TryFind("t", out TensorEntry? tensor));
        Assert.Equal(type, tensor.DType);
        Assert.Equal(bytes, tensor.Bytes());
    }

    public static TheoryData<string, float[]> Typed => new()
    {
        { "F32", [1.5f, -2] }, { "F64", [1.5f, -2] }, { "I64", [3, -4] }, { "U64", [3, 4] }, { "U32", [3, 4] }, { "I32", [3, -4] }, { "I16", [3, -4] }, { "U16", [3, 65535] },
        { "I8", [3, -128] }, { "U8", [3, 255] }, { "BOOL", [1, 0] }, { "F16", [1.5f, -2] }, { "BF16", [1.5f, -2] }, { "F8_E4M3", [1.5f, -2] }, { "F8_E5M2", [1.5f, -2] },
    };

    [Theory, MemberData(nameof(Typed))]
    public void Elements_in_typed_fields_are_read(string name, float[] values)
    {
        DType type = DType.Find(name)!;
        byte[] bytes = OnnxValues.Bytes(values, type);
        TensorProto tensor = new() { Name = "t", DataType = OnnxTypes.NumberOf(type), Dims = { 2 } };
        for (int i = 0; i < 2; i++)
        {
            ReadOnlySpan<byte> element = bytes.AsSpan(i * bytes.Length / 2, bytes.Length / 2);
            if (name == "F32") tensor.FloatData.Add(values[i]);
            else if (name == "F64") tensor.DoubleData.Add(values[i]);
            else if (name == "I64") tensor.Int64Data.Add((long)values[i]);
            else if (name is "U64" or "U32") tensor.Uint64Data.Add((ulong)values[i]);
            else if (name[0] is 'I') tensor.Int32Data.Add((int)values[i]);
            else tensor.Int32Data.Add(element.Length == 1 ? element[0] : BitConverter.ToUInt16(element));
        }

        ModelProto model = Small();
        model.Graph.Initializer.Add(tensor);
        using Checkpoint checkpoint = Checkpoint.Open(model.Write(_folder["m.onnx"]));

        Assert.True(checkpoint.TryFind("t", out TensorEntry? read));
        Assert.Equal(bytes, read.Bytes());
    }

    [Fact]
    public void External_data_is_found_beside_the_model()
    {
        ModelProto model = Small();
        MakeExternal(model.Graph.Initializer[1], "weights.bin", "8", "24");
        File.WriteAllBytes(_folder["weights.bin"], [.. new byte[8], .. OnnxValues.Bytes([6, 5, 4, 3, 2, 1], DType.F32)]);

        using Checkpoint checkpoint = Checkpoint.Open(model.Write(_folder["m.onnx"]));

        Assert.Equal([6, 5, 4, 3, 2, 1], checkpoint.Values("b"));
        Assert.Equal([_folder["m.onnx"], _folder["weights.bin"]], checkpoint.Files);
    }

    [Theory]
    [InlineData("../weights.bin", "0", "24", "is not a file in or below the model's folder")]
    [InlineData("/etc/passwd", "0", "24", "is not a file in or below the model's folder")]
    [InlineData("a/../../b", "0", "24", "is not a file in or below the model's folder")]
    [InlineData("C:\\weights.bin", "0", "24", "is not a file in or below the model's folder")]
    [InlineData("missing.bin", "0", "24", "has its data in 'missing.bin', which is not beside the model")]
    [InlineData("weights.bin", "4", "24", "lies at bytes 4 to 28 of 'weights.bin', which has 24")]
    [InlineData("weights.bin", "0", "20", "takes 24 bytes, its data has 20")]
    [InlineData("weights.bin", "9223372036854775807", "24", "which has 24")]
    [InlineData("weights.bin", "9223372036854775807", null, "takes 24 bytes, its data has 0")]
    [InlineData("weights.bin", "-8", "24", "the offset '-8', expected a whole number")]
    [InlineData("weights.bin", "0", "99999999999999999999", "expected a whole number")]
    [InlineData(null, "0", "24", "has external data without a location")]
    public void External_data_elsewhere_or_too_short_is_refused(string? location, string offset, string? length, string phrase)
    {
        ModelProto model = Small();
        MakeExternal(model.Graph.Initializer[1], location, offset, length);
        File.WriteAllBytes(_folder["weights.bin"], new byte[24]);
        CheckpointFiles.AssertRefused(model.Write(_folder["m.onnx"]), phrase);
    }

    public static TheoryData<string, string> Refusals => new()
    {
        { "type 8", "tensor 'w' has the element type STRING, which Amalgam does not read" },
        { "type 22", "has the element type INT4" },
        { "type 99", "has the element type number 99" },
        { "negative", "tensor 'w' has the shape [-3]; sizes cannot be negative" },
        { "many", "too many elements to count" },
        { "large", "has too many bytes to count" },
        { "axes", "has 65 axes, the limit is 64" },
        { "short", "tensor 'w' F32[4] takes 16 bytes, its data has 12" },
        { "empty", "tensor 'w' F32[3] takes 12 bytes, its data has 0" },
        { "twice", "it has two initialisers named 'w'" },
        { "nameless", "its initialiser number 1 has no name" },
        { "segment", "tensor 'w' is stored in segments" },
        { "range", "has the element 300, which U8 cannot hold" },
        { "wrong field", "has its elements in double_data, which is not for its type" },
        { "pieces", "has its elements in several pieces" },
        { "sparse", "it has sparse initialisers" },
    };

    [Theory, MemberData(nameof(Refusals))]
    public void A_tensor_that_cannot_be_is_refused(string what, string phrase)
    {
        ModelProto model = Small();
        TensorProto w = model.Graph.Initializer[0];
        switch (what)
        {
            case "negative": w.Dims[0] = -3; break;
            case "many": w.Dims.Add([long.MaxValue, 4]); break;
            case "large": w.Dims[0] = long.MaxValue / 2; break;
            case "axes": w.Dims.Add(Enumerable.Repeat(1L, 64)); break;
            case "short": w.Dims[0] = 4; break;
            case "empty": w.RawData = ByteString.Empty; break;
            case "twice": model.Graph.Initializer.Add(w); break;
            case "nameless": w.Name = ""; break;
            case "segment": w.Segment = new() { End = 3 }; break;
            case "range": (w.DataType, w.RawData) = (2, ByteString.Empty); w.Int32Data.Add([1, 2, 300]); break;
            case "wrong field": w.RawData = ByteString.Empty; w.DoubleData.Add([1, 2, 3]); break;
            case "pieces": w.FloatData.Add([1, 2, 3]); break;
            case "sparse": model.Graph.SparseInitializer.Add(new SparseTensorProto()); break;
            default: w.DataType = int.Parse(what[5..], CultureInfo.InvariantCulture); break;
        }

        CheckpointFiles.AssertRefused(model.Write(_folder["m.onnx"]), phrase);
    }

    [Theory]
    [InlineData("", "it holds no graph")]
    [InlineData("6E616D653A20780A", "it is text, not a protobuf message")]
    [InlineData("0808", "it holds no graph")]
    [InlineData("3A05", "claims 5 bytes, 0 are left of its message; the file may be cut short")]
    [InlineData("3A00", null)]
    [InlineData("3A003A00", "it holds two graphs")]
    [InlineData("0B", "has the unknown encoding 3")]
    [InlineData("00", "at byte 0 is no field")]
    [InlineData("08FF", "goes beyond its message")]
    [InlineData("08FFFFFFFFFFFFFFFFFFFF7F", "has more than 64 bits")]
    [InlineData("3AFFFFFFFFFFFFFFFFFF01", "claims 18446744073709551615 bytes")]
    [InlineData("3A040A020A7F", "claims 127 bytes")]
    [InlineData("3A052A030A0180", "it cannot be parsed")]
    public void Bytes_that_are_no_model_are_refused(string hex, string? phrase)
    {
        string path = _folder["m.onnx"];
        File.WriteAllBytes(path, Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));
        if (phrase is null) Checkpoint.Open(path).Dispose();
        else CheckpointFiles.AssertRefused(path, phrase);
    }

    [Fact]
    public void Graphs_nested_without_end_are_refused()
    {
        GraphProto inner = new();
        for (int depth = 0; depth < 200; depth++)
        {
            GraphProto outer = new();
            outer.Node.Add(Node("If", "c", "y", ("then_branch", inner)));
            inner = outer;
        }

        ModelProto model = Small();
        model.Graph = inner;
        CheckpointFiles.AssertRefused(model.Write(_folder["m.onnx"]), "its graphs are nested more than 100 messages deep");
    }

    /// <summary>Two bytes each in the file, and a hundred times that in memory.</summary>
    [Fact]
    public void Empty_messages_without_end_are_refused()
    {
        string path = _folder["m.onnx"];
        using (FileStream file = File.Create(path))
        {
            file.Write([0x3A, 0x80, 0x92, 0xF4, 0x01]);
            for (int i = 0; i < 2_000_000; i++) file.Write([0x0A, 0x00]);
        }

        CheckpointFiles.AssertRefused(path, "it is made of more than 2000000 messages");
    }

    [Fact]
    public void Damaged_files_are_read_or_refused()
    {
        ModelProto model = Small();
        model.Graph.Initializer.Add(new TensorProto { Name = "i", DataType = 7, Dims = { 3 }, Int64Data = { 1, -1, 1 << 20 } });
        MakeExternal(model.Graph.Initializer[0], "w.bin", "0", "12");
        File.WriteAllBytes(_folder["w.bin"], new byte[12]);
        CheckpointFiles.AssertSurvivesDamage(model.Write(_folder["m.onnx"]), 2000);
    }

    private static void MakeExternal(TensorProto tensor, string? location, string offset, string? length)
    {
        tensor.RawData = ByteString.Empty;
        tensor.DataLocation = TensorProto.Types.DataLocation.External;
        if (location is not null) tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = offset });
        if (length is not null) tensor.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = length });
    }
}
