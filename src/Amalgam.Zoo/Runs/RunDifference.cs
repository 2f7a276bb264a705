using Amalgam.Merging.Recipes;
using Amalgam.Training;

namespace Amalgam.Zoo.Runs;

/// <summary>Where the description of a run differs from the one that it began with.</summary>
internal static class RunDifference
{
    /// <summary>The first place: <c>there 'lr: 0.1', here 'lr: 0.2'</c>; null where they are the same.</summary>
    /// <param name="there">The description that it began with.</param>
    /// <param name="here">The other one.</param>
    public static string? Between(string there, string here)
    {
        static string[] Lines(string text) => [.. text.Split('\n').Where(line => line.Length > 0 && !line.StartsWith("output:", StringComparison.Ordinal) && !line.StartsWith("solo:", StringComparison.Ordinal)).Append("")];
        var (old, now) = Lines(there).Zip(Lines(here)).FirstOrDefault(pair => pair.First != pair.Second);
        if (old is null) return null;
        int same = old.Zip(now).TakeWhile(pair => pair.First == pair.Second).Count();
        int from = old[..same].LastIndexOfAny(['{', ',']) + 1;
        string Part(string line) => line.IndexOf(", ", same, StringComparison.Ordinal) is > 0 and var end ? line[from..end] : line[from..];
        return $"there {Nearest.Quote(Part(old).Trim())}, here {Nearest.Quote(Part(now).Trim())}";
    }

    /// <summary>The same of a run of one network and the description in its folder; null too where that cannot be read.</summary>
    public static string? In(string folder, RunDescription run)
    {
        try
        {
            string path = Path.Combine(folder, RunFolder.Description);
            return File.Exists(path) ? Between(Text(RunDescription.Read(path)), Text(run)) : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Goes on with a run, or says what is different of the one that is there.</summary>
    /// <param name="folder">Its folder.</param>
    /// <param name="run">What it is here.</param>
    /// <param name="overwrite">Whether what another run left may be replaced.</param>
    /// <param name="resume">Goes on; false where there is nothing to go on with.</param>
    /// <exception cref="TrainingException">The folder is that of a run with another description or other data.</exception>
    public static bool Resume(string folder, RunDescription run, bool overwrite, Func<bool> resume)
    {
        try
        {
            if (resume()) return true;
        }
        catch (TrainingException e)
        {
            throw new TrainingException($"{e.Message}: {In(folder, run) ?? "the description is the same, so the data, or what a file that it names holds, is other"}", e);
        }

        if (!overwrite && In(folder, run) is { } differs) throw new TrainingException($"{folder} is that of a run with another description, which has only begun: {differs}; --overwrite begins anew, or name another folder");
        return false;
    }

    private static string Text(RunDescription run) => ReadableYaml.Of(RunYaml.Write(RunTrainer.Alone(run), withOutput: false));
}
