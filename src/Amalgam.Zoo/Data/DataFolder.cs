using System.IO.Compression;

namespace Amalgam.Zoo.Data;

/// <summary>The folder that data sets lie in, each in a folder of its own name: what the environment variable <c>AMALGAM_DATA</c> names.</summary>
public static class DataFolder
{
    private const string Variable = "AMALGAM_DATA";
    private const long LargestFile = 1L << 31;

    /// <summary>The folder of a data set.</summary>
    /// <exception cref="InvalidDataException">The variable is not set, or there is no such folder.</exception>
    public static string Of(string name)
    {
        string? root = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(root)) throw new InvalidDataException($"the data set '{name}' was not found: set {Variable} to the folder that has a folder '{name}'");
        string folder = Path.Combine(root, name);
        return Directory.Exists(folder) ? folder : throw new InvalidDataException($"the data set '{name}' was not found: {Variable} is {root}, which has no folder '{name}'");
    }

    /// <summary>Whether a file is there, as it is or compressed by gzip.</summary>
    public static bool Has(string folder, string file) => File.Exists(Path.Combine(folder, file)) || File.Exists(Path.Combine(folder, file + ".gz"));

    /// <summary>The bytes of a file, which may be compressed by gzip and then ends in .gz.</summary>
    /// <exception cref="FileNotFoundException">It is not there.</exception>
    /// <exception cref="InvalidDataException">It is damaged, or too large for an array.</exception>
    public static byte[] Read(string folder, string file)
    {
        string path = Path.Combine(folder, file), compressed = path + ".gz";
        if (File.Exists(path)) return File.ReadAllBytes(path);
        if (!File.Exists(compressed)) throw new FileNotFoundException($"{path} is missing, and so is {compressed}", path);
        using GZipStream stream = new(File.OpenRead(compressed), CompressionMode.Decompress);
        using MemoryStream bytes = new();
        byte[] block = new byte[1 << 16];
        try
        {
            for (int read; (read = stream.Read(block)) > 0;)
            {
                if (bytes.Length + read > LargestFile) throw new InvalidDataException($"{compressed} inflates to more than {LargestFile} bytes");
                bytes.Write(block, 0, read);
            }
        }
        catch (InvalidDataException e) when (e.Message.Length == 0 || !e.Message.StartsWith(compressed, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{compressed} is not a valid gzip file: {e.Message}", e);
        }

        return bytes.ToArray();
    }
}
