namespace Amalgam.Checkpoints;

/// <summary>
/// The fields of a protobuf message that lies in a file, one after the other: where each is, without reading what it holds.
/// Encoding: https://protobuf.dev/programming-guides/encoding.
/// </summary>
internal sealed class ProtoFields(ProtoBytes bytes, long begin, long end)
{
    public const int Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5;

    private long _next = begin;

    /// <summary>Number of the field.</summary>
    public int Number { get; private set; }

    /// <summary>How it is encoded.</summary>
    public int Wire { get; private set; }

    /// <summary>Where it begins, tag included.</summary>
    public long Begin { get; private set; }

    /// <summary>Where its value begins.</summary>
    public long Value { get; private set; }

    /// <summary>Where it ends.</summary>
    public long End => _next;

    /// <summary>Goes to the next field.</summary>
    /// <returns>False after the last.</returns>
    /// <exception cref="InvalidDataException">A field is not one, or goes beyond its message.</exception>
    public bool Next()
    {
        if (_next == end) return false;
        Begin = _next;
        ulong tag = ReadVarint();
        if (tag >> 3 is 0 or > 536_870_911) throw bytes.Invalid($"at byte {Begin} is no field of a message");
        (Number, Wire) = ((int)(tag >> 3), (int)(tag & 7));
        ulong length = Wire switch
        {
            Varint => 0,
            Fixed64 => 8,
            Bytes => ReadVarint(),
            Fixed32 => 4,
            _ => throw bytes.Invalid($"the field {Number} at byte {Begin} has the unknown encoding {Wire}"),
        };
        Value = _next;
        if (Wire == Varint) ReadVarint();
        if (length > (ulong)(end - _next)) throw bytes.Invalid($"the field {Number} at byte {Begin} claims {length} bytes, {end - _next} are left of its message; the file may be cut short");
        _next += (long)length;
        return true;
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            if (_next == end) throw bytes.Invalid($"a number at byte {_next} goes beyond its message; the file may be cut short");
            byte part = bytes[_next++];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80) return value;
        }

        throw bytes.Invalid($"a number before byte {_next} has more than 64 bits");
    }
}

/// <summary>Where a field lies in a file.</summary>
/// <param name="Begin">Its tag.</param>
/// <param name="Value">Its value.</param>
/// <param name="End">What follows it.</param>
internal readonly record struct ProtoRange(long Begin, long Value, long End);

/// <summary>The bytes of a file through a window that moves along.</summary>
internal sealed class ProtoBytes(Storage storage, Func<string, InvalidDataException> invalid)
{
    private readonly byte[] _window = new byte[1 << 16];
    private long _from;
    private int _count;

    /// <summary>One byte.</summary>
    public byte this[long at]
    {
        get
        {
            if (at < _from || at >= _from + _count) Move(at);
            return _window[at - _from];
        }
    }

    /// <summary>Appends a range to a stream.</summary>
    public void CopyTo(Stream stream, long begin, long end)
    {
        while (begin < end)
        {
            if (begin < _from || begin >= _from + _count) Move(begin);
            int count = (int)Math.Min(end - begin, _from + _count - begin);
            stream.Write(_window, (int)(begin - _from), count);
            begin += count;
        }
    }

    /// <summary>What is wrong with the file. That it is text is said first: the first field of a model holds a version, whose tag is no letter.</summary>
    public InvalidDataException Invalid(string why)
    {
        Span<byte> head = stackalloc byte[(int)Math.Min(256, storage.Length)];
        storage.Read(0, head);
        return invalid(head.Length >= 4 && IsText(head) ? $"it is text, not a protobuf message; {why}" : why);
    }

    private static bool IsText(ReadOnlySpan<byte> head)
    {
        foreach (byte b in head)
        {
            if (b < ' ' && b is not ((byte)'\t' or (byte)'\n' or (byte)'\r')) return false;
        }

        return true;
    }

    private void Move(long at)
    {
        _count = 0;
        int count = (int)Math.Min(_window.Length, storage.Length - at);
        storage.Read(at, _window.AsSpan(0, count));
        (_from, _count) = (at, count);
    }
}
