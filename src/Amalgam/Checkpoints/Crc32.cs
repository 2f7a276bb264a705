using System.Buffers.Binary;

namespace Amalgam.Checkpoints;

/// <summary>The checksum of zip files: CRC-32 with the reflected polynomial 0xEDB88320, eight bytes at a step.</summary>
internal static class Crc32
{
    private const uint Polynomial = 0xEDB88320;
    private const int Step = 8;
    private static readonly uint[] Tables = MakeTables();

    /// <summary>The checksum of what came before and <paramref name="bytes"/>; start with 0.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        uint[] t = Tables;
        crc = ~crc;
        for (; bytes.Length >= Step; bytes = bytes[Step..])
        {
            uint a = crc ^ BinaryPrimitives.ReadUInt32LittleEndian(bytes), b = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            crc = t[1792 + (a & 255)] ^ t[1536 + ((a >> 8) & 255)] ^ t[1280 + ((a >> 16) & 255)] ^ t[1024 + (a >> 24)]
                ^ t[768 + (b & 255)] ^ t[512 + ((b >> 8) & 255)] ^ t[256 + ((b >> 16) & 255)] ^ t[b >> 24];
        }

        foreach (byte x in bytes) crc = (crc >> 8) ^ t[(crc ^ x) & 255];
        return ~crc;
    }

    /// <summary>Table k, at 256 k, moves a byte past k more zero bytes.</summary>
    private static uint[] MakeTables()
    {
        uint[] tables = new uint[Step * 256];
        for (uint i = 0; i < 256; i++)
        {
            uint crc = i;
            for (int bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ Polynomial : crc >> 1;
            tables[i] = crc;
        }

        for (int i = 256; i < tables.Length; i++) tables[i] = (tables[i - 256] >> 8) ^ tables[tables[i - 256] & 255];
        return tables;
    }
}
