namespace Amalgam.Fuzz;

/// <summary>FNV-1a over bytes that come in parts.</summary>
internal sealed class Checksum
{
    public ulong Value { get; private set; } = 14695981039346656037;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        ulong value = Value;
        foreach (byte b in bytes) value = (value ^ b) * 1099511628211;
        Value = value;
    }
}
