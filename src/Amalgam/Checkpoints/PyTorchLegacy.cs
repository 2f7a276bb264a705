using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Numerics;
using System.Text;

namespace Amalgam.Checkpoints;

/// <summary>
/// What torch.save wrote before PyTorch 1.6, and still does when asked: a magic number, a version, the writer's traits, the object and the list of its
/// storages, each a pickle; then the storages, in the order of the list.
/// </summary>
public sealed class PyTorchLegacy : CheckpointFormat
{
    private const long ProtocolVersion = 1001;
    private static readonly BigInteger Magic = BigInteger.Parse("1950a86a20f9469cfc6c", System.Globalization.NumberStyles.HexNumber);

    /// <summary>The magic number as any protocol from 2 on pickles it.</summary>
    private static ReadOnlySpan<byte> MagicBytes => [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.'];

    public override string Name => "pytorch-legacy";

    public override ImmutableArray<string> Extensions => [".pt", ".pth", ".bin", ".th", ".ckpt"];

    internal override bool Recognizes(ReadOnlySpan<byte> head, List<ZipEntry>? zip) => (head.Length > 0 && head[0] == 0x80 && head.IndexOf(MagicBytes) is >= 2 and <= 11) || IsTar(head);

    internal override Checkpoint OpenFile(string path, List<ZipEntry>? zip)
    {
        InvalidDataException Fail(string why) => Invalid(path, why);
        FileStorage storage = new(path);
        try
        {
            byte[] head = new byte[Math.Min(64, storage.Length)];
            storage.Read(0, head);
            if (IsTar(head)) throw Fail("it is a tar file of PyTorch before 0.1.10, which is not read; load and save it with a newer PyTorch");

            Pickle pickle = new(storage, 0, storage.Length, PyTorchObjects.Allowed, Fail);
            if (pickle.Read() is not BigInteger magic || magic != Magic) throw Fail("it does not begin with the magic number of torch.save");
            if (pickle.Read() is not ProtocolVersion) throw Fail($"its protocol is not {ProtocolVersion}");
            if (pickle.Read() is not PickleDict traits || traits.Find("little_endian") is not true) throw Fail("it was written on a big-endian machine, or does not say that it was not");
            object? root = pickle.Read();

            Dictionary<string, PyTorchStorage> known = new(StringComparer.Ordinal);
            Dictionary<string, long> places = new(StringComparer.Ordinal);
            PyTorchObjects objects = new(storage, s => places.TryGetValue(s.Key, out long place) ? place : throw Fail($"its list of storages does not have '{s.Key}'"), Fail);
            foreach (PicklePersistent persistent in pickle.Persistents)
            {
                PyTorchStorage s = objects.Storage(persistent);
                if (!known.TryAdd(s.Key, s) && (known[s.Key].Count, known[s.Key].DType) != (s.Count, s.DType)) throw Fail($"it describes storage '{s.Key}' in two ways");
            }

            if (pickle.Read() is not List<object?> keys) throw Fail("its list of storages is not a list");
            ReadPlaces(storage, pickle.Position, keys, known, places);
            return new(path, Name, objects.ReadTensors(root), [storage], notes: objects.Notes);
        }
        catch
        {
            storage.Dispose();
            throw;
        }
    }

    /// <summary>Each storage is its number of elements and then their bytes.</summary>
    private void ReadPlaces(FileStorage storage, long position, List<object?> keys, Dictionary<string, PyTorchStorage> known, Dictionary<string, long> places)
    {
        byte[] number = new byte[8];
        foreach (object? item in keys)
        {
            if (item is not string key || !known.TryGetValue(key, out PyTorchStorage? s)) throw Invalid(storage.Path, "its list of storages has one that no tensor uses");
            if (storage.Length - position < number.Length) throw Invalid(storage.Path, $"it ends before storage '{key}'; it was cut short");
            storage.Read(position, number);
            long count = BinaryPrimitives.ReadInt64LittleEndian(number);
            if (count != s.Count) throw Invalid(storage.Path, $"storage '{key}' has {count} elements, its tensors say {s.Count}");
            position += number.Length;
            if (!places.TryAdd(key, position)) throw Invalid(storage.Path, $"its list of storages has '{key}' twice");
            if (s.ByteCount > storage.Length - position) throw Invalid(storage.Path, $"storage '{key}' takes {s.ByteCount} bytes, {storage.Length - position} are left; it was cut short");
            position += s.ByteCount;
        }

        if (position != storage.Length) throw Invalid(storage.Path, $"{storage.Length - position} bytes follow its last storage");
    }

    private static bool IsTar(ReadOnlySpan<byte> head)
    {
        foreach (string member in (string[])["sys_info", "pickle", "storages", "tensors"])
            if (head.StartsWith(Encoding.ASCII.GetBytes(member + '\0'))) return true;
        return false;
    }
}
