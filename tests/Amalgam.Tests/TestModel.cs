using Amalgam.Checkpoints;

namespace Amalgam.Tests;

/// <summary>Small checkpoints for tests.</summary>
internal static class TestModel
{
    /// <summary>Writes a checkpoint; a path without a known ending becomes a folder.</summary>
    public static string Write(string path, DType dtype, params (string Name, Shape Shape, float[] Values)[] tensors)
    {
        using CheckpointOutput output = CheckpointOutput.Create(
            path, [.. tensors.Select(t => new TensorSpec(t.Name, dtype, t.Shape))], new Dictionary<string, string> { ["format"] = "pt" }, new(Overwrite: true), "test");
        foreach (var (name, shape, values) in tensors)
        {
            Assert.Equal(shape.Count, values.Length);
            byte[] bytes = new byte[dtype.BytesOf(values.Length)];
            dtype.Narrow(values, bytes);
            output.Write(name, 0, bytes);
        }

        output.Commit();
        return path;
    }

    /// <summary>Reads every tensor of a checkpoint as floats.</summary>
    public static Dictionary<string, (Shape Shape, DType DType, float[] Values)> Read(string path)
    {
        using Checkpoint checkpoint = Checkpoint.Open(path);
        return checkpoint.Tensors.ToDictionary(t => t.Name, t => (t.Shape, t.DType, Values(t)));
    }

    public static float[] Values(TensorEntry tensor)
    {
        byte[] bytes = new byte[tensor.ByteCount];
        tensor.Read(0, bytes);
        float[] values = new float[tensor.Shape.Count];
        tensor.DType.Widen(bytes, values);
        return values;
    }
}
