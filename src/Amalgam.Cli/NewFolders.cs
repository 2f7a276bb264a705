namespace Amalgam.Cli;

/// <summary>The folders that a command makes at a place: one that fails takes away those in which it left nothing.</summary>
internal sealed class NewFolders
{
    private readonly string _top;
    private readonly HashSet<string> _before;

    /// <param name="folder">The place, before the command.</param>
    public NewFolders(string folder)
    {
        _top = Path.GetFullPath(folder);
        while (!Directory.Exists(_top) && Path.GetDirectoryName(_top) is { } above && !Directory.Exists(above)) _top = above;
        _before = Directory.Exists(_top) ? [_top, .. Below(_top)] : [];
    }

    /// <summary>Removes the empty ones.</summary>
    public void RemoveEmpty()
    {
        if (!Directory.Exists(_top)) return;
        foreach (string folder in Below(_top).Append(_top).OrderByDescending(path => path.Length))
        {
            if (!_before.Contains(folder) && !Directory.EnumerateFileSystemEntries(folder).Any()) Directory.Delete(folder);
        }
    }

    private static string[] Below(string folder) => Directory.GetDirectories(folder, "*", SearchOption.AllDirectories);
}
