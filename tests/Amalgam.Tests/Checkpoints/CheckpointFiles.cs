using System.Runtime.InteropServices;
using Amalgam.Checkpoints;

namespace Amalgam.Tests.Checkpoints;

/// <summary>What the tests of all formats do with files.</summary>
internal static class CheckpointFiles
{
    public static byte[] Bytes(this TensorEntry tensor)
    {
        byte[] bytes = new byte[tensor.ByteCount];
        tensor.Read(0, bytes);
        return bytes;
    }

    public static float[] Values(this Checkpoint checkpoint, string name)
    {
        Assert.True(checkpoint.TryFind(name, out TensorEntry? tensor), $"no tensor '{name}'");
        return MemoryMarshal.Cast<byte, float>(tensor.Bytes()).ToArray();
    }

    /// <summary>Opening fails with one sentence that names the file and says this.</summary>
    public static void AssertRefused(string path, string phrase)
    {
        var refusal = Assert.Throws<InvalidDataException>(() => Checkpoint.Open(path).Dispose());
        Assert.StartsWith(path, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(phrase, refusal.Message, StringComparison.Ordinal);
    }

    public static void AssertSame(Checkpoint expected, Checkpoint actual, string prefix = "")
    {
        Assert.Equal(expected.Tensors.Select(t => prefix + t.Name).Order(StringComparer.Ordinal), actual.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
        foreach (TensorEntry tensor in expected.Tensors)
        {
            Assert.True(actual.TryFind(prefix + tensor.Name, out TensorEntry? twin));
            Assert.Equal(tensor.DType, twin.DType);
            Assert.Equal(tensor.Shape, twin.Shape);
            Assert.Equal(tensor.Bytes(), twin.Bytes());
        }
    }

    /// <summary>Writes tensors of these types and some shapes with random bytes, in two pieces each, and reads them back.</summary>
    public static void AssertRoundTrip(CheckpointFormat format, IEnumerable<DType> types)
    {
        using TemporaryFolder folder = new();
        string path = folder["model" + format.Extensions[0]];
        Shape[] shapes = [new(), new(0), new(7), new(2, 3), new(3, 0, 2), new(5, 1, 3)];
        TensorSpec[] specs = [.. types.SelectMany(t => shapes.Select((s, i) => new TensorSpec($"{t.Name}.layer {i}/é", t, s)))];
        Random random = new(1);
        Dictionary<string, byte[]> written = [];
        using (CheckpointWriter writer = format.Create(path, specs, new Dictionary<string, string>())!)
        {
            foreach (TensorSpec spec in specs.Reverse())
            {
                byte[] bytes = written[spec.Name] = new byte[spec.ByteCount];
                random.NextBytes(bytes);
                long half = spec.Shape.Count / 2;
                writer.Write(spec.Name, half, bytes.AsSpan((int)spec.DType.BytesOf(half)));
                writer.Write(spec.Name, 0, bytes.AsSpan(0, (int)spec.DType.BytesOf(half)));
            }

            writer.Complete();
        }

        using Checkpoint read = Checkpoint.Open(path);
        Assert.Equal(format.Name, read.Format);
        Assert.Empty(read.Notes);
        Assert.Equal(specs.Select(s => s.ToString()), read.Tensors.Select(t => new TensorSpec(t.Name, t.DType, t.Shape).ToString()));
        foreach (TensorEntry tensor in read.Tensors)
        {
            Assert.True(tensor.IsDense);
            Assert.Equal(written[tensor.Name], tensor.Bytes());
        }
    }

    /// <summary>Flips, cuts, doubles and zeroes bytes of a file: each result is read, values and all, or refused as it should be.</summary>
    public static void AssertSurvivesDamage(string path, int runs)
    {
        byte[] sound = File.ReadAllBytes(path);
        string damaged = Path.Combine(Path.GetDirectoryName(path)!, "damaged" + Path.GetExtension(path));
        for (int seed = 0; seed < runs; seed++)
        {
            Random random = new(seed);
            File.WriteAllBytes(damaged, Damage(sound, random));
            try
            {
                using Checkpoint checkpoint = Checkpoint.Open(damaged);
                foreach (TensorEntry tensor in checkpoint.Tensors) tensor.Bytes();
            }
            catch (InvalidDataException e)
            {
                Assert.Contains(damaged, e.Message, StringComparison.Ordinal);
            }
            catch (Exception e)
            {
                Assert.Fail($"damage {seed} to {Path.GetFileName(path)} gave {e}");
            }
        }
    }

    private static byte[] Damage(byte[] sound, Random random)
    {
        List<byte> bytes = [.. sound];
        for (int change = random.Next(1, 4); change > 0 && bytes.Count > 8; change--)
        {
            int at = random.Next(bytes.Count), count = random.Next(1, Math.Min(8, bytes.Count - at + 1));
            switch (random.Next(5))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes.RemoveRange(at, random.Next(2) == 0 ? count : bytes.Count - at); break;
                case 3: bytes.InsertRange(at, bytes.GetRange(at, count)); break;
                default: for (int i = 0; i < count; i++) bytes[at + i] = (byte)(random.Next(2) * 255); break;
            }
        }

        return [.. bytes];
    }
}
