using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Amalgam.Checkpoints;
using Amalgam.Zoo.Report;

namespace Amalgam.Tests.Zoo.Report;

public class PngTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void An_encoded_image_decodes_to_its_pixels(int channels) => Property.Holds(gen =>
    {
        int width = gen.Size(), height = gen.Size();
        byte[] pixels = [.. gen.Floats(width * height * channels).Select(x => (byte)(x * 99))];

        byte[] file = Png.Encode(width, height, channels, pixels);

        Assert.Equal([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], file[..8]);
        var chunks = Chunks(file.AsMemory(8)).ToArray();
        Assert.Equal(["IHDR", "IDAT", "IEND"], chunks.Select(c => c.Type));
        Assert.Equal((width, height), (BinaryPrimitives.ReadInt32BigEndian(chunks[0].Data.Span), BinaryPrimitives.ReadInt32BigEndian(chunks[0].Data.Span[4..])));
        Assert.Equal([8, (byte)(channels == 1 ? 0 : 2), 0, 0, 0], chunks[0].Data.Span[8..].ToArray());
        using ZLibStream zlib = new(new MemoryStream(chunks[1].Data.ToArray()), CompressionMode.Decompress);
        using MemoryStream rows = new();
        zlib.CopyTo(rows);
        Assert.Equal(pixels, rows.ToArray().Chunk(width * channels + 1).SelectMany(row => row[0] == 0 ? row[1..] : throw new InvalidDataException("a filter")));
    });

    [Fact]
    public void Refuses_pixels_that_do_not_fill_the_image()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Png.Encode(2, 2, 1, new byte[5]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Png.Encode(2, 2, 2, new byte[8]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Png.Encode(0, 2, 1, []));
    }

    private static IEnumerable<(string Type, ReadOnlyMemory<byte> Data)> Chunks(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(bytes.Span);
            Assert.Equal(BinaryPrimitives.ReadUInt32BigEndian(bytes.Span[(8 + length)..]), Crc32.Append(0, bytes.Span.Slice(4, length + 4)));
            yield return (Encoding.ASCII.GetString(bytes.Span.Slice(4, 4)), bytes.Slice(8, length));
            bytes = bytes[(12 + length)..];
        }
    }
}
