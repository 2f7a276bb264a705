using System.IO.Compression;

namespace Amalgam.Zoo.Data;

/// <summary>Files of data sets, plain or packed by gzip; what a file claims is believed only as far as it has bytes.</summary>
internal static class DataFile
{
    /// <summary>No file of a data set that is held in memory may unpack to more.</summary>
    public const long Most = 1L << 30;

    private const int HeadBytes = 2;

    /// <summary>Path of a file or of the same with <c>.gz</c>; null when there is neither.</summary>
    public static string? Find(string folder, string name)
    {
        string plain = Path.Combine(folder, name);
        return File.Exists(plain) ? plain : File.Exists(plain + ".gz") ? plain + ".gz" : null;
    }

    /// <summary>A file's bytes, unpacked when they are gzip's.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">More bytes than this are refused.</param>
    /// <exception cref="InvalidDataException">It is damaged, cut short, or longer than it may be.</exception>
    public static byte[] ReadAll(string path, long most = Most)
    {
        using FileStream file = File.OpenRead(path);
        Span<byte> head = stackalloc byte[HeadBytes], tail = stackalloc byte[sizeof(int)];
        bool packed = file.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false) == HeadBytes && head is [0x1F, 0x8B];
        file.Position = 0;
        using MemoryStream bytes = new();
        try
        {
            if (packed)
            {
                using GZipStream zip = new(file, CompressionMode.Decompress, leaveOpen: true);
                Copy(path, zip, bytes, most);
                file.Position = Math.Max(0, file.Length - tail.Length);
                file.ReadAtLeast(tail, tail.Length, throwOnEndOfStream: false);
                if (BitConverter.ToUInt32(tail) != (uint)bytes.Length) throw Invalid(path, $"its gzip stream ends after {bytes.Length} bytes and its last bytes say otherwise; it is cut short or not a single stream");
            }
            else
            {
                Copy(path, file, bytes, most);
            }
        }
        catch (InvalidDataException e) when (!e.Message.Contains(path, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{path} is no valid gzip file: {e.Message}", e);
        }

        return bytes.ToArray();
    }

    /// <summary>Lines of a UTF-8 text, with their number from 1 on; line ends are LF or CR LF.</summary>
    public static IEnumerable<(int Number, string Text)> Lines(string path)
    {
        using StreamReader reader = new(new MemoryStream(ReadAll(path)));
        for (int number = 1; reader.ReadLine() is { } line; number++) yield return (number, line);
    }

    /// <summary>What is wrong with a file.</summary>
    public static InvalidDataException Invalid(string path, string why) => new($"{path}: {why}");

    private static void Copy(string path, Stream from, MemoryStream to, long most)
    {
        byte[] buffer = new byte[1 << 16];
        for (int read; (read = from.Read(buffer)) > 0;)
        {
            if (to.Length + read > most) throw Invalid(path, $"it holds more than {most} bytes, the most that is expected");
            to.Write(buffer, 0, read);
        }
    }
}
