using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Numerics;

namespace Amalgam.Checkpoints;

/// <summary>A storage as a pickle refers to it.</summary>
/// <param name="Key">Its name in the file.</param>
/// <param name="DType">The type of its elements; null for one of bytes, whose tensors say their type.</param>
/// <param name="Count">Its elements.</param>
/// <param name="ViewOffset">The element at which a view begins, in the pre-1.6 stream; 0 otherwise.</param>
/// <param name="ViewCount">The elements of the view; all of them otherwise.</param>
internal sealed record PyTorchStorage(string Key, DType? DType, long Count, long ViewOffset, long ViewCount)
{
    public int ElementBytes => (DType?.Bits ?? 8) / 8;

    public long ByteCount => Count * ElementBytes;
}

/// <summary>What both PyTorch formats share: from pickled objects to tensors whose elements lie inside their storages.</summary>
/// <param name="file">The file that holds the storages.</param>
/// <param name="locate">Where a storage's bytes begin; it checks that they are there.</param>
/// <param name="fail">Makes the exception of a message.</param>
internal sealed class PyTorchObjects(FileStorage file, Func<PyTorchStorage, long> locate, Func<string, InvalidDataException> fail)
{
    /// <summary>How often the tensors may show the bytes of the file; those that repeat single elements, by a stride of 0, once. A small file gets some more.</summary>
    private const long MostTimes = 16, Allowance = 16 << 20;

    private const int RankLimit = 64, WrapLimit = 8, KeyLimit = 64, NamedInNote = 6;
    private const string Parameter = "torch.nn.parameter.Parameter", FromType = "torch._tensor._rebuild_from_type_v2";
    private const string Rebuild = "torch._utils._rebuild_tensor", RebuildV2 = "torch._utils._rebuild_tensor_v2", RebuildV3 = "torch._utils._rebuild_tensor_v3";
    private const string RebuildParameter = "torch._utils._rebuild_parameter";
    private const string Sparse = "torch._utils._rebuild_sparse_tensor", Quantized = "torch._utils._rebuild_qtensor";

    /// <summary>Calls that give a tensor.</summary>
    private static readonly FrozenSet<string> Tensors = new[] { Rebuild, RebuildV2, RebuildV3, RebuildParameter, FromType, Parameter, Sparse, Quantized }.ToFrozenSet();

    /// <summary>The types that a storage class stands for; null for bytes.</summary>
    public static readonly FrozenDictionary<string, DType?> StorageTypes = new Dictionary<string, DType?>
    {
        ["torch.DoubleStorage"] = DType.F64,
        ["torch.FloatStorage"] = DType.F32,
        ["torch.HalfStorage"] = DType.F16,
        ["torch.BFloat16Storage"] = DType.BF16,
        ["torch.LongStorage"] = DType.I64,
        ["torch.IntStorage"] = DType.I32,
        ["torch.ShortStorage"] = DType.I16,
        ["torch.CharStorage"] = DType.I8,
        ["torch.ByteStorage"] = DType.U8,
        ["torch.BoolStorage"] = DType.Bool,
        ["torch.ComplexFloatStorage"] = DType.C64,
        ["torch.storage.UntypedStorage"] = null,
        ["torch.UntypedStorage"] = null,
    }.ToFrozenDictionary();

    /// <summary>The element types that a pickle may name.</summary>
    private static readonly FrozenDictionary<string, DType> Types = DType.All.Where(t => t.Bits >= 8).ToFrozenDictionary(t => "torch." + t.LongName);

    /// <summary>Every name that a checkpoint's pickle may mention.</summary>
    public static readonly FrozenSet<string> Allowed = new[]
    {
        "collections.OrderedDict", "torch.Size", "torch.device", "torch.Tensor", "torch.complex128", "torch.serialization._get_layout", "_codecs.encode", "numpy.dtype",
        "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
    }.Concat(Tensors).Concat(StorageTypes.Keys).Concat(Types.Keys).ToFrozenSet();

    private readonly List<string> _notes = [];
    private long _bytes, _repeated;

    /// <summary>What a user should know, after <see cref="ReadTensors"/>.</summary>
    public ImmutableArray<string> Notes => [.. _notes];

    /// <summary>The tensors of a state dict, or of a training checkpoint that holds one.</summary>
    public ImmutableArray<TensorEntry> ReadTensors(object? root)
    {
        if (root is not PickleDict top)
            throw fail($"it holds {Describe(root)}, expected a dict of tensors by name; save model.state_dict()");

        // Beside the model a training script may keep a tensor of its own, such as the best accuracy.
        PickleDict chosen = top;
        string? entry = ((string[])["state_dict", "model_state_dict", "model", "module"]).FirstOrDefault(k => top.Find(k) is PickleDict nested && HasTensors(nested));
        if (entry is null && top.Entries.Count > 0 && !HasTensors(top)) throw fail($"it holds a dict without tensors by name: {List(top.Entries)}; save model.state_dict()");
        if (entry is not null)
        {
            chosen = (PickleDict)top.Find(entry)!;
            _notes.Add($"its tensors are those of its entry '{entry}'");
            LeaveOut([.. top.Entries.Where(e => !ReferenceEquals(e.Value, chosen))]);
        }

        var tensors = ImmutableArray.CreateBuilder<TensorEntry>();
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (var (key, value) in chosen.Entries)
        {
            if (key is not string name) throw fail($"an entry of its state dict is named by {Describe(key)}, expected text");
            if (!names.Add(name)) throw fail($"it has two entries '{name}'");
            if (IsTensor(value)) tensors.Add(Tensor(name, (PickleCall)value!));
        }

        LeaveOut([.. chosen.Entries.Where(e => !IsTensor(e.Value))]);
        NoteTies(tensors);
        return tensors.ToImmutable();
    }

    /// <summary>What a persistent id says of a storage; the device that it was on does not matter.</summary>
    public PyTorchStorage Storage(object? persistent)
    {
        if (persistent is not PicklePersistent { Id: object?[] { Length: 5 or 6 } id } || id[0] is not "storage" || id[1] is not PickleGlobal type || id[2] is not string key || id[4] is not long count)
            throw fail("it refers to something outside its pickle that is not a storage; a whole module was saved, perhaps: save model.state_dict()");
        if (!StorageTypes.TryGetValue(type.ToString(), out DType? dtype)) throw fail($"a storage is of the class '{type}', which is not known");
        if (key.Length is 0 or > KeyLimit) throw fail($"a storage has a key of {key.Length} characters");
        PyTorchStorage storage = new(key, dtype, count, 0, count);
        if (count < 0 || count > file.Length / storage.ElementBytes) throw fail($"storage '{key}' claims {count} elements of {storage.ElementBytes} bytes, the file has {file.Length} bytes");
        if (id.Length == 5 || id[5] is null) return storage;

        if (id[5] is not object?[] { Length: 3 } view || view[1] is not long offset || view[2] is not long viewCount || offset < 0 || viewCount < 0 || offset > count - viewCount)
            throw fail($"a view of storage '{key}' does not lie inside its {count} elements");
        return storage with { ViewOffset = offset, ViewCount = viewCount };
    }

    private static bool IsTensor(object? value) => value is PickleCall call && Tensors.Contains(call.Function.ToString());

    private static bool HasTensors(PickleDict dict) => dict.Entries.Any(e => IsTensor(e.Value));

    /// <summary>Unwraps parameters and subclasses down to the call that names a storage.</summary>
    private TensorEntry Tensor(string name, PickleCall call)
    {
        for (int depth = 0; depth < WrapLimit; depth++)
        {
            object?[] arguments = call.Arguments;
            switch (call.Function.ToString())
            {
                case Sparse: throw fail($"'{name}' is a sparse tensor, which is not read; save {name}.to_dense()");
                case Quantized: throw fail($"'{name}' is a quantized tensor, which is not read; save {name}.dequantize()");
                case Rebuild when arguments.Length == 4: return Place(name, arguments, null);
                case RebuildV2 when arguments.Length is 6 or 7: return Place(name, arguments, null, arguments.ElementAtOrDefault(6));
                case RebuildV3 when arguments.Length is 7 or 8:
                    if (arguments[6] is not PickleGlobal type || !Types.TryGetValue(type.ToString(), out DType? dtype)) throw fail($"'{name}' is of the type {Describe(arguments[6])}, which is not known");
                    return Place(name, arguments, dtype, arguments.ElementAtOrDefault(7));
                case FromType when arguments is [PickleGlobal function, _, object?[] its, _]:
                    call = new(function, its);
                    break;
                case RebuildParameter or Parameter when arguments is [PickleCall inner, ..]:
                    call = inner;
                    break;
                default: throw fail($"'{name}' is rebuilt by {call.Function} with {arguments.Length} arguments, which is not known");
            }
        }

        throw fail($"'{name}' is wrapped more than {WrapLimit} times");
    }

    private TensorEntry Place(string name, object?[] arguments, DType? dtype, object? metadata = null)
    {
        PyTorchStorage storage = Storage(arguments[0]);
        dtype = (storage.DType, dtype) switch
        {
            ({ } stored, null) => stored,
            (null, { } said) => said,
            _ => throw fail($"'{name}' and its storage do not say one type"),
        };
        if (metadata is PickleDict marks && marks.Entries.Any(m => m.Key is "conj" or "neg" && m.Value is true))
            throw fail($"'{name}' is stored conjugated or negated; save {name}.resolve_conj().resolve_neg()");

        if (arguments[1] is not long offset || offset < 0) throw fail($"'{name}' has the storage offset {Describe(arguments[1])}");
        long[] sizes = Integers(name, "size", arguments[2]), strides = Integers(name, "stride", arguments[3]);
        if (sizes.Length != strides.Length) throw fail($"'{name}' has {sizes.Length} sizes and {strides.Length} strides");
        Shape shape;
        try
        {
            shape = new(sizes);
            dtype.BytesOf(shape.Count);
        }
        catch (OverflowException)
        {
            throw fail($"'{name}' {dtype}[{string.Join(',', sizes)}] has more elements than can be counted");
        }

        int width = dtype.Bits / 8;
        long available = storage.ViewCount * storage.ElementBytes / width;
        BigInteger last = offset;
        for (int axis = 0; axis < sizes.Length; axis++) last += (BigInteger)Math.Max(0, sizes[axis] - 1) * strides[axis];
        if (shape.Count > 0 && last >= available)
            throw fail($"'{name}' {dtype}{shape} at offset {offset} with strides [{string.Join(',', strides)}] reaches element {last} of a storage of {available}");

        long begin = locate(storage) + storage.ViewOffset * storage.ElementBytes;
        var entry = Strides.Entry(name, dtype, shape, file, shape.Count == 0 ? begin : begin + offset * width, strides);
        _bytes = Math.Min(_bytes, long.MaxValue - entry.ByteCount) + entry.ByteCount;
        if (shape.Count > available) _repeated = Math.Min(_repeated, long.MaxValue - entry.ByteCount) + entry.ByteCount;
        if (shape.Count > available && _repeated > file.Length + Allowance)
            throw fail($"'{name}' {dtype}{shape} repeats {available} stored elements; such tensors take {_repeated} bytes, far more than the file has");
        if (_bytes / MostTimes > file.Length + Allowance)
            throw fail($"up to '{name}' {dtype}{shape} its tensors take {_bytes} bytes, more than {MostTimes} times the file, as they lie over each other");
        return entry;
    }

    private long[] Integers(string name, string what, object? value)
    {
        if (value is PickleCall { Function: { Module: "torch", Name: "Size" }, Arguments: [object?[] inner] }) value = inner;
        if (value is not object?[] items) throw fail($"the {what} of '{name}' is {Describe(value)}, expected a tuple");
        if (items.Length > RankLimit) throw fail($"'{name}' has {items.Length} axes, the limit is {RankLimit}");
        long[] numbers = new long[items.Length];
        for (int i = 0; i < numbers.Length; i++)
            numbers[i] = items[i] is long number and >= 0 ? number : throw fail($"the {what} of '{name}' holds {Describe(items[i])}, expected a whole number of 0 or more");
        return numbers;
    }

    private void LeaveOut(List<KeyValuePair<object?, object?>> entries)
    {
        if (entries.Count > 0) _notes.Add($"left out, as it is no tensor of the model: {List(entries)}");
    }

    private static string List(List<KeyValuePair<object?, object?>> entries) =>
        string.Join(", ", entries.Take(NamedInNote).Select(e => $"{(e.Key is string key ? $"'{key}'" : Describe(e.Key))} ({Describe(e.Value)})"))
        + (entries.Count > NamedInNote ? $" and {entries.Count - NamedInNote} more" : "");

    /// <summary>A value in a few words; never walked into, as it may hold itself.</summary>
    private static string Describe(object? value) => value switch
    {
        null => "None",
        bool b => b ? "True" : "False",
        long n => $"{n}",
        double x => $"{x}",
        BigInteger => "a large number",
        string s => s.Length <= 40 ? $"'{s}'" : $"a text of {s.Length} characters",
        byte[] b => $"{b.Length} bytes",
        PickleDict d => HasTensors(d) ? $"a dict of {d.Entries.Count} entries, tensors among them" : $"a dict of {d.Entries.Count} entries",
        List<object?> l => $"a list of {l.Count}",
        object?[] t => $"a tuple of {t.Length}",
        PickleGlobal g => $"{g}",
        PickleCall c => IsTensor(c) ? "a tensor" : $"a {c.Function}",
        _ => "a storage",
    };

    /// <summary>Tensors that lie over each other, which training may rely on and a merge does not keep.</summary>
    private void NoteTies(IEnumerable<TensorEntry> tensors)
    {
        List<string> group = [];
        long end = -1;
        foreach (TensorEntry tensor in tensors.Where(t => t.Shape.Count > 0).OrderBy(t => t.Offset))
        {
            if (tensor.Offset >= end)
            {
                NoteTie(group);
                group.Clear();
            }

            group.Add(tensor.Name);
            end = Math.Max(end, Strides.End(tensor));
        }

        NoteTie(group);
    }

    private void NoteTie(List<string> names)
    {
        if (names.Count < 2) return;
        string listed = string.Join(", ", names.Take(NamedInNote).Select(n => $"'{n}'")) + (names.Count > NamedInNote ? $" and {names.Count - NamedInNote} more" : "");
        _notes.Add($"{listed} share memory (tied tensors); each is read as a tensor of its own");
    }
}
