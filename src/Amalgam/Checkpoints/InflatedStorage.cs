using System.IO.Compression;
using Microsoft.Win32.SafeHandles;

namespace Amalgam.Checkpoints;

/// <summary>
/// A deflated file of a zip. Deflate cannot be read by position, so the first read spools it into a temporary file, once, and never more of it than it claims.
/// </summary>
internal sealed class InflatedStorage(FileStorage zip, ZipEntry entry, Func<string, InvalidDataException> fail) : Storage
{
    private readonly Lock _gate = new();
    private SafeFileHandle? _spool;

    public override string Path => zip.Path;

    public override long Length => entry.Size;

    /// <summary>The temporary file, once there is one. On Unix its name is gone as soon as it is open, elsewhere when this is disposed.</summary>
    internal string? SpoolPath { get; private set; }

    /// <summary>The first bytes, without the spool; fewer when there are no more.</summary>
    public int ReadHead(Span<byte> head)
    {
        try
        {
            using DeflateStream inflated = Inflate();
            return inflated.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException e)
        {
            throw fail($"its entry '{entry.Name}' does not inflate: {e.Message}");
        }
    }

    public override void Read(long offset, Span<byte> bytes)
    {
        if (offset < 0 || offset > Length - bytes.Length) throw fail($"its entry '{entry.Name}' ends at byte {Length}, {bytes.Length} were expected at {offset}");
        SafeFileHandle spool = Spool();
        while (!bytes.IsEmpty)
        {
            int read = RandomAccess.Read(spool, bytes, offset);
            if (read == 0) throw new IOException($"the temporary copy of '{entry.Name}' was cut short");
            offset += read;
            bytes = bytes[read..];
        }
    }

    public override void Dispose() => _spool?.Dispose();

    private DeflateStream Inflate() => new(new Window(zip, entry.Offset, entry.CompressedSize), CompressionMode.Decompress);

    private SafeFileHandle Spool()
    {
        lock (_gate)
        {
            if (_spool is not null) return _spool;
            string path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"amalgam-{Guid.NewGuid():N}.npy");
            SafeFileHandle spool = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None);
            try
            {
                if (!OperatingSystem.IsWindows()) File.Delete(path); // a process that is killed leaves nothing
                CopyTo(spool);
            }
            catch (Exception e)
            {
                spool.Dispose();
                if (e is InvalidDataException) throw fail($"its entry '{entry.Name}' does not inflate: {e.Message}");
                throw;
            }

            SpoolPath = path;
            return _spool = spool;
        }
    }

    private void CopyTo(SafeFileHandle spool)
    {
        using DeflateStream inflated = Inflate();
        byte[] block = new byte[1 << 16];
        long position = 0;
        uint crc = 0;
        for (int read = inflated.Read(block); read > 0; read = inflated.Read(block))
        {
            if (read > Length - position) throw new InvalidDataException($"it gives more than the {Length} bytes that it claims");
            crc = Crc32.Append(crc, block.AsSpan(0, read));
            RandomAccess.Write(spool, block.AsSpan(0, read), position);
            position += read;
        }

        if (position != Length) throw new InvalidDataException($"it gives {position} bytes and claims {Length}");
        if (crc != entry.Crc) throw new InvalidDataException($"its checksum is {crc:x8}, expected {entry.Crc:x8}");
    }

    /// <summary>A part of a file, as the stream that the BCL's decompressor wants.</summary>
    private sealed class Window(FileStorage file, long offset, long count) : Stream
    {
        private long _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => count;

        public override long Position
        {
            get => _position;
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            int read = (int)Math.Min(buffer.Length, count - _position);
            file.Read(offset + _position, buffer[..read]);
            _position += read;
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
