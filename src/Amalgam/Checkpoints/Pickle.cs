using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Amalgam.Checkpoints;

/// <summary>
/// Reads Python pickles as data. Nothing is executed: a class is its name, a call is a node. Values are null, bool, long, <see cref="BigInteger"/>, double,
/// string, byte[], tuples (object?[]), lists and sets (List), <see cref="PickleDict"/>, <see cref="PickleGlobal"/>, <see cref="PickleCall"/> and
/// <see cref="PicklePersistent"/>. They may refer to each other in circles and be nested to any depth, so walk them by hand and to a fixed depth.
/// Opcodes: https://github.com/python/cpython/blob/main/Lib/pickletools.py.
/// </summary>
/// <param name="storage">Where the pickle is.</param>
/// <param name="begin">Its first byte.</param>
/// <param name="end">The first byte that is certainly not its own.</param>
/// <param name="allowed">The names that a pickle may mention, <c>module.name</c>.</param>
/// <param name="fail">Makes the exception of a message.</param>
internal sealed class Pickle(Storage storage, long begin, long end, IReadOnlySet<string> allowed, Func<string, InvalidDataException> fail)
{
    private const int NewestProtocol = 5;
    private const int LineLimit = 256;
    private const int NumberLimit = 255;
    private const int SlotCost = 16, ObjectCost = 64, DictCost = 64;
    private const long FreeCost = 16 << 20;
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly byte[] _window = new byte[(int)Math.Min(1 << 16, Math.Max(1, end - begin))];
    private readonly byte[] _small = new byte[LineLimit];
    private readonly List<object?> _stack = [];
    private readonly List<int> _marks = [];
    private readonly Dictionary<long, object?> _memo = [];
    private long _windowBegin = begin, _windowEnd = begin, _opcodeAt = begin;

    /// <summary>What the values may still take in memory, with the growth of what holds them: twice the file and something for small ones.</summary>
    private long _budget = 2 * storage.Length + FreeCost;

    /// <summary>The byte after the last pickle that was read.</summary>
    public long Position { get; private set; } = begin;

    /// <summary>Every reference to something outside, in order.</summary>
    public List<PicklePersistent> Persistents { get; } = [];

    /// <summary>Reads one pickle.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or more than data.</exception>
    public object? Read()
    {
        _stack.Clear();
        _marks.Clear();
        _memo.Clear();
        while (true)
        {
            _opcodeAt = Position;
            byte opcode = Byte();
            if (opcode == '.') break;
            Run(opcode);
        }

        object? value = Pop();
        return _stack.Count == 0 && _marks.Count == 0 ? value : throw Fail($"{_stack.Count} values are left over at its end");
    }

    private void Run(byte opcode)
    {
        switch (opcode)
        {
            case 0x80: // PROTO
                int protocol = Byte();
                if (protocol > NewestProtocol) throw Fail($"it is of protocol {protocol}, up to {NewestProtocol} are known");
                break;
            case 0x95: Small(8); break; // FRAME: how much to read ahead, of no meaning here
            case (byte)'(': Spend(SlotCost); _marks.Add(_stack.Count); break;
            case (byte)'N': Push(null); break;
            case 0x88: Push(true); break;
            case 0x89: Push(false); break;
            case (byte)'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Small(4))); break;
            case (byte)'K': Push((long)Byte()); break;
            case (byte)'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Small(2))); break;
            case 0x8a: Push(Integer(Byte())); break;
            case 0x8b: Push(Integer(BinaryPrimitives.ReadUInt32LittleEndian(Small(4)))); break;
            case (byte)'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Small(8))); break;
            case (byte)'X': Push(Text(BinaryPrimitives.ReadUInt32LittleEndian(Small(4)))); break;
            case 0x8c: Push(Text(Byte())); break;
            case 0x8d: Push(Text(BinaryPrimitives.ReadInt64LittleEndian(Small(8)))); break;
            case (byte)'U': Push(PythonTwoText(Byte())); break;
            case (byte)'T': Push(PythonTwoText(BinaryPrimitives.ReadUInt32LittleEndian(Small(4)))); break;
            case (byte)'C': Push(Take(Byte())); break;
            case (byte)'B': Push(Take(BinaryPrimitives.ReadUInt32LittleEndian(Small(4)))); break;
            case (byte)')': Push(Array.Empty<object?>()); break;
            case 0x85: PushTuple(1); break;
            case 0x86: PushTuple(2); break;
            case 0x87: PushTuple(3); break;
            case (byte)'t': PushTuple(_stack.Count - PopMark()); break;
            case (byte)']' or 0x8f: Push(new List<object?>()); break;
            case (byte)'a': Append(_stack.Count - 1); break;
            case (byte)'e' or 0x90: Append(PopMark()); break;
            case (byte)'}': Spend(DictCost); Push(new PickleDict()); break;
            case (byte)'s': SetItems(_stack.Count - 2); break;
            case (byte)'u': SetItems(PopMark()); break;
            case (byte)'q': Memoize(Byte()); break;
            case (byte)'r': Memoize(BinaryPrimitives.ReadUInt32LittleEndian(Small(4))); break;
            case 0x94: Memoize(_memo.Count); break;
            case (byte)'h': Recall(Byte()); break;
            case (byte)'j': Recall(BinaryPrimitives.ReadUInt32LittleEndian(Small(4))); break;
            case (byte)'c': PushGlobal(Line(), Line()); break;
            case 0x93:
                object? name = Pop(), module = Pop();
                PushGlobal(module as string ?? throw Fail("a module's name is not text"), name as string ?? throw Fail("a class's name is not text"));
                break;
            case (byte)'R': Call(); break;
            case 0x81: Call(onlyFor: "torch.nn.parameter.Parameter"); break;
            case (byte)'b': Build(); break;
            case (byte)'Q':
                Spend(SlotCost);
                Persistents.Add(new(Pop()));
                Push(Persistents[^1]);
                break;
            default: throw Fail($"opcode 0x{opcode:x2} is not one of plain data");
        }
    }

    /// <summary>A call stays a node; only the ordered dictionary is made, as it is data.</summary>
    private void Call(string? onlyFor = null)
    {
        object? arguments = Pop(), function = Pop();
        if (function is not PickleGlobal global || arguments is not object?[] tuple) throw Fail("a call is not one of a named function with a tuple");
        if (onlyFor is not null && global.ToString() != onlyFor) throw Fail($"it makes an object of '{global}'");
        if (global is not { Module: "collections", Name: "OrderedDict" })
        {
            Push(new PickleCall(global, tuple));
            return;
        }

        Spend(DictCost);
        PickleDict dict = new();
        if (tuple.Length > 0)
        {
            if (tuple.Length > 1 || tuple[0] is not List<object?> pairs) throw Fail("an OrderedDict is not made of a list of pairs");
            Spend(SlotCost * (long)pairs.Count);
            foreach (object? pair in pairs)
            {
                IList<object?> two = pair is IList<object?> { Count: 2 } sound ? sound : throw Fail("an OrderedDict is not made of a list of pairs");
                dict.Entries.Add(new(two[0], two[1]));
            }
        }

        Push(dict);
    }

    /// <summary>The state of an ordered dictionary (its _metadata) or of a numpy type says nothing about tensors.</summary>
    private void Build()
    {
        Pop();
        if (_stack.Count == Floor || _stack[^1] is not (PickleDict or PickleCall { Function.Module: "numpy", Function.Name: "dtype" }))
            throw Fail("it sets the state of something else than an OrderedDict");
    }

    private void PushGlobal(string module, string name)
    {
        PickleGlobal global = new(module, name);
        if (!allowed.Contains(global.ToString()))
            throw Fail($"it refers to '{global}', which is not known to be plain data, and nothing of a file is executed; if you trust the file, load it in PyTorch and save only the weights: torch.save(model.state_dict(), path)");
        Push(global);
    }

    private void PushTuple(int count)
    {
        if (_stack.Count - count < Floor) throw Fail("its stack is too short for a tuple");
        Spend(SlotCost * (long)count);
        object?[] tuple = new object?[count];
        _stack.CopyTo(_stack.Count - count, tuple, 0, count);
        _stack.RemoveRange(_stack.Count - count, count);
        Push(tuple);
    }

    private void Append(int from)
    {
        if (from <= Floor || _stack[from - 1] is not List<object?> list) throw Fail("it appends to what is not a list");
        Spend(SlotCost * (long)(_stack.Count - from));
        for (int i = from; i < _stack.Count; i++) list.Add(_stack[i]);
        _stack.RemoveRange(from, _stack.Count - from);
    }

    private void SetItems(int from)
    {
        if (from <= Floor || _stack[from - 1] is not PickleDict dict) throw Fail("it sets an item of what is not a dict");
        if ((_stack.Count - from) % 2 != 0) throw Fail("it sets items with a key that has no value");
        Spend(SlotCost * (long)(_stack.Count - from));
        for (int i = from; i < _stack.Count; i += 2) dict.Entries.Add(new(_stack[i], _stack[i + 1]));
        _stack.RemoveRange(from, _stack.Count - from);
    }

    private void Memoize(long index)
    {
        if (_stack.Count == Floor) throw Fail("it remembers a value of an empty stack");
        Spend(ObjectCost);
        _memo[index] = _stack[^1];
    }

    private void Recall(long index)
    {
        if (!_memo.TryGetValue(index, out object? value)) throw Fail($"it recalls value {index}, which it has not remembered");
        Spend(SlotCost);
        _stack.Add(value);
    }

    /// <summary>Where the values of the innermost open mark begin; those below are out of reach.</summary>
    private int Floor => _marks.Count == 0 ? 0 : _marks[^1];

    private object? Pop()
    {
        if (_stack.Count <= Floor) throw Fail("it takes a value of an empty stack");
        object? value = _stack[^1];
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private int PopMark()
    {
        if (_marks.Count == 0) throw Fail("it ends a group that was not begun");
        int mark = _marks[^1];
        _marks.RemoveAt(_marks.Count - 1);
        return mark;
    }

    private void Push(object? value)
    {
        Spend(ObjectCost);
        _stack.Add(value);
    }

    private void Spend(long bytes)
    {
        _budget -= bytes;
        if (_budget < 0) throw Fail($"it unpacks to far more than the file's {storage.Length} bytes");
    }

    private object Integer(uint count)
    {
        if (count > NumberLimit) throw Fail($"a number takes {count} bytes, the limit is {NumberLimit}");
        if (count >= sizeof(long)) Spend(ObjectCost + count);
        BigInteger value = new(Small((int)count));
        return value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;
    }

    private string Text(long count)
    {
        try
        {
            return StrictUtf8.GetString(Take(count, cost: 2));
        }
        catch (DecoderFallbackException e)
        {
            throw Fail($"a text is not UTF-8: {e.Message}");
        }
    }

    /// <summary>A string of Python 2: text when it is ASCII, bytes otherwise.</summary>
    private object PythonTwoText(long count)
    {
        byte[] bytes = Take(count, cost: 2);
        return Ascii.IsValid(bytes) ? Encoding.ASCII.GetString(bytes) : bytes;
    }

    private string Line()
    {
        int length = 0;
        for (byte b = Byte(); b != '\n'; b = Byte())
        {
            if (length == LineLimit || b is < 32 or > 126) throw Fail("a class's name is not short and plain");
            _small[length++] = b;
        }

        return Encoding.ASCII.GetString(_small, 0, length);
    }

    private byte Byte()
    {
        if (Position >= end) throw fail($"its pickle ends at byte {end} without a STOP; the file was cut short");
        if (Position >= _windowEnd)
        {
            int count = (int)Math.Min(_window.Length, end - Position);
            storage.Read(Position, _window.AsSpan(0, count));
            (_windowBegin, _windowEnd) = (Position, Position + count);
        }

        return _window[Position++ - _windowBegin];
    }

    /// <summary>Bytes whose count the file claims: they must be there before they get memory.</summary>
    private byte[] Take(long count, int cost = 1)
    {
        if (count < 0 || count > end - Position || count > Array.MaxLength) throw Fail($"a value claims {(ulong)count} bytes, {end - Position} are left");
        Spend(count * cost);
        byte[] bytes = new byte[count];
        Fill(bytes);
        return bytes;
    }

    /// <summary>At most <see cref="LineLimit"/> bytes that are used up at once.</summary>
    private ReadOnlySpan<byte> Small(int count)
    {
        if (count > end - Position) throw Fail($"a value claims {count} bytes, {end - Position} are left");
        var bytes = _small.AsSpan(0, count);
        Fill(bytes);
        return bytes;
    }

    private void Fill(Span<byte> bytes)
    {
        if (Position >= _windowBegin && bytes.Length <= _windowEnd - Position) _window.AsSpan((int)(Position - _windowBegin), bytes.Length).CopyTo(bytes);
        else storage.Read(Position, bytes);
        Position += bytes.Length;
    }

    private InvalidDataException Fail(string why) => fail($"its pickle, at byte {_opcodeAt}: {why}");
}
