using System.Buffers.Binary;
using System.Text;
using Amalgam.Checkpoints;

namespace Amalgam.Tests.Checkpoints;

/// <summary>Assembles pickles opcode by opcode, hostile ones included.</summary>
internal sealed class PickleBytes
{
    private readonly List<byte> _bytes = [];

    public PickleBytes() => Op(0x80, 2);

    public byte[] Stop() => Op('.')._bytes.ToArray();

    public PickleBytes Op(params int[] codes)
    {
        foreach (int code in codes) _bytes.Add((byte)code);
        return this;
    }

    public PickleBytes Raw(ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public PickleBytes Text(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        return Op('X').UInt32((uint)utf8.Length).Raw(utf8);
    }

    public PickleBytes UInt32(uint value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return Raw(bytes);
    }

    public PickleBytes Int(long value)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return Op(0x8a, 8).Raw(bytes);
    }

    public PickleBytes Ints(params long[] values)
    {
        Op('(');
        foreach (long value in values) Int(value);
        return Op('t');
    }

    public PickleBytes Global(string module, string name) => Op('c').Raw(Encoding.ASCII.GetBytes($"{module}\n{name}\n"));

    /// <summary>A persistent id; a view, if given, is the sixth item that the pre-1.6 stream has.</summary>
    public PickleBytes Storage(string type, string key, long count, long[]? view = null, bool legacy = false)
    {
        Op('(').Text("storage").Global(type.Contains('.') ? type[..type.LastIndexOf('.')] : "torch", type[(type.LastIndexOf('.') + 1)..]).Text(key).Text("cuda:0").Int(count);
        if (view is not null) Op('(').Text("view").Int(view[0]).Int(view[1]).Op('t');
        else if (legacy) Op('N');
        return Op('t', 'Q');
    }

    /// <summary>A call of _rebuild_tensor_v2.</summary>
    public PickleBytes Tensor(string type, string key, long count, long offset, long[] sizes, long[] strides, bool legacy = false, long[]? view = null) =>
        Global("torch._utils", "_rebuild_tensor_v2").Op('(').Storage(type, key, count, view, legacy).Int(offset).Ints(sizes).Ints(strides).Op(0x89, '}', 't', 'R');

    /// <summary>A pickle of a dict with one entry.</summary>
    public static byte[] Dict(string key, Action<PickleBytes> value)
    {
        PickleBytes pickle = new PickleBytes().Op('}').Text(key);
        value(pickle);
        return pickle.Op('s').Stop();
    }

    /// <summary>Writes a PyTorch zip around a pickle.</summary>
    public static string Zip(string path, byte[] pickle, params (string Name, byte[] Bytes)[] others)
    {
        using var writer = ZipWriter.Create(path, [new("m/data.pkl", pickle), .. others.Select(o => new ZipPart("m/" + o.Name, o.Bytes))]);
        writer.Complete();
        return path;
    }

    /// <summary>Writes a pre-1.6 stream around a pickle.</summary>
    public static string Legacy(string path, byte[] pickle, string[] keys, params byte[][] storages)
    {
        PickleBytes list = new PickleBytes().Op(']', '(');
        foreach (string key in keys) list.Text(key);
        using FileStream file = File.Create(path);
        file.Write([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.']);
        file.Write(new PickleBytes().Int(1001).Stop());
        file.Write(Dict("little_endian", p => p.Op(0x88)));
        file.Write(pickle);
        file.Write(list.Op('e').Stop());
        foreach (byte[] storage in storages) file.Write(storage);
        return path;
    }

    /// <summary>A storage of the pre-1.6 stream.</summary>
    public static byte[] Counted(long count, byte[] bytes) => [.. BitConverter.GetBytes(count), .. bytes];

    /// <summary>Little-endian floats 0, 1, 2, ...</summary>
    public static byte[] Floats(int count) => [.. Enumerable.Range(0, count).SelectMany(i => BitConverter.GetBytes((float)i))];
}
