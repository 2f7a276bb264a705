using Microsoft.Win32.SafeHandles;

namespace Amalgam.Checkpoints;

/// <summary>
/// A checkpoint file whose layout is fixed and whose tensors are written by position, in any order and from any thread. The caller writes to a temporary
/// name, calls <see cref="Complete"/> and renames.
/// </summary>
public class CheckpointWriter : IDisposable
{
    /// <summary>Bytes after which the disk is asked to begin writing, so that little is left to wait for at the end.</summary>
    private const long FlushBytes = 128L << 20;

    private readonly SafeFileHandle _handle;
    private readonly IReadOnlyDictionary<string, (TensorSpec Tensor, long Offset)> _layout;
    private readonly Lock _gate = new();
    private Task _flush = Task.CompletedTask;
    private long _unflushed;

    /// <param name="path">The file; it is created, or opened as it is to go on with an interrupted run, and gets its full size at once, so that a full disk shows now.</param>
    /// <param name="length">Bytes of the whole file.</param>
    /// <param name="layout">Where each tensor's bytes go.</param>
    /// <exception cref="IOException">The file cannot be created, or the disk has no room.</exception>
    internal CheckpointWriter(string path, long length, IReadOnlyDictionary<string, (TensorSpec Tensor, long Offset)> layout)
    {
        (Path, Length, _layout) = (path, length, layout);
        bool isNew = !File.Exists(path) || new FileInfo(path).Length != length;
        _handle = isNew
            ? File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read, FileOptions.None, preallocationSize: length)
            : File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        IsNew = isNew;
        if (isNew) RandomAccess.SetLength(_handle, length);
    }

    /// <summary>The file was created; otherwise it is one that an interrupted run left.</summary>
    internal bool IsNew { get; }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Bytes of the whole file.</summary>
    public long Length { get; }

    /// <summary>Bytes of the tensors alone.</summary>
    public long TensorBytes => _layout.Values.Sum(t => t.Tensor.ByteCount);

    /// <summary>Writes elements of a tensor in their stored type.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="first">Row-major index of the first element; for a packed type one that begins a byte.</param>
    /// <param name="bytes">Whole elements.</param>
    public void Write(string name, long first, ReadOnlySpan<byte> bytes)
    {
        var (tensor, offset) = _layout[name];
        long begin = tensor.DType.BytesOf(first);
        if (begin < 0 || bytes.Length > tensor.ByteCount - begin)
            throw new ArgumentOutOfRangeException(nameof(first), $"{bytes.Length} bytes from element {first} on do not fit into {tensor}");
        WriteAt(offset + begin, bytes);
    }

    /// <summary>Writes what can only be written last, and flushes to the disk.</summary>
    public virtual void Complete()
    {
        _flush.GetAwaiter().GetResult();
        RandomAccess.FlushToDisk(_handle);
    }

    public void Dispose()
    {
        // A flush that failed was reported by Complete, or the file is given up.
        ((IAsyncResult)_flush).AsyncWaitHandle.WaitOne();
        _handle.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Writes bytes at a position of the file.</summary>
    protected internal void WriteAt(long offset, ReadOnlySpan<byte> bytes)
    {
        if (offset < 0 || offset + bytes.Length > Length) throw new ArgumentOutOfRangeException(nameof(offset), $"{bytes.Length} bytes at {offset} of {Length}");
        RandomAccess.Write(_handle, bytes, offset);
        FlushBehind(bytes.Length);
    }

    /// <summary>Now and then starts a flush on a thread of its own, while others go on writing.</summary>
    private void FlushBehind(int written)
    {
        if (Interlocked.Add(ref _unflushed, written) < FlushBytes) return;
        lock (_gate)
        {
            if (!_flush.IsCompletedSuccessfully || Volatile.Read(ref _unflushed) < FlushBytes) return;
            Volatile.Write(ref _unflushed, 0);
            _flush = Task.Factory.StartNew(() => RandomAccess.FlushToDisk(_handle), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
    }

    /// <summary>Reads back what was written, for checksums.</summary>
    protected int ReadAt(long offset, Span<byte> bytes) => RandomAccess.Read(_handle, bytes, offset);
}
