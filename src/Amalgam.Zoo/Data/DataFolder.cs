using System.Buffers.Binary;
using System.IO.Compression;

namespace Amalgam.Zoo.Data;

/// <summary>Where data sets lie: a folder for each, by its name.</summary>
public static class DataFolder
{
    /// <summary>The variable that names the folder.</summary>
    public const string Variable = "AMALGAM_DATA";

    private const long MostBytes = 1L << 30, LeastGzipBytes = 18;

    /// <summary>The folder that <c>AMALGAM_DATA</c> names, or else <c>amalgam/data</c> where the user's programs keep their data.</summary>
    public static string Root => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named
        ? Path.GetFullPath(named)
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "amalgam", "data");

    /// <summary>The file, as it is or with <c>.gz</c> after its name; null when there is neither.</summary>
    public static string? Find(string root, string path)
    {
        string plain = Path.Combine(root, path);
        return File.Exists(plain) ? plain : File.Exists(plain + ".gz") ? plain + ".gz" : null;
    }

    /// <summary>The bytes of a file that <see cref="Find"/> gave, inflated.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">More bytes than this are refused: a small file may claim to inflate to any size.</param>
    /// <exception cref="InvalidDataException">The file is no gzip file although it ends in .gz, is cut short, or holds more.</exception>
    public static byte[] Read(string path, long most = MostBytes)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        bool packed = path.EndsWith(".gz", StringComparison.Ordinal);
        using MemoryStream bytes = new();
        byte[] buffer = new byte[1 << 16];
        try
        {
            using Stream stream = packed ? new GZipStream(file, CompressionMode.Decompress, leaveOpen: true) : file;
            for (int count; (count = stream.Read(buffer)) > 0;)
            {
                if (bytes.Length + count > most) throw new InvalidDataException($"{path} holds more than {most:N0} bytes, which is more than this data has");
                bytes.Write(buffer, 0, count);
            }

            if (packed) CheckLength(file, bytes.Length);
        }
        catch (InvalidDataException e) when (!e.Message.StartsWith(path, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{path} is not a valid gzip file: {e.Message}", e);
        }

        return bytes.ToArray();
    }

    /// <summary>The lines of a text file that <see cref="Find"/> gave.</summary>
    /// <exception cref="InvalidDataException">As for <see cref="Read"/>.</exception>
    public static IEnumerable<string> Lines(string path)
    {
        using StreamReader reader = new(new MemoryStream(Read(path)));
        while (reader.ReadLine() is { } line) yield return line;
    }

    /// <summary>A gzip file ends with its length modulo 2^32 (RFC 1952); .NET's reader takes the end of a file that was cut short for that of its content.</summary>
    private static void CheckLength(FileStream file, long inflated)
    {
        Span<byte> tail = stackalloc byte[sizeof(uint)];
        file.Position = Math.Max(0, file.Length - tail.Length);
        file.ReadAtLeast(tail, tail.Length, throwOnEndOfStream: false);
        if (file.Length < LeastGzipBytes || BinaryPrimitives.ReadUInt32LittleEndian(tail) != (uint)inflated) throw new InvalidDataException($"it inflates to {inflated:N0} bytes, its end says otherwise; it may be cut short");
    }
}
