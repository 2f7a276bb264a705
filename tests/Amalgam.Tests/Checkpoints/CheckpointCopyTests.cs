using System.Runtime.InteropServices;
using Amalgam.Checkpoints;
using static Amalgam.Tests.Checkpoints.RawCheckpoint;

namespace Amalgam.Tests.Checkpoints;

public class CheckpointCopyTests
{
    private static readonly OutputOptions Usual = new();

    [Fact]
    public void Without_a_type_every_byte_stays() => Property.Holds(gen =>
    {
        using TemporaryFolder folder = new();
        byte[] bytes = new byte[8 * (gen.Random.Next(8) == 0 ? 65536 + gen.Size() : gen.Size())];
        gen.Random.NextBytes(bytes);
        string path = Write(folder["a.safetensors"], [.. DType.All.Select(t => (t.Name, t, new[] { bytes.Length * 8L / t.Bits / 8 * 8 }, bytes[..(bytes.Length * 8 / t.Bits / 8 * t.Bits)]))]);

        Assert.Equal(Read(path), Read(Copy(new(), path, folder["b.safetensors"])));
    }, runs: 12);

    [Fact]
    public void Floats_change_their_type_and_nothing_else_does()
    {
        using TemporaryFolder folder = new();
        string path = Write(
            folder["a.safetensors"], Vector("double", DType.F64, 1.5, double.NaN), Vector("float", DType.F32, 1 + 1f / 256, -0f), Vector("half", DType.F16, (Half)3, Half.PositiveInfinity), Vector("ids", DType.I64, 1, long.MaxValue));

        var copy = Read(Copy(new(DType.BF16), path, folder["b.safetensors"]));

        Assert.Equal([0x3FC0, 0xFFC0], MemoryMarshal.Cast<byte, ushort>(copy["BF16 double"]).ToArray());
        Assert.Equal([0x3F80, 0x8000], MemoryMarshal.Cast<byte, ushort>(copy["BF16 float"]).ToArray());
        Assert.Equal([0x4040, 0x7F80], MemoryMarshal.Cast<byte, ushort>(copy["BF16 half"]).ToArray());
        Assert.Equal(Read(path)["I64 ids"], copy["I64 ids"]);
    }

    [Theory]
    [InlineData(1.0 + 1.0 / 2048 + 1e-12, 1.0 + 1.0 / 1024)] // a float would lie halfway between two halves
    [InlineData(1.0 + 1.0 / 2048, 1.0)]
    [InlineData(1.0 + 1.0 / 2048 - 1e-12, 1.0)]
    [InlineData(-(1.0 + 3.0 / 2048 - 1e-12), -(1.0 + 1.0 / 1024))]
    public void A_float64_rounds_once(double value, double expected)
    {
        using TemporaryFolder folder = new();
        var copy = Read(Copy(new(DType.F16), Write(folder["a.safetensors"], Vector("x", DType.F64, value)), folder["b.safetensors"]));
        Assert.Equal((Half)expected, MemoryMarshal.Read<Half>(copy["F16 x"]));
    }

    [Fact]
    public void A_value_that_is_too_large_stops_it_and_leaves_nothing()
    {
        using TemporaryFolder folder = new();
        string path = Write(folder["a.safetensors"], Vector("x", DType.F32, 1, float.NaN, float.PositiveInfinity, 65504, 65519, 65520));

        var e = Assert.Throws<InvalidDataException>(() => Copy(new(DType.F16), path, folder["b.safetensors"]));

        Assert.Contains("tensor 'x' holds 65520 at index 5, too large for float16", e.Message);
        Assert.Equal(["a.safetensors"], Directory.EnumerateFileSystemEntries(folder.Path).Select(f => Path.GetFileName(f)));
        Assert.Throws<InvalidDataException>(() => Copy(new(DType.F32), Write(folder["c.safetensors"], Vector("x", DType.F64, 1e39)), folder["d.safetensors"]));
    }

    [Fact]
    public void A_prefix_comes_off_once_and_names_stay_distinct()
    {
        using TemporaryFolder folder = new();
        string path = Write(folder["a.safetensors"], Vector("module.module.w", DType.F32, 1f), Vector("b", DType.F32, 2f));
        Assert.Equal(["F32 b", "F32 module.w"], Read(Copy(new(StripPrefix: "module."), path, folder["b.safetensors"])).Keys.Order());
        Assert.Contains("begins with 'x.'", Assert.Throws<InvalidDataException>(() => Copy(new(StripPrefix: "x."), path, folder["c.safetensors"])).Message);
        string twice = Write(folder["d.safetensors"], Vector("m.w", DType.F32, 1f), Vector("w", DType.F32, 2f));
        Assert.Contains("would both be 'w'", Assert.Throws<InvalidDataException>(() => Copy(new(StripPrefix: "m."), twice, folder["c.safetensors"])).Message);
    }

    [Fact]
    public void Shards_come_back_as_they_were()
    {
        using TemporaryFolder folder = new();
        string path = Write(folder["a.safetensors"], Vector("a", DType.F32, 1f, 2), Vector("b", DType.F32, 3f), Vector("c", DType.I32, 4));
        using (Checkpoint source = Checkpoint.Open(path)) new CheckpointCopy().Run(source, folder["shards"], new(ShardBytes: 8));
        Assert.True(File.Exists(Path.Combine(folder["shards"], "model.safetensors.index.json")));
        Assert.Equal(Read(path), Read(folder["shards"]));
    }

    [Fact]
    public void Stops_when_asked_and_leaves_nothing()
    {
        using TemporaryFolder folder = new();
        using Checkpoint source = Checkpoint.Open(Write(folder["a.safetensors"], Vector("a", DType.F32, 1f)));
        Assert.ThrowsAny<OperationCanceledException>(() => new CheckpointCopy().Run(source, folder["b"], Usual, cancel: new(canceled: true)));
        Assert.False(Directory.Exists(folder["b"]) || Directory.Exists(folder["b.partial"]));
    }

    private static string Copy(CheckpointCopy copy, string from, string to)
    {
        using Checkpoint source = Checkpoint.Open(from);
        copy.Run(source, to, Usual);
        return to;
    }

    private static Dictionary<string, byte[]> Read(string path)
    {
        using Checkpoint checkpoint = Checkpoint.Open(path);
        return checkpoint.Tensors.ToDictionary(t => $"{t.DType} {t.Name}", t =>
        {
            byte[] bytes = new byte[t.ByteCount];
            t.Read(0, bytes);
            return bytes;
        });
    }
}
