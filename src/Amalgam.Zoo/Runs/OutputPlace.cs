namespace Amalgam.Zoo.Runs;

/// <summary>Whether files can be made at a place, seen before any work.</summary>
public static class OutputPlace
{
    /// <summary>Refuses a place where no file can be made.</summary>
    /// <param name="path">The file or folder that is asked for; folders around it may be missing where they can be made.</param>
    /// <exception cref="IOException">No file can be made there.</exception>
    public static void Check(string path) => Check(path, Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))));

    /// <summary>Refuses a folder in which no file can be made, there already or not.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="IOException">No file can be made in it.</exception>
    public static void CheckFolder(string folder)
    {
        if (File.Exists(folder)) throw new IOException($"{folder} is a file, expected a folder for what the run leaves behind");
        Check(folder, Path.GetFullPath(folder));
    }

    private static void Check(string path, string? folder)
    {
        for (; folder is not null && !Directory.Exists(folder); folder = Path.GetDirectoryName(folder))
            if (File.Exists(folder)) throw new IOException($"{folder} is a file, so {path} cannot be written");
        if (folder is null) return;
        try
        {
            using FileStream probe = new(Path.Combine(folder, $".{Path.GetRandomFileName()}"), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{path} cannot be written: no file can be made in {folder}", e);
        }
    }
}
