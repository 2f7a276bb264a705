using System.Buffers.Binary;

namespace Amalgam.Zoo.Data;

/// <summary>A picture as bytes, plane by plane, row by row.</summary>
/// <param name="Channels">1 for grey, 3 for red, green and blue.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
/// <param name="Pixels">Its bytes.</param>
internal sealed record Picture(int Channels, int Height, int Width, byte[] Pixels);

/// <summary>Readers of the formats that need no decoder: Netpbm's binary PGM and PPM (P5, P6; pgm(5), ppm(5)) and BMP, 8 bits grey, 24 or 32 bits, not compressed.</summary>
internal static class Pictures
{
    private const int MostSide = 1 << 14, BmpHeaders = 54;

    /// <summary>Reads a picture.</summary>
    /// <exception cref="InvalidDataException">The file is of another format, or damaged.</exception>
    public static Picture Read(string path)
    {
        byte[] file = DataFolder.Read(path, 4L * MostSide * MostSide);
        return file is [(byte)'P', (byte)'5' or (byte)'6', ..] ? Netpbm(path, file) : file is [(byte)'B', (byte)'M', ..] ? Bmp(path, file)
            : throw Invalid(path, "it is neither PGM (P5), PPM (P6) nor BMP");
    }

    private static Picture Netpbm(string path, byte[] file)
    {
        int at = 2, channels = file[1] == '5' ? 1 : 3;
        int width = Number(), height = Number(), most = Number();
        at++;
        if (most != byte.MaxValue) throw Invalid(path, $"its largest value is {most}, expected 255");
        int plane = Check(path, width, height);
        if (file.Length - at != plane * channels) throw Invalid(path, $"{width} x {height} pixels take {plane * channels} bytes, it has {file.Length - at}");
        byte[] pixels = new byte[plane * channels];
        for (int i = 0; i < pixels.Length; i++) pixels[i % channels * plane + i / channels] = file[at + i];
        return new(channels, height, width, pixels);

        int Number()
        {
            for (; at < file.Length && (char.IsWhiteSpace((char)file[at]) || file[at] == '#'); at++)
            {
                if (file[at] == '#') while (at + 1 < file.Length && file[at] != '\n') at++;
            }

            int value = 0, begin = at;
            for (; at < file.Length && file[at] is >= (byte)'0' and <= (byte)'9' && value <= MostSide; at++) value = 10 * value + file[at] - '0';
            return at > begin ? value : throw Invalid(path, $"expected a number at byte {at}");
        }
    }

    private static Picture Bmp(string path, byte[] file)
    {
        if (file.Length < BmpHeaders) throw Invalid(path, $"it has {file.Length} bytes, a BMP has at least {BmpHeaders}");
        int Field(int at) => BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(at));
        int begin = Field(10), width = Field(18), rows = Field(22), bits = BinaryPrimitives.ReadInt16LittleEndian(file.AsSpan(28)), compression = Field(30);
        if (compression is not (0 or 3) || bits is not (8 or 24 or 32)) throw Invalid(path, $"it has {bits} bits a pixel and compression {compression}, expected 8, 24 or 32 bits and none");
        int height = Math.Abs(rows), plane = Check(path, width, height), octets = bits / 8, stride = (width * octets + 3) / 4 * 4;
        if (begin < BmpHeaders || (long)begin + (long)stride * height > file.Length) throw Invalid(path, $"{width} x {height} pixels from byte {begin} on do not fit in its {file.Length} bytes");
        int channels = bits == 8 ? 1 : 3;
        byte[] pixels = new byte[plane * channels];
        for (int p = 0; p < plane; p++)
        {
            int row = p / width, from = begin + (rows > 0 ? height - 1 - row : row) * stride + p % width * octets;
            for (int c = 0; c < channels; c++) pixels[c * plane + p] = file[from + channels - 1 - c];
        }

        return new(channels, height, width, pixels);
    }

    private static int Check(string path, int width, int height) => width is > 0 and <= MostSide && height is > 0 and <= MostSide ? width * height
        : throw Invalid(path, $"its size is {width} x {height}, expected 1 to {MostSide} each way");

    internal static InvalidDataException Invalid(string path, string why) => new($"{path}: {why}");
}
