using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Amalgam.Zoo.Report;

/// <summary>Writes images as PNG (ISO/IEC 15948): 8 bits, grey or RGB, without filters.</summary>
public static class Png
{
    private const uint Polynomial = 0xEDB88320;

    /// <summary>The file's bytes.</summary>
    /// <param name="width">Pixels from left to right.</param>
    /// <param name="height">Pixels from top to bottom.</param>
    /// <param name="channels">1 for grey, 3 for red, green and blue.</param>
    /// <param name="pixels">Row by row, a pixel's channels together.</param>
    public static byte[] Encode(int width, int height, int channels, ReadOnlySpan<byte> pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (channels is not (1 or 3)) throw new ArgumentOutOfRangeException(nameof(channels), channels, "an image has 1 or 3 channels");
        ArgumentOutOfRangeException.ThrowIfNotEqual(pixels.Length, (long)width * height * channels, nameof(pixels));

        using MemoryStream file = new();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, (byte)(channels == 1 ? 0 : 2));
        Chunk(file, "IHDR", header);
        Chunk(file, "IDAT", Compress(width * channels, pixels));
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    /// <summary>The image as an address that a page can hold: <c>data:image/png;base64,...</c>.</summary>
    public static string DataUri(int width, int height, int channels, ReadOnlySpan<byte> pixels) =>
        "data:image/png;base64," + Convert.ToBase64String(Encode(width, height, channels, pixels));

    private static byte[] Compress(int row, ReadOnlySpan<byte> pixels)
    {
        using MemoryStream bytes = new();
        using (ZLibStream zlib = new(bytes, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            for (; pixels.Length > 0; pixels = pixels[row..])
            {
                zlib.WriteByte(0);
                zlib.Write(pixels[..row]);
            }
        }

        return bytes.ToArray();
    }

    private static void Chunk(MemoryStream file, string type, ReadOnlySpan<byte> data)
    {
        byte[] chunk = new byte[data.Length + 12];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        Encoding.ASCII.GetBytes(type, chunk.AsSpan(4));
        data.CopyTo(chunk.AsSpan(8));
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(data.Length + 8), Crc(chunk.AsSpan(4, data.Length + 4)));
        file.Write(chunk);
    }

    /// <summary>CRC-32 of a chunk's type and data (ISO/IEC 15948, annex D).</summary>
    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = ~0u;
        foreach (byte x in bytes)
        {
            crc ^= x;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? Polynomial : 0);
        }

        return ~crc;
    }
}
