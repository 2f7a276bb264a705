using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Amalgam.Tests.Checkpoints;

/// <summary>Writes safetensors files from stored bytes, without the code under test.</summary>
internal static class RawCheckpoint
{
    public static string Write(string path, params (string Name, DType DType, long[] Shape, byte[] Bytes)[] tensors)
    {
        Dictionary<string, object> header = [];
        long end = 0;
        foreach (var (name, type, shape, bytes) in tensors)
            header.Add(name, new { dtype = type.Name, shape, data_offsets = new[] { end, end += bytes.Length } });
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(header);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        File.WriteAllBytes(path, [.. length, .. json, .. tensors.SelectMany(t => t.Bytes)]);
        return path;
    }

    /// <summary>A vector of any number type.</summary>
    public static (string Name, DType DType, long[] Shape, byte[] Bytes) Vector<T>(string name, DType type, params T[] values) where T : struct =>
        (name, type, [values.Length], MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
}
