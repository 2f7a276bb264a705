using System.Collections.Immutable;
using System.Text;

namespace Amalgam.Checkpoints;

/// <summary>numpy's archive of arrays: a zip of .npy files, stored (np.savez) or deflated (np.savez_compressed).</summary>
public sealed class Npz : CheckpointFormat
{
    private const string Ending = ".npy";

    public override string Name => "npz";

    public override ImmutableArray<string> Extensions => [".npz"];

    internal override bool Recognizes(ReadOnlySpan<byte> head, List<ZipEntry>? zip) => zip is not null && zip.Any(IsArray);

    internal override Checkpoint OpenFile(string path, List<ZipEntry>? zip)
    {
        InvalidDataException Fail(string why) => Invalid(path, why);
        List<Storage> storages = [];
        try
        {
            FileStorage file = new(path);
            storages.Add(file);
            List<ZipEntry> entries = zip ?? new ZipDirectory(file, Fail).Read();
            var tensors = ImmutableArray.CreateBuilder<TensorEntry>();
            foreach (ZipEntry entry in entries.Where(IsArray))
            {
                InflatedStorage? inflated = entry.IsDeflated ? new(file, entry, Fail) : null;
                if (inflated is not null) storages.Add(inflated);
                tensors.Add(Tensor(path, file, entry, inflated));
            }

            string[] others = [.. entries.Where(e => !IsArray(e)).Select(e => $"'{e.Name}'")];
            ImmutableArray<string> notes = others.Length == 0 ? [] : [$"left out, as it is no array: {string.Join(", ", others.Take(6))}{(others.Length > 6 ? $" and {others.Length - 6} more" : "")}"];
            return new(path, Name, tensors.ToImmutable(), [.. storages], notes: notes);
        }
        catch
        {
            foreach (Storage storage in storages) storage.Dispose();
            throw;
        }
    }

    internal override void CheckTensors(string path, IReadOnlyList<TensorSpec> tensors)
    {
        foreach (TensorSpec tensor in tensors) NpyHeader.Write(tensor);
    }

    /// <summary>Stored arrays in the given order; numpy's archive has no place for metadata.</summary>
    /// <exception cref="ArgumentException">numpy has no such type, or a name cannot be one of a zip.</exception>
    internal override CheckpointWriter Create(string path, IReadOnlyList<TensorSpec> tensors, IReadOnlyDictionary<string, string> metadata) =>
        ZipWriter.Create(path, tensors.Select(t => new ZipPart(t.Name + Ending, NpyHeader.Write(t), t)));

    private static bool IsArray(ZipEntry entry) => entry.Name.EndsWith(Ending, StringComparison.Ordinal);

    private TensorEntry Tensor(string path, FileStorage file, ZipEntry entry, InflatedStorage? inflated)
    {
        InvalidDataException Fail(string why) => Invalid(path, $"its entry '{entry.Name}' {why}");
        byte[] ReadHead(long count)
        {
            byte[] head = new byte[Math.Min(count, entry.Size)];
            if (inflated is null) file.Read(entry.Offset, head);
            else if (inflated.ReadHead(head) < head.Length) throw Fail($"inflates to less than the {entry.Size} bytes that it claims");
            return head;
        }

        var (begin, length) = NpyHeader.Measure(ReadHead(NpyHeader.PrefixBytes), entry.Size, Fail);
        NpyHeader header = NpyHeader.Parse(Encoding.UTF8.GetString(ReadHead(begin + length).AsSpan(begin)), Fail);
        long bytes;
        try
        {
            bytes = header.DType.BytesOf(header.Shape.Count);
        }
        catch (OverflowException)
        {
            throw Fail($"has the shape {header.Shape}, more bytes than can be counted");
        }

        long data = begin + length;
        if (entry.Size - data != bytes) throw Fail($"has {entry.Size - data} bytes of elements, {header.DType}{header.Shape} takes {bytes}");

        long[] strides = [.. TensorEntry.DenseStrides(header.Shape)];
        if (header.IsFortranOrder)
        {
            long stride = 1;
            for (int axis = 0; axis < strides.Length; axis++)
            {
                strides[axis] = stride;
                stride *= Math.Max(1, header.Shape[axis]);
            }
        }

        string name = entry.Name[..^Ending.Length];
        return Strides.Entry(name, header.DType, header.Shape, inflated is null ? file : inflated, inflated is null ? entry.Offset + data : data, strides);
    }
}
