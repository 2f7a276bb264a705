using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary>Files that a command writes: whether they can be written is seen before any work.</summary>
internal static class OutputFile
{
    /// <summary>Makes the folders around a file, as for every output: what names a file need not make its place first.</summary>
    public static void MakePlace(string path) => Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);

    /// <summary>Refuses a file that would take the place of an input, or of anything without leave, and one in a place that cannot be written.</summary>
    /// <param name="option">The option that names it.</param>
    /// <param name="path">Where it goes.</param>
    /// <param name="inputs">Files and folders that are read, and other outputs.</param>
    /// <param name="overwrite">What is there may be replaced.</param>
    /// <exception cref="IOException">It cannot be written there.</exception>
    public static void Check(string option, string path, IEnumerable<string> inputs, bool overwrite)
    {
        if (Directory.Exists(path)) throw new IOException($"{option}: {path} is a folder, expected a file");
        CheckApart(option, path, inputs);
        if (File.Exists(path) && !overwrite) throw new IOException($"{option}: {path} exists; --overwrite replaces it");
        OutputPlace.Check(path);
    }

    /// <summary>Refuses a path that is an input, or lies in a folder that is one and takes a file's place there.</summary>
    /// <exception cref="IOException">It is.</exception>
    public static void CheckApart(string option, string path, IEnumerable<string> inputs)
    {
        string full = Path.GetFullPath(path);
        foreach (string input in inputs)
        {
            bool isInside = Directory.Exists(input) && File.Exists(full) && Path.GetDirectoryName(full) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(input));
            if (isInside || Path.GetFullPath(input) == full) throw new IOException($"{option}: {path} {(isInside ? $"is part of {input}, which" : "is a file that")} is read or written here already; name another");
        }
    }
}
