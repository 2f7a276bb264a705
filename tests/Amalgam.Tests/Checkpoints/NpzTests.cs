using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Amalgam.Checkpoints;
using static Amalgam.Tests.Checkpoints.CheckpointFiles;

namespace Amalgam.Tests.Checkpoints;

public class NpzTests
{
    private const string FourFloats = "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }";
    private static readonly DType[] Storable =
        [DType.F64, DType.F32, DType.F16, DType.I64, DType.I32, DType.I16, DType.I8, DType.U64, DType.U32, DType.U16, DType.U8, DType.Bool, DType.C64];

    /// <summary>The header's text and what the message says.</summary>
    public static TheoryData<string, string> Headers => new()
    {
        { FourFloats.Replace("<f4", ">f4"), "'x.npy' is big-endian (>f4)" },
        { FourFloats.Replace("<f4", "|O"), "an array of Python objects" },
        { FourFloats.Replace("'<f4'", "[('a', '<f4')]"), "an array of records" },
        { FourFloats.Replace("<f4", "<U4"), "is of the type '<U4'" },
        { FourFloats.Replace("<f4", "|f4"), "is of the type '|f4'" },
        { FourFloats.Replace("(4,)", "(5,)"), "has 16 bytes of elements, F32[5] takes 20" },
        { FourFloats.Replace("(4,)", "(3,)"), "has 16 bytes of elements, F32[3] takes 12" },
        { FourFloats.Replace("(4,)", "(-4,)"), "expected a size" },
        { FourFloats.Replace("(4,)", "(99999999999999999999,)"), "expected a size" },
        { FourFloats.Replace("(4,)", "(4294967296, 4294967296)"), "more elements than can be counted" },
        { FourFloats.Replace("(4,)", "(4611686018427387904,)"), "more bytes than can be counted" },
        { FourFloats.Replace("(4,)", $"({string.Concat(Enumerable.Repeat("1,", 65))})"), "more than 64 axes" },
        { FourFloats.Replace("False", "Maybe"), "expected True or False" },
        { FourFloats.Replace("'shape'", "'descr'"), "unknown or repeated entry 'descr'" },
        { FourFloats.Replace("'shape': (4,), ", ""), "without descr, fortran_order or shape" },
        { FourFloats + "x", "expected nothing more" },
        { "", "expected '{'" },
        { FourFloats[..^2] + ")", "expected a text in quotes" },
    };

    [Theory, MemberData(nameof(Headers))]
    public void Refuses_headers(string header, string phrase)
    {
        using TemporaryFolder folder = new();
        AssertRefused(Zip(folder["stored.npz"], Npy(header, PickleBytes.Floats(4))), phrase);
        AssertRefused(Deflated(folder["deflated.npz"], Npy(header, PickleBytes.Floats(4))), phrase);
    }

    [Fact]
    public void Refuses_what_is_no_array()
    {
        using TemporaryFolder folder = new();
        byte[] npy = Npy(FourFloats, PickleBytes.Floats(4));
        AssertRefused(Zip(folder["a.npz"], "nothing"u8.ToArray()), "does not begin like a .npy file");
        AssertRefused(Zip(folder["b.npz"], [.. npy[..6], 9, .. npy[7..]]), ".npy version 9.0");
        AssertRefused(Zip(folder["c.npz"], [.. npy[..8], 255, 255, .. npy[10..]]), "has a header of 65535 bytes");
        File.WriteAllBytes(folder["d.npz"], "no zip at all"u8);
        AssertRefused(folder["d.npz"], "too few for a zip");
    }

    [Fact]
    public void Writes_what_it_reads() => AssertRoundTrip(new Npz(), Storable);

    [Fact]
    public void Refuses_to_write_types_that_numpy_lacks()
    {
        using TemporaryFolder folder = new();
        foreach (DType dtype in DType.All.Except(Storable))
        {
            var refusal = Assert.Throws<ArgumentException>(() => new Npz().Create(folder["x.npz"], [new("w", dtype, new(8))], new Dictionary<string, string>()));
            Assert.Contains("choose another type with --dtype", refusal.Message, StringComparison.Ordinal);
        }

        Assert.Throws<ArgumentException>(() => new Npz().Create(folder["x.npz"], [new("../w", DType.F32, new(8))], new Dictionary<string, string>()));
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Reads_every_version_and_fortran_order(int version)
    {
        using TemporaryFolder folder = new();
        byte[] npy = Npy("{\"fortran_order\":True,'descr':'<f4','shape':(2, 3)}", PickleBytes.Floats(6), version);
        using Checkpoint stored = Checkpoint.Open(Zip(folder["stored.npz"], npy)), deflated = Checkpoint.Open(Deflated(folder["deflated.npz"], npy));
        Assert.Equal("npz", stored.Format);
        Assert.Equal([0, 2, 4, 1, 3, 5], stored.Values("x"));
        Assert.Equal([0, 2, 4, 1, 3, 5], deflated.Values("x"));
        Assert.Single(deflated.Files);
    }

    [Fact]
    public void Reads_a_deflated_array_from_many_threads_and_cleans_up()
    {
        using TemporaryFolder folder = new();
        const int Count = 50_000;
        string? spool;
        byte[] npy = Npy(FourFloats.Replace("4,", $"{Count},"), PickleBytes.Floats(Count));
        using (Checkpoint read = Checkpoint.Open(Deflated(folder["x.npz"], npy)))
        {
            var storage = Assert.IsType<InflatedStorage>(read.Tensors[0].Storage);
            Assert.Null(storage.SpoolPath);
            Parallel.For(0, 64, i =>
            {
                byte[] one = new byte[4];
                read.Tensors[0].Read(i * 700, one);
                Assert.Equal(i * 700f, BitConverter.ToSingle(one));
            });
            Assert.NotNull(spool = storage.SpoolPath);
            Assert.Equal(OperatingSystem.IsWindows(), File.Exists(spool));
        }

        Assert.False(File.Exists(spool));
    }

    [Fact]
    public void Notes_files_that_are_no_arrays()
    {
        using TemporaryFolder folder = new();
        using (var writer = ZipWriter.Create(folder["x.npz"], [new("x.npy", Npy(FourFloats, PickleBytes.Floats(4))), new("readme", [])])) writer.Complete();
        using Checkpoint read = Checkpoint.Open(folder["x.npz"]);
        Assert.Equal("left out, as it is no array: 'readme'", Assert.Single(read.Notes));
    }

    [Theory, InlineData(5, "it gives more than the"), InlineData(3, "bytes and claims"), InlineData(4, "its checksum is")]
    public void Refuses_arrays_that_inflate_to_something_else(int floats, string phrase)
    {
        using TemporaryFolder folder = new();
        byte[] zip = File.ReadAllBytes(Deflated(folder["x.npz"], Npy(FourFloats, PickleBytes.Floats(floats))));
        int directory = BinaryPrimitives.ReadInt32LittleEndian(zip.AsSpan(zip.Length - 6));
        foreach (int crc in (int[])[14, directory + 16])
        {
            zip[crc] ^= 1;
            BinaryPrimitives.WriteInt32LittleEndian(zip.AsSpan(crc + 8), Npy(FourFloats, PickleBytes.Floats(4)).Length);
        }

        File.WriteAllBytes(folder["x.npz"], zip);
        using Checkpoint read = Checkpoint.Open(folder["x.npz"]);
        Assert.Contains(phrase, Assert.Throws<InvalidDataException>(() => read.Values("x")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Survives_random_damage()
    {
        using TemporaryFolder folder = new();
        byte[] npy = Npy(FourFloats, PickleBytes.Floats(4));
        AssertSurvivesDamage(Zip(folder["stored.npz"], npy), 1500);
        AssertSurvivesDamage(Deflated(folder["deflated.npz"], npy), 1500);
    }

    private static byte[] Npy(string header, byte[] data, int version = 1)
    {
        byte[] text = Encoding.UTF8.GetBytes(header + "\n");
        byte[] length = version == 1 ? BitConverter.GetBytes((ushort)text.Length) : BitConverter.GetBytes(text.Length);
        return [0x93, .. "NUMPY"u8, (byte)version, 0, .. length, .. text, .. data];
    }

    private static string Zip(string path, byte[] npy)
    {
        using var writer = ZipWriter.Create(path, [new("x.npy", npy)]);
        writer.Complete();
        return path;
    }

    private static string Deflated(string path, byte[] npy)
    {
        using ZipArchive zip = ZipFile.Open(path, ZipArchiveMode.Create);
        using Stream entry = zip.CreateEntry("x.npy", CompressionLevel.Optimal).Open();
        entry.Write(npy);
        return path;
    }
}
