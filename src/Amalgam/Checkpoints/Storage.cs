using Microsoft.Win32.SafeHandles;

namespace Amalgam.Checkpoints;

/// <summary>Bytes that are read by position, from any number of threads at once.</summary>
public abstract class Storage : IDisposable
{
    /// <summary>The file that the bytes come from, for messages.</summary>
    public abstract string Path { get; }

    /// <summary>Number of bytes.</summary>
    public abstract long Length { get; }

    /// <summary>Fills <paramref name="bytes"/> from <paramref name="offset"/> on.</summary>
    /// <exception cref="InvalidDataException">The bytes end before.</exception>
    public abstract void Read(long offset, Span<byte> bytes);

    public abstract void Dispose();
}

/// <summary>A file, opened for shared reading.</summary>
public sealed class FileStorage : Storage
{
    private readonly SafeFileHandle _handle;

    /// <exception cref="IOException">The file cannot be opened.</exception>
    public FileStorage(string path)
    {
        _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        Path = path;
        Length = RandomAccess.GetLength(_handle);
    }

    public override string Path { get; }

    public override long Length { get; }

    public override void Read(long offset, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int read = RandomAccess.Read(_handle, bytes, offset);
            if (read == 0) throw new InvalidDataException($"{Path} ends at byte {offset}, {bytes.Length} bytes early; it was cut short or changed while it was read");
            offset += read;
            bytes = bytes[read..];
        }
    }

    public override void Dispose() => _handle.Dispose();
}
