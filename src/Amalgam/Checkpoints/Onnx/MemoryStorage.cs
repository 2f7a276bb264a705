namespace Amalgam.Checkpoints;

/// <summary>Bytes that were decoded from a file.</summary>
/// <param name="path">That file.</param>
/// <param name="bytes">What was decoded.</param>
internal sealed class MemoryStorage(string path, ReadOnlyMemory<byte> bytes) : Storage
{
    public override string Path => path;

    public override long Length => bytes.Length;

    public override void Read(long offset, Span<byte> to) => bytes.Span.Slice(checked((int)offset), to.Length).CopyTo(to);

    public override void Dispose()
    {
    }
}
