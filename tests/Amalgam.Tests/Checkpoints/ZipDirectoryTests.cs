using System.Buffers.Binary;
using System.Text;
using Amalgam.Checkpoints;

namespace Amalgam.Tests.Checkpoints;

public class ZipDirectoryTests
{
    private const int First = 0, Crc = 14, Sizes = 18;

    /// <summary>A change of a zip whose central directory begins at the number, and what the message says.</summary>
    public static TheoryData<Func<byte[], int, byte[]>, string> Refusals => new()
    {
        { (zip, _) => zip[..^1], "does not end in the directory of a zip" },
        { (zip, _) => [.. zip, 0], "does not end in the directory of a zip" },
        { (_, _) => [1, 2], "it has 2 bytes, too few" },
        { (zip, _) => Set(zip, zip.Length - 12, 3), "claims 2 and 3 entries" },
        { (zip, _) => Set(Set(zip, zip.Length - 12, 0xfff0), zip.Length - 14, 0xfff0), "claims 65520 entries in" },
        { (zip, _) => Set(zip, zip.Length - 18, 1), "one of several parts" },
        { (zip, at) => Set(zip, zip.Length - 6, at + 1), "its zip directory is said to take" },
        { (zip, at) => Set(zip, at + 8, 1), "'a' is encrypted" },
        { (zip, at) => Set(zip, at + 8, 1 << 5), "unknown flags 0x20" },
        { (zip, at) => Set(zip, at + 10, 12), "compressed by method 12" },
        { (zip, at) => Set(zip, at + 24, 99), "'a' has 5 bytes and claims 99" },
        { (zip, at) => Set32(Set(zip, at + 10, 8), at + 24, 1 << 30), "inflate from 5 to 1073741824 bytes" },
        { (zip, at) => Set32(Set32(zip, at + 20, 1 << 20), at + 24, 1 << 20), "claims 1048576 bytes" },
        { (zip, at) => Set(Set(zip, at + 20, at - 4), at + 24, at - 4), "the data ends at" },
        { (zip, at) => Set(zip, at + 47 + 42, at - 1), "lies outside the file's data" },
        { (zip, at) => Set(zip, at + 42, 1), "no header of its entry 'a' at byte 1" },
        { (zip, _) => Set(zip, First + Sizes, 4), "disagrees with the directory" },
        { (zip, _) => Set(zip, First + Crc, 4), "disagrees with the directory" },
        { (zip, _) => Set8(zip, First + 30, 'x'), "disagrees with the directory" },
        { (zip, _) => Set(zip, First + 8, 8), "disagrees with the directory" },
        { (zip, at) => Set(zip, at + 47 + 42, 0), "its entries 'a' and 'b' overlap" },
        { (zip, at) => Set8(zip, at + 46 + 47, 'a'), "lists 'a' twice" },
        { (zip, at) => Set32(zip, at + 24, -1), "no sound zip64 field" },
        { (zip, at) => Set8(zip, at + 46, '/'), "'/' is absolute" },
        { (zip, at) => Set8(zip, at + 46, 0xff), "whose name is not UTF-8" },
        { (zip, at) => Set(zip, at + 47 + 28, 900), "runs over the end" },
    };

    [Theory, MemberData(nameof(Refusals))]
    public void Refuses(Func<byte[], int, byte[]> change, string phrase)
    {
        using TemporaryFolder folder = new();
        byte[] zip = Sample(folder["sound.zip"]);
        File.WriteAllBytes(folder["x.zip"], change(zip, BinaryPrimitives.ReadInt32LittleEndian(zip.AsSpan(zip.Length - 6))));
        Assert.Contains(phrase, Assert.Throws<InvalidDataException>(() => Read(folder["x.zip"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_more_entries_than_anyone_has()
    {
        using TemporaryFolder folder = new();
        const int Count = 250_001, Directory = Count * ZipDirectory.CentralBytes;
        using (BinaryWriter zip = new(File.Create(folder["x.zip"])))
        {
            zip.Write(new byte[Directory]);
            zip.Write(ZipDirectory.End64Signature);
            zip.Write(44L);
            zip.Write(new byte[12]);
            foreach (long field in (long[])[Count, Count, Directory, 0]) zip.Write(field);
            zip.Write(ZipDirectory.LocatorSignature);
            zip.Write(0);
            zip.Write((long)Directory);
            zip.Write(1);
            zip.Write(ZipDirectory.EndSignature);
            zip.Write(0);
            zip.Write(uint.MaxValue);
            zip.Write(Directory);
            zip.Write(new byte[6]);
        }

        Assert.Contains($"has {Count} entries, the limit is 250000", Assert.Throws<InvalidDataException>(() => Read(folder["x.zip"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lists_what_is_there()
    {
        using TemporaryFolder folder = new();
        byte[] zip = Sample(folder["x.zip"]);
        ZipEntry[] entries = [.. Read(folder["x.zip"])];
        Assert.Equal(["a", "b"], entries.Select(e => e.Name));
        Assert.Equal("hello", Encoding.ASCII.GetString(zip, (int)entries[0].Offset, (int)entries[0].Size));
        Assert.All(entries, e => Assert.Equal(0, e.Offset % 64));
    }

    [Fact]
    public void Reads_more_entries_than_16_bits_count()
    {
        using TemporaryFolder folder = new();
        using (var writer = ZipWriter.Create(folder["x.zip"], Enumerable.Range(0, 66_000).Select(i => new ZipPart($"{i}", [])))) writer.Complete();
        Assert.Equal(66_000, Read(folder["x.zip"]).Count);

        byte[] zip = File.ReadAllBytes(folder["x.zip"]);
        File.WriteAllBytes(folder["y.zip"], Set(zip, zip.Length - 22 - 20 + 8, 7));
        Assert.Contains("does not point at the record before it", Assert.Throws<InvalidDataException>(() => Read(folder["y.zip"])).Message, StringComparison.Ordinal);
        File.WriteAllBytes(folder["y.zip"], Set(zip, zip.Length - 22 - 20 - 56, 7));
        Assert.Contains("zip64 end record is damaged", Assert.Throws<InvalidDataException>(() => Read(folder["y.zip"])).Message, StringComparison.Ordinal);
        File.WriteAllBytes(folder["y.zip"], Set(Set(zip, zip.Length - 12, 7), zip.Length - 14, 7));
        Assert.Contains("its zip end records disagree: 7 and 66000", Assert.Throws<InvalidDataException>(() => Read(folder["y.zip"])).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("a/b", true), InlineData("a/../b", false), InlineData("..", false), InlineData("a\\..\\b", false), InlineData("/a", false), InlineData("C:a", false), InlineData("", false), InlineData("a..b", true)]
    public void Names_stay_inside(string name, bool plain) => Assert.Equal(plain, ZipDirectory.IsPlainName(name));

    private static byte[] Sample(string path)
    {
        using (var writer = ZipWriter.Create(path, [new("a", "hello"u8.ToArray()), new("b", "world!"u8.ToArray())])) writer.Complete();
        return File.ReadAllBytes(path);
    }

    private static List<ZipEntry> Read(string path)
    {
        using FileStorage storage = new(path);
        return new ZipDirectory(storage, why => new(why)).Read();
    }

    private static byte[] Set8(byte[] zip, int at, int value)
    {
        byte[] changed = [.. zip];
        changed[at] = (byte)value;
        return changed;
    }

    private static byte[] Set(byte[] zip, int at, int value)
    {
        byte[] changed = [.. zip];
        BinaryPrimitives.WriteUInt16LittleEndian(changed.AsSpan(at), (ushort)value);
        return changed;
    }

    private static byte[] Set32(byte[] zip, int at, int value)
    {
        byte[] changed = [.. zip];
        BinaryPrimitives.WriteInt32LittleEndian(changed.AsSpan(at), value);
        return changed;
    }
}
