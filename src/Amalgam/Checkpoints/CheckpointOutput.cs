using System.Text.Json;

namespace Amalgam.Checkpoints;

/// <summary>How a checkpoint is written.</summary>
/// <param name="ShardBytes">A new shard begins before a tensor that would make a file larger than this; 0 never splits. Only for folders.</param>
/// <param name="Overwrite">Replace what is at the path once the new checkpoint is complete.</param>
/// <param name="Resume">Go on with what an interrupted run left.</param>
public sealed record OutputOptions(long ShardBytes = 5_000_000_000, bool Overwrite = false, bool Resume = false);

/// <summary>
/// A checkpoint that appears under its name only when it is complete. It grows in a working folder beside, <c>NAME.partial</c>, which holds a journal of the
/// tensors that are finished, the new files in <c>output</c> and, for a moment, the old ones in <c>replaced</c>; <see cref="Commit"/> renames it. A run that is
/// killed leaves the working folder, from which a later one may go on.
/// </summary>
/// <remarks>
/// The journal is open, and so locked, as long as the run lasts; it is the first thing that is made and the last that is removed. Its first line says which
/// run it is of, then comes a line for each finished tensor, and <c>complete</c> before the renaming begins.
/// </remarks>
public sealed class CheckpointOutput : IDisposable
{
    private const string IndexName = "model.safetensors.index.json";
    private const string JournalName = "journal", ContentName = "output", ReplacedName = "replaced";
    private const string JournalHead = "amalgam ", CompleteLine = "complete";

    private readonly string _work;
    private readonly bool _isFolder;
    private readonly bool _overwrite;
    private readonly Dictionary<string, CheckpointWriter> _writerOf = new(StringComparer.Ordinal);
    private readonly List<CheckpointWriter> _writers = [];
    private readonly HashSet<string> _done = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private FileStream? _journal;

    private CheckpointOutput(string path, bool overwrite) => (Path, _work, _isFolder, _overwrite) = (path, WorkOf(path), IsFolder(path), overwrite);

    /// <summary>The final file or folder.</summary>
    public string Path { get; }

    /// <summary>Names of the checkpoint's files.</summary>
    public IEnumerable<string> Files => _writers.Select(w => System.IO.Path.GetFileName(w.Path));

    /// <summary>The output has its name. True from the start when an interrupted run had come so far; there is nothing left to do then.</summary>
    public bool IsCommitted { get; private set; }

    /// <summary>A path that ends like a checkpoint file is one; any other is a folder.</summary>
    public static bool IsFolder(string path) => CheckpointFormat.ByExtension(path) is null;

    /// <summary>The one spelling of a path, to which names of what lies beside it can be added: absolute, without a separator at its end.</summary>
    internal static string FullPath(string path) => System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));

    /// <summary>Refuses a path that cannot be written as asked, before any work.</summary>
    /// <param name="path">The output.</param>
    /// <param name="overwrite">It may replace an old one.</param>
    /// <param name="resume">It may be what an interrupted run had finished but for cleaning up.</param>
    /// <exception cref="IOException">Something is there already, or the folder around it is missing.</exception>
    public static void CheckTarget(string path, bool overwrite, bool resume = false)
    {
        string full = FullPath(path);
        if (resume && WasCommitted(full)) return;
        string? parent = System.IO.Path.GetDirectoryName(full) ?? throw new IOException($"{path} is the root of the file system; name a folder inside it");
        for (; parent is not null && !Directory.Exists(parent); parent = System.IO.Path.GetDirectoryName(parent))
            if (File.Exists(parent)) throw new IOException($"{parent} is a file, so {path} cannot be written");
        if (IsFolder(full) ? File.Exists(full) : Directory.Exists(full))
            throw new IOException($"{path} is {(IsFolder(full) ? "a file, expected a folder; end the name in .safetensors to write one file" : "a folder, expected a file")}");
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
    /// <param name="model">For a format whose files hold more than tensors: the file of which the rest is taken.</param>
    /// <exception cref="IOException">The path cannot be written, or the disk is full.</exception>
    /// <exception cref="InvalidDataException">The format cannot store such a tensor, or its name.</exception>
    public static CheckpointOutput Create(
        string path, IReadOnlyList<TensorSpec> tensors, IReadOnlyDictionary<string, string> metadata, OutputOptions options, string fingerprint, string? model = null)
    {
        CheckTarget(path, options.Overwrite, options.Resume);
        CheckpointOutput output = new(FullPath(path), options.Overwrite);
        try
        {
            output.OpenWork(options.Resume, fingerprint);
            if (!output.IsCommitted) output.LayOut(tensors, metadata, options.ShardBytes, model);
            return output;
        }
        catch
        {
            // What could be resumed stays, and so does what is not ours.
            if (output._done.Count > 0 || output._journal is null) output.CloseFiles();
            else output.Dispose();
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
        lock (_gate) AppendLine(Quote(name));
    }

    /// <summary>Adds a file that belongs to the checkpoint, in a folder.</summary>
    public void AddText(string name, string text)
    {
        if (_isFolder) AddFile(name, place => File.WriteAllText(place, text));
    }

    /// <summary>Copies a file that belongs to the checkpoint, into a folder; its bytes only, as a copy that is read-only could not be made again.</summary>
    public void AddCopy(string file)
    {
        if (_isFolder) AddFile(System.IO.Path.GetFileName(file), place =>
        {
            File.Delete(place);
            using FileStream source = File.OpenRead(file), copy = File.Create(place);
            source.CopyTo(copy);
        });
    }

    private void AddFile(string name, Action<string> write)
    {
        try
        {
            write(System.IO.Path.Combine(Content, name));
        }
        catch (IOException e)
        {
            throw new IOException($"{name} cannot be written into {Path}: {e.Message}", e);
        }
    }

    /// <summary>Flushes everything and gives the checkpoint its name.</summary>
    public void Commit()
    {
        foreach (CheckpointWriter writer in _writers) writer.Complete();
        if (_isFolder && _writers.Count > 1) AddText(IndexName, Index());
        foreach (CheckpointWriter writer in _writers) writer.Dispose();
        AppendLine(CompleteLine);
        if (_isFolder) MoveFolder();
        else File.Move(_writers[0].Path, Path, _overwrite);
        IsCommitted = true;
        RemoveWork();
    }

    /// <summary>Without <see cref="Commit"/>: leaves nothing behind.</summary>
    public void Dispose()
    {
        foreach (CheckpointWriter writer in _writers) writer.Dispose();
        if (!IsCommitted && _journal is not null) RemoveWork();
        CloseFiles();
    }

    private string Content => System.IO.Path.Combine(_work, ContentName);

    private string Replaced => System.IO.Path.Combine(_work, ReplacedName);

    private static string WorkOf(string path) => path + ".partial";

    /// <summary>An interrupted run has given the output its name, and only its working folder is left to remove.</summary>
    private static bool WasCommitted(string path)
    {
        string journal = System.IO.Path.Combine(WorkOf(path), JournalName);
        if (!File.Exists(journal) || !WasMoved(path)) return false;
        using FileStream stream = ExclusiveFile.Open(journal, path);
        return CompleteLines(stream) is [_, .., CompleteLine];
    }

    private void OpenWork(bool resume, string fingerprint)
    {
        string journal = System.IO.Path.Combine(_work, JournalName);
        if (File.Exists(_work) || (Directory.Exists(_work) && !File.Exists(journal) && Directory.EnumerateFileSystemEntries(_work).Any())) throw InTheWay();
        Directory.CreateDirectory(_work);
        FileStream stream = ExclusiveFile.Open(journal, Path);
        try
        {
            string[] lines = CompleteLines(stream);
            bool isOurs = lines.Length > 0 ? lines[0].StartsWith(JournalHead, StringComparison.Ordinal) : Directory.EnumerateFileSystemEntries(_work).Count() == 1;
            if (!isOurs) throw InTheWay();

            string head = JournalHead + Quote(fingerprint);
            if (!resume || lines.Length == 0)
            {
                PutBack();
                Remove(Content);
                Remove(Replaced);
                lines = [];
            }
            else if (lines[0] != head)
            {
                throw new IOException($"{_work} was left by a run with other inputs, another recipe or other options; run without --resume to start afresh");
            }

            foreach (string line in lines.Skip(1).Where(l => l != CompleteLine)) _done.Add(Unquote(line));
            IsCommitted = lines is [_, .., CompleteLine] && WasMoved(Path);
            stream.SetLength(lines.Sum(l => l.Length + 1));
            stream.Seek(0, SeekOrigin.End);
            _journal = stream;
            if (lines.Length == 0) AppendLine(head);
            if (IsCommitted) RemoveWork();
        }
        catch
        {
            if (_journal is null) stream.Dispose();
            throw;
        }
    }

    private static bool WasMoved(string path)
    {
        string content = System.IO.Path.Combine(WorkOf(path), ContentName);
        return System.IO.Path.Exists(path) && !System.IO.Path.Exists(IsFolder(path) ? content : System.IO.Path.Combine(content, System.IO.Path.GetFileName(path)));
    }

    private IOException InTheWay() => new($"{_work} is in the way: it was not left by an interrupted run; move it elsewhere");

    /// <summary>The lines of a journal, which is ASCII; what follows the last line break was cut off by an interruption.</summary>
    private static string[] CompleteLines(FileStream journal)
    {
        byte[] bytes = new byte[journal.Length];
        journal.Seek(0, SeekOrigin.Begin);
        journal.ReadExactly(bytes);
        return System.Text.Encoding.Latin1.GetString(bytes).Split('\n')[..^1];
    }

    private void AppendLine(string line) => _journal!.Write(System.Text.Encoding.ASCII.GetBytes(line + '\n'));

    private static string Quote(string text) => $"\"{JsonEncodedText.Encode(text)}\"";

    private string Unquote(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, StringJson.Default.String) ?? throw new JsonException();
        }
        catch (JsonException e)
        {
            throw new IOException($"the journal in {_work} is damaged; run without --resume to start afresh", e);
        }
    }

    private void LayOut(IReadOnlyList<TensorSpec> tensors, IReadOnlyDictionary<string, string> metadata, long shardBytes, string? model)
    {
        long need = tensors.Sum(t => t.ByteCount);
        Directory.CreateDirectory(Content);
        DriveInfo drive = new(_work);
        long had = Directory.EnumerateFiles(Content).Sum(f => new FileInfo(f).Length);
        if (drive.AvailableFreeSpace + had < need)
            throw new IOException($"{Path} needs {need:N0} bytes, {drive.AvailableFreeSpace:N0} are free on its disk");

        CheckpointFormat format = CheckpointFormat.ByExtension(Path) ?? CheckpointFormat.All.OfType<Safetensors>().Single();
        var shards = _isFolder ? Split(tensors, shardBytes) : [[.. tensors]];
        for (int i = 0; i < shards.Count; i++)
        {
            string name = !_isFolder ? System.IO.Path.GetFileName(Path) : shards.Count == 1 ? "model.safetensors" : $"model-{i + 1:00000}-of-{shards.Count:00000}.safetensors";
            CheckpointWriter writer = CreateFile(format, System.IO.Path.Combine(Content, name), shards[i], metadata, model);
            _writers.Add(writer);
            foreach (TensorSpec tensor in shards[i])
            {
                _writerOf.Add(tensor.Name, writer);
                if (writer.IsNew) _done.Remove(tensor.Name); // its file is gone or of another size, whatever the journal says
            }
        }
    }

    /// <summary>What a format cannot store is no bug of ours but a wish that it does not grant.</summary>
    private CheckpointWriter CreateFile(CheckpointFormat format, string file, IReadOnlyList<TensorSpec> tensors, IReadOnlyDictionary<string, string> metadata, string? model)
    {
        try
        {
            return format.Create(file, tensors, metadata, model) ?? throw new IOException($"Amalgam reads {format.Name} files but does not write them; end the name in .safetensors");
        }
        catch (ArgumentException e)
        {
            string why = e.Message.Replace($" (Parameter '{e.ParamName}')", "", StringComparison.Ordinal).Replace(file + ": ", "", StringComparison.Ordinal);
            throw new InvalidDataException($"{Path} cannot be written: {why}", e);
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
        // The old one goes aside first, so that the name never shows a mixture.
        if (Directory.Exists(Path))
        {
            Remove(Replaced);
            Directory.Move(Path, Replaced);
        }

        Directory.Move(Content, Path);
    }

    /// <summary>An old output that was put aside for a new one that never came returns to its name.</summary>
    private void PutBack()
    {
        if (Directory.Exists(Replaced) && !System.IO.Path.Exists(Path)) Directory.Move(Replaced, Path);
    }

    /// <summary>The journal goes last, so that an interruption leaves what the next run knows for its own.</summary>
    private void RemoveWork()
    {
        PutBack();
        Remove(Replaced);
        Remove(Content);
        File.Delete(System.IO.Path.Combine(_work, JournalName));
        CloseFiles();
        if (!Directory.EnumerateFileSystemEntries(_work).Any()) Directory.Delete(_work);
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
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
