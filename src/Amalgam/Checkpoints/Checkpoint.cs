using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Amalgam.Checkpoints;

/// <summary>
/// The named tensors of a trained model, in one file or in the shards of a folder. Opening reads headers only; values are read by position, from any
/// thread, until the checkpoint is disposed.
/// </summary>
public sealed class Checkpoint : IDisposable
{
    private readonly ImmutableArray<Storage> _storages;
    private readonly Dictionary<string, TensorEntry> _byName;

    /// <param name="path">The file or folder, for messages.</param>
    /// <param name="format">The format's name, such as <c>safetensors</c>.</param>
    /// <param name="tensors">All tensors, in stored order, with distinct names.</param>
    /// <param name="storages">Every storage that the tensors refer to; owned from now on.</param>
    /// <param name="metadata">The file's own notes, name to text.</param>
    /// <param name="notes">What a user should know of how the file was read, one sentence each.</param>
    internal Checkpoint(
        string path,
        string format,
        ImmutableArray<TensorEntry> tensors,
        ImmutableArray<Storage> storages,
        ImmutableDictionary<string, string>? metadata = null,
        ImmutableArray<string> notes = default)
    {
        (Path, Format, Tensors, _storages) = (path, format, tensors, storages);
        Metadata = metadata ?? ImmutableDictionary<string, string>.Empty;
        Notes = notes.IsDefault ? [] : notes;
        _byName = tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
    }

    /// <summary>The file or folder.</summary>
    public string Path { get; }

    /// <summary>The format's name.</summary>
    public string Format { get; }

    /// <summary>All tensors, in stored order.</summary>
    public ImmutableArray<TensorEntry> Tensors { get; }

    /// <summary>The file's own notes.</summary>
    public ImmutableDictionary<string, string> Metadata { get; }

    /// <summary>What a user should know of how the file was read: entries that are not tensors, tied tensors, stray files.</summary>
    public ImmutableArray<string> Notes { get; }

    /// <summary>The storages that the tensors lie in.</summary>
    internal ImmutableArray<Storage> Storages => _storages;

    /// <summary>The files that the tensors lie in.</summary>
    public IEnumerable<string> Files => _storages.Select(s => s.Path).Distinct();

    /// <summary>The file, where it holds a network and not tensors alone, so that tensors like these can be written into a copy of it.</summary>
    internal string? ModelFile => CheckpointFormat.All.OfType<Onnx>().Single().Name == Format ? Files.First() : null;

    /// <summary>Bytes of all tensors.</summary>
    public long ByteCount => Tensors.Sum(t => t.ByteCount);

    /// <summary>Looks a tensor up by name.</summary>
    public bool TryFind(string name, [NotNullWhen(true)] out TensorEntry? tensor) => _byName.TryGetValue(name, out tensor);

    /// <summary>Opens a checkpoint file, or a folder that holds one.</summary>
    /// <exception cref="FileNotFoundException">There is nothing at the path, or no checkpoint in the folder.</exception>
    /// <exception cref="InvalidDataException">A file is not what it claims to be, or of no known format.</exception>
    public static Checkpoint Open(string path) => Directory.Exists(path) ? CheckpointFolder.Open(path) : CheckpointFormat.Open(path);

    public void Dispose()
    {
        foreach (Storage storage in _storages) storage.Dispose();
    }
}
