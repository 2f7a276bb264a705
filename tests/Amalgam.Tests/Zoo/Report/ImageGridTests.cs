using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Xml.Linq;
using Amalgam.Checkpoints;
using Amalgam.Zoo.Report;

namespace Amalgam.Tests.Zoo.Report;

public class ImageGridTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void The_image_in_the_page_decodes_to_the_values(int channels) => Property.Holds(gen =>
    {
        int width = gen.Size(40), height = gen.Size(40), plane = width * height;
        float[] values = gen.Floats(plane * channels);

        XElement page = HtmlReportTests.Parse(new HtmlReport("t", new ImageGrid("", [ImageTile.Of(new(channels, height, width), values, -1, 1)], 3)).Render());

        XElement image = page.Descendants().Single(e => e.Name.LocalName == "img");
        Assert.Equal((3 * width, 3 * height), ((int)image.Attribute("width")!, (int)image.Attribute("height")!));
        byte[] pixels = Decode(Convert.FromBase64String(((string)image.Attribute("src")!).Split(',')[1]), width, height, channels);
        Assert.Equal(Enumerable.Range(0, plane * channels).Select(i => (byte)MathF.Round(255 * Math.Clamp((values[i % channels * plane + i / channels] + 1) / 2, 0, 1))), pixels);
    });

    private static byte[] Decode(byte[] file, int width, int height, int channels)
    {
        Assert.Equal([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], file[..8]);
        var chunks = Chunks(file.AsMemory(8)).ToArray();
        Assert.Equal(["IHDR", "IDAT", "IEND"], chunks.Select(c => c.Type));
        Assert.Equal((width, height), (BinaryPrimitives.ReadInt32BigEndian(chunks[0].Data.Span), BinaryPrimitives.ReadInt32BigEndian(chunks[0].Data.Span[4..])));
        Assert.Equal([8, (byte)(channels == 1 ? 0 : 2), 0, 0, 0], chunks[0].Data.Span[8..].ToArray());
        using ZLibStream zlib = new(new MemoryStream(chunks[1].Data.ToArray()), CompressionMode.Decompress);
        using MemoryStream rows = new();
        zlib.CopyTo(rows);
        return [.. rows.ToArray().Chunk(width * channels + 1).SelectMany(row => row[0] == 0 ? row[1..] : throw new InvalidDataException("a filter"))];
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
