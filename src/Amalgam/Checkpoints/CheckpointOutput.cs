using System.Text.Json;

namespace Amalgam.Checkpoints;

/// <summary>How a checkpoint is written.</summary>
/// <param name="ShardBytes">A new shard begins before a tensor that would make a file larger than this; 0 never splits. Only for folders.</param>
/// <param name="Overwrite">Replace what is at the path once the new checkpoint is complete.</param>
/// <param name="Resume">Go on with what an interrupted run left.</param>
public sealed record OutputOptions(long ShardBytes = 5_000_000_000, bool Overwrite = false, bool Resume = false);

/// <summary>
/// A checkpoint that appears under its name only when it is complete. It grows in a working folder beside, <c>NAME.partial</c>, with a journal of the tensors
/// that are finished, and is renamed by <see cref="Commit"/>. A run that is killed leaves the working folder, from which a later one may go on.
/// </summary>
public sealed class CheckpointOutput : IDisposable
{
    private const string IndexName = "model.safetensors.index.json";
    private const string JournalName = "journal";

    private readonly string _work;
    private readonly bool _isFolder;
    private readonly bool _overwrite;
    private readonly Dictionary<string, CheckpointWriter> _writerOf = new(StringComparer.Ordinal);
    private readonly List<CheckpointWriter> _writers = [];
    private readonly HashSet<string> _done = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private StreamWriter? _journal;
    private bool _committed;

    private CheckpointOutput(string path, string work, bool isFolder, bool overwrite) => (Path, _work, _isFolder, _overwrite) = (path, work, isFolder, overwrite);

    /// <summary>The final file or folder.</summary>
    public string Path { get; }

    /// <summary>Names of the checkpoint's files.</summary>
    public IEnumerable<string> Files => _writers.Select(w => System.IO.Path.GetFileName(w.Path));

    /// <summary>A path that ends like a checkpoint file is one; any other is a folder.</summary>
    public static bool IsFolder(string path) => CheckpointFormat.ByExtension(path) is null;

    /// <summary>Refuses a path that cannot be written as asked, before any work.</summary>
    /// <exception cref="IOException">Something is there already, or the folder around it is missing.</exception>
    public static void CheckTarget(string path, bool overwrite)
    {
        string full = System.IO.Path.GetFullPath(path);
        if (System.IO.Path.GetDirectoryName(full) is not { } parent) throw new IOException($"{path} is the root of the file system; name a folder inside it");
        if (File.Exists(parent)) throw new IOException($"{parent} is a file, so {path} cannot be written");
        if (IsFolder(path) ? File.Exists(full) : Directory.Exists(full))
            throw new IOException($"{path} is {(IsFolder(path) ? "a file, expected a folder; end the name in .safetensors to write one file" : "a folder, expected a file")}");
        if (File.Exists(full) && !overwrite) throw new IOException($"{path} exists; --overwrite replaces it once the new one is complete");
        if (!Directory.Exists(full)) return;

        string[] inside = [.. Directory.EnumerateFileSystemEntries(full).Select(e => System.IO.Path.GetFileName(e)).Order(StringComparer.Ordinal)];
        if (inside.Length > 0 && !overwrite) throw new IOException($"{path} is not empty; --overwrite replaces it once the new one is complete");
        string[] strange = [.. inside.Where(name => Directory.Exists(System.IO.Path.Combine(full, name)) || !IsModelFile(name))];
        if (strange.Length > 0)
            throw new IOException($"{path} holds '{strange[0]}'{(strange.Length > 1 ? $" and {strange.Length - 1} more" : "")}, which is no file of a checkpoint, so --overwrite does not replace the folder; name another or clear it yourself");
    }

    /// <summary>Begins a checkpoint: takes the disk space and lays out the files.</summary>
    /// <param name="path">A folder, or a file whose ending names its format.</param>
    /// <param name="tensors">All tensors, in the order in which they fill the shards.</param>
    /// <param name="metadata">Notes to store in the files.</param>
    /// <param name="options">How to write.</param>
    /// <param name="fingerprint">Tells this run from others; only a run with the same one can be resumed.</param>
    /// <exception cref="IOException">The path cannot be written, or the disk is full.</exception>
    public static CheckpointOutput Create(
        string path, IReadOnlyList<TensorSpec> tensors, IReadOnlyDictionary<string, string> metadata, OutputOptions options, string fingerprint)
    {
        CheckTarget(path, options.Overwrite);
        string full = System.IO.Path.GetFullPath(path);
        CheckpointOutput output = new(full, full + ".partial", IsFolder(path), options.Overwrite);
        output.OpenWork(options.Resume, fingerprint);
        try
        {
            output.LayOut(tensors, metadata, options.ShardBytes);
            return output;
        }
        catch
        {
            output.Dispose();
            throw;
        }
    }

    /// <summary>A resumed run has this tensor already.</summary>
    public bool IsDone(string name) => _done.Contains(name);

    /// <summary>Writes stored bytes of a tensor; from any thread, in any order.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="first">Row-major index of the first element.</param>
    /// <param name="bytes">Whole elements.</param>
    public void Write(string name, long first, ReadOnlySpan<byte> bytes) => _writerOf[name].Write(name, first, bytes);

    /// <summary>Notes that a tensor is complete, so that a resumed run need not make it again.</summary>
    public void MarkDone(string name)
    {
        string line = JsonEncodedText.Encode(name).ToString();
        lock (_gate) _journal!.WriteLine(line);
    }

    /// <summary>Adds a file that belongs to the checkpoint, in a folder.</summary>
    public void AddText(string name, string text)
    {
        if (_isFolder) File.WriteAllText(System.IO.Path.Combine(_work, name), text);
    }

    /// <summary>Copies a file that belongs to the checkpoint, into a folder.</summary>
    public void AddCopy(string file)
    {
        if (_isFolder) File.Copy(file, System.IO.Path.Combine(_work, System.IO.Path.GetFileName(file)), overwrite: true);
    }

    /// <summary>Flushes everything and gives the checkpoint its name.</summary>
    public void Commit()
    {
        foreach (CheckpointWriter writer in _writers) writer.Complete();
        if (_isFolder && _writers.Count > 1) AddText(IndexName, Index());
        CloseFiles();
        File.Delete(System.IO.Path.Combine(_work, JournalName));
        if (_isFolder) MoveFolder();
        else MoveFile();
        _committed = true;
    }

    /// <summary>Without <see cref="Commit"/>: leaves nothing behind.</summary>
    public void Dispose()
    {
        CloseFiles();
        if (!_committed && Directory.Exists(_work)) Directory.Delete(_work, recursive: true);
    }

    private void OpenWork(bool resume, string fingerprint)
    {
        string journal = System.IO.Path.Combine(_work, JournalName);
        if (Directory.Exists(_work))
        {
            if (Directory.EnumerateFileSystemEntries(_work).Any() && !File.Exists(journal))
                throw new IOException($"{_work} is in the way: it was not left by an interrupted run; move it elsewhere");
            if (!resume) Unlock(journal);
            else if (File.Exists(journal)) ReadJournal(journal, fingerprint);
        }

        Directory.CreateDirectory(_work);
        FileStream stream = new(journal, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        stream.Seek(0, SeekOrigin.End);
        _journal = new(stream) { AutoFlush = true };
        if (stream.Length == 0) _journal.WriteLine(fingerprint);
    }

    /// <summary>Removes what an interrupted run left, unless that run is still going.</summary>
    private void Unlock(string journal)
    {
        if (File.Exists(journal))
        {
            using FileStream exclusive = new(journal, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        }

        Directory.Delete(_work, recursive: true);
    }

    private void ReadJournal(string journal, string fingerprint)
    {
        using FileStream stream = new(journal, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        using StreamReader reader = new(stream);
        string[] lines = reader.ReadToEnd().Split('\n');
        if (lines[0].Length > 0 && lines[0] != fingerprint)
            throw new IOException($"{_work} was left by a run with other inputs, another recipe or other options; run without --resume to start afresh");

        // What follows the last line break was cut off by the interruption.
        foreach (string line in lines[1..^1]) _done.Add(JsonSerializer.Deserialize(Quote(line), StringJson.Default.String)!);
        if (lines[^1].Length == 0) return;
        stream.SetLength(stream.Length - System.Text.Encoding.UTF8.GetByteCount(lines[^1]));
    }

    private static string Quote(string line) => '"' + line + '"';

    private void LayOut(IReadOnlyList<TensorSpec> tensors, IReadOnlyDictionary<string, string> metadata, long shardBytes)
    {
        long need = tensors.Sum(t => t.ByteCount);
        DriveInfo drive = new(_work);
        long had = Directory.EnumerateFiles(_work).Sum(f => new FileInfo(f).Length);
        if (drive.AvailableFreeSpace + had < need)
            throw new IOException($"{Path} needs {need:N0} bytes, {drive.AvailableFreeSpace:N0} are free on its disk");

        CheckpointFormat format = CheckpointFormat.ByExtension(Path) ?? CheckpointFormat.All.OfType<Safetensors>().Single();
        var shards = _isFolder ? Split(tensors, shardBytes) : [[.. tensors]];
        for (int i = 0; i < shards.Count; i++)
        {
            string name = !_isFolder ? System.IO.Path.GetFileName(Path) : shards.Count == 1 ? "model.safetensors" : $"model-{i + 1:00000}-of-{shards.Count:00000}.safetensors";
            CheckpointWriter writer = format.Create(System.IO.Path.Combine(_work, name), shards[i], metadata)
                ?? throw new IOException($"Amalgam reads {format.Name} files but does not write them; end the name in .safetensors");
            _writers.Add(writer);
            foreach (TensorSpec tensor in shards[i]) _writerOf.Add(tensor.Name, writer);
        }
    }

    private static List<List<TensorSpec>> Split(IReadOnlyList<TensorSpec> tensors, long shardBytes)
    {
        List<List<TensorSpec>> shards = [[]];
        long size = 0;
        foreach (TensorSpec tensor in tensors)
        {
            if (shardBytes > 0 && shards[^1].Count > 0 && size + tensor.ByteCount > shardBytes)
            {
                shards.Add([]);
                size = 0;
            }

            shards[^1].Add(tensor);
            size += tensor.ByteCount;
        }

        return shards;
    }

    private string Index()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new() { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartObject("metadata");
            json.WriteNumber("total_size", _writers.Sum(w => w.TensorBytes));
            json.WriteEndObject();
            json.WriteStartObject("weight_map");
            foreach (var (name, writer) in _writerOf.OrderBy(e => e.Key, StringComparer.Ordinal)) json.WriteString(name, System.IO.Path.GetFileName(writer.Path));
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    private void MoveFolder()
    {
        if (!Directory.Exists(Path))
        {
            Directory.Move(_work, Path);
            return;
        }

        // The old one goes aside first, so that the name never shows a mixture.
        string old = Path + ".replaced";
        if (Directory.Exists(old)) Directory.Delete(old, recursive: true);
        Directory.Move(Path, old);
        Directory.Move(_work, Path);
        Directory.Delete(old, recursive: true);
    }

    private void MoveFile()
    {
        File.Move(_writers[0].Path, Path, _overwrite);
        Directory.Delete(_work, recursive: true);
    }

    private void CloseFiles()
    {
        foreach (CheckpointWriter writer in _writers) writer.Dispose();
        _journal?.Dispose();
        _journal = null;
    }

    private static bool IsModelFile(string name) =>
        CheckpointFormat.ByExtension(name) is not null
        || System.IO.Path.GetExtension(name) is ".json" or ".yml" or ".yaml" or ".md" or ".txt" or ".model" or ".jinja" or ".tiktoken" or ".vocab"
        || name is ".gitattributes" or "LICENSE" or "USE_POLICY.md";
}

/// <summary>JSON strings without reflection.</summary>
[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class StringJson : System.Text.Json.Serialization.JsonSerializerContext;
