using System.Buffers.Binary;
using System.Text;

namespace Amalgam.Checkpoints;

/// <summary>A file inside a zip.</summary>
/// <param name="Name">Its name, with its folders.</param>
/// <param name="Header">Where its local header begins.</param>
/// <param name="Offset">Where its bytes begin.</param>
/// <param name="CompressedSize">Bytes in the zip.</param>
/// <param name="Size">Bytes when inflated.</param>
/// <param name="Crc">Checksum of the inflated bytes.</param>
/// <param name="IsDeflated">Compressed by deflate; stored as it is otherwise.</param>
internal sealed record ZipEntry(string Name, long Header, long Offset, long CompressedSize, long Size, uint Crc, bool IsDeflated);

/// <summary>
/// The central directory of a zip, read with distrust: it must be the only one, its entries must lie apart from each other, each must be what its local
/// header says. Names are data; nothing is ever extracted by them.
/// </summary>
internal sealed class ZipDirectory(FileStorage storage, Func<string, InvalidDataException> fail)
{
    internal const uint LocalSignature = 0x04034b50, CentralSignature = 0x02014b50, EndSignature = 0x06054b50;
    internal const uint End64Signature = 0x06064b50, LocatorSignature = 0x07064b50;
    internal const int LocalBytes = 30, CentralBytes = 46, EndBytes = 22, End64Bytes = 56, LocatorBytes = 20;
    internal const ushort Utf8Flag = 1 << 11, Extra64 = 1;
    private const ushort DescriptorFlag = 1 << 3, EncryptedFlags = 1 << 0 | 1 << 6 | 1 << 13, DeflateFlags = 3 << 1;
    private const int DirectoryLimit = 64 << 20, EntryLimit = 250_000;
    private const int LargestInflation = 1032;

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>Whether the bytes begin like a zip.</summary>
    public static bool IsZip(ReadOnlySpan<byte> head) => head.Length >= 4 && BinaryPrimitives.ReadUInt32LittleEndian(head) == LocalSignature;

    /// <summary>The entries of a sound zip; null for any other file.</summary>
    public static List<ZipEntry>? TryRead(string path, ReadOnlySpan<byte> head)
    {
        if (!IsZip(head)) return null;
        try
        {
            using FileStorage storage = new(path);
            return new ZipDirectory(storage, why => new(why)).Read();
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>No way out of a folder: no root, no drive, no <c>..</c>.</summary>
    public static bool IsPlainName(string name) =>
        name.Length > 0 && name[0] is not ('/' or '\\') && !(name.Length > 1 && name[1] == ':') && !name.Contains('\0') && !name.Split('/', '\\').Contains("..");

    /// <summary>All entries, in the order in which they lie in the file.</summary>
    /// <exception cref="InvalidDataException">The zip is damaged, or not plain.</exception>
    public List<ZipEntry> Read()
    {
        var (begin, end, count) = Locate();
        if (end - begin > DirectoryLimit) throw fail($"its zip directory takes {end - begin} bytes, the limit is {DirectoryLimit}");
        if (count > (end - begin) / CentralBytes) throw fail($"its zip directory claims {count} entries in {end - begin} bytes");
        if (count > EntryLimit) throw fail($"its zip directory has {count} entries, the limit is {EntryLimit}");
        byte[] directory = ReadAt(begin, (int)(end - begin));

        List<(ZipEntry Entry, int At)> listed = new((int)count);
        HashSet<string> names = new(StringComparer.Ordinal);
        int position = 0;
        for (long i = 0; i < count; i++)
        {
            int at = position;
            ZipEntry entry = ReadEntry(directory, ref position, begin);
            if (!names.Add(entry.Name)) throw fail($"its zip directory lists '{entry.Name}' twice");
            listed.Add((entry, at));
        }

        if (position != directory.Length) throw fail($"its zip directory has {directory.Length - position} bytes after its last entry");
        List<ZipEntry> entries = new(listed.Count);
        foreach (var (entry, at) in listed.OrderBy(l => l.Entry.Header))
        {
            if (entries.Count > 0 && entry.Header < entries[^1].Offset + entries[^1].CompressedSize) throw fail($"its entries '{entries[^1].Name}' and '{entry.Name}' overlap");
            entries.Add(entry with { Offset = CheckLocal(directory.AsSpan(at), entry, begin) });
        }

        return entries;
    }

    /// <summary>The directory's place and number of entries, from the record that must end the file and from its 64-bit twin.</summary>
    private (long Begin, long End, long Count) Locate()
    {
        long end = storage.Length - EndBytes;
        if (end < 0) throw fail($"it has {storage.Length} bytes, too few for a zip");
        byte[] record = ReadAt(end, EndBytes);
        if (U32(record, 0) != EndSignature || U16(record, 20) != 0) throw fail("it does not end in the directory of a zip; it was cut short, or something follows the zip");
        if (U16(record, 4) != 0 || U16(record, 6) != 0) throw fail("it is one of several parts of a zip");

        long count = U16(record, 10), size = U32(record, 12), begin = U32(record, 16);
        if (U16(record, 8) != count) throw fail($"its zip directory claims {U16(record, 8)} and {count} entries");
        byte[] locator = end >= LocatorBytes ? ReadAt(end - LocatorBytes, LocatorBytes) : new byte[LocatorBytes];
        if (U32(locator, 0) == LocatorSignature)
        {
            long end64 = end - LocatorBytes - End64Bytes;
            if (end64 < 0 || U64(locator, 8) != end64 || U32(locator, 4) != 0 || U32(locator, 16) > 1) throw fail("its zip64 locator does not point at the record before it");
            byte[] record64 = ReadAt(end64, End64Bytes);
            if (U32(record64, 0) != End64Signature || U64(record64, 4) != End64Bytes - 12 || U32(record64, 16) != 0 || U32(record64, 20) != 0 || U64(record64, 24) != U64(record64, 32))
                throw fail("its zip64 end record is damaged");
            count = Agreed(count, ushort.MaxValue, U64(record64, 32));
            size = Agreed(size, uint.MaxValue, U64(record64, 40));
            begin = Agreed(begin, uint.MaxValue, U64(record64, 48));
            end = end64;
        }

        if (begin < 0 || size < 0 || begin > end || begin + size != end) throw fail($"its zip directory is said to take {size} bytes from {begin}, its end record is at {end}");
        return (begin, end, count);
    }

    private long Agreed(long narrow, long saturated, long wide) =>
        narrow == wide || (narrow == saturated && wide >= 0) ? wide : throw fail($"its zip end records disagree: {narrow} and {wide}");

    private ZipEntry ReadEntry(byte[] directory, ref int position, long directoryBegin)
    {
        if (directory.Length - position < CentralBytes || U32(directory, position) != CentralSignature) throw fail($"its zip directory has no entry at byte {position}");
        ReadOnlySpan<byte> head = directory.AsSpan(position, CentralBytes);
        int nameBytes = U16(head, 28), extraBytes = U16(head, 30), commentBytes = U16(head, 32);
        if (directory.Length - position - CentralBytes < nameBytes + extraBytes + commentBytes) throw fail($"its zip directory's entry at byte {position} runs over the end");
        ReadOnlySpan<byte> rawName = directory.AsSpan(position + CentralBytes, nameBytes), extra = directory.AsSpan(position + CentralBytes + nameBytes, extraBytes);
        position += CentralBytes + nameBytes + extraBytes + commentBytes;

        string name = NameOf(rawName);
        int flags = U16(head, 8), method = U16(head, 10);
        if ((flags & EncryptedFlags) != 0) throw fail($"its entry '{name}' is encrypted");
        if ((flags & ~(DescriptorFlag | Utf8Flag | DeflateFlags)) != 0) throw fail($"its entry '{name}' has the unknown flags 0x{flags:x}");
        if (method is not (0 or 8)) throw fail($"its entry '{name}' is compressed by method {method}; stored and deflated are read");
        if (U16(head, 34) != 0) throw fail($"its entry '{name}' lies in another part of a zip");

        long size = U32(head, 24), compressed = U32(head, 20), header = U32(head, 42);
        Widen(extra, name, ref size, ref compressed, ref header);
        if (method == 0 && size != compressed) throw fail($"its stored entry '{name}' has {compressed} bytes and claims {size}");
        if (size < 0 || compressed < 0 || header < 0 || compressed > directoryBegin) throw fail($"its entry '{name}' claims {compressed} bytes, the file has {directoryBegin} before the directory");
        if (size / LargestInflation > compressed) throw fail($"its entry '{name}' claims to inflate from {compressed} to {size} bytes, more than deflate can do");

        return new(name, header, 0, compressed, size, U32(head, 16), method == 8);
    }

    private string NameOf(ReadOnlySpan<byte> rawName)
    {
        string name;
        try
        {
            name = StrictUtf8.GetString(rawName);
        }
        catch (DecoderFallbackException)
        {
            throw fail("it has an entry whose name is not UTF-8");
        }

        return IsPlainName(name) ? name : throw fail($"its entry '{name}' is absolute or leads out of the zip");
    }

    /// <summary>
    /// Where an entry's bytes begin. Its local header must repeat the directory; one that was written before its data may leave sizes and checksum at 0.
    /// </summary>
    private long CheckLocal(ReadOnlySpan<byte> central, ZipEntry entry, long directoryBegin)
    {
        var (name, header, compressed, size) = (entry.Name, entry.Header, entry.CompressedSize, entry.Size);
        if (header > directoryBegin - LocalBytes) throw fail($"the header of its entry '{name}' lies outside the file's data");
        byte[] local = ReadAt(header, LocalBytes);
        if (U32(local, 0) != LocalSignature) throw fail($"there is no header of its entry '{name}' at byte {header}");
        int nameBytes = U16(local, 26), extraBytes = U16(local, 28);
        long offset = header + LocalBytes + nameBytes + extraBytes;
        if (offset > directoryBegin - compressed) throw fail($"its entry '{name}' takes {compressed} bytes from {offset}, the data ends at {directoryBegin}");

        byte[] rest = ReadAt(header + LocalBytes, nameBytes + extraBytes);
        long localSize = U32(local, 22), localCompressed = U32(local, 18), none = 0;
        Widen(rest.AsSpan(nameBytes), name, ref localSize, ref localCompressed, ref none);
        bool late = (U16(local, 6) & DescriptorFlag) != 0;
        bool agrees = nameBytes == U16(central, 28) && central.Slice(CentralBytes, nameBytes).SequenceEqual(rest.AsSpan(0, nameBytes))
            && U16(local, 6) == U16(central, 8) && U16(local, 8) == U16(central, 10)
            && (localSize == size || (late && localSize == 0)) && (localCompressed == compressed || (late && localCompressed == 0))
            && (U32(local, 14) == U32(central, 16) || (late && U32(local, 14) == 0));
        return agrees ? offset : throw fail($"the header of its entry '{name}' disagrees with the directory");
    }

    /// <summary>Takes the fields that do not fit in 32 bits from the zip64 extra field.</summary>
    private void Widen(ReadOnlySpan<byte> extra, string name, ref long size, ref long compressed, ref long header)
    {
        if (size != uint.MaxValue && compressed != uint.MaxValue && header != uint.MaxValue) return;
        while (extra.Length >= 4)
        {
            int length = U16(extra, 2);
            if (length > extra.Length - 4) break;
            if (U16(extra, 0) == Extra64)
            {
                ReadOnlySpan<byte> wide = extra.Slice(4, length);
                if (TakeWide(ref wide, ref size) && TakeWide(ref wide, ref compressed) && TakeWide(ref wide, ref header)) return;
                break;
            }

            extra = extra[(4 + length)..];
        }

        throw fail($"its entry '{name}' has no sound zip64 field for its large sizes");
    }

    private static bool TakeWide(ref ReadOnlySpan<byte> wide, ref long field)
    {
        if (field != uint.MaxValue) return true;
        if (wide.Length < 8) return false;
        field = U64(wide, 0);
        wide = wide[8..];
        return true;
    }

    private byte[] ReadAt(long offset, int count)
    {
        byte[] bytes = new byte[count];
        storage.Read(offset, bytes);
        return bytes;
    }

    private static int U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);
}
