using Amalgam.Checkpoints;
using Amalgam.Graphs;
using Amalgam.Zoo.Models;
using Amalgam.Zoo.Report;

namespace Amalgam.Zoo.Runs;

/// <summary>The folder of a run while the run writes it. What another run left there goes when this one begins, and nothing else ever does.</summary>
internal sealed class RunOutput
{
    /// <summary>Is there while a run writes the folder.</summary>
    private const string Lock = ".lock";

    /// <summary>Endings of files that a killed run had not completed.</summary>
    private static readonly string[] Unfinished = ["", ".tmp", ".partial"];

    /// <summary>What opening a file that another process holds comes to: on Windows, Linux and macOS.</summary>
    private static readonly int[] IsShared = [unchecked((int)0x80070020), unchecked((int)0x80070021), 11, 35];

    private readonly string[] _names;
    private IDisposable? _lock;
    private int _holds;

    /// <param name="folder">The folder; it need not exist.</param>
    /// <param name="names">Every file that the run may leave.</param>
    /// <param name="inputs">What the run reads; null entries count for nothing.</param>
    /// <param name="resume">Whether the run goes on with what an interrupted one left there.</param>
    /// <param name="overwrite">Whether it replaces what another one left there.</param>
    /// <param name="folders">Folders and files that the run has inside, which are seen to by themselves; null for none.</param>
    /// <exception cref="IOException">There is something in the folder that the run must not replace.</exception>
    public RunOutput(string folder, IEnumerable<string> names, IEnumerable<string?> inputs, bool resume, bool overwrite, IReadOnlyCollection<string>? folders = null)
    {
        (Folder, _names) = (folder, [.. names]);
        OutputPlace.CheckFolder(folder);
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        foreach (string path in inputs.OfType<string>())
        {
            string input = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
            if (Path.GetDirectoryName(input) == full || input == full)
                throw new IOException($"{path} {(input == full ? "is the folder" : $"lies in {folder},")} where the run leaves its files and would replace it; name another output");
        }

        if (!Directory.Exists(folder) || (resume && File.Exists(PathOf(RunFolder.State)))) return;
        string[] inside = [.. Directory.EnumerateFileSystemEntries(folder).Select(e => Path.GetFileName(e)).Where(name => name != Lock).Order(StringComparer.Ordinal)];
        if (inside.Length == 0 || (resume && HasOnlyBegun(folder))) return;
        string? strange = inside.FirstOrDefault(name => !IsOwn(name) && !name.StartsWith('.') && folders?.Contains(name) != true);
        if (!overwrite)
        {
            string goesOn = resume ? "it holds no interrupted run to go on with, " : File.Exists(PathOf(RunFolder.State)) ? "--resume goes on with an interrupted run, " : "";
            throw new IOException($"{folder} is not empty; {goesOn}{(strange is null ? "--overwrite begins anew, or name another folder" : $"{(goesOn == "" ? "" : "and ")}'{strange}' there is nothing that a run of this kind leaves: name another folder")}");
        }

        if (strange is not null) throw new IOException($"{folder} holds '{strange}', which a run of this kind does not leave, so --overwrite does not replace the folder; name another or clear it yourself");
    }

    public string Folder { get; }

    /// <summary>Keeps other runs out of the folder until it is given back; who holds it already may hold it once more.</summary>
    /// <exception cref="IOException">Another run is at work there, or no file can be made there.</exception>
    public IDisposable Hold()
    {
        if (_holds == 0) _lock = Hold(Folder);
        _holds++;
        return new Release(() =>
        {
            if (--_holds == 0) _lock!.Dispose();
        });
    }

    /// <summary>Keeps other runs out of several folders, all or none.</summary>
    /// <exception cref="IOException">Another run is at work in one.</exception>
    public static IDisposable Hold(IEnumerable<RunOutput> outputs)
    {
        Stack<IDisposable> held = [];
        Release all = new(() =>
        {
            while (held.TryPop(out IDisposable? last)) last.Dispose();
        });
        try
        {
            foreach (RunOutput output in outputs) held.Push(output.Hold());
            return all;
        }
        catch
        {
            all.Dispose();
            throw;
        }
    }

    /// <summary>Keeps other runs out of a folder, which is made where it is missing.</summary>
    /// <exception cref="IOException">Another run is at work there, or no file can be made there.</exception>
    public static IDisposable Hold(string folder)
    {
        string path = Path.Combine(folder, Lock);
        try
        {
            Directory.CreateDirectory(folder);
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException e) when (IsShared.Contains(e.HResult))
        {
            throw new IOException($"another run is at work in {folder}; wait for its end, or name another folder", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException(Directory.Exists(path) ? $"{path} is a folder, expected none: a run makes a file of that name while it is at work" : $"{path} cannot be made, by which a run keeps others out of its folder: {e.Message}", e);
        }
    }

    private sealed class Release(Action give) : IDisposable
    {
        private Action? _give = give;

        public void Dispose()
        {
            _give?.Invoke();
            _give = null;
        }
    }

    /// <summary>Refuses to go on where another run has begun meanwhile.</summary>
    /// <param name="name">The file of the description.</param>
    /// <param name="text">What it says of this run.</param>
    /// <exception cref="IOException">It says something else.</exception>
    public void CheckDescription(string name, string text)
    {
        if (!File.Exists(PathOf(name)) || File.ReadAllText(PathOf(name)) != text) throw new IOException($"another run has begun in {Folder} since this one did; name another folder");
    }

    /// <summary>Refuses a page that would take the place of something: it lies outside the run's folder, or is <c>report.html</c> at its top, and never where an input is.</summary>
    /// <param name="report">Where the page goes; null for the usual place.</param>
    /// <param name="folder">The run's folder.</param>
    /// <param name="inputs">What the run reads; null entries count for nothing.</param>
    /// <param name="overwrite">Whether any other file there may be replaced; without it pages alone.</param>
    /// <exception cref="IOException">It would.</exception>
    public static void CheckReport(string? report, string folder, IEnumerable<string?> inputs, bool overwrite)
    {
        if (report is null) return;
        string full = Path.GetFullPath(report), here = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)), own = Path.Combine(here, TransferFolder.Report);
        if (full != own && IsIn(here, full)) throw new IOException($"--report: {report} is in the folder that the run makes itself; name another place, or {Path.Combine(folder, TransferFolder.Report)}");
        if (inputs.OfType<string>().Select(Whole).FirstOrDefault(input => input == full || (full != own && File.Exists(full) && IsIn(input, full))) is { } read)
            throw new IOException($"--report: {report} is {(read == full ? "" : $"part of {read}, ")}what the run reads; name another");
        if (!overwrite && File.Exists(full) && !HtmlReport.IsOne(full)) throw new IOException($"--report: {report} is there already and no page of a run; name another");
    }

    /// <summary>The whole of an input: of a file in the folder of a run that folder.</summary>
    private static string Whole(string input)
    {
        string full = Path.GetFullPath(input);
        return Path.GetDirectoryName(full) is { } around && File.Exists(Path.Combine(around, RunFolder.Description)) ? around : full;
    }

    /// <summary>Whether a place is a folder, or lies in it at whatever depth.</summary>
    private static bool IsIn(string folder, string path) => (path + Path.DirectorySeparatorChar).StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    public string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>Makes the folder; where the run begins anew, without what another one left.</summary>
    public void Begin(bool resumed)
    {
        Directory.CreateDirectory(Folder);
        if (!resumed) Clear();
    }

    /// <summary>Removes what the run leaves.</summary>
    public void Clear()
    {
        foreach (string name in _names)
        {
            foreach (string ending in Unfinished) File.Delete(PathOf(name + ending));
        }
    }

    private bool IsOwn(string name) => Unfinished.Any(ending => name.EndsWith(ending, StringComparison.Ordinal) && _names.Contains(name[..^ending.Length]));

    /// <summary>Whether a run that left this folder was ended before it kept anything: there are descriptions alone.</summary>
    private static bool HasOnlyBegun(string folder) => Directory.EnumerateFileSystemEntries(folder).All(entry =>
    {
        string name = Path.GetFileName(entry);
        bool isDescription = ((string[])[RunFolder.Description, TransferFolder.Description]).Any(description => name == description || name == description + ".tmp");
        return name == Lock || name == RunFolder.State + ".partial" || (Directory.Exists(entry) ? HasOnlyBegun(entry) : isDescription);
    });

    /// <summary>Writes a text, which appears under its name when it is complete.</summary>
    public void WriteText(string name, string text) => WriteFile(PathOf(name), text);

    /// <summary>The same at a place of its own.</summary>
    public static void WriteFile(string path, string text)
    {
        string beside = path + ".tmp";
        File.WriteAllText(beside, text);
        File.Move(beside, path, overwrite: true);
    }

    /// <summary>Writes a network: its weights with the architecture that they are of, and as ONNX, by the file that it comes from where it comes from one.</summary>
    /// <param name="network">The network.</param>
    /// <param name="model">What it is.</param>
    /// <param name="weights">Name of the file of weights.</param>
    /// <param name="onnx">Name of the ONNX file.</param>
    /// <param name="notes">Hears of what could not be written.</param>
    /// <param name="classes">Names of the classes, for the configuration of a folder of Hugging Face.</param>
    public void Save(Graph network, ModelDescription model, string weights, string onnx, List<string> notes, IReadOnlyList<string>? classes = null)
    {
        if (model.IsFolder)
        {
            SaveFolder(network, model, weights == RunFolder.Best, notes, classes ?? []);
            return;
        }

        GraphWeights.Save(network, PathOf(weights), overwrite: true, new Dictionary<string, string> { [ModelLoader.ArchitectureKey] = model.Text });
        SaveOnnx(network, model, onnx, notes);
    }

    /// <summary>The run's folder becomes one of Hugging Face, whose weights are those that the run is known by; the last ones make room for the best.</summary>
    private void SaveFolder(Graph network, ModelDescription model, bool best, List<string> notes, IReadOnlyList<string> classes)
    {
        if (best) File.Move(PathOf(RunFolder.Model), PathOf(RunFolder.Last), overwrite: true);
        if (best && File.Exists(PathOf(RunFolder.Onnx))) File.Move(PathOf(RunFolder.Onnx), PathOf(RunFolder.LastOnnx), overwrite: true);
        HuggingFaceOutput.Write(network, model.Name, Folder, classes);
        SaveOnnx(network, model, RunFolder.Onnx, notes);
    }

    /// <summary>Writes a network as ONNX.</summary>
    public void SaveOnnx(Graph network, ModelDescription model, string onnx, List<string> notes)
    {
        try
        {
            if (!model.IsOnnx)
            {
                OnnxModel.Write(network, PathOf(onnx), new("batch", Overwrite: true));
                return;
            }

            using OnnxModel origin = OnnxModel.Open(model.Name);
            origin.Save(network, PathOf(onnx), new(Overwrite: true));
        }
        catch (GraphException e)
        {
            notes.Add($"no {onnx}: {e.Message}");
        }
    }
}
