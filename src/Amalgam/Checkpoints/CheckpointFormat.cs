using System.Collections.Immutable;

namespace Amalgam.Checkpoints;

/// <summary>A checkpoint file format. One more format is one more file with a class like this, and a line in <see cref="All"/>.</summary>
public abstract class CheckpointFormat
{
    /// <summary>Every format, the first that recognises a file reads it.</summary>
    public static readonly ImmutableArray<CheckpointFormat> All =
    [
        new Safetensors(),
        new PyTorchZip(),
        new PyTorchLegacy(),
        new Npz(),
        new Onnx(),
    ];

    /// <summary>The name that the command line shows and takes.</summary>
    public abstract string Name { get; }

    /// <summary>Usual file name endings, with the dot; the first is the default for writing.</summary>
    public abstract ImmutableArray<string> Extensions { get; }

    /// <summary>Bytes that <see cref="Recognizes"/> wants to see.</summary>
    private const int HeadBytes = 64;

    /// <summary>Whether a file is of this format, judged by its content.</summary>
    /// <param name="head">Its first bytes, at most 64.</param>
    /// <param name="zip">The entries of a sound zip; null for other files.</param>
    internal abstract bool Recognizes(ReadOnlySpan<byte> head, List<ZipEntry>? zip);

    /// <summary>Reads the header of a file of this format.</summary>
    /// <exception cref="InvalidDataException">The file breaks a rule of the format.</exception>
    /// <param name="path">The file.</param>
    /// <param name="zip">Its entries, as <see cref="Recognizes"/> got them.</param>
    internal abstract Checkpoint OpenFile(string path, List<ZipEntry>? zip);

    /// <summary>Refuses, before any work, tensors that a file of this format cannot hold.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="tensors">All tensors.</param>
    /// <exception cref="ArgumentException">There is one.</exception>
    internal virtual void CheckTensors(string path, IReadOnlyList<TensorSpec> tensors)
    {
    }

    /// <summary>Lays out a new file, whose tensors may then be written in any order; null for a format that is only read.</summary>
    /// <param name="path">The file to create; an existing one is replaced.</param>
    /// <param name="tensors">All tensors.</param>
    /// <param name="metadata">Notes to store with them, where the format can.</param>
    internal virtual CheckpointWriter? Create(string path, IReadOnlyList<TensorSpec> tensors, IReadOnlyDictionary<string, string> metadata) => null;

    /// <summary>As <see cref="CheckTensors(string, IReadOnlyList{TensorSpec})"/>, for a format whose files hold more than tensors.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="tensors">All tensors.</param>
    /// <param name="model">A file of the format, of which everything else is taken; null when there is none.</param>
    internal virtual void CheckTensors(string path, IReadOnlyList<TensorSpec> tensors, string? model) => CheckTensors(path, tensors);

    /// <summary>As <see cref="Create(string, IReadOnlyList{TensorSpec}, IReadOnlyDictionary{string, string})"/>, for a format whose files hold more than tensors.</summary>
    /// <param name="path">The file to create; an existing one is replaced.</param>
    /// <param name="tensors">All tensors.</param>
    /// <param name="metadata">Notes to store with them, where the format can.</param>
    /// <param name="model">A file of the format, of which everything else is taken; null when there is none.</param>
    internal virtual CheckpointWriter? Create(string path, IReadOnlyList<TensorSpec> tensors, IReadOnlyDictionary<string, string> metadata, string? model) => Create(path, tensors, metadata);

    /// <summary>Opens a file in whichever format it is.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is of no known format, or breaks a rule of its format.</exception>
    internal static Checkpoint Open(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"{path} does not exist", path);
        Span<byte> head = stackalloc byte[HeadBytes];
        using (var file = File.OpenHandle(path)) head = head[..RandomAccess.Read(file, head, 0)];

        List<ZipEntry>? zip = ZipDirectory.TryRead(path, head);
        CheckpointFormat? format = null;
        foreach (CheckpointFormat candidate in All)
        {
            if (!candidate.Recognizes(head, zip)) continue;
            format = candidate;
            break;
        }

        // A damaged file gets the message of the format that its name promises.
        format ??= ByExtension(path);
        return format?.OpenFile(path, zip)
            ?? throw new InvalidDataException($"{path} is no checkpoint that Amalgam reads ({string.Join(", ", All.Select(f => f.Name))})");
    }

    /// <summary>The format that a file name promises, null when it promises none.</summary>
    public static CheckpointFormat? ByExtension(string path) =>
        All.FirstOrDefault(f => f.Extensions.Any(e => path.EndsWith(e, StringComparison.OrdinalIgnoreCase)));

    /// <summary>The exception for a file that is not what it claims to be.</summary>
    protected InvalidDataException Invalid(string path, string why, Exception? inner = null) => new($"{path} is not a valid {Name} file: {why}", inner);
}
