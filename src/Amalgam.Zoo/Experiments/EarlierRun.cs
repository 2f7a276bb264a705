namespace Amalgam.Zoo.Experiments;

/// <summary>What an earlier run left in the folder of a reproduction: a run of the same description goes on with it, and no other replaces it unasked.</summary>
internal static class EarlierRun
{
    /// <summary>Makes a folder where there is none.</summary>
    /// <returns>Its whole path.</returns>
    /// <exception cref="InvalidDataException">A file is in the way.</exception>
    public static string Open(string folder)
    {
        for (string? part = Path.GetFullPath(folder); part is not null; part = Path.GetDirectoryName(part))
        {
            if (File.Exists(part)) throw new InvalidDataException($"{part} is a file, expected a folder for networks and results");
        }

        return Directory.CreateDirectory(folder).FullName;
    }

    /// <summary>Whether a file of an earlier run is of this run's description.</summary>
    /// <param name="path">The file.</param>
    /// <param name="there">The description of what is there.</param>
    /// <param name="here">This run's.</param>
    /// <param name="overwrite">Whether a file of another description may be replaced.</param>
    /// <exception cref="InvalidDataException">It is of another, and may not be replaced.</exception>
    public static bool IsTakenOver(string path, string there, string here, bool overwrite)
    {
        if (there == here) return true;
        if (overwrite) return false;
        throw new InvalidDataException(
            $"{Path.GetDirectoryName(path)} has {Path.GetFileName(path)} of a run that differs ({Difference(there, here)}); --overwrite replaces it, or name another folder with --out");
    }

    /// <summary>The first part in which two descriptions differ.</summary>
    private static string Difference(string there, string here)
    {
        string[] old = there.Split([", ", "; "], StringSplitOptions.None), own = here.Split([", ", "; "], StringSplitOptions.None);
        int at = Enumerable.Range(0, Math.Max(old.Length, own.Length)).First(i => old.ElementAtOrDefault(i) != own.ElementAtOrDefault(i));
        return $"{Part(old, at)} there, {Part(own, at)} here";
    }

    private static string Part(string[] parts, int at) => at < parts.Length && parts[at] != "" ? $"'{parts[at]}'" : "nothing";
}
