using System.Buffers.Binary;
using System.Text;

namespace Amalgam.Checkpoints;

/// <summary>Writes the pickle of a state dict, protocol 2, as torch.save words it.</summary>
internal static class PyTorchPickle
{
    private const byte Rebuild = 0, OrderedDict = 1;

    /// <summary>An OrderedDict of tensors, tensor i in storage "i".</summary>
    /// <exception cref="ArgumentException">A tensor is of a type that has no storage class.</exception>
    public static byte[] Write(string path, IReadOnlyList<TensorSpec> tensors)
    {
        MemoryStream to = new();
        to.Write([0x80, 2]);
        Global(to, "collections", "OrderedDict", OrderedDict);
        to.Write(")R("u8);
        for (int i = 0; i < tensors.Count; i++)
        {
            TensorSpec tensor = tensors[i];
            string storage = StorageClass(tensor.DType)
                ?? throw new ArgumentException($"{path}: {tensor} cannot be stored, as PyTorch files hold no {tensor.DType.Name} of this kind; choose another type with --dtype, or write safetensors", nameof(tensors));
            Text(to, tensor.Name);
            if (i == 0) Global(to, "torch._utils", "_rebuild_tensor_v2", Rebuild);
            else to.Write([(byte)'h', Rebuild]);
            to.Write("(("u8);
            Text(to, "storage");
            to.Write(Encoding.ASCII.GetBytes($"ctorch\n{storage}\n"));
            Text(to, $"{i}");
            Text(to, "cpu");
            Integer(to, tensor.Shape.Count);
            to.Write("tQ"u8);
            Integer(to, 0);
            Tuple(to, tensor.Shape.Sizes);
            Tuple(to, TensorEntry.DenseStrides(tensor.Shape).AsSpan());
            to.Write([0x89, (byte)'h', OrderedDict, (byte)')', (byte)'R', (byte)'t', (byte)'R']);
        }

        to.Write("u."u8);
        return to.ToArray();
    }

    private static string? StorageClass(DType dtype) =>
        PyTorchObjects.StorageTypes.Where(t => t.Value == dtype).Select(t => t.Key["torch.".Length..]).FirstOrDefault();

    private static void Global(MemoryStream to, string module, string name, byte memo)
    {
        to.Write(Encoding.ASCII.GetBytes($"c{module}\n{name}\n"));
        to.Write([(byte)'q', memo]);
    }

    private static void Text(MemoryStream to, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text), length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        to.WriteByte((byte)'X');
        to.Write(length);
        to.Write(bytes);
    }

    private static void Tuple(MemoryStream to, ReadOnlySpan<long> numbers)
    {
        to.WriteByte((byte)'(');
        foreach (long number in numbers) Integer(to, number);
        to.WriteByte((byte)'t');
    }

    private static void Integer(MemoryStream to, long number)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        if (number == (int)number)
        {
            to.WriteByte((byte)'J');
            to.Write(bytes.AsSpan(0, 4));
        }
        else
        {
            to.Write([0x8a, 8]);
            to.Write(bytes);
        }
    }
}
