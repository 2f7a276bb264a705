using System.Collections.Immutable;
using System.Text;

namespace Amalgam.Checkpoints;

/// <summary>
/// What torch.save writes since PyTorch 1.6: a zip of stored files, one of them a pickle that describes tensors, the others the storages that they lie in.
/// The pickle is read as data; nothing is executed. Tensors are read in place.
/// </summary>
public sealed class PyTorchZip : CheckpointFormat
{
    private const string PickleEnding = "/data.pkl", Root = "archive";
    private const int SmallLimit = 64;

    public override string Name => "pytorch";

    public override ImmutableArray<string> Extensions => [".pt", ".pth", ".bin", ".th", ".ckpt"];

    internal override bool Recognizes(ReadOnlySpan<byte> head, List<ZipEntry>? zip) => zip is not null && zip.Any(IsPickle);

    internal override Checkpoint OpenFile(string path, List<ZipEntry>? zip)
    {
        InvalidDataException Fail(string why) => Invalid(path, why);
        FileStorage storage = new(path);
        try
        {
            List<ZipEntry> entries = zip ?? new ZipDirectory(storage, Fail).Read();
            ZipEntry[] pickles = [.. entries.Where(IsPickle)];
            if (pickles.Length != 1) throw Fail($"it has {pickles.Length} files <name>/data.pkl, expected 1");
            string root = pickles[0].Name[..^PickleEnding.Length];
            var byName = entries.ToDictionary(e => e.Name, StringComparer.Ordinal);
            if (byName.ContainsKey($"{root}/constants.pkl") || entries.Any(e => e.Name.StartsWith($"{root}/code/", StringComparison.Ordinal)))
                throw Fail("it is a TorchScript archive, a program with its weights; save only the weights: torch.save(torch.jit.load(path).state_dict(), new_path)");
            if (entries.FirstOrDefault(e => e.IsDeflated) is { } deflated) throw Fail($"its entry '{deflated.Name}' is compressed, PyTorch stores");
            if (byName.TryGetValue($"{root}/byteorder", out ZipEntry? order)) CheckByteOrder(storage, order);

            Pickle pickle = new(storage, pickles[0].Offset, pickles[0].Offset + pickles[0].Size, PyTorchObjects.Allowed, Fail);
            object? top = pickle.Read();
            PyTorchObjects objects = new(storage, s => Locate(path, byName, $"{root}/data/{s.Key}", s), Fail);
            return new(path, Name, objects.ReadTensors(top), [storage], notes: objects.Notes);
        }
        catch
        {
            storage.Dispose();
            throw;
        }
    }

    internal override void CheckTensors(string path, IReadOnlyList<TensorSpec> tensors) => PyTorchPickle.Write(path, tensors);

    /// <summary>Tensors in the given order, each a storage of its own. The pickle has no place for metadata that PyTorch would not take for a tensor.</summary>
    /// <exception cref="ArgumentException">A tensor is of a type that has no storage class.</exception>
    internal override CheckpointWriter Create(string path, IReadOnlyList<TensorSpec> tensors, IReadOnlyDictionary<string, string> metadata) => ZipWriter.Create(path,
    [
        new($"{Root}{PickleEnding}", PyTorchPickle.Write(path, tensors)),
        new($"{Root}/byteorder", "little"u8.ToArray()),
        .. tensors.Select((t, i) => new ZipPart($"{Root}/data/{i}", [], t)),
        new($"{Root}/version", "3\n"u8.ToArray()),
    ]);

    private static bool IsPickle(ZipEntry entry) => entry.Name.EndsWith(PickleEnding, StringComparison.Ordinal) && entry.Name.IndexOf('/') == entry.Name.Length - PickleEnding.Length;

    private void CheckByteOrder(FileStorage storage, ZipEntry entry)
    {
        byte[] bytes = new byte[Math.Min(SmallLimit, entry.Size)];
        storage.Read(entry.Offset, bytes);
        string order = Encoding.ASCII.GetString(bytes).Trim();
        if (order != "little") throw Invalid(storage.Path, $"its byte order is '{order}', little is read; load and save it on a little-endian machine");
    }

    private long Locate(string path, Dictionary<string, ZipEntry> byName, string name, PyTorchStorage storage)
    {
        if (!byName.TryGetValue(name, out ZipEntry? entry)) throw Invalid(path, $"it has no entry '{name}', which a tensor lies in");
        if (entry.Size != storage.ByteCount) throw Invalid(path, $"its entry '{name}' has {entry.Size} bytes, its tensors say {storage.ByteCount}");
        return entry.Offset;
    }
}
