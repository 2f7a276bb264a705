using System.Buffers.Binary;
using System.IO.Compression;

namespace Amalgam.Zoo.Report;

/// <summary>Writes pictures as PNG (W3C, Portable Network Graphics, third edition): 8 bits, grey or RGB, rows unfiltered.</summary>
public static class Png
{
    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];

    /// <summary>The bytes of a file.</summary>
    /// <param name="width">Columns, at least one.</param>
    /// <param name="height">Rows, at least one.</param>
    /// <param name="pixels">Row by row; one byte for a pixel is grey, three are red, green and blue.</param>
    public static byte[] Encode(int width, int height, ReadOnlySpan<byte> pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        int channels = pixels.Length / checked(width * height);
        if (channels is not (1 or 3) || pixels.Length != width * height * channels) throw new ArgumentException($"{pixels.Length} bytes are no picture of {width} x {height}, grey or RGB", nameof(pixels));
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, (byte)(channels == 1 ? 0 : 2));

        using MemoryStream packed = new();
        using (ZLibStream zip = new(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            for (int row = 0; row < height; row++)
            {
                zip.WriteByte(0);
                zip.Write(pixels.Slice(row * width * channels, width * channels));
            }
        }

        using MemoryStream file = new();
        file.Write(Signature);
        Chunk(file, "IHDR"u8, header);
        Chunk(file, "IDAT"u8, packed.GetBuffer().AsSpan(0, (int)packed.Length));
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static void Chunk(MemoryStream file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(name);
        file.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Crc(Crc(~0u, name), data));
        file.Write(number);
    }

    private static uint Crc(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (byte octet in bytes)
        {
            crc ^= octet;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xEDB8_8320 & (0u - (crc & 1)));
        }

        return crc;
    }
}
