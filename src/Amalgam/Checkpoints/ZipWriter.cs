using System.Buffers.Binary;
using System.Text;

namespace Amalgam.Checkpoints;

/// <summary>A file of a zip to be written: bytes that are known now, then perhaps a tensor's, which come later.</summary>
internal sealed record ZipPart(string Name, byte[] Head, TensorSpec? Tensor = null)
{
    public long Size => checked(Head.Length + (Tensor?.ByteCount ?? 0));
}

/// <summary>
/// A zip of stored files, each aligned to 64 bytes, as PyTorch lays it out, so that tensors can be read in place. Checksums are written last, from what is in
/// the file by then.
/// </summary>
internal sealed class ZipWriter : CheckpointWriter
{
    private const int Alignment = 64, PadHeader = 4, WideExtra = 20;
    private const ushort PadId = 'F' | 'B' << 8;
    private const ushort Version = 20, Version64 = 45;
    private const ushort EarliestDate = 1 << 5 | 1;
    private const int ChecksumBlock = 1 << 20;

    private readonly List<Placed> _parts;
    private readonly long _directory;

    private ZipWriter(string path, List<Placed> parts, long directory, long length)
        : base(path, length, parts.Where(p => p.Part.Tensor is not null).ToDictionary(p => p.Part.Tensor!.Name, p => (p.Part.Tensor!, p.Data + p.Part.Head.Length), StringComparer.Ordinal))
    {
        (_parts, _directory) = (parts, directory);
        foreach (Placed placed in parts)
        {
            WriteAt(placed.Header, LocalHeader(placed, 0));
            WriteAt(placed.Data, placed.Part.Head);
        }
    }

    /// <summary>Lays out a zip and writes what is known of it.</summary>
    /// <exception cref="ArgumentException">A name cannot be one of a zip.</exception>
    public static ZipWriter Create(string path, IEnumerable<ZipPart> parts)
    {
        List<Placed> placed = [];
        long offset = 0, directory = 0;
        foreach (ZipPart part in parts)
        {
            byte[] name = Encoding.UTF8.GetBytes(part.Name);
            if (name.Length > ushort.MaxValue || !ZipDirectory.IsPlainName(part.Name)) throw new ArgumentException($"{path}: '{part.Name}' cannot be the name of a file in a zip", nameof(parts));
            long extra = offset + ZipDirectory.LocalBytes + name.Length + (IsWide(part.Size) ? WideExtra : 0);
            long data = (extra + PadHeader + Alignment - 1) / Alignment * Alignment;
            placed.Add(new(part, name, offset, data));
            directory += ZipDirectory.CentralBytes + name.Length + CentralExtra(placed[^1]).Length;
            offset = checked(data + part.Size);
        }

        bool wide = IsWide(offset) || IsWide(directory) || placed.Count >= ushort.MaxValue;
        long length = checked(offset + directory + ZipDirectory.EndBytes + (wide ? ZipDirectory.End64Bytes + ZipDirectory.LocatorBytes : 0));
        return new(path, placed, offset, length);
    }

    public override void Complete()
    {
        using MemoryStream directory = new();
        foreach (Placed placed in _parts)
        {
            uint crc = Checksum(placed.Data, placed.Part.Size);
            WriteAt(placed.Header, LocalHeader(placed, crc));
            directory.Write(CentralHeader(placed, crc));
        }

        WriteEnd(directory);
        WriteAt(_directory, directory.ToArray());
        base.Complete();
    }

    private static bool IsWide(long value) => value >= uint.MaxValue;

    private uint Checksum(long offset, long size)
    {
        byte[] block = new byte[(int)Math.Min(ChecksumBlock, size)];
        uint crc = 0;
        while (size > 0)
        {
            int read = ReadAt(offset, block.AsSpan(0, (int)Math.Min(block.Length, size)));
            if (read == 0) throw new IOException($"{Path} was cut short while it was written");
            crc = Crc32.Append(crc, block.AsSpan(0, read));
            (offset, size) = (offset + read, size - read);
        }

        return crc;
    }

    private static byte[] LocalHeader(Placed placed, uint crc)
    {
        byte[] header = new byte[placed.Data - placed.Header];
        Fields to = new(header);
        to.U32(ZipDirectory.LocalSignature);
        Common(ref to, placed, crc);
        to.U16((ushort)(header.Length - ZipDirectory.LocalBytes - placed.Name.Length));
        to.Bytes(placed.Name);
        if (IsWide(placed.Part.Size)) to.Wide(placed.Part.Size, placed.Part.Size);
        to.U16(PadId);
        to.U16((ushort)(to.Left - 2));
        to.Fill((byte)'Z');
        return header;
    }

    private static byte[] CentralHeader(Placed placed, uint crc)
    {
        byte[] extra = CentralExtra(placed);
        byte[] header = new byte[ZipDirectory.CentralBytes + placed.Name.Length + extra.Length];
        Fields to = new(header);
        to.U32(ZipDirectory.CentralSignature);
        to.U16(Version64);
        Common(ref to, placed, crc);
        to.U16((ushort)extra.Length);
        to.Skip(10); // no comment, part 0, no attributes
        to.U32(Narrow(placed.Header));
        to.Bytes(placed.Name);
        to.Bytes(extra);
        return header;
    }

    private static byte[] CentralExtra(Placed placed)
    {
        long[] wide = [.. IsWide(placed.Part.Size) ? (long[])[placed.Part.Size, placed.Part.Size] : [], .. IsWide(placed.Header) ? (long[])[placed.Header] : []];
        byte[] extra = new byte[wide.Length == 0 ? 0 : 4 + 8 * wide.Length];
        if (extra.Length > 0) new Fields(extra).Wide(wide);
        return extra;
    }

    /// <summary>From the version needed to the length of the name: the same in both headers.</summary>
    private static void Common(ref Fields to, Placed placed, uint crc)
    {
        uint size = Narrow(placed.Part.Size);
        to.U16(IsWide(placed.Part.Size) ? Version64 : Version);
        to.U16(ZipDirectory.Utf8Flag);
        to.U16(0); // stored
        to.U16(0);
        to.U16(EarliestDate);
        to.U32(crc);
        to.U32(size);
        to.U32(size);
        to.U16((ushort)placed.Name.Length);
    }

    private void WriteEnd(MemoryStream directory)
    {
        long size = directory.Length, end = _directory + size;
        bool wide = Length - end > ZipDirectory.EndBytes;
        byte[] record = new byte[Length - end];
        Fields to = new(record);
        if (wide)
        {
            to.U32(ZipDirectory.End64Signature);
            to.U64(ZipDirectory.End64Bytes - 12);
            to.U16(Version64);
            to.U16(Version64);
            to.Skip(8); // part 0 of 0
            foreach (long value in (long[])[_parts.Count, _parts.Count, size, _directory]) to.U64(value);
            to.U32(ZipDirectory.LocatorSignature);
            to.Skip(4);
            to.U64(end);
            to.U32(1);
        }

        ushort count = (ushort)Math.Min(_parts.Count, ushort.MaxValue);
        to.U32(ZipDirectory.EndSignature);
        to.Skip(4);
        to.U16(count);
        to.U16(count);
        to.U32(Narrow(size));
        to.U32(Narrow(_directory));
        directory.Write(record);
    }

    private static uint Narrow(long value) => IsWide(value) ? uint.MaxValue : (uint)value;

    private sealed record Placed(ZipPart Part, byte[] Name, long Header, long Data);

    /// <summary>Little-endian fields, one after the other.</summary>
    private ref struct Fields(Span<byte> bytes)
    {
        private Span<byte> _rest = bytes;

        public readonly int Left => _rest.Length;

        public void U16(ushort value)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(_rest, value);
            Skip(2);
        }

        public void U32(uint value)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_rest, value);
            Skip(4);
        }

        public void U64(long value)
        {
            BinaryPrimitives.WriteInt64LittleEndian(_rest, value);
            Skip(8);
        }

        /// <summary>A zip64 extra field.</summary>
        public void Wide(params ReadOnlySpan<long> values)
        {
            U16(ZipDirectory.Extra64);
            U16((ushort)(8 * values.Length));
            foreach (long value in values) U64(value);
        }

        public void Bytes(ReadOnlySpan<byte> value)
        {
            value.CopyTo(_rest);
            Skip(value.Length);
        }

        public readonly void Fill(byte value) => _rest.Fill(value);

        public void Skip(int count) => _rest = _rest[count..];
    }
}
